"""Gather-scatter: one account collects from many and then pays it out to many.

Definition: in a window, an account receives from at least `least_others` accounts and pays at least as many others,
at least `least_kept` of what came in goes out again, and the paying comes, on average, after the receiving.
Source: FATF, "Professional Money Laundering" (2018); pattern `gather_scatter` of AMLSim (Weber et al., 2018).
Cost: one aggregation over four times the transfers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import Table, hits, hopping, legs, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherScatter:
    name: ClassVar[str] = "gather-scatter"
    measures: ClassVar[tuple[str, ...]] = ("senders", "receivers", "received_minor", "paid_minor")

    window_days: int = 28
    least_others: int = 3
    most_others: int = 500
    least_kept: float = 0.7
    most_kept: float = 1.05

    def expression(self) -> Table:
        rows: Any = hopping(legs(transfers()), self.window_days)
        into, out = rows.incoming == 1, rows.incoming == 0
        groups = rows.group_by(["account", "currency", "window"]).agg(
            senders=rows.other.nunique(where=into),
            receivers=rows.other.nunique(where=out),
            received_minor=total(rows.amount, into),
            paid_minor=total(rows.amount, out),
            mean_in=rows["at"].mean(where=into),
            mean_out=rows["at"].mean(where=out),
            both=rows.count(),
        )
        groups = groups.filter(
            groups.senders.between(self.least_others, self.most_others),
            groups.receivers.between(self.least_others, self.most_others),
            groups.paid_minor >= groups.received_minor * self.least_kept,
            groups.paid_minor <= groups.received_minor * self.most_kept,
            groups.mean_in < groups.mean_out,
        ).drop("mean_in", "mean_out")
        return hits(rows, groups, by="both").drop("both")

    def strength(self, found: Measures) -> float:
        return beyond(min(found["senders"], found["receivers"]), self.least_others)

    def sentence(self, found: Measures) -> str:
        return (
            f"Within {self.window_days} days it received from {found['senders']} accounts and then paid "
            f"{found['receivers']} (each at least {self.least_others}), "
            f"{found['paid_minor'] / found['received_minor']:.0%} of what came in "
            f"({self.least_kept:.0%} to {self.most_kept:.0%})."
        )
