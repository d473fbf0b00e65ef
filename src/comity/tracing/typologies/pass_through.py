"""Rapid pass-through: money comes in and is gone again within days, and hardly anything stays.

Definition: in a window, an account receives at least `least_received` transfers and pays out between `least_kept` and
`most_kept` of their sum, beginning after the first came in.
Source: FATF/Egmont, "Trade-Based Money Laundering: Risk Indicators" (2021), account activity: "rapid movement of
funds", "used as a pass-through"; Europol, EMMA reports on money mules.
Cost: one aggregation over four times the transfers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures
from comity.tracing.typologies.relational import Table, hits, hopping, legs, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class PassThrough:
    name: ClassVar[str] = "pass-through"
    measures: ClassVar[tuple[str, ...]] = ("receipts", "payments", "received_minor", "paid_minor")

    window_days: int = 3
    least_received: int = 2
    least_kept: float = 0.9
    most_kept: float = 1.0

    def expression(self) -> Table:
        rows: Any = hopping(legs(transfers()), self.window_days)
        into, out = rows.incoming == 1, rows.incoming == 0
        groups = rows.group_by(["account", "currency", "window"]).agg(
            receipts=rows.count(where=into),
            payments=rows.count(where=out),
            received_minor=total(rows.amount, into),
            paid_minor=total(rows.amount, out),
            first_in=rows["at"].min(where=into),
            first_out=rows["at"].min(where=out),
        )
        groups = groups.filter(
            groups.receipts >= self.least_received,
            groups.payments >= 1,
            groups.paid_minor >= groups.received_minor * self.least_kept,
            groups.paid_minor <= groups.received_minor * self.most_kept,
            groups.first_in <= groups.first_out,
        ).drop("first_in", "first_out")
        return hits(rows, groups, by="received_minor")

    def strength(self, found: Measures) -> float:
        share = found["paid_minor"] / max(found["received_minor"], 1)
        return 0.5 + 0.5 * min(max((share - self.least_kept) / max(1 - self.least_kept, 1e-9), 0.0), 1.0)

    def sentence(self, found: Measures) -> str:
        return (
            f"Within {self.window_days} days it received {found['receipts']} transfers (at least "
            f"{self.least_received}) and paid {found['paid_minor'] / max(found['received_minor'], 1):.1%} of "
            f"their sum out again ({self.least_kept:.0%} to {self.most_kept:.0%})."
        )
