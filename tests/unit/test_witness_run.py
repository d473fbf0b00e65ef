"""A witness on its own: what it answers over HTTP, what it keeps, and that killing it makes it forget nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from comity.backends import witness_folder
from comity.backends.log_files import FileTileStore
from comity.backends.log_reader import FileLogReader
from comity.backends.witness_client import HttpWitness, origin_id
from comity.backends.witness_folder import NoWitness, SealedKey, WitnessFolder, create_witness, open_witness
from comity.backends.witness_store import MOST_DOUBTS, WitnessRecords
from comity.entrypoints.witness.allowance import Allowance
from comity.entrypoints.witness.app import create_witness_app
from comity.entrypoints.witness.follow import follow_all, look
from comity.errors import Conflict, InputError, NetworkError, StorageError
from comity.ledger import (
    Cosigned,
    Seen,
    TwoStories,
    check_misconduct,
    parse_misconduct,
    prove_growth,
    publish,
    read_answer,
    request_body,
)
from comity.ledger.request import MAX_BODY_BYTES
from comity.proofs.checkpoint import open_checkpoint
from comity.proofs.cosignature import cosigner_of
from comity.proofs.note import KeySigner, VerifierKey, verifier_of
from tests.unit.ledger_serving import serving, serving_app
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, key_of

LOG = key_of("log.example")
KEY = verifier_of(LOG)
SECRET = b"a passphrase"
START_SECONDS = 60.0


class Story:
    """A log with a name, and its requests."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def tiles(self, size: int) -> MemoryTiles:
        tiles = MemoryTiles()
        publish(MemoryEvents(size, story=self.name), tiles, LOG, now=NOW, limit=size)
        return tiles

    def note(self, size: int) -> bytes:
        return self.tiles(size).files["checkpoint"]

    def request(self, old: int, size: int) -> bytes:
        return request_body(old, prove_growth(self.tiles(size), old, size), self.note(size))


HONEST, OTHER = Story(), Story("another")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[WitnessFolder]:
    made = create_witness(tmp_path / "watch", "watch.example/w1", SECRET)
    made.records.add_log(KEY, follow="", now=NOW)
    yield made
    made.records.close()


@contextmanager
def running(folder: WitnessFolder, *, rate: float = 0.0) -> Iterator[str]:
    app = create_witness_app(folder, folder.signer(SECRET), clock=lambda: datetime.now(UTC), rate=rate)
    with serving_app(app) as url:
        yield url


def post(url: str, body: bytes) -> httpx.Response:
    return httpx.post(f"{url}/add-checkpoint", content=body, trust_env=False)


def cosigned(answer: httpx.Response, note: bytes, key: VerifierKey) -> bool:
    checkpoint, _ = open_checkpoint(note, [KEY])
    found = read_answer(
        answer.status_code,
        answer.headers["content-type"],
        answer.content,
        checkpoint=checkpoint,
        witnesses=[key],
    )
    return isinstance(found, Cosigned)


def test_the_whole_protocol_over_http(folder: WitnessFolder) -> None:
    with running(folder) as url:
        ask = HttpWitness(url)
        status, kind, body = ask.add_checkpoint(HONEST.request(0, 10))
        assert (status, kind.partition(";")[0]) == (200, "text/plain")
        assert body.startswith("— watch.example/w1 ".encode())
        assert cosigned(post(url, HONEST.request(10, 300)), HONEST.note(300), folder.key)
        again = post(url, HONEST.request(300, 300))
        assert cosigned(again, HONEST.note(300), folder.key)
        expected = [
            (HONEST.request(0, 400), 409, b"300\n"),
            (HONEST.request(10, 400), 409, b"300\n"),
            (request_body(301, (), HONEST.note(300)), 400, None),
            (request_body(300, (), OTHER.note(300)), 409, None),
            (request_body(300, (), HONEST.note(400)), 422, None),
            (request_body(300, (bytes(32),), HONEST.note(300)), 422, None),
            (b"nonsense", 400, None),
            (b"old 0\n\n" + HONEST.note(10).replace("— log.".encode(), "— gol.".encode()), 403, None),
            (b"old 0\n\n" + HONEST.note(10).replace(b"log.example\n", b"unknown.example\n", 1), 404, None),
        ]
        for body, status, text in expected:
            answer = post(url, body)
            assert answer.status_code == status, answer.text
            if text is not None:
                assert answer.content == text
                assert answer.headers["content-type"] == "text/x.tlog.size"
        assert ask.newest_checkpoint("log.example") is not None
        assert ask.newest_checkpoint("other.example") is None
        ask.close()


