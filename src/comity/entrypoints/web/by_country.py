"""Long lists of a case in one group a country, each with its sums, so that a page stays readable. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comity.node.pages.views import Amount, HoldingRow, HoldRow

FEW = 12
"""So many rows are shown as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryGroup:
    """`sums` has one amount a currency: of holds, what is or was held and did not get away."""

    country: str
    rows: tuple[HoldRow | HoldingRow, ...]
    sums: tuple[Amount, ...]


def by_country(rows: Sequence[HoldRow | HoldingRow]) -> tuple[CountryGroup, ...]:
    """The rows by country, in the order in which each country comes first; none if they are few."""
    if len(rows) <= FEW:
        return ()
    found: dict[str, list[HoldRow | HoldingRow]] = {}
    for row in rows:
        found.setdefault(row.country, []).append(row)
    return tuple(
        CountryGroup(country=country, rows=tuple(several), sums=_sums(several))
        for country, several in found.items()
    )


def _sums(rows: Iterable[HoldRow | HoldingRow]) -> tuple[Amount, ...]:
    total: dict[tuple[str, int | None], int] = {}
    for row in rows:
        if isinstance(row, HoldRow) and not row.state.counted:
            continue
        one = row.amount if isinstance(row, HoldRow) else row.tainted
        total[one.currency, one.digits] = total.get((one.currency, one.digits), 0) + one.minor
    return tuple(
        Amount(minor=minor, currency=currency, digits=digits) for (currency, digits), minor in total.items()
    )
