"""Peel chains: a sum moves from account to account, and at each stop a little is peeled off.

Definition: at least `least_length` transfers in a row, each paid within `window_days` of the one before by whoever
received it, each between `least_kept` and `most_kept` of what arrived; and at each stop between at least one other
payment, not larger than what was left over, in the same days.
Source: Meiklejohn et al., "A Fistful of Bitcoins" (IMC 2013), peeling chains; FATF, "Virtual Assets Red Flag
Indicators" (2020).
Cost: at most `most_payments` looks a transfer, once, from the last transfer to the first: linear. A transfer
carries on at most one chain, the longest; where two chains meet, the shorter one ends before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.alerts import MOST_TRANSFERS, Finding, Measures, beyond
from comity.tracing.typologies.columns import DAY, Columns, Ints
from comity.tracing.typologies.onward import carries_on, onward


@dataclass(frozen=True, slots=True, kw_only=True)
class PeelChain:
    name: ClassVar[str] = "peel-chain"

    window_days: int = 3
    least_length: int = 4
    least_kept: float = 0.7
    most_kept: float = 0.99
    most_payments: int = 50

    def find(self, columns: Columns) -> Iterator[Finding]:
        following, peel, length = _links(
            columns.paid.start, columns.paid.events, onward(columns), columns.receiver, columns.at, columns.amount,
            columns.arriving, columns.currency, columns.to_currency, self.window_days * DAY,
            self.least_kept, self.most_kept, self.most_payments,
        )  # fmt: skip
        taken = np.zeros(len(columns), bool)
        heads = np.flatnonzero(length >= self.least_length)
        for head in heads[np.lexsort((heads, -length[heads]))].tolist():
            chain = _chain(head, following, taken)
            if len(chain) >= self.least_length:
                yield self._finding(columns, chain, peel)

    def _finding(self, columns: Columns, chain: list[int], peel: Ints) -> Finding:
        peels = {int(peel[event]) for event in chain[:-1]}
        events = sorted({*chain, *peels})
        first, last = int(columns.amount[chain[0]]), int(columns.arriving[chain[-1]])
        accounts = [int(columns.sender[chain[0]]), *(int(columns.receiver[event]) for event in chain)]
        return Finding(
            accounts=tuple(dict.fromkeys(accounts[:MOST_TRANSFERS])),
            events=tuple(events[:MOST_TRANSFERS]),
            transfers_in_all=len(events),
            strength=beyond(len(chain), self.least_length),
            measured={
                "hops": len(chain), "peels": len(peels), "started_minor": first, "arrived_minor": last
            },
        )  # fmt: skip

    def sentence(self, found: Measures) -> str:
        return (
            f"{found['hops']} transfers in a row (at least {self.least_length}), each {self.least_kept:.0%} to "
            f"{self.most_kept:.0%} of the one before and within {self.window_days} days of it, with "
            f"{found['peels']} smaller payments peeled off on the way; {found['started_minor']:,} minor units began, "
            f"{found['arrived_minor']:,} arrived."
        )


def _chain(head: int, following: Ints, taken: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    chain = []
    event = head
    while event >= 0 and not taken[event]:
        taken[event] = True
        chain.append(event)
        event = int(following[event])
    return chain


@kernel
def _links(
    out_start: Ints, out_events: Ints, after: Ints, receiver: Ints, at: Ints, amount: Ints, arriving: Ints,
    currency: Ints, to_currency: Ints, window: int, least_kept: float, most_kept: float, most_payments: int,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    """For each event: the one that carries it on (−1 for none), the payment peeled off there, the chain's length.

    From the back, since what follows is later: the carrying payment with the longest chain after it is chosen.
    """
    size = len(receiver)
    following, peel, length = (
        np.full(size, -1, np.int64),
        np.full(size, -1, np.int64),
        np.ones(size, np.int64),
    )
    for event in range(size - 1, -1, -1):
        here = receiver[event]
        end = min(out_start[here + 1], after[event] + most_payments)
        for place in range(after[event], end):
            onto = out_events[place]
            if at[onto] > at[event] + window:
                break
            if amount[onto] == 0 or currency[onto] != to_currency[event] or length[onto] < length[event]:
                continue
            if not carries_on(arriving[event], amount[onto], least_kept, most_kept):
                continue
            left = arriving[event] - amount[onto]
            small = _peeled(
                onto, left, after[event], end, out_events, at, amount, currency, at[event] + window
            )
            if small >= 0:
                following[event], peel[event], length[event] = onto, small, length[onto] + 1
    return following, peel, length


@kernel
def _peeled(
    onto: int,
    left: int,
    begin: int,
    end: int,
    out_events: Ints,
    at: Ints,
    amount: Ints,
    currency: Ints,
    limit: int,
) -> int:
    """The first other payment of at most `left` before `limit`; −1 for none."""
    for place in range(begin, end):
        small = out_events[place]
        if at[small] > limit:
            break
        if small != onto and currency[small] == currency[onto] and 0 < amount[small] <= left:
            return int(small)
    return -1
