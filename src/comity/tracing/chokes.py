"""End a trace at marked accounts: what arrives there is a choke point, and nothing that leaves carries it on. Pure.

A marked account is one in which many people's money is one (a client omnibus account, a mixer): the book shows that
money went in and that money came out, and no rule of tracing can say that it was the same. Meaning and choices:
spec/trace.md, "Choke points".

The book is rewritten, not the kernel: what comes into a marked account goes to an account elsewhere, and what leaves
it leaves an account that never received anything. So every rule treats it alike.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import InputError
from comity.model import ChokeKind, ChokePoint, Crossing
from comity.tracing.documents import choke_fields

CHOKED = "\x1f"
"""The country of a marked account as a receiver: none is called so, hence nobody's. Never leaves this room."""
Marks = Mapping[str, ChokeKind]
"""Why each marked account is one."""


def ending_at(table: Any, marks: Marks) -> Any:
    """Return the book's table (`BOOK_SCHEMA`) so rewritten that a trace ends at the marked accounts.

    Tracing it needs `covers`: where all accounts are ours, name all their countries.
    """
    if not marks:
        return table
    marked = pa.array(sorted(marks), pa.string())
    into = pc.is_in(table["to_account"], value_set=marked)
    out_of = pc.is_in(table["from_account"], value_set=marked)
    away = pc.binary_join_element_wise(table["from_account"], CHOKED, "")
    columns = {
        "to_country": pc.if_else(into, CHOKED, table["to_country"]),
        "from_account": pc.if_else(out_of, away, table["from_account"]),
    }
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), table.schema.field(name), column)
    return table


def apart(exits: Iterable[Crossing]) -> tuple[tuple[Crossing, ...], tuple[Crossing, ...]]:
    """Sort the exits of a trace of such a book: those that left, and those into marked accounts."""
    left, choked = list[Crossing](), list[Crossing]()
    for crossing in exits:
        (choked if crossing.to_country == CHOKED else left).append(crossing)
    return tuple(left), tuple(choked)


def choke_points(arrived: Iterable[Crossing], marks: Marks, *, country: str) -> tuple[ChokePoint, ...]:
    """Add up what arrived in marked accounts of ours, by account and currency, in that order.

    `arrived`: our own payments into them (`apart`) and what other books say came in. `country`: where the accounts
    are, for those whose crossing does not say.
    """
    found: dict[tuple[str, str], ChokePoint] = {}
    for crossing in arrived:
        pot = (crossing.to_account, crossing.currency)
        known = found.get(pot)
        found[pot] = ChokePoint(
            account=crossing.to_account,
            institution=(known.institution if known else "") or crossing.to_institution,
            country=country if crossing.to_country in (CHOKED, "") else crossing.to_country,
            currency=crossing.currency,
            kind=marks[crossing.to_account],
            tainted_minor=crossing.tainted_minor + (known.tainted_minor if known else 0),
            transfers=1 + (known.transfers if known else 0),
        )
    return tuple(found[pot] for pot in sorted(found) if found[pot].tainted_minor)


def choke_document(point: ChokePoint) -> dict[str, Any]:
    return {
        "account": point.account, "institution": point.institution, "country": point.country,
        "currency": point.currency, "kind": point.kind.value, "tainted_minor": point.tainted_minor,
        "transfers": point.transfers,
    }  # fmt: skip


def read_choke(document: Any, *, where: str = "choke point") -> ChokePoint:
    """Return the choke point a peer answered with."""
    fields = choke_fields(document, where)
    kind = fields.pop("kind")
    if kind not in set(ChokeKind):
        raise InputError.because(
            expected=f"one of {', '.join(ChokeKind)}", got=repr(kind)[:60], where=f"{where}.kind"
        )
    return ChokePoint(kind=ChokeKind(kind), **fields)
