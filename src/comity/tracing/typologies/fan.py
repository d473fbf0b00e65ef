"""Fan-in and fan-out: many accounts pay one, or one pays many, for the first time, within days.

Definition: in a window, an account deals in one direction with at least `least_others` accounts that it never dealt
with before. More than `most_others` in a window is a merchant, a utility or a payroll: another question.
Source: FATF, "Professional Money Laundering" (2018), collection and distribution of funds through accounts of
others; the `fan_in` and `fan_out` patterns of Weber et al., "Scalable Graph Learning for Anti-Money Laundering"
(AMLSim, 2018).
Cost: one aggregation over twice the transfers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import Table, hits, hopping, ibis, legs, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class FanIn:
    name: ClassVar[str] = "fan-in"
    incoming: ClassVar[bool] = True
    measures: ClassVar[tuple[str, ...]] = ("new_others", "sum_minor")

    window_days: int = 14
    least_others: int = 5
    most_others: int = 500

    def expression(self) -> Table:
        return _fan(self)

    def strength(self, found: Measures) -> float:
        return beyond(found["new_others"], self.least_others)

    def sentence(self, found: Measures) -> str:
        return (
            f"{found['new_others']} accounts paid it for the first time within {self.window_days} days "
            f"(at least {self.least_others}, at most {self.most_others})."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    name: ClassVar[str] = "fan-out"
    incoming: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ("new_others", "sum_minor")

    window_days: int = 14
    least_others: int = 5
    most_others: int = 500

    def expression(self) -> Table:
        return _fan(self)

    def strength(self, found: Measures) -> float:
        return beyond(found["new_others"], self.least_others)

    def sentence(self, found: Measures) -> str:
        return (
            f"It paid {found['new_others']} accounts for the first time within {self.window_days} days "
            f"(at least {self.least_others}, at most {self.most_others})."
        )


def _fan(fan: FanIn | FanOut) -> Table:
    rows: Any = legs(transfers(), paid=not fan.incoming, received=fan.incoming)
    pair = ibis.window(group_by=["account", "other"], order_by=[rows.booked_at, rows.transfer_id])
    rows = rows.mutate(earlier=ibis.row_number().over(pair))
    first = hopping(rows.filter(rows.earlier == 0).drop("earlier"), fan.window_days)
    groups = first.group_by(["account", "currency", "window"]).agg(
        new_others=first.other.nunique(), sum_minor=total(first.amount)
    )
    groups = groups.filter(groups.new_others.between(fan.least_others, fan.most_others))
    return hits(first, groups, by="new_others")
