"""A node's database on a PostgreSQL server, under the same rules as SQLite's file.

Writing transactions are serial: each takes one advisory lock first and holds it until its commit is visible, so
that a decision is made on what it will be written over, and events are numbered in the order of their commits.
Reading transactions are REPEATABLE READ, READ ONLY: one state, and nobody waits for them. A connection on which
a commit would not be durable is refused.

To a server on another machine the connection is TLS with a verified certificate, always.
"""

import hashlib
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError

from comity.backends.sql.failures import sqlstate, storage_errors
from comity.errors import InputError, StorageError

DRIVER = "postgresql+pg8000"
SCHEMES = ("postgresql://", f"{DRIVER}://")
_QUERY = {"unix_sock", "sslrootcert"}
_OLDEST = 130_000
_WRITER = int.from_bytes(b"comity", "big")
"""The advisory lock of whoever writes. Advisory locks belong to one database of the server."""
_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({_WRITER})"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SESSION = {
    "client_encoding": "UTF8", "TimeZone": "UTC", "lock_timeout": "15000",
    "tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
}  # fmt: skip
"""Times: ms and s. A machine that vanished in the middle of a transaction holds up no other for longer."""
_SILENT_SECONDS = 300.0
_DURABLE = {
    "synchronous_commit": ("on", "remote_apply"), "fsync": ("on",), "full_page_writes": ("on",),
    "server_encoding": ("UTF8",),
}  # fmt: skip
_GONE = ("08", "57P")


def is_url(where: Path | str) -> bool:
    return isinstance(where, str) and "://" in where


