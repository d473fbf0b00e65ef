"""What the relational typologies share: the transfers as an Ibis table, windows over them, and the form of a result.

Expressions are unbound: they name the table `transfers` and run on any engine that has one with these columns
(DuckDB embedded, Spark over a lake). What both can do is used and no more: no as-of join, no ordered or nested
aggregates, no arrays. Sums are exact (decimals of 38 digits); they become floats only to be compared.

A typology's expression returns one row a transfer of a hit:
`account`, `currency`, `transfer_id`, `transfers_in_all`, and one column a measure (the same in each row of a hit).
"""

from collections.abc import Sequence
from typing import Any

import ibis

from comity.tracing.typologies.alerts import MOST_TRANSFERS

__all__ = [
    "SCHEMA",
    "TABLE",
    "Table",
    "hits",
    "hopping",
    "ibis",
    "legs",
    "listed",
    "measured",
    "total",
    "transfers",
]

Table = Any
"""An Ibis table expression. Ibis has no types that mypy reads."""
TABLE = "transfers"
SCHEMA = ibis.schema(
    {
        "transfer_id": "string",
        "booked_at": "timestamp('UTC', 6)",
        "from_account": "string",
        "to_account": "string",
        "amount_minor": "int64",
        "currency": "string",
        "to_amount_minor": "int64",
        "to_currency": "string",
    }
)
DAY_SECONDS = 86_400
KEYS = ("account", "currency")


def transfers() -> Table:
    """The unbound table: money that moved between two accounts. `at` is in seconds since the epoch."""
    table = ibis.table(SCHEMA, name=TABLE)
    table = table.filter(table.amount_minor > 0, table.from_account != table.to_account)
    return table.select(
        "transfer_id",
        "booked_at",
        "from_account",
        "to_account",
        "currency",
        at=table.booked_at.epoch_seconds().cast("int64"),
        amount=table.amount_minor,
        arriving=ibis.coalesce(table.to_amount_minor, table.amount_minor),
        to_currency=ibis.coalesce(table.to_currency, table.currency),
    )


def legs(moved: Table, *, paid: bool = True, received: bool = True) -> Table:
    """Each transfer once for the account that paid and once for the one that received, in that account's currency.

    Columns `account`, `other`, `currency`, `amount`, `incoming` (0 or 1), `elsewhere` (the currency on the other side).
    """
    shared = ["transfer_id", "booked_at", "at"]
    out = moved.select(
        *shared,
        account=moved.from_account,
        other=moved.to_account,
        currency=moved.currency,
        elsewhere=moved.to_currency,
        amount=moved.amount,
        incoming=ibis.literal(0).cast("int64"),
    )
    into = moved.select(
        *shared,
        account=moved.to_account,
        other=moved.from_account,
        currency=moved.to_currency,
        elsewhere=moved.currency,
        amount=moved.arriving,
        incoming=ibis.literal(1).cast("int64"),
    )
    if paid and received:
        return ibis.union(out, into)
    return out if paid else into


def hopping(table: Table, days: int) -> Table:
    """Windows of `days` that begin every half of it, each row in both that cover it.

    Whatever happens within half a window is whole in some window; each row is there twice, never more.
    """
    slot = (table.at / (days * DAY_SECONDS // 2)).floor().cast("int64")
    return ibis.union(table.mutate(window=slot), table.mutate(window=slot - 1))


def total(amount: Any, where: Any = None) -> Any:
    """An exact sum, as a float to compare; 0 where there is nothing."""
    summed = amount.cast("decimal(38, 0)").sum(where=where)
    return ibis.coalesce(summed.cast("float64"), ibis.literal(0.0))


def hits(rows: Table, groups: Table, *, by: str) -> Table:
    """The rows of each account's strongest group: the largest `by`, then the earliest window.

    `groups` has `account`, `currency`, `window` and the measures. One hit an account and currency, and at most
    `MOST_TRANSFERS` rows a hit: a hub cannot make the result larger.
    """
    ranked = groups.mutate(
        place=ibis.row_number().over(group_by=list(KEYS), order_by=[groups[by].desc(), groups.window.asc()])
    )
    best = ranked.filter(ranked.place == 0).drop("place")
    found = rows.inner_join(best, [*KEYS, "window"])
    return listed(found, [name for name in groups.columns if name not in (*KEYS, "window")])


def listed(found: Table, measures: Sequence[str]) -> Table:
    """The form of a result: the earliest `MOST_TRANSFERS` rows of each hit, and how many there are."""
    order = [found.booked_at.asc(), found.transfer_id.asc()]
    numbered = found.mutate(
        place=ibis.row_number().over(group_by=list(KEYS), order_by=order),
        transfers_in_all=found.count().over(group_by=list(KEYS)),
    )
    kept = numbered.filter(numbered.place < MOST_TRANSFERS)
    return kept.select(*KEYS, "transfer_id", "transfers_in_all", *measures)


def measured(row: dict[str, Any], measures: Sequence[str]) -> dict[str, int | float]:
    """A hit's measures as Python numbers; amounts become integers again."""
    return {name: _number(row[name]) for name in measures}


def _number(value: Any) -> int | float:
    return int(value) if float(value).is_integer() else round(float(value), 6)