def test_an_overlong_body_is_refused_before_it_is_read(folder: WitnessFolder) -> None:
    with running(folder) as url:
        assert post(url, b"x" * (MAX_BODY_BYTES + 1)).status_code in (400, 413)

        def endless() -> Iterator[bytes]:
            for _ in range(2_000):
                yield b"x" * 65_536

        try:
            answer = httpx.post(f"{url}/add-checkpoint", content=endless(), trust_env=False)
        except httpx.TransportError:
            return  # the connection was closed while we were still sending
        assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405), ("PUT", "/add-checkpoint", 405), ("GET", "/witness.db", 404),
        ("GET", "/checkpoint/x", 404), ("GET", "/checkpoint/../witness.json", 404), ("POST", "/", 405),
        ("GET", f"/checkpoint/{origin_id('log.example')}", 404), ("GET", "/passphrase", 404), ("GET", "/", 200),
    ],
)  # fmt: skip
def test_nothing_else_is_there(folder: WitnessFolder, method: str, path: str, status: int) -> None:
    with running(folder) as url:
        assert httpx.request(method, url + path, trust_env=False).status_code == status


def test_anybody_can_see_what_it_saw(folder: WitnessFolder) -> None:
    with running(folder) as url:
        post(url, HONEST.request(0, 10))
        post(url, request_body(10, (), OTHER.note(10)))
        text = httpx.get(url, trust_env=False).text
        assert "log.example: 10 entries" in text
        assert "TOLD TWO STORIES" in text
        found = httpx.get(url, headers={"accept": "application/json"}, trust_env=False).json()
        assert found["key"] == str(folder.key)
        assert (found["logs"][0]["size"], found["logs"][0]["two_stories"]) == (10, 1)


def test_two_stories_are_kept_as_a_proof_that_anybody_can_check(folder: WitnessFolder) -> None:
    with running(folder) as url:
        post(url, HONEST.request(0, 10))
        for _ in range(3):
            assert post(url, request_body(10, (), OTHER.note(10))).status_code == 409
    (proof,) = (folder.path / "misconduct").glob("*.txt")
    assert check_misconduct(parse_misconduct(proof.read_bytes()), KEY).first.size == 10


def test_doubts_do_not_fill_the_disk(folder: WitnessFolder) -> None:
    for number in range(MOST_DOUBTS + 20):
        found = TwoStories(origin="log.example", trusted=b"a", offered=str(number).encode(), conclusive=False)
        assert (folder.records.keep_evidence(found, now=NOW) is not None) is (number < MOST_DOUBTS)
    sure = TwoStories(origin="log.example", trusted=b"a", offered=b"b", conclusive=True)
    assert folder.records.keep_evidence(sure, now=NOW) is not None
    assert folder.records.evidence_counts() == {"log.example": (1, MOST_DOUBTS)}


def test_racing_requests_never_get_two_trees_of_one_size_cosigned(folder: WitnessFolder) -> None:
    """Many at once, honest and forked, from every size: each size has at most one root under a cosignature."""
    bodies = [
        story.request(old, size)
        for story in (HONEST, OTHER) for old in (0, 5, 7) for size in (5, 7, 9) if old <= size
    ] * 3  # fmt: skip
    with running(folder) as url, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: (body, post(url, body)), bodies))
    assert {answer.status_code for _, answer in answers} <= {200, 409, 422, 400}
    roots: dict[int, set[bytes]] = {}
    for body, answer in answers:
        if answer.status_code == 200:
            note = body.partition(b"\n\n")[2]
            assert cosigned(answer, note, folder.key)
            checkpoint, _ = open_checkpoint(note, [KEY])
            roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    assert roots
    assert all(len(found) == 1 for found in roots.values())


