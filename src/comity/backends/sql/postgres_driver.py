"""pg8000's connection as the stores need it: one round trip a statement, and every broken line is an error of it.

Message flow: PostgreSQL documentation, "Message Flow" (extended query, one Sync at the end).
"""

from contextlib import suppress
from functools import lru_cache
from typing import Any

from pg8000.core import NULL_BYTE, SYNC_MSG, Context, _flush, _write, make_params
from pg8000.dbapi import convert_paramstyle
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.legacy import Connection, Cursor, IntegrityError, ProgrammingError

BROKEN = "network error"
"""By these words SQLAlchemy knows a connection that is gone."""
_FAILED = b"E"


@lru_cache(maxsize=1024)
def _numbered(statement: str) -> str:
    """`%s` as `$1`, `$2` …; the driver looks at every character for it, each time."""
    return str(convert_paramstyle("format", statement, ())[0])


class PostgresCursor(Cursor):  # type: ignore[misc] # pg8000 has no types
    """Statements come with `%s`, and with no types of their parameters: the server finds those out."""

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> Any:
        if not args or stream is not None:
            return super().execute(operation, args, stream)
        try:
            self._context = self._c.execute_unnamed(_numbered(operation), vals=args)
        except DatabaseError as error:
            said = error.args[0]
            integrity = isinstance(said, dict) and said.get("C", "").startswith("23")
            raise (IntegrityError if integrity else ProgrammingError)(*error.args) from error
        self._row_iter = iter(self._context.rows or ())
        return self


class PostgresConnection(Connection):  # type: ignore[misc] # pg8000 has no types
    """Nothing is begun implicitly. A statement that failed ends its transaction; so says `failed`."""

    def __init__(self, **named: Any) -> None:
        self._sock = self._usock = None
        try:
            super().__init__(**named)
        except OSError as error:  # TLS: for example a certificate that does not hold
            self.close()
            raise InterfaceError(f"{BROKEN}: {error}") from error
        except AttributeError as error:
            self.close()
            if named.get("password") is None:
                raise InterfaceError("the server wants a password, and there is none") from error
            raise
        except BaseException:
            self.close()
            raise
        self.autocommit = True

    def cursor(self) -> PostgresCursor:
        return PostgresCursor(self)

    @property
    def failed(self) -> bool:
        """The server's word for the transaction (protocol message ReadyForQuery)."""
        return bool(self._transaction_status == _FAILED)

    def commit(self) -> None:
        self.execute_simple("COMMIT")

    def rollback(self) -> None:
        if self._in_transaction:
            self.execute_simple("ROLLBACK")

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Any:
        context = Context(statement, stream=stream)
        self.send_PARSE(NULL_BYTE, statement, oids)
        self.send_DESCRIBE_STATEMENT(NULL_BYTE)
        self.send_BIND(NULL_BYTE, make_params(self.py_types, vals))
        self.send_EXECUTE()
        _write(self._sock, SYNC_MSG)
        _flush(self._sock)
        self.handle_messages(context)
        return context

    def handle_messages(self, context: Any) -> None:
        try:
            super().handle_messages(context)
        except OSError as error:
            raise InterfaceError(BROKEN) from error

    def close(self) -> None:
        """Also of a connection that is broken already: its socket is freed."""
        stream = self._sock
        try:
            with suppress(InterfaceError):
                super().close()
        finally:
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.close()
