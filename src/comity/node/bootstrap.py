"""Put a node together from its directory. The only place that reads the environment and the real clock."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comity.backends.key_files import NodeKeys, load_keys
from comity.backends.log_files import FileTileStore
from comity.backends.sql import Records, Transaction
from comity.errors import InputError
from comity.exchange import Compact, read_compact
from comity.law import Policies, Procedure, configured, procedure
from comity.model import Event
from comity.node.book import BookKeeper
from comity.node.home import Home, Settings, read_settings

PASSPHRASE = "COMITY_PASSPHRASE"  # noqa: S105 - the name of the variable, not a secret


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
    _compact: tuple[int, Compact] | None = field(default=None)
    _keys: NodeKeys | None = field(default=None)

    @property
    def id(self) -> str:
        return self.settings.authority.id

    @property
    def keys(self) -> NodeKeys:
        """The private keys, opened when first needed: reading cases needs none."""
        if self._keys is None:
            self._keys = load_keys(self.home.keys, passphrase(self.home))
        return self._keys

    def compact(self) -> Compact:
        """The compact this node has joined, read again when the file changed."""
        if not self.home.compact.is_file():
            raise InputError.because(
                expected="a node that has joined a compact",
                got=f"{self.home.path} without one",
                remedy=f"Join one: comity compact join {self.home.path} COMPACT_FILE",
            )
        stamp = self.home.compact.stat().st_mtime_ns
        if self._compact is None or self._compact[0] != stamp:
            self._compact = (stamp, read_compact(self.home.compact.read_bytes()))
        return self._compact[1]

    def in_compact(self) -> bool:
        return self.home.compact.is_file()

    def knows(self, member_id: str) -> bool:
        """Whether this is a member of the compact, now: one that has left is still named in old cases."""
        return self.in_compact() and any(one.id == member_id for one in self.compact().members)

    def jurisdiction_of(self, member_id: str) -> str:
        """Where that member sits; empty for one that has left the compact."""
        if member_id == self.id:
            return self.settings.authority.jurisdiction
        return self.compact().member(member_id).authority.jurisdiction if self.knows(member_id) else ""

    def record(self, tx: Transaction, kind: str, /, *, case_id: str = "", actor: str, **body: Any) -> None:
        """Append an event in the transaction of what it records."""
        tx.events.append(
            Event(
                id=self.new_id("event"), at=self.clock(), kind=kind, case_id=case_id, actor=actor, body=body
            )
        )


def open_node(path: Path) -> Node:
    """Open the node whose directory this is. Raises `NotFound`, `InputError` or `TrustError`."""
    home = Home(path)
    settings = read_settings(home)
    records = Records(home.database)
    return Node(
        home=home,
        settings=settings,
        records=records,
        book=BookKeeper(home.book, records, frozenset(settings.covers)),
        log=FileTileStore(home.log),
        policies=Policies(_policy_files(home)),
        procedures={
            "trace_and_hold": procedure("trace_and_hold"),
            "urgent_freeze": configured(
                procedure("urgent_freeze"), "hold-lapse", after=settings.hold_time, source="node.toml"
            ),
        },
        clock=utc_now,
        new_id=new_id,
    )


def _policy_files(home: Home) -> dict[str, str]:
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
