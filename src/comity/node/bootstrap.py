"""Put a node together from its directory. The only place that reads the environment and the real clock."""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comity.backends.keys import NodeKeys, load_keys, stamp_of
from comity.backends.log_files import FileTileStore
from comity.backends.register_files import STAMP, read_joined
from comity.backends.sql import EventAppender, Records, Transaction
from comity.backends.sql.postgres import is_url, password_from, read_url, with_password
from comity.errors import InputError, NotFound
from comity.exchange import Compact, Member
from comity.exchange.register.peer_rules import PeerRule, with_rules
from comity.law import Policies, Procedure, configured, procedure
from comity.model import Event
from comity.node.book import BookKeeper
from comity.node.home import Home, Settings, read_settings
from comity.node.post.pace import Pace

ROOT_PASSPHRASE = "COMITY_ROOT_PASSPHRASE"  # noqa: S105 - as below
PASSPHRASE = "COMITY_PASSPHRASE"  # noqa: S105 - the name of the variable, not a secret
DATABASE_PASSWORD = "COMITY_DATABASE_PASSWORD"  # noqa: S105 - the name of the variable, not a secret


@dataclass(slots=True, kw_only=True)
class Node:
    """Everything a use case works with. Values and ports; use cases are the other modules of this package."""

    home: Home
    settings: Settings
    records: Records
    book: BookKeeper
    log: FileTileStore
    policies: Policies
    procedures: Mapping[str, Procedure]
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    pace: Pace = field(default_factory=Pace)
    _compacts: dict[str, tuple[int, Compact]] = field(default_factory=dict)
    _keys: NodeKeys | None = field(default=None)
    _appender: EventAppender | None = field(default=None)
    _keys_stamp: int = field(default=0)
    _rules: Mapping[str, PeerRule] = field(default_factory=dict)
    _rules_read: float = field(default=-1.0)
    _registers: str = field(init=False)

    def __post_init__(self) -> None:
        self._registers = str(self.home.compacts)  # asked about at every step

    @property
    def id(self) -> str:
        return self.settings.authority.id

    @property
    def keys(self) -> NodeKeys:
        """The private keys, opened when first needed (reading cases needs none) and again after a rotation."""
        stamp = stamp_of(self.home.keys)
        if self._keys is None or self._keys_stamp != stamp:
            self._keys, self._keys_stamp = open_keys(self.home), stamp
        return self._keys

    def registers(self) -> Mapping[str, Compact]:
        """The compacts this node has joined as their registers state them, by name; read again when changed."""
        found = {name: self._read(name) for name in _names_in(self._registers)}
        return {name: compact for name, compact in found.items() if compact is not None}

    def compacts(self) -> Mapping[str, Compact]:
        """The compacts as this node uses them: now, and without peers whom it refuses (`peer_rules`)."""
        joined, now = self.registers(), self.clock()
        rules = self._peer_rules() if joined else {}
        return {name: with_rules(one.at(now), rules) for name, one in joined.items()}

    def _peer_rules(self) -> Mapping[str, PeerRule]:
        """This node's word on its peers: at most a second old, since this is asked at every step."""
        if time.monotonic() - self._rules_read > 1:
            with self.records.reading() as tx:
                self._rules, self._rules_read = tx.peer_rules.all(), time.monotonic()
        return self._rules

    def forget_peer_rules(self) -> None:
        """Read them again at once: this process has just changed them."""
        self._rules_read = -1.0

    def compact(self, name: str | None = None) -> Compact:
        """The compact of that name; without a name the only one there is."""
        joined = self.compacts()
        if not joined:
            raise InputError.because(
                expected="a node that has joined a compact",
                got=f"{self.home.path} without one",
                remedy=f"Join one: comity compact join {self.home.path} COMPACT_FILE",
            )
        if name is None and len(joined) > 1:
            raise InputError.because(
                expected="one of the compacts to be named", got=f"none, of {', '.join(joined)}"
            )
        found = next(iter(joined.values())) if name is None else joined.get(name)
        if found is None:
            raise NotFound.because(expected=f"a compact of this node: {', '.join(joined)}", got=repr(name))
        return found

    def in_compact(self) -> bool:
        return bool(self.compacts())

    def peers(self) -> Mapping[str, Member]:
        """Every other member of any of our compacts, once: an id means the same authority in all of them."""
        return {
            member.id: member
            for compact in self.compacts().values()
            for member in compact.members
            if member.id != self.id
        }

    def knows(self, member_id: str, compact: str) -> bool:
        """Whether this is a member of that compact, now: one that has left is still named in old cases."""
        joined = self.compacts().get(compact)
        return joined is not None and any(one.id == member_id for one in joined.members)

    def jurisdiction_of(self, member_id: str) -> str:
        """Where that member sits; empty for one that has left every compact of ours."""
        if member_id == self.id:
            return self.settings.authority.jurisdiction
        member = self.peers().get(member_id)
        return member.authority.jurisdiction if member else ""

    def _read(self, name: str) -> Compact | None:
        """The register in that folder, or None if it is not (yet) one that this node has joined."""
        try:
            stamp = os.stat(f"{self._registers}/{name}/{STAMP}").st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return None
        known = self._compacts.get(name)
        if known is None or known[0] != stamp:
            known = self._compacts[name] = (stamp, read_joined(self.home.compacts / name))
        return known[1]

    def record(self, tx: Transaction, kind: str, /, *, case_id: str = "", actor: str, **body: Any) -> None:
        """Append an event in the transaction of what it records."""
        tx.events.append(
            Event(
                id=self.new_id("event"), at=self.clock(), kind=kind, case_id=case_id, actor=actor, body=body
            )
        )

    def append_event(self, kind: str, /, *, case_id: str = "", actor: str, **body: Any) -> None:
        """Record a reading, an alarm or the like, which changes nothing else; durable on return.

        Callers in many threads share transactions. What records a change belongs into its transaction (`record`).
        """
        if self._appender is None:
            self._appender = EventAppender(self.records)
        self._appender.append(
            Event(
                id=self.new_id("event"), at=self.clock(), kind=kind, case_id=case_id, actor=actor, body=body
            )
        )


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def open_node(path: Path) -> Node:
    """Open the node whose directory this is. Raises `NotFound`, `InputError` or `TrustError`."""
    home = Home(path)
    settings = read_settings(home)
    records = open_records(home, settings)
    return Node(
        home=home,
        settings=settings,
        records=records,
        book=BookKeeper(home.book, records, frozenset(settings.covers)),
        log=FileTileStore(home.log),
        policies=Policies(policy_files(home)),
        procedures={
            "trace_and_hold": procedure("trace_and_hold"),
            "urgent_freeze": configured(
                procedure("urgent_freeze"), "hold-lapse", after=settings.hold_time, source="node.toml"
            ),
        },
        clock=utc_now,
        new_id=new_id,
    )