def test_two_processes_on_one_directory_do_not_contradict_each_other(folder: WitnessFolder) -> None:
    other = open_witness(folder.path)
    ten, eleven = (Seen(size=size, root=bytes(32), note=b"n") for size in (10, 11))
    assert folder.records.replace("log.example", None, ten)
    assert not other.records.replace("log.example", None, eleven)
    assert other.records.replace("log.example", ten, eleven)
    assert not folder.records.replace("log.example", ten, Seen(size=12, root=bytes(32), note=b"n"))
    assert folder.records.newest("log.example") == eleven
    other.records.close()


def test_a_disk_that_refuses_is_an_answer_without_a_cosignature(
    folder: WitnessFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise StorageError("database or disk is full", where="/secret/place")

    monkeypatch.setattr(WitnessRecords, "replace", full)
    with running(folder) as url:
        answer = post(url, HONEST.request(0, 10))
    assert answer.status_code == 503
    assert b"secret" not in answer.content
    assert "—".encode() not in answer.content
    assert folder.records.newest("log.example") is None


def test_one_address_cannot_ask_for_more_than_its_share(folder: WitnessFolder) -> None:
    with running(folder, rate=1.0) as url:
        statuses = Counter(httpx.get(url, trust_env=False).status_code for _ in range(30))
        assert statuses[429] > 10
        assert statuses[200] >= 5


def test_an_allowance_comes_back_with_time_and_is_each_ones_own() -> None:
    now = 0.0
    allowance = Allowance(2.0, reserve=4.0, clock=lambda: now)
    assert [allowance.allows("a") for _ in range(6)] == [True] * 4 + [False] * 2
    assert allowance.allows("b")
    now = 1.0
    assert [allowance.allows("a") for _ in range(3)] == [True, True, False]


def test_a_log_keeps_its_key(folder: WitnessFolder) -> None:
    folder.records.add_log(KEY, follow="https://log.example/log", now=NOW)
    stranger = VerifierKey(name="log.example", kind=1, public=key_of("stranger").public)
    with pytest.raises(Conflict):
        folder.records.add_log(stranger, follow="", now=NOW)
    assert folder.records.logs() == {"log.example": KEY}


# --- the directory ---


def test_the_key_opens_with_its_passphrase_only(folder: WitnessFolder) -> None:
    assert folder.signer(SECRET).public == folder.key.public
    assert (folder.path / "witness.json").stat().st_mode & 0o077 == 0
    assert not (folder.path / "passphrase").exists()
    for wrong in (b"another", None):
        with pytest.raises(SealedKey):
            folder.signer(wrong)


def test_a_passphrase_is_made_where_none_is_given(tmp_path: Path) -> None:
    made = create_witness(tmp_path / "w", "watch.example", None)
    assert made.signer(None).public == made.key.public
    assert (tmp_path / "w" / "passphrase").stat().st_mode & 0o077 == 0
    made.records.close()
    with pytest.raises(Conflict):
        create_witness(tmp_path / "w", "watch.example", None)


@pytest.mark.parametrize("passphrase", [SECRET, None])
def test_two_that_make_a_witness_at_once_never_overwrite_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: bytes | None
) -> None:
    """The other's file appears after the directory was seen to be empty: it stays, byte for byte."""
    theirs = tmp_path / "w" / ("witness.json" if passphrase else "passphrase")
    real = cosigner_of

    def others_first(signer: KeySigner) -> VerifierKey:
        theirs.parent.mkdir()
        theirs.write_bytes(b"theirs")
        return real(signer)

    monkeypatch.setattr(witness_folder, "cosigner_of", others_first)
    with pytest.raises(Conflict, match=theirs.name):
        create_witness(tmp_path / "w", "watch.example", passphrase)
    assert theirs.read_bytes() == b"theirs"


