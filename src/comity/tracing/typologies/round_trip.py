"""Round-tripping through shells: money leaves an account and comes back by way of accounts that only pass it on.

Definition: a shell is an account with at most `most_counterparties` that has paid out between `least_kept` and all
of what it ever received. A round trip goes from an account through one or two shells back to it, within
`window_days`, and brings back at least `least_kept` of what left.
Source: FATF/Egmont, "Concealment of Beneficial Ownership" (2018), shell companies and round-tripping; OECD, "Money
Laundering Awareness Handbook" (2019), loan-back schemes.
Cost: joins over the transfers of shells only, at most `most_transfers` each.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from comity.tracing.typologies.alerts import Measures, beyond
from comity.tracing.typologies.relational import DAY_SECONDS, Table, ibis, legs, listed, total, transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    name: ClassVar[str] = "round-trip"
    measures: ClassVar[tuple[str, ...]] = ("left_minor", "returned_minor", "shells")

    window_days: int = 30
    least_kept: float = 0.8
    most_counterparties: int = 4
    most_transfers: int = 50

    def expression(self) -> Table:
        moved = transfers()
        shells = self._shells(moved)
        first = self._leg(moved, "1").semi_join(shells, [("to_1", "account")])
        last = self._leg(moved, "9").semi_join(shells, [("from_9", "account")])
        between = (
            self._leg(moved, "5")
            .semi_join(shells, [("from_5", "account")])
            .semi_join(shells, [("to_5", "account")])
        )
        one = self._onward(first, last, "1", "9")
        two = self._onward(self._onward(first, between, "1", "5"), last, "5", "9")
        ways = ibis.union(self._way(one, ibis.null("string"), 1), self._way(two, two.id_5, 2))
        return self._listed(moved, ways)

    def _shells(self, moved: Table) -> Table:
        rows: Any = legs(moved)
        per_pot = rows.group_by(["account", "currency"]).agg(
            received=total(rows.amount, rows.incoming == 1), paid=total(rows.amount, rows.incoming == 0)
        )
        passing = per_pot.filter(
            per_pot.received > 0,
            per_pot.paid <= per_pot.received,
            per_pot.paid >= per_pot.received * self.least_kept,
        )
        small = rows.group_by("account").agg(others=rows.other.nunique(), transfers=rows.count())
        small = small.filter(small.others <= self.most_counterparties, small.transfers <= self.most_transfers)
        return small.semi_join(passing, "account").select("account")

    def _leg(self, moved: Table, number: str) -> Any:
        return moved.select(
            **{
                f"id_{number}": moved.transfer_id,
                f"at_{number}": moved["at"],
                f"from_{number}": moved.from_account,
                f"to_{number}": moved.to_account,
                f"amount_{number}": moved.amount,
                f"arriving_{number}": moved.arriving,
                f"currency_{number}": moved.currency,
                f"into_{number}": moved.to_currency,
            }
        )

    def _onward(self, left: Any, right: Any, before: str, after: str) -> Any:
        """Join each transfer with those by which its receiver passed it on."""
        return left.inner_join(
            right,
            [
                left[f"to_{before}"] == right[f"from_{after}"],
                left[f"into_{before}"] == right[f"currency_{after}"],
                left[f"at_{before}"] <= right[f"at_{after}"],
                right[f"at_{after}"] <= left.at_1 + self.window_days * DAY_SECONDS,
                left[f"id_{before}"] != right[f"id_{after}"],
                right[f"amount_{after}"] >= left[f"arriving_{before}"] * self.least_kept,
                right[f"amount_{after}"] <= left[f"arriving_{before}"],
            ],
        )

    def _way(self, path: Any, middle: Any, shells: int) -> Any:
        closed = path.filter(
            path.to_9 == path.from_1,
            path.into_9 == path.currency_1,
            path.arriving_9 >= path.amount_1 * self.least_kept,
        )
        return closed.select(
            account=closed.from_1,
            currency=closed.currency_1,
            id_1=closed.id_1,
            id_5=middle,
            id_9=closed.id_9,
            left_minor=closed.amount_1,
            returned_minor=closed.arriving_9,
            shells=ibis.literal(shells, "int64"),
        )

    def _listed(self, moved: Table, ways: Any) -> Table:
        """Each account's largest round trip, a row a transfer."""
        order = [ways.returned_minor.desc(), ways.shells, ways.id_1, ways.id_9, ways.id_5]
        ranked = ways.mutate(place=ibis.row_number().over(group_by=["account", "currency"], order_by=order))
        best = ranked.filter(ranked.place == 0)
        rows = ibis.union(
            *(
                best.select("account", "currency", *self.measures, transfer_id=best[part])
                for part in ("id_1", "id_5", "id_9")
            )
        )
        rows = rows.filter(rows.transfer_id.notnull())
        return listed(rows.inner_join(moved.select("transfer_id", "booked_at"), "transfer_id"), self.measures)

    def strength(self, found: Measures) -> float:
        return beyond(found["returned_minor"] / max(found["left_minor"], 1), self.least_kept)

    def sentence(self, found: Measures) -> str:
        return (
            f"{found['left_minor']:,} minor units left it and {found['returned_minor']:,} came back (at least "
            f"{self.least_kept:.0%}) within {self.window_days} days through {found['shells']} accounts that only "
            f"pass money on (at most {self.most_counterparties} counterparties)."
        )
