"""The victims' vault at rest: one SQLite file of its own, in which nothing says who it is about.

A row a person: a wrapped data key and the sealed record. Pseudonyms are found by a keyed hash, so that the file alone
joins no two of them. Erasing a person deletes the only copy of their data key, and then writes the file anew (`scrub`).
Each use is one transaction with the write lock: no two see each other's half. Format: spec/vault.md.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    event,
    func,
    insert,
    select,
    update,
)

from comity.backends.files import sync_folder
from comity.backends.sql.failures import storage_errors
from comity.backends.sql.scrub import scrub
from comity.backends.sql.sqlite import sqlite_engine
from comity.backends.vault_keys import ChangedRecord, VaultKeys
from comity.casework.victim import Victim
from comity.errors import NotFound, StorageError, TrustError

DATABASE = "vault.db"
KEY = "vault.key"
FORMAT = 1
_metadata = MetaData()
_vault = Table(
    "vault", _metadata, Column("id", Text, primary_key=True), Column("format", Integer, nullable=False)
)
_people = Table(
    "people",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
_marks = Table(
    "marks",
    _metadata,
    Column("mark", LargeBinary, primary_key=True),
    Column("person", Text, nullable=False),
)
_acts = Table("acts", _metadata, Column("id", Text, primary_key=True))
_ERASED = ""


class VaultMismatch(TrustError):
    """The vault's database and its key are not of one vault."""

    code = "vault.mismatch"
    remedy = "Restore vault.db and vault.key from the same backup."


class Erased(NotFound):
    """The person was erased: nothing of them is left but that there was somebody."""

    code = "victim.erased"
    http_status = 410
    remedy = "What was erased cannot be had back."


class VaultRows:
    """One transaction's view of the vault."""

    def __init__(self, connection: Connection, keys: VaultKeys) -> None:
        self._connection, self._keys = connection, keys

    def add(self, victim: Victim) -> None:
        """A new person, under a data key of their own."""
        data_key, wrapped = self._keys.new_data_key(victim.id)
        sealed = self._keys.seal(data_key, _bytes(victim), victim.id, 1)
        self._connection.execute(
            insert(_people).values(id=victim.id, version=1, wrapped=wrapped, sealed=sealed)
        )
        self._mark(victim)

    def put(self, victim: Victim) -> None:
        """The person as they are now; nothing of what was is kept."""
        row = self._row(victim.id)
        data_key, version = self._keys.open_data_key(row.wrapped, victim.id), row.version + 1
        sealed = self._keys.seal(data_key, _bytes(victim), victim.id, version)
        self._connection.execute(
            update(_people).where(_people.c.id == victim.id).values(version=version, sealed=sealed)
        )
        self._mark(victim)

    def get(self, pseudonym: str) -> Victim:
        """Whom a pseudonym stands for; `NotFound` or `Erased`."""
        mark = self._keys.mark_of(pseudonym)
        person = self._connection.execute(
            select(_marks.c.person).where(_marks.c.mark == mark)
        ).scalar_one_or_none()
        if person is None:
            raise NotFound.because(
                expected="a pseudonym of this vault",
                got="another",
                remedy="List them: comity victim list DIR",
            )
        if person == _ERASED:
            raise Erased.because(expected="somebody in this vault", got="somebody who was erased")
        return self._opened(self._row(person))

    def all(self) -> list[Victim]:
        """Everybody, in the order in which they came."""
        rows = self._connection.execute(select(_people)).all()
        return sorted((self._opened(row) for row in rows), key=lambda one: (one.admitted_at, one.id))

    def shred(self, victim: Victim) -> None:
        """Destroy the data key and the record. That their pseudonyms were once given stays, without whose."""
        self._connection.execute(delete(_people).where(_people.c.id == victim.id))
        self._connection.execute(update(_marks).where(_marks.c.person == victim.id).values(person=_ERASED))

    def keep_act(self, act: str) -> None:
        self._connection.execute(insert(_acts).values(id=act))

    def has_act(self, act: str) -> bool:
        return bool(
            self._connection.execute(
                select(func.count()).select_from(_acts).where(_acts.c.id == act)
            ).scalar_one()
        )

    def _mark(self, victim: Victim) -> None:
        for alias in victim.aliases:
            mark = self._keys.mark_of(alias.pseudonym)
            known = select(_marks.c.mark).where(_marks.c.mark == mark)
            if self._connection.execute(known).first() is None:
                self._connection.execute(insert(_marks).values(mark=mark, person=victim.id))

    def _row(self, person: str) -> Any:
        row = self._connection.execute(select(_people).where(_people.c.id == person)).one_or_none()
        if row is None:
            raise ChangedRecord("expected the person that a pseudonym of this vault stands for, got none")
        return row

    def _opened(self, row: Any) -> Victim:
        data_key = self._keys.open_data_key(row.wrapped, row.id)
        content = self._keys.open(data_key, row.sealed, row.id, row.version)
        return msgspec.json.decode(content, type=Victim)


class VaultStore:
    """An opened vault's database. `close` it: it keeps no connection open between uses longer than needed."""

    def __init__(self, folder: Path, keys: VaultKeys) -> None:
        self._place, self._keys = folder / DATABASE, keys
        if not self._place.is_file():
            raise StorageError("expected the vault's database, found none", where=str(self._place))
        self._engine = _engine(self._place)
        with storage_errors(str(self._place)), self._engine.connect() as connection:
            found = connection.execute(select(_vault)).all()
        if [(row.id, row.format) for row in found] != [(keys.id, FORMAT)]:
            self.close()
            raise VaultMismatch(
                f"expected the database of {keys.id} in format {FORMAT}, got another", where=str(folder)
            )

    @contextmanager
    def using(self) -> Iterator[VaultRows]:
        """The write lock first; durable once the block ends; nothing stays if it raises."""
        with storage_errors(str(self._place)), self._engine.begin() as connection:
            yield VaultRows(connection, self._keys)

    def scrub(self) -> None:
        """Take erased bytes out of the file and its write-ahead log. May be repeated."""
        scrub(self._engine, str(self._place))

    def close(self) -> None:
        self._engine.dispose()


def create_vault_database(folder: Path, keys: VaultKeys) -> None:
    """Make an empty vault in `folder`, readable by its owner only."""
    file = folder / DATABASE
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    engine = _engine(file)
    try:
        with storage_errors(str(file)), engine.begin() as connection:
            _metadata.create_all(connection)
            connection.execute(insert(_vault).values(id=keys.id, format=FORMAT))
    finally:
        engine.dispose()
    sync_folder(folder)


def _engine(file: Path) -> Engine:
    engine = sqlite_engine(file)
    event.listen(engine, "connect", _forgetful)
    return engine


def _forgetful(connection: Any, _record: Any) -> None:
    """What is overwritten is overwritten with zeros."""
    connection.execute("PRAGMA secure_delete=ON").close()


def _bytes(victim: Victim) -> bytes:
    return msgspec.json.encode(victim)
