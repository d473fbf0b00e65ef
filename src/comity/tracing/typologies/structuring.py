"""Structuring: amounts kept just under the sum that must be reported, again and again.

Definition: in a window, an account pays (or receives) at least `least_transfers` amounts, each at least `near` of the
threshold of its currency and below it, that together reach it.
Source: 31 U.S.C. § 5324 and 31 CFR 1010.311 (USD 10,000); Canada, PCMLTF Regulations (CAD 10,000); Australia,
AML/CTF Act 2006 s. 5 (AUD 10,000); Regulation (EU) 2024/1624 art. 80 (EUR 10,000). FATF indicators of structuring.
A currency without a threshold here is not looked at: give it one.
Cost: one aggregation over at most four times the transfers near a threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import Table, hits, hopping, ibis, legs, total, transfers

THRESHOLDS: Mapping[str, int] = {"USD": 1_000_000, "CAD": 1_000_000, "AUD": 1_000_000, "EUR": 1_000_000}
"""Minor units by currency. What must be reported differs by state and by kind of payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structuring:
    name: ClassVar[str] = "structuring"
    measures: ClassVar[tuple[str, ...]] = ("near_threshold", "sum_minor", "largest_minor", "incoming")

    window_days: int = 7
    least_transfers: int = 3
    near: float = 0.7
    thresholds_minor: Mapping[str, int] = field(default_factory=lambda: dict(THRESHOLDS))

    def expression(self) -> Table:
        rows: Any = legs(transfers())
        limit = ibis.literal(None, "int64")
        if self.thresholds_minor:
            limit = rows.currency.cases(*sorted(self.thresholds_minor.items()), else_=limit)
        rows = rows.mutate(reporting=limit.cast("int64"))
        rows = rows.filter(
            rows.reporting.notnull(), rows.amount < rows.reporting, rows.amount >= rows.reporting * self.near
        )
        rows = hopping(rows, self.window_days)
        groups = rows.group_by(["account", "currency", "window", "incoming"]).agg(
            near_threshold=rows.count(),
            sum_minor=total(rows.amount),
            largest_minor=rows.amount.max(),
            reporting=rows.reporting.max(),
        )
        groups = groups.filter(
            groups.near_threshold >= self.least_transfers, groups.sum_minor >= groups.reporting
        ).drop("reporting")
        ranked = groups.mutate(
            side=ibis.row_number().over(
                group_by=["account", "currency", "window"],
                order_by=[groups.near_threshold.desc(), groups.incoming.asc()],
            )
        )
        groups = ranked.filter(ranked.side == 0).drop("side")
        rows = rows.inner_join(groups.select("account", "currency", "window", "incoming"),
                               ["account", "currency", "window", "incoming"]).drop("incoming")  # fmt: skip
        return hits(rows, groups, by="near_threshold")

    def strength(self, found: Measures) -> float:
        return beyond(found["near_threshold"], self.least_transfers)

    def sentence(self, found: Measures) -> str:
        way = "received" if found["incoming"] else "paid"
        return (
            f"Within {self.window_days} days it {way} {found['near_threshold']} amounts (at least "
            f"{self.least_transfers}) of {self.near:.0%} to just under the reporting threshold, the largest "
            f"{found['largest_minor']:,} and together {found['sum_minor']:,} minor units."
        )