def open_records(home: Home, settings: Settings) -> Records:
    """The node's database, a file or on a PostgreSQL server."""
    return Records(database_of(home, settings), owner=settings.authority.id)


def database_of(home: Home, settings: Settings) -> Path | str:
    """Where the records are. A URL gets the environment's password, or the one of the node's own file."""
    if not is_url(settings.database):
        return home.path / settings.database
    url = read_url(settings.database)
    given = os.environ.get(DATABASE_PASSWORD)
    if given:
        return with_password(url, given)
    if url.password is None and home.database_password.is_file():
        return with_password(url, password_from(home.database_password))
    return settings.database


def policy_files(home: Home) -> dict[str, str]:
    """The node's own policies by file name."""
    files = sorted(home.policy.glob("*.cedar"))
    if not files:
        raise InputError.because(
            expected="the node's policies (*.cedar)", got="none", where=str(home.policy),
            remedy="Restore the folder; without policies nothing would be allowed.",
        )  # fmt: skip
    try:
        return {file.name: file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.because(
            expected="policies in UTF-8", got=str(error), where=str(home.policy)
        ) from error


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id(kind: str) -> str:
    """An unguessable name that says what it names: `case-5f0c…`."""
    return f"{kind}-{secrets.token_hex(8)}"


def open_keys(home: Home) -> NodeKeys:
    """The private keys of the node whose directory this is."""
    return load_keys(home.keys, passphrase(home))


def passphrase(home: Home) -> bytes:
    """What unlocks the private keys: the environment's, or the file that `init` wrote when there was none."""
    given = os.environ.get(PASSPHRASE)
    if given:
        return given.encode()
    if not home.passphrase.is_file():
        raise InputError.because(
            expected=f"the keys' passphrase in the environment variable {PASSPHRASE}",
            got="none, and no passphrase file",
            where=str(home.path),
        )
    return home.passphrase.read_bytes().strip()


def root_passphrase(home: Home) -> bytes:
    """What unlocks a state's key that is kept in a file of its own: its own passphrase, or the keys'."""
    given = os.environ.get(ROOT_PASSPHRASE)
    return given.encode() if given else passphrase(home)


def root_passphrase_given() -> bool:
    return bool(os.environ.get(ROOT_PASSPHRASE))
