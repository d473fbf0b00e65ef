"""Crypto in-and-out: money crosses between a currency and a crypto-asset and is moved on at once.

Definition: in a window, an account receives an amount and pays at least `least_kept` of it away, and at least that
share of what came in, or of what went out, was exchanged between a currency and a crypto-asset on the way.
Source: FATF, "Virtual Assets Red Flag Indicators" (2020), indicators on transactions: deposits exchanged and
withdrawn immediately.
Cost: one aggregation over four times the transfers. Only exchanges that the book shows are seen (`to_currency`).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.model import CRYPTO_ASSETS
from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import Table, hits, hopping, legs, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoInOut:
    name: ClassVar[str] = "crypto-in-out"
    measures: ClassVar[tuple[str, ...]] = ("received_minor", "paid_minor", "exchanged_minor")

    window_days: int = 3
    least_kept: float = 0.8
    assets: tuple[str, ...] = tuple(sorted(CRYPTO_ASSETS))

    def expression(self) -> Table:
        rows: Any = legs(transfers())
        here, there = rows.currency.isin(self.assets), rows.elsewhere.isin(self.assets)
        rows = rows.mutate(crossed=(here & ~there) | (there & ~here))
        rows = hopping(rows, self.window_days)
        into, out = rows.incoming == 1, rows.incoming == 0
        groups = rows.group_by(["account", "currency", "window"]).agg(
            received_minor=total(rows.amount, into),
            paid_minor=total(rows.amount, out),
            crossed_in=total(rows.amount, into & rows.crossed),
            crossed_out=total(rows.amount, out & rows.crossed),
            first_in=rows["at"].min(where=into),
            last_out=rows["at"].max(where=out),
        )
        inward = groups.crossed_in >= groups.received_minor * self.least_kept
        outward = groups.crossed_out >= groups.paid_minor * self.least_kept
        groups = groups.filter(
            groups.crossed_in + groups.crossed_out > 0,
            groups.received_minor > 0,
            groups.paid_minor >= groups.received_minor * self.least_kept,
            groups.first_in <= groups.last_out,
            inward | outward,
        )
        groups = groups.mutate(exchanged_minor=groups.crossed_in + groups.crossed_out)
        groups = groups.drop("crossed_in", "crossed_out", "first_in", "last_out")
        return hits(rows.drop("crossed"), groups, by="exchanged_minor")

    def strength(self, found: Measures) -> float:
        return beyond(min(found["paid_minor"] / max(found["received_minor"], 1), 1.0), self.least_kept)

    def sentence(self, found: Measures) -> str:
        return (
            f"Within {self.window_days} days it received {found['received_minor']:,} and paid "
            f"{found['paid_minor']:,} minor units (at least {self.least_kept:.0%}), of which "
            f"{found['exchanged_minor']:,} were exchanged between a currency and a crypto-asset."
        )
