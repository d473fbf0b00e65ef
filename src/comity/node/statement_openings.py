"""Opening balances of statements in the node's book: which are taken, since when they hold, what they rule out.

A balance that was taken from a statement counts all that came before it. So a transfer from before it must not come
into the book later, unless with an earlier opening balance, which then takes its place. The moment of each is kept in
the metadata of the Parquet part that brought it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.backends.sql import BookPart
from comity.backends.transfers.entries import Opening
from comity.errors import Conflict, StorageError

Pot = tuple[str, str]
"""An account and a currency."""
_KEY = b"comity.openings"


@dataclass(slots=True, kw_only=True)
class Taken:
    """What an import does with the openings of its statements. `new` and `replaced` are of different pots."""

    new: dict[Pot, Opening] = field(default_factory=dict)
    replaced: dict[Pot, Opening] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def marked(self, table: pa.Table) -> pa.Table:
        """The part's table, with the moment of each opening that it brings."""
        moments = [[*pot, one.at.isoformat()] for pot, one in (self.new | self.replaced).items()]
        if not moments:
            return table
        return table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: json.dumps(moments)})


def taken(
    openings: Sequence[Opening], *, fresh: pa.Table, merged: pa.Table, known: Mapping[Pot, int],
    moments: Mapping[Pot, datetime],
) -> Taken:  # fmt: skip
    """Which openings become balances of the book.

    `openings`: at most one for each pot. `fresh`: the import's rows; `merged`: these and the book's. `known`: balances
    that are there or given with the import. `moments`: of those that came from statements. One is of use only if it
    stands before everything that the book has of its account in its currency: otherwise the book shows how it came
    about. Raises `Conflict` for rows from before a known opening that no earlier one comes with.
    """
    found = Taken()
    early = _before(fresh, moments)
    preceded = _before(merged, {(one.account, one.currency): one.at for one in openings})
    for one in openings:
        pot = (one.account, one.currency)
        what = f"the opening balance of {one.account} in {one.currency}"
        if pot in known and not (pot in early and one.at < moments[pot]):
            found.notes.append(f"{one.where}: {what} is known already")
        elif pot in preceded:
            found.notes.append(
                f"{one.where}: the book has earlier transfers of {one.account} in {one.currency}: "
                "the opening balance is not used"
            )
        elif pot in known:
            found.replaced[pot] = one
            found.notes.append(f"{one.where}: {what} takes the place of a later one")
        else:
            found.new[pot] = one
    _refuse_early({pot: when for pot, when in early.items() if pot not in found.replaced}, moments)
    return found


def _refuse_early(early: Mapping[Pot, datetime], moments: Mapping[Pot, datetime]) -> None:
    if not early:
        return
    (account, currency), when = min(early.items())
    since = moments[account, currency]
    raise Conflict.because(
        expected=f"transfers of {account} in {currency} from after {since.isoformat()}: the opening balance that "
        "a statement brought counts all before",
        got=f"one of {when.isoformat()}" + (f", and so for {len(early) - 1} more" if len(early) > 1 else ""),
        remedy="Import it with the earlier statement, whose opening balance then takes the later one's place; "
        "best are all statements together, or in order. Nothing of this import was kept.",
    )


def _before(table: pa.Table, moments: Mapping[Pot, datetime]) -> dict[Pot, datetime]:
    """Of these pots, those with transfers at or before their moment, and when the first was."""
    if not moments:
        return {}
    accounts = pa.array(sorted({account for account, _ in moments}), pa.string())
    arriving = pc.coalesce(table["to_currency"], table["currency"])
    sides = ((table["from_account"], table["currency"]), (table["to_account"], arriving))
    moved = pa.concat_tables(
        pa.table({"account": account, "currency": currency, "at": table["booked_at"]}).filter(
            pc.is_in(account, value_set=accounts)
        )
        for account, currency in sides
    )
    first = moved.group_by(["account", "currency"]).aggregate([("at", "min")]).to_pylist()
    firsts = {(row["account"], row["currency"]): row["at_min"] for row in first}
    return {pot: firsts[pot] for pot, at in moments.items() if pot in firsts and firsts[pot] <= at}


def moments_of(folder: Path, parts: Sequence[BookPart]) -> dict[Pot, datetime]:
    """Since when each opening holds that a statement brought; where it was replaced, the earliest."""
    found: dict[Pot, datetime] = {}
    for part in parts:
        file = folder / part.file
        try:
            said = (pq.read_schema(file).metadata or {}).get(_KEY, b"[]")
            moments = [
                ((account, currency), datetime.fromisoformat(at))
                for account, currency, at in json.loads(said)
            ]
        except (OSError, ValueError) as error:
            raise StorageError(
                f"expected transfers imported earlier, got {error}", where=str(file),
                remedy="Restore this file from a backup; its SHA-256 is in the event of its import.",
            ) from error  # fmt: skip
        for pot, at in moments:
            found[pot] = min(at, found.get(pot, at))
    return found
