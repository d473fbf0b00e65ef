"""What a database's failures mean in our error tree: `StorageError`, `Conflict` or `InputError`.

SQLite says it by the class of the error, PostgreSQL by its SQLSTATE (PostgreSQL documentation, appendix A). What
is neither, such as a statement that names no table, is a fault of ours and stays as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)

from comity.errors import ComityError, Conflict, InputError, StorageError

_NO_VALUE = ("22",)
"""Data exception: for example text with U+0000, which PostgreSQL cannot keep."""
_CONFLICT = ("23",)
_STORAGE = ("08", "25", "28", "3D", "40", "42501", "53", "54", "55", "57", "58", "XX")
"""Connection, state of the transaction, who we are, deadlock, disk and memory full, locks, shutdown, damage."""
SERVER_REMEDY = (
    "See that the PostgreSQL server runs, has room and takes this user (docs/how-to/postgresql.md); "
    "the node continues where it was."
)


@contextmanager
def storage_errors(where: str = "") -> Iterator[None]:
    """Raise what the database says as an error of ours; the transaction was rolled back, or its end is unknown."""
    try:
        yield
    except SQLAlchemyError as error:
        ours = translated(error, where)
        if ours is None:
            raise
        raise ours from error


def translated(error: SQLAlchemyError, where: str) -> ComityError | None:
    """`error` as one of ours; None for a fault in our own statements."""
    if isinstance(error, TimeoutError):
        return StorageError("no connection to the database was free in time", where=where)
    if not isinstance(error, DBAPIError):
        return None
    state, said = sqlstate(error), said_by(error)
    if state:
        return _by_state(state, said, where)
    if isinstance(error, IntegrityError):
        return Conflict.because(expected="what fits the rows there are", got=said, where=where)
    if isinstance(error, InterfaceError):
        return StorageError(f"no connection to the database: {said}", where=where, remedy=SERVER_REMEDY)
    if isinstance(error, OperationalError) or type(error) is DatabaseError:
        return StorageError(f"the database refused: {said}", where=where)
    return None


def sqlstate(error: DBAPIError) -> str:
    """The five characters with which PostgreSQL names an error; empty if it was not PostgreSQL that spoke."""
    told = _told(error)
    return told.get("C", "")


def said_by(error: DBAPIError) -> str:
    """The message alone: PostgreSQL's details repeat the rows, which may be a case's."""
    return _told(error).get("M") or " ".join(part for part in (str(error.orig), _cause(error)) if part)


def _cause(error: DBAPIError) -> str:
    """Why there is no connection: the driver says only that there is none."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return f"({cause})" if isinstance(cause, OSError) else ""


def _told(error: DBAPIError) -> dict[str, str]:
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return told if isinstance(told, dict) else {}


def _by_state(state: str, said: str, where: str) -> ComityError | None:
    if state.startswith(_CONFLICT):
        return Conflict.because(expected="what fits the rows there are", got=said, where=where)
    if state.startswith(_NO_VALUE):
        return InputError.because(expected="a value that the database can keep", got=said, where=where)
    if state.startswith(_STORAGE):
        return StorageError(f"the database refused: {said}", where=where, remedy=SERVER_REMEDY)
    return None
