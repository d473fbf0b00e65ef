"""Take erased bytes out of the database's files. SQLite only; elsewhere that is the database operator's.

What was overwritten or deleted may still stand in free pages, in the slack of used ones (a page that was split
long before anybody thought of erasing) and in the write-ahead log. So the file is written anew (VACUUM), and the
log put into it and cut to nothing. Copies outside it (backups, snapshots, what a disk keeps of overwritten blocks)
are out of reach from here.
"""

import sqlite3

from sqlalchemy import Engine

from comity.backends.sql.failures import storage_errors
from comity.errors import Conflict, StorageError

_BUSY = (
    "It is erased already; remnants may be left in the database's files. Free as much space as it takes up, stop "
    "the node and give the same command again to remove them."
)


def scrub(engine: Engine, place: str) -> bool:
    """Write the database's file anew, durably; False if that is not ours to do. `Conflict` if others are in the way.

    Needs as much free space as the database takes up.
    """
    if engine.dialect.name != "sqlite":
        return False
    engine.dispose()  # idle connections of ours that may still read an older state
    with storage_errors(place):
        raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for step in ("PRAGMA secure_delete=ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(step)
        answer = cursor.fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"the database refused: {error}", where=place, remedy=_BUSY) from error
    finally:
        raw.close()
    if answer is None or answer[0]:
        raise Conflict("the write-ahead log is in use and could not be emptied", where=place, remedy=_BUSY)
    return True
