"""What a reader of another format than a plain table hands over, and how it becomes columns.

A reader turns each entry of its file (a payment, a statement's entry, an output of a transaction) into the trace
contract's columns as text, and leaves it to `rows.check_rows` to judge them: one contract, whatever the format.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from comity.backends.transfers.rows import KNOWN
from comity.backends.transfers.zones import Zone
from comity.errors import InputError
from comity.model import CRYPTO_ASSETS

BATCH = 8_192
_DECIMAL = re.compile(r"\+?(\d{0,30})(?:\.(\d{0,30}))?", re.ASCII)
NOT_STATED = "(not stated) "
"""Begins the account of whoever a file does not name: one for each entry, so that no money flows through it."""
Side = Literal["", "debit", "credit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """What a file does not say itself: the digits of assets, the zone of its local times, the FIU's schema."""

    assets: Mapping[str, int] = field(default_factory=lambda: CRYPTO_ASSETS)
    zone: Zone | None = None
    schema: Path | None = None
    contracts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Token contract (or `native`) → (asset id, decimals on the chain)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transfer. `number` counts the file's entries from 1.

    `original`: the transfer that this one returns; where `row` names no accounts they are the original's,
    swapped. `side`: which of its two accounts' statements told of it.
    """

    number: int
    row: Mapping[str, str]
    original: str = ""
    side: Side = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An entry that breaks its format or the contract, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a statement says was in an account before its first entry; `minor` is 0 for an overdrawn one."""

    account: str
    currency: str
    minor: int
    at: datetime
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What whoever imports the file should know: amounts that were scaled, rows that were left out."""

    text: str


Item = Entry | Broken | Opening | Note
Source = tuple[Path, Iterator[Item]]
"""A file, and what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some entries as columns of text; `numbers[i]`, `originals[i]` and `sides[i]` belong to row i."""

    columns: dict[str, Any]
    numbers: list[int]
    originals: list[str]
    sides: list[Side]
    broken: list[tuple[int, str]]
    openings: list[Opening]
    notes: list[str]


def batches(items: Iterator[Item]) -> Iterator[Batch]:
    """Gather items into columns, a few thousand at a time."""
    while some := list(islice(items, BATCH)):
        entries = [one for one in some if isinstance(one, Entry)]
        yield Batch(
            columns={
                name: pa.array([one.row.get(name) for one in entries], pa.string())
                for name in _names(entries)
            },
            numbers=[one.number for one in entries],
            originals=[one.original for one in entries],
            sides=[one.side for one in entries],
            broken=[(one.number, one.reason) for one in some if isinstance(one, Broken)],
            openings=[one for one in some if isinstance(one, Opening)],
            notes=[one.text for one in some if isinstance(one, Note)],
        )


def _names(entries: list[Entry]) -> list[str]:
    """The columns to make: those that some entry has, and those that the contract needs."""
    given = {name for one in entries for name in one.row}
    amount = "amount_minor" if "amount_minor" in given else "amount"
    needed = {"transfer_id", "booked_at", "from_account", "to_account", "currency", amount}
    return sorted((given | needed) & KNOWN)


def attempt(number: int, make: Callable[[], Entry]) -> Entry | Broken:
    """The entry, or why there is none."""
    try:
        return make()
    except InputError as error:
        return Broken(number=number, reason=error.problem)


def not_stated(transfer_id: str, side: Literal["from", "to"]) -> str:
    """An account of its own for a party that the file does not name."""
    return f"{NOT_STATED}{side} {transfer_id}"


def plain_decimal(text: str) -> str:
    """An `xs:decimal` as the contract writes amounts: no sign, no zeros that mean nothing."""
    found = _DECIMAL.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        raise InputError.because(expected="an amount such as 1234.56", got=repr(text[:40]))
    fraction = (found[2] or "").rstrip("0")
    return f"{found[1] or '0'}.{fraction}" if fraction else found[1] or "0"


def given(**columns: str) -> dict[str, str]:
    """The columns that have a value."""
    return {name: value for name, value in columns.items() if value}