def read_url(text: str) -> URL:
    """A PostgreSQL URL, checked; `InputError` that never repeats a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _no_url("something that is no URL") from error
    if not text.startswith(SCHEMES):
        raise _no_url(f"a URL of {url.drivername!r}")
    if not url.username or not url.database:
        raise _no_url(f"{shown(url)} without {'a user' if not url.username else 'a database'}")
    unknown = sorted(set(url.query) - _QUERY)
    if unknown:
        raise _no_url(f"the option {unknown[0]!r}, not one of {', '.join(sorted(_QUERY))}")
    if not url.host and "unix_sock" not in url.query:
        raise _no_url(f"{shown(url)} without a host")
    return url.set(drivername=DRIVER)


def shown(url: URL) -> str:
    """For people to read: without the password."""
    return url.set(drivername="postgresql")._replace(password=None).render_as_string()


def without_password(url: URL) -> str:
    """For `node.toml`."""
    return shown(url)


def with_password(url: URL, password: str) -> str:
    """For `open_database` alone: it must not be shown."""
    return url.set(password=password).render_as_string(hide_password=False)


def _no_url(got: str) -> InputError:
    return InputError.because(
        expected="postgresql://USER@HOST:PORT/DATABASE (options: unix_sock=PATH, sslrootcert=FILE)", got=got
    )


def postgres_engine(url: URL) -> Engine:
    """Connections that were lost (a server that was started again) are noticed and made anew."""
    query = {key: value if isinstance(value, str) else value[0] for key, value in url.query.items()}
    arguments: dict[str, Any] = {
        "startup_params": _SESSION, "application_name": "comity", "timeout": _SILENT_SECONDS,
        "ssl_context": _tls(url, query),
    }  # fmt: skip
    if "unix_sock" in query:
        arguments["unix_sock"] = query["unix_sock"]
    try:
        engine = create_engine(
            url.set(query={}), connect_args=arguments, pool_pre_ping=True, pool_size=9, max_overflow=24,
            hide_parameters=True,
        )  # fmt: skip
    except ModuleNotFoundError as error:
        raise InputError.because(
            expected="the driver pg8000", got=str(error), where=shown(url),
            remedy="Install it: pip install 'comity[postgres]'",
        ) from error  # fmt: skip
    engine.dialect.use_insertmanyvalues_wo_returning = True  # many rows in one statement
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "connect", _refuse_weak)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", _refuse_failed)
    event.listen(engine, "handle_error", _notice_gone)
    return engine


def _tls(url: URL, query: dict[str, str]) -> ssl.SSLContext | bool:
    """False: none, on this machine. Elsewhere the server must prove that it is the host in the URL."""
    if "unix_sock" in query or (url.host in ("localhost", "127.0.0.1", "::1") and "sslrootcert" not in query):
        return False
    try:
        return ssl.create_default_context(cafile=query.get("sslrootcert"))
    except OSError as error:
        raise InputError.because(
            expected="certificates (PEM) that the server's is verified with", got=str(error),
            where=query.get("sslrootcert", ""),
        ) from error  # fmt: skip


def _connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> Any:
    from comity.backends.sql.postgres_driver import PostgresConnection  # the driver is an extra

    return PostgresConnection(**named)


def _refuse_weak(connection: Any, _record: Any) -> None:
    """Every connection anew: an administrator may change a setting while the node runs."""
    cursor = connection.cursor()
    try:
        names = ", ".join(f"current_setting('{name}')" for name in (*_DURABLE, "server_version_num"))
        cursor.execute(f"SELECT {names}")
        *settings, version = cursor.fetchone()
        for (name, wanted), got in zip(_DURABLE.items(), settings, strict=True):
            if got not in wanted:
                raise InputError.because(
                    expected=f"a PostgreSQL database with {name} = {wanted[0]}", got=got,
                    remedy="Correct the setting on the server: a commit must be durable, and text be kept.",
                )  # fmt: skip
        if int(version) < _OLDEST:
            raise InputError.because(expected="PostgreSQL 13 or newer", got=f"server version {version}")
    except BaseException:
        connection.close()
        raise


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("claiming", False):
        connection.exec_driver_sql(_READ if options.get("reading", False) else _WRITE)


def _refuse_failed(connection: Connection) -> None:
    """PostgreSQL answers the COMMIT of a failed transaction with a quiet rollback: never take that for success."""
    driver: Any = connection.connection.dbapi_connection
    if driver.failed:
        raise StorageError("a statement of this transaction had failed; nothing of it was kept")


def _notice_gone(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError) and sqlstate(error).startswith(_GONE):
        context.is_disconnect = True


class ServerClaims:
    """`Claims` as advisory locks of one session a process: the server frees them when the process is gone."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where
        self._guard = threading.Lock()
        self._held: set[str] = set()
        self._session: Connection | None = None

    def take(self, name: str) -> bool:
        with self._guard:
            if name in self._held or not self._ask("pg_try_advisory_lock", name):
                return False
            self._held.add(name)
            return True

    def give_back(self, name: str) -> None:
        """A session that was lost has given everything back already."""
        with self._guard, suppress(StorageError):
            if name in self._held:
                self._held.discard(name)
                if self._session is not None:
                    self._ask("pg_advisory_unlock", name)

    def close(self) -> None:
        with self._guard:
            self._drop()

    def _ask(self, function: str, name: str) -> bool:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        try:
            with storage_errors(self._where):
                if self._session is None:
                    self._session = self._engine.connect().execution_options(claiming=True)
                answer = self._session.exec_driver_sql(f"SELECT {function}({key})").scalar_one()
                self._session.rollback()  # nothing was begun: this ends SQLAlchemy's own bookkeeping
        except BaseException:
            self._drop()
            raise
        return bool(answer)

    def _drop(self) -> None:
        self._held.clear()
        if self._session is not None:
            session, self._session = self._session, None
            with storage_errors(self._where):
                if not session.invalidated:
                    session.invalidate()  # closed, not given back to the pool with its locks
                session.close()


def password_from(file: Path) -> str:
    """The first line of a file. `InputError` if there is nothing in it."""
    try:
        password = file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.because(
            expected="the database's password", got=str(error), where=str(file)
        ) from error
    if not password:
        raise InputError.because(expected="the database's password", got="an empty file", where=str(file))
    return password
