"""Serving a node: both surfaces on their ports, an address in use said plainly, and an end when asked."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from comity.entrypoints.serve import serve
from comity.errors import InputError
from tests.nodes.serving import peer_surface, raw
from tests.nodes.story import CA, HK
from tests.nodes.town import WATCH, Town


@pytest.mark.parametrize("surface", ["peer_port", "web_port"])
def test_an_address_in_use_is_named(town: Town, surface: str) -> None:
    settings = town[CA].settings
    with (
        socket.create_server((settings.host, getattr(settings, surface))),
        pytest.raises(InputError, match=f"{getattr(settings, surface)}.*in use"),
    ):
        serve(town[CA], on_ready=lambda: None)


def test_a_connection_that_says_nothing_is_closed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.entrypoints import deadlines

    monkeypatch.setattr(deadlines, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(deadlines, "BODY_SECONDS", 0.2)
    started = time.monotonic()
    with peer_surface(town[CA]):
        with raw(town[HK], town[CA]) as silent:
            assert silent.recv(100) == b""
        with raw(town[HK], town[CA]) as trickling:
            trickling.sendall(b"POST /peer/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc")
            assert trickling.recv(100) == b""
    assert time.monotonic() - started < 15


def run(folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "run.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "comity", "node", "run", str(folder)], stdout=log, stderr=log
        )


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> bytes:
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, trust_env=False).content
        except httpx.TransportError:
            assert process.poll() is None, "the node ended"
            assert time.monotonic() < until, "the node did not answer in 60 s"
            time.sleep(0.1)


@pytest.mark.federation
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_node_shows_its_log_and_ends_when_asked(town: Town, number: int) -> None:
    """A node that only witnesses, in a process of its own, as `comity node run` starts it."""
    town.close()
    folder = town.folder / WATCH
    process = run(folder)
    try:
        checkpoint = wait_for(f"{town[WATCH].settings.public_url}/log/checkpoint", process)
        assert checkpoint.startswith(f"{WATCH}/log\n".encode())
        for path in (
            "node.db",
            "keys/signing.pem",
            "passphrase",
            "log/../passphrase",
            "log/%2e%2e/passphrase",
        ):
            answer = httpx.get(f"{town[WATCH].settings.public_url}/{path}", trust_env=False)
            assert 400 <= answer.status_code < 500
        os.kill(process.pid, number)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    log = (folder / "run.log").read_text()
    assert "Traceback" not in log
    assert (folder / "passphrase").read_text().strip() not in log
