"""Cycles: money goes round through three to ten accounts, in time order, and comes back to where it began.

Definition: transfers t1 < t2 < … < tn (in order of events), each paid by the receiver of the one before, the last
to the payer of the first; no other account twice; all within `window_days`; each pays, in the currency that
arrived, between `least_kept` and `most_kept` of what arrived.
Source: pattern `cycle` of AMLSim (Weber et al., 2018); simple temporal cycles, Kumar and Calders, "2SCENT: An
Efficient Algorithm for Enumerating All Simple Temporal Cycles" (VLDB 2018).
Cost: a depth-first search from each transfer, at most `most_steps` looks each, so linear in the book whatever its
hubs; a search that ends at this limit finds no cycle. Each transfer is in at most one alert.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.alerts import Finding, Measures, beyond
from comity.tracing.typologies.columns import DAY, Columns, Flags, Ints
from comity.tracing.typologies.onward import Payments, carries_on, payments
from comity.tracing.typologies.room import room

LONGEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    name: ClassVar[str] = "cycle"

    window_days: int = 30
    least_length: int = 3
    most_length: int = LONGEST
    least_kept: float = 0.7
    most_kept: float = 1.05
    most_steps: int = 1_000

    def find(self, columns: Columns) -> Iterator[Finding]:
        found, _ = self.search(columns)
        for row in found:
            events = row[row >= 0]
            accounts = columns.sender[events]
            first, last = int(columns.amount[events[0]]), int(columns.arriving[events[-1]])
            span = int(columns.at[events[-1]] - columns.at[events[0]])
            yield Finding(
                accounts=tuple(accounts.tolist()),
                events=tuple(events.tolist()),
                transfers_in_all=len(events),
                strength=beyond(len(events), self.least_length),
                measured={
                    "transfers": len(events),
                    "days": round(span / DAY, 3),
                    "left_minor": first,
                    "returned_minor": last,
                },
            )

    def search(self, columns: Columns, *, each_start: bool = False) -> tuple[Ints, Flags]:
        """Cycles as rows of events (−1 where shorter), and for each event whether a cycle begins with it.

        With `each_start` every transfer is tried, also those that are in a cycle already: for counting.
        """
        paid = payments(columns)
        window = self.window_days * DAY
        found, begins = _search(
            paid, _continued(paid, window, self.least_kept, self.most_kept),
            _returns(paid, columns.received.start, columns.received.events, columns.at),
            window, self.least_length, min(self.most_length, LONGEST), self.least_kept,
            self.most_kept, self.most_steps, each_start,
        )  # fmt: skip
        return np.where(found >= 0, paid.event[found], -1), begins

    def sentence(self, found: Measures) -> str:
        return (
            f"{found['transfers']} transfers in time order ({self.least_length} to {self.most_length}) lead back "
            f"to where they began within {found['days']:g} days (at most {self.window_days}), each passing on "
            f"{self.least_kept:.0%} to {self.most_kept:.0%} of what came before; {found['left_minor']:,} minor units "
            f"left, {found['returned_minor']:,} came back."
        )


@kernel
def _returns(paid: Payments, in_start: Ints, in_events: Ints, at: Ints) -> Ints:
    """By place: when its payer next receives anything after it; beyond all time where never."""
    found = np.full(len(paid.at), np.iinfo(np.int64).max, np.int64)
    for account in range(len(paid.start) - 1):
        incoming = in_start[account]
        for place in range(paid.start[account], paid.start[account + 1]):
            while incoming < in_start[account + 1] and in_events[incoming] <= paid.event[place]:
                incoming += 1
            if incoming < in_start[account + 1]:
                found[place] = at[in_events[incoming]]
    return found


@kernel
def _continued(paid: Payments, window: int, least_kept: float, most_kept: float) -> Ints:
    """By place: the receiver's first payment that may carry it on, where a search begins; `stop` for none."""
    found = paid.stop.copy()
    for place in range(len(found)):
        limit = paid.at[place] + window
        for onto in range(paid.after[place], paid.stop[place]):
            if paid.at[onto] > limit:
                break
            if carries_on(paid.arriving[place], paid.amount[onto], least_kept, most_kept):
                found[place] = onto
                break
    return found


@kernel
def _search(
    paid: Payments, continued: Ints, returns: Ints, window: int, least: int, most: int, least_kept: float,
    most_kept: float, most_steps: int, each_start: bool,
) -> tuple[Ints, Flags]:  # fmt: skip
    begins, used = np.zeros(len(paid.at), np.bool_), np.zeros(len(paid.at), np.bool_)
    found, count = np.full((64, LONGEST), -1, np.int64), 0
    path, goes_on = np.zeros(LONGEST, np.int64), np.zeros(LONGEST, np.int64)
    for event in range(len(paid.at)):
        root = paid.place[event]
        if returns[root] > paid.at[root] + window or continued[root] == paid.stop[root] or used[root]:
            continue
        if paid.receiver[root] == paid.sender[root] or paid.amount[root] == 0:
            continue
        length = _cycle_from(
            paid, continued, root, path, goes_on, used, window, least, most, least_kept, most_kept, most_steps
        )
        if length == 0:
            continue
        begins[event] = True
        if not each_start:
            found = room(found, count + 1)
            found[count, :length] = path[:length]
            used[path[:length]] = True
            count += 1
    return found[:count], begins


@kernel
def _cycle_from(
    paid: Payments, continued: Ints, root: int, path: Ints, goes_on: Ints, used: Flags, window: int, least: int,
    most: int, least_kept: float, most_kept: float, most_steps: int,
) -> int:  # fmt: skip
    """Write the first cycle that begins with `root` into `path` and return its length; 0 where there is none.

    `goes_on[d]` is where the search continues among the payments of the account that `path[d]` reached.
    """
    home, limit, depth = paid.sender[root], paid.at[root] + window, 0
    path[0], goes_on[0] = root, continued[root]
    for _ in range(most_steps):
        last, place = path[depth], goes_on[depth]
        if place == paid.stop[last] or paid.at[place] > limit:
            if depth == 0:
                return 0
            depth -= 1
            continue
        goes_on[depth] += 1
        if not carries_on(paid.arriving[last], paid.amount[place], least_kept, most_kept):
            continue
        if used[place] or paid.currency[place] != paid.to_currency[last] or paid.amount[place] == 0:
            continue
        if paid.receiver[place] == home:
            if depth + 2 >= least and paid.to_currency[place] == paid.currency[root]:
                path[depth + 1] = place
                return depth + 2
        elif (
            depth + 2 < most
            and continued[place] < paid.stop[place]
            and not _is_on_path(paid.receiver[place], path, depth, paid.receiver)
        ):
            depth += 1
            path[depth], goes_on[depth] = place, continued[place]
    return 0


@kernel
def _is_on_path(account: int, path: Ints, depth: int, receiver: Ints) -> bool:
    for step in range(depth + 1):  # noqa: SIM110 - `any` over a generator does not compile
        if receiver[path[step]] == account:
            return True
    return False