@pytest.mark.parametrize("member", ["name", "key", "salt", "nonce", "sealed"])
def test_a_changed_key_file_does_not_open(folder: WitnessFolder, member: str) -> None:
    file = folder.path / "witness.json"
    index = json.loads(file.read_bytes())
    other = {"name": "other.example", "key": str(KEY).replace("+AQ", "+BA")}
    index[member] = other.get(member) or "00" + index[member][2:]
    file.write_text(json.dumps(index))
    with pytest.raises((SealedKey, InputError)):
        open_witness(folder.path).signer(SECRET)


def test_a_witness_that_lost_what_it_saw_does_not_run(folder: WitnessFolder) -> None:
    """It would cosign another tree of a size it has cosigned: nobody makes the file anew."""
    folder.records.close()
    for file in folder.path.glob("witness.db*"):
        file.unlink()
    with pytest.raises(NoWitness, match=r"witness\.db") as caught:
        open_witness(folder.path)
    assert "retire" in caught.value.next_step
    assert not (folder.path / "witness.db").exists()


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_signature_can_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        create_witness(tmp_path / "w", name, SECRET)
    assert not (tmp_path / "w").exists()


# --- looking by itself ---


def test_it_follows_a_log_and_finds_out_that_it_forked(folder: WitnessFolder, tmp_path: Path) -> None:
    def published(*sizes: int, story: str = "") -> Path:
        place = tmp_path / f"log{story}{sizes}"
        tiles = FileTileStore(place)
        events = MemoryEvents(max(sizes), story=story)
        whole = events.committed
        for size in sizes:
            events.committed = whole[:size]
            publish(events, tiles, LOG, now=NOW)
        return place

    signer = folder.signer(SECRET)
    for sizes in ((10,), (10, 300)):
        with serving(published(*sizes)) as url:
            folder.records.add_log(KEY, follow=url, now=NOW)
            follow_all(folder, signer, now=NOW)
        seen = folder.records.newest("log.example")
        assert seen is not None
        assert seen.size == sizes[-1]
    (watched,) = folder.records.all()
    reader = FileLogReader(published(300, story="another"))
    assert look(folder, signer, watched, reader, now=NOW) == 409
    assert len(list((folder.path / "misconduct").glob("*.txt"))) == 1
    assert look(folder, signer, watched, FileLogReader(published(400, story="third")), now=NOW) == 422
    assert look(folder, signer, watched, FileLogReader(published(200)), now=NOW) == 400
    follow_all(folder, signer, now=NOW)  # nobody is there any more: no error, nothing changed
    seen = folder.records.newest("log.example")
    assert seen is not None
    assert seen.size == 300


# --- the client ---


class Rude:
    """A server that answers what it is told to, over raw sockets."""

    def __init__(self, answer: bytes, *, trickle: bool = False) -> None:
        self._answer, self._trickle = answer, trickle
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        with connection:
            connection.recv(65_536)
            try:
                if self._trickle:
                    for at in range(len(self._answer)):
                        connection.sendall(self._answer[at : at + 1])
                        time.sleep(0.05)
                else:
                    connection.sendall(self._answer)
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)


def ok(body: bytes, *headers: bytes) -> bytes:
    head = b"".join(line + b"\r\n" for line in (b"HTTP/1.1 200 OK", b"connection: close", *headers))
    return head + b"\r\n" + body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        ok(b"x" * 300_000),
        ok(b"short", b"content-length: 1000"),
    ],
)
def test_a_rude_witness_is_a_network_error(answer: bytes) -> None:
    rude = Rude(answer)
    client = HttpWitness(rude.url)
    with pytest.raises(NetworkError):
        client.add_checkpoint(b"x")
    client.close()
    rude.close()


