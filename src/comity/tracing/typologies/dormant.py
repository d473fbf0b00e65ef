"""Dormant, then active: an account sleeps for months and then moves far more than it used to.

Definition: after at least `dormant_days` without a transfer, an account has at least `least_transfers` within
`active_days`, and they sum to at least `times` its average transfer before.
Source: FATF, "Risk-Based Approach Guidance for the Banking Sector" (2014) and national indicator lists (FINTRAC,
AUSTRAC): "dormant account suddenly becomes active".
Cost: sorting each account's transfers; two windows over them.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import DAY_SECONDS, Table, hits, ibis, legs, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class DormantActive:
    name: ClassVar[str] = "dormant-active"
    measures: ClassVar[tuple[str, ...]] = ("slept_days", "transfers", "sum_minor", "usual_minor")

    dormant_days: int = 90
    active_days: int = 7
    least_transfers: int = 3
    times: float = 5.0

    def expression(self) -> Table:
        rows: Any = legs(transfers())
        order = [rows.booked_at, rows.transfer_id, rows.incoming]
        before = ibis.window(group_by=["account", "currency"], order_by=order, rows=(None, -1))
        here = ibis.window(group_by=["account", "currency"], order_by=order)
        rows = rows.mutate(
            slept=rows["at"] - rows["at"].lag().over(here),
            usual=rows.amount.cast("float64").mean().over(before),
        )
        woke = rows.slept >= self.dormant_days * DAY_SECONDS
        rows = rows.mutate(
            woke=ibis.ifelse(woke, rows["at"], ibis.null("int64")),
            slept=ibis.ifelse(woke, rows.slept, ibis.null("int64")),
            usual=ibis.ifelse(woke, rows.usual, ibis.null("float64")),
        )
        so_far = ibis.window(
            group_by=["account", "currency"],
            order_by=[rows.booked_at, rows.transfer_id, rows.incoming],
            rows=(None, 0),
        )
        rows = rows.mutate(window=rows.woke.max().over(so_far))
        rows = rows.filter(rows.window.notnull(), rows["at"] - rows.window <= self.active_days * DAY_SECONDS)
        groups = rows.group_by(["account", "currency", "window"]).agg(
            slept_days=(rows.slept.max() / DAY_SECONDS).floor().cast("int64"),
            transfers=rows.count(),
            sum_minor=total(rows.amount),
            usual_minor=rows.usual.max(),
        )
        groups = groups.filter(
            groups.transfers >= self.least_transfers, groups.sum_minor >= groups.usual_minor * self.times
        )
        return hits(rows.drop("slept", "usual", "woke"), groups, by="sum_minor")

    def strength(self, found: Measures) -> float:
        return beyond(found["sum_minor"], self.times * found["usual_minor"])

    def sentence(self, found: Measures) -> str:
        return (
            f"After {found['slept_days']} days without a transfer (at least {self.dormant_days}) it had "
            f"{found['transfers']} within {self.active_days} days (at least {self.least_transfers}), together "
            f"{found['sum_minor'] / max(found['usual_minor'], 1):.1f} times its usual transfer "
            f"(at least {self.times:g})."
        )
