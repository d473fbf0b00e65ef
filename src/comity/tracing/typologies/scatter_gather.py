"""Scatter-gather: money leaves one account for several others, which all pass it on to the same one.

Definition: within `window_days`, an account pays at least `least_between` accounts, each of which pays, within
`window_days` more, between `least_kept` and `most_kept` of that to one and the same third account. An account that
pays more than `most_payments` times in the window is a business, not somebody who stands between.
Source: pattern `scatter_gather` of AMLSim (Weber et al., 2018); Altman et al., "Realistic Synthetic Financial
Transactions for Anti-Money Laundering Models" (NeurIPS 2023).
Cost: at most `most_payments` looks a transfer, then a sort of what matched by account: O(n log n), memory of what
one payer matched. One alert a pair of first and last account.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.alerts import MOST_TRANSFERS, Finding, Measures, beyond
from comity.tracing.typologies.columns import DAY, Columns, Ints
from comity.tracing.typologies.onward import Payments, payments, until
from comity.tracing.typologies.room import room


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterGather:
    name: ClassVar[str] = "scatter-gather"

    window_days: int = 30
    least_between: int = 3
    least_kept: float = 0.7
    most_kept: float = 1.0
    most_payments: int = 50

    def find(self, columns: Columns) -> Iterator[Finding]:
        pairs, groups = self.search(columns)
        for begin, end, between in groups.tolist():
            some = pairs[begin:end]
            events = np.unique(some[:, 1:3])
            source, sink = int(columns.sender[some[0, 1]]), int(some[0, 0])
            middle = np.unique(columns.receiver[some[:, 1]]).tolist()
            yield Finding(
                accounts=(source, sink, *middle[:MOST_TRANSFERS]),
                events=tuple(events[:MOST_TRANSFERS].tolist()),
                transfers_in_all=len(events),
                strength=beyond(between, self.least_between),
                measured={
                    "between": between,
                    "scattered_minor": int(columns.amount[np.unique(some[:, 1])].astype(object).sum()),
                    "gathered_minor": int(columns.arriving[np.unique(some[:, 2])].astype(object).sum()),
                },
            )

    def search(self, columns: Columns) -> tuple[Ints, Ints]:
        """Pairs (sink, scattering event, gathering event), and groups (begin, end, accounts between)."""
        paid = payments(columns)
        pairs, groups = _search(
            paid,
            until(columns, self.window_days * DAY)[paid.event],
            self.window_days * DAY,
            self.least_between,
            self.least_kept,
            self.most_kept,
            self.most_payments,
        )
        pairs[:, 1:] = paid.event[pairs[:, 1:]]
        return pairs, groups

    def sentence(self, found: Measures) -> str:
        return (
            f"It paid {found['between']} accounts (at least {self.least_between}) that each passed "
            f"{self.least_kept:.0%} to {self.most_kept:.0%} on to one and the same account within "
            f"{self.window_days} days: {found['scattered_minor']:,} minor units out, {found['gathered_minor']:,} "
            "together again."
        )


@kernel
def _search(
    paid: Payments,
    last: Ints,
    window: int,
    least: int,
    least_kept: float,
    most_kept: float,
    most_payments: int,
) -> tuple[Ints, Ints]:
    kept, kept_size = np.full((256, 3), -1, np.int64), 0
    groups, group_count = np.full((64, 3), -1, np.int64), 0
    pairs = np.full((1024, 3), -1, np.int64)
    met = np.zeros(len(paid.start) - 1, np.int64)
    for source in range(len(paid.start) - 1):
        size = 0
        for scatter in range(paid.start[source], paid.start[source + 1]):
            looks = last[scatter] - paid.after[scatter]
            if 0 < looks <= most_payments:
                pairs = room(pairs, size + looks)
                size = _passed_on(paid, scatter, last[scatter], pairs, size, least_kept, most_kept)
        if size < least:
            continue
        by_sink = pairs[np.argsort(pairs[:size, 0], kind="mergesort")]
        begin = 0
        for end in range(1, size + 1):
            if end < size and by_sink[end, 0] == by_sink[begin, 0]:
                continue
            if end - begin >= least:
                between, low, high = _densest(by_sink, begin, end, paid, window, met)
                if between >= least:
                    kept, groups = room(kept, kept_size + high - low), room(groups, group_count + 1)
                    kept[kept_size : kept_size + high - low] = by_sink[low:high]
                    groups[group_count] = (kept_size, kept_size + high - low, between)
                    kept_size += high - low
                    group_count += 1
            begin = end
    return kept[:kept_size], groups[:group_count]


@kernel
def _passed_on(
    paid: Payments, scatter: int, last: int, pairs: Ints, size: int, least_kept: float, most_kept: float
) -> int:
    """Write the payments by which a scattered amount was passed on behind the first `size` pairs; the new size."""
    source, middle = paid.sender[scatter], paid.receiver[scatter]
    if middle == source or paid.arriving[scatter] == 0:
        return size
    low, high = paid.arriving[scatter] * least_kept, paid.arriving[scatter] * most_kept
    for gather in range(paid.after[scatter], last):
        if not low <= paid.amount[gather] <= high or paid.currency[gather] != paid.to_currency[scatter]:
            continue
        sink = paid.receiver[gather]
        if sink not in (source, middle):
            pairs[size, 0], pairs[size, 1], pairs[size, 2] = sink, scatter, gather
            size += 1
    return size


@kernel
def _densest(
    pairs: Ints, begin: int, end: int, paid: Payments, window: int, met: Ints
) -> tuple[int, int, int]:
    """The most different accounts between, over windows of scattering; and the pairs (low, high) of that window.

    Pairs are in order of scattering. `met` is zeros, and is zeros again afterwards.
    """
    best, best_low, best_high, between, low = 0, begin, begin, 0, begin
    for high in range(begin, end):
        account = paid.receiver[pairs[high, 1]]
        met[account] += 1
        between += met[account] == 1
        while paid.at[pairs[high, 1]] - paid.at[pairs[low, 1]] > window:
            leaving = paid.receiver[pairs[low, 1]]
            met[leaving] -= 1
            between -= met[leaving] == 0
            low += 1
        if between > best:
            best, best_low, best_high = between, low, high + 1
    for one in range(low, end):
        met[paid.receiver[pairs[one, 1]]] = 0
    return best, best_low, best_high