def test_a_trickling_witness_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.backends import witness_client

    monkeypatch.setattr(witness_client, "WHOLE_SECONDS", 0.5)
    rude = Rude(ok(b"x" * 200), trickle=True)
    client = HttpWitness(rude.url)
    begun = time.monotonic()
    with pytest.raises(NetworkError, match="whole"):
        client.add_checkpoint(b"x")
    assert time.monotonic() - begun < 10
    client.close()
    rude.close()


def test_redirects_are_not_followed() -> None:
    rude = Rude(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    client = HttpWitness(rude.url)
    assert client.add_checkpoint(b"x")[0] == 302
    client.close()
    rude.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "https://user:pw@x/", "https://x/?a", "x"])
def test_only_plain_addresses_are_asked(url: str) -> None:
    with pytest.raises(InputError):
        HttpWitness(url)


# --- the process ---


def command(*arguments: object, secret: bytes = SECRET) -> list[str]:
    return [sys.executable, "-m", "comity", "witness", *map(str, arguments)]


ENVIRONMENT = {**os.environ, "COMITY_PASSPHRASE": SECRET.decode()}


@contextmanager
def process(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    started = subprocess.Popen(
        command("run", folder, "--port", 0, "--rate", 0), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        assert started.stderr is not None
        line = started.stderr.readline()
        assert " is at http://" in line, line
        yield started, line.split(" is at ")[1].strip()
    finally:
        started.kill()
        started.wait(START_SECONDS)
        assert started.stderr is not None
        started.stderr.close()


@pytest.mark.federation
def test_killed_again_and_again_it_forgets_nothing(tmp_path: Path) -> None:
    """Killed with requests under way: every size that was ever cosigned has one root, and sizes only grow."""
    folder = tmp_path / "watch"
    made = subprocess.run(
        command("init", folder, "--name", "watch.example", "--json"), capture_output=True, check=True, env=ENVIRONMENT
    )  # fmt: skip
    key = VerifierKey.parse(json.loads(made.stdout)["key"])
    subprocess.run(command("add", folder, KEY), check=True, capture_output=True, env=ENVIRONMENT)
    roots: dict[int, set[bytes]] = {}
    known = 0
    for life in range(4):
        with process(folder) as (started, url):
            story = (HONEST, OTHER)[life % 2]
            killer = threading.Timer(1.0 + 0.2 * life, started.kill)
            killer.start()
            while started.poll() is None:
                size = known + 1
                for old in {known, 0}:
                    body = story.request(old, size)
                    try:
                        answer = post(url, body)
                    except httpx.TransportError:
                        break
                    if answer.status_code == 200:
                        note = body.partition(b"\n\n")[2]
                        assert cosigned(answer, note, key)
                        assert size > known
                        known = size
                        roots.setdefault(size, set()).add(open_checkpoint(note, [KEY])[0].root)
                    elif answer.headers["content-type"] == "text/x.tlog.size":
                        assert int(answer.text) >= known
                        known = int(answer.text)
            killer.join()
    assert known > 0
    assert all(len(found) == 1 for found in roots.values())
    shown = json.loads(
        subprocess.run(
            command("show", folder, "--json"), capture_output=True, check=True, env=ENVIRONMENT
        ).stdout
    )
    assert shown["logs"][0]["size"] >= known


@pytest.mark.federation
def test_it_ends_when_asked_and_says_when_it_cannot_begin(tmp_path: Path) -> None:
    folder = tmp_path / "watch"
    create_witness(folder, "watch.example", SECRET).records.close()
    with process(folder) as (started, url):
        assert httpx.get(url, trust_env=False).status_code == 200
        taken = subprocess.run(
            command("run", folder, "--port", url.rsplit(":", 1)[1]), capture_output=True, text=True,
            env=ENVIRONMENT, check=False,
        )  # fmt: skip
        assert taken.returncode == 2
        assert "in use" in taken.stderr
        started.send_signal(signal.SIGTERM)
        started.wait(30)
    wrong = subprocess.run(
        command("run", folder), capture_output=True, text=True, check=False,
        env={**ENVIRONMENT, "COMITY_PASSPHRASE": "another"},
    )  # fmt: skip
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (3, False)
