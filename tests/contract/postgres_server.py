"""A private PostgreSQL server for the tests: Debian's, in a temporary directory, with fsync on, for us alone."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pg8000
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from comity.backends.sql.postgres_driver import PostgresConnection

MISSING = "POSTGRESQL TESTS SKIPPED: no PostgreSQL on this machine (Debian: apt-get install postgresql)"
USER = "comity"
PATIENCE = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "on", "synchronous_commit": "on", "shared_buffers": "16MB",
    "ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key",
    "max_wal_size": "256MB", "max_connections": "60", "logging_collector": "off",
}  # fmt: skip


def find_postgres() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    if found:
        return found[-1].parent
    known = shutil.which("postgres")
    return Path(known).resolve().parent if known else None


def unprivileged() -> dict[str, Any]:
    """How to start a program as somebody who is not root: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    somebody = names.get("postgres") or names["nobody"]
    return {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}


@dataclass
class Server:
    """Reached over a Unix socket (`url`) or 127.0.0.1 (`tcp_url`), both with a password."""

    folder: Path
    programs: Path
    port: int
    password: str
    _process: "subprocess.Popen[bytes] | None" = None
    _count: int = field(default=0)

    def start(self) -> None:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
                    "-k", str(self.folder), *settings,
                ],
                stdout=log, stderr=log, **unprivileged(),
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while not self._answers():
            said = (self.folder / "log").read_text()[-2_000:]
            assert self._process.poll() is None, f"PostgreSQL ended: {said}"
            assert time.monotonic() < until, f"PostgreSQL did not start: {said}"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.session().close()
        except pg8000.Error:
            return False
        return True

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: at once, everybody is cut off. SIGQUIT: as if the machine had stopped."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def session(self, database: str = "postgres") -> PostgresConnection:
        return PostgresConnection(
            user=USER, password=self.password, database=database, unix_sock=self.socket, timeout=PATIENCE
        )

    @property
    def socket(self) -> str:
        return str(self.folder / f".s.PGSQL.{self.port}")

    def database(self, *, settings: dict[str, str] | None = None, template: str = "template0") -> str:
        """Make an empty one; return its name."""
        self._count += 1
        name = f"db{self._count}"
        with self.session() as session:
            session.run(
                f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
            )
            for setting, value in (settings or {}).items():
                session.run(f"ALTER DATABASE {name} SET {setting} = {value}")
        return name

    def url(self, database: str) -> str:
        return f"postgresql+pg8000://{USER}:{self.password}@/{database}?unix_sock={self.socket}"

    def tcp_url(self, database: str, *, password: str | None = None) -> str:
        word = self.password if password is None else password
        return f"postgresql://{USER}{':' if word else ''}{word}@127.0.0.1:{self.port}/{database}"

    def drop(self, database: str) -> None:
        with self.session() as session:
            session.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


@contextmanager
def private_server(near: Path | None = None) -> Iterator[Server]:
    """Made (in the folder `near`, or a temporary one), started, and at the end stopped and removed."""
    programs = find_postgres()
    assert programs is not None, MISSING
    folder = Path(tempfile.mkdtemp(prefix="comity-pg-", dir=near))
    try:
        password = secrets.token_hex(8)
        word = folder / "password"
        word.write_text(password)
        who = unprivileged()
        for path in (folder, word):
            os.chown(path, who.get("user", -1), who.get("group", -1))
        subprocess.run(
            [
                str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "--auth=scram-sha-256",
                f"--pwfile={word}", "--encoding=UTF8", "--locale=C",
            ],
            check=True, capture_output=True, cwd="/", **who,
        )  # fmt: skip
        certificate(folder / "data" / "server.pem", folder / "data" / "server.key", who)
        server = Server(folder=folder, programs=programs, port=_free_port(), password=password)
        server.start()
        try:
            yield server
        finally:
            server.stop(how=signal.SIGQUIT)  # nobody needs what is in it
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of our own. Without one the tests are skipped loudly, in CI they fail."""
    if find_postgres() is None:
        if os.environ.get("CI"):
            pytest.fail("expected PostgreSQL in CI, got none: these tests must run here", pytrace=False)
        pytest.skip(MISSING)
    with private_server() as server:
        yield server


def certificate(file: Path, key_file: Path, who: dict[str, Any]) -> None:
    """A server's own, for 127.0.0.1; whoever has `file` can verify it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for path in (file, key_file):
        os.chown(path, who.get("user", -1), who.get("group", -1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
