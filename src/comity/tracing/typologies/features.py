"""What the ranker sees of a transfer. Pure: columns in, a matrix out.

Measured around each transfer, in windows of days before and after it: what sender and receiver paid and received,
with how many counterparties and how many new ones; what came just before and after; what the pair did; whether the
transfer is part of a path-like pattern, in wide settings (the relational patterns are thresholds on the windows).

Left out, on purpose: names and ids of accounts (a model that knows accounts by heart knows nothing about others);
countries, nationality, institutions and currencies (they stand for who people are, not for what money does); the
time of day and the order of rows (they show how a book was written).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.columns import DAY, Columns, Ints, Listing, Reals
from comity.tracing.typologies.cycles import Cycles
from comity.tracing.typologies.mule_ring import MuleRing
from comity.tracing.typologies.scatter_gather import ScatterGather
from comity.tracing.typologies.windows import MEASURES, account_windows, new_pairs

DAYS = (3, 10, 30)
REACH = 10 * DAY
MANY = 4
"""Transfers of a pair are counted so far only: how many there are in all tells how old a book is."""
Matrix = npt.NDArray[np.float32]

_WIDE_CYCLES = Cycles(window_days=90, least_kept=0.3, most_kept=3.0, most_steps=400)
_WIDE_SCATTER = ScatterGather(window_days=60, least_between=2, least_kept=0.3, most_kept=3.0)

Named = Iterator[tuple[str, Reals]]


def features(columns: Columns) -> tuple[Matrix, tuple[str, ...]]:
    """One row a transfer (float32, NaN where there is nothing to measure) and the names of its columns."""
    amount = columns.amount.astype(np.float64)
    found = [("amount_log", np.log1p(amount))]
    found += _around(columns, amount)
    found += _next_to(columns)
    found += _pairs(columns)
    found += _habits(columns)
    found += _paths(columns)
    matrix = np.empty((len(columns), len(found)), np.float32)
    for place, (_, values) in enumerate(found):
        matrix[:, place] = values
    return matrix, tuple(name for name, _ in found)


def _around(columns: Columns, amount: Reals) -> Named:
    """Windows of days around the transfer, by side, direction, and before or after; sums relative to the amount."""
    here, new = np.arange(len(columns)), new_pairs(columns)
    for days in DAYS:
        first = np.searchsorted(columns.at, columns.at - days * DAY)
        last = np.searchsorted(columns.at, columns.at + days * DAY, side="right")
        spans = {"before": (first, here), "after": (here + 1, last)}
        for side, account in (("sender", columns.sender), ("receiver", columns.receiver)):
            for way in ("paid", "received"):
                for when, (low, high) in spans.items():
                    counted = account_windows(
                        columns, account=account, paying=way == "paid", first=low, last=high, new=new
                    )
                    counted[:, 3] = np.log1p(counted[:, 3]) - np.log1p(amount)
                    for place, measure in enumerate(MEASURES):
                        yield f"{side}_{way}_{when}_{days}d_{measure}", counted[:, place]


_NEXT = (
    "sender_days_since_paid", "sender_days_until_paid", "sender_amount_to_usual", "sender_days_since_received",
    "sender_amount_to_received", "sender_best_source",
    "receiver_days_since_received", "receiver_days_until_received", "receiver_amount_to_usual",
    "receiver_days_until_paid", "receiver_paid_to_amount", "receiver_best_onward",
)  # fmt: skip


def _next_to(columns: Columns) -> Named:
    """What came just before and after at the sender (first six) and at the receiver."""
    paid, received = columns.paid, columns.received
    sender = _neighbours(
        paid.start, paid.events, received.start, received.events, columns.amount, columns.at, True
    )
    receiver = _neighbours(
        received.start, received.events, paid.start, paid.events, columns.amount, columns.at, False
    )
    for place, name in enumerate(_NEXT):
        yield name, (sender if place < 6 else receiver)[:, place % 6]


def _pairs(columns: Columns) -> Named:
    """How often the same two accounts dealt before and after, and when."""
    key = columns.sender * len(columns.accounts) + columns.receiver
    order = np.argsort(key, kind="stable")
    keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    rank = np.arange(len(key)) - np.repeat(starts, counts)
    same = np.r_[False, key[order][1:] == key[order][:-1]]
    days = np.diff(columns.at[order], prepend=0) / DAY
    amount = columns.amount[order].astype(np.float64)
    since = np.where(same, days, np.nan)
    until = np.r_[since[1:], np.nan] if len(since) else since
    ratio = np.where(same, amount / (np.r_[0.0, amount[:-1]][: len(amount)] + 1), np.nan)
    in_order = {
        "pair_before": np.minimum(rank, MANY), "pair_after": np.minimum(np.repeat(counts, counts) - 1 - rank, MANY),
        "pair_days_since": since,
        "pair_days_until": until, "pair_amount_to_last": ratio,
    }  # fmt: skip
    for name, values in in_order.items():
        found = np.empty(len(key))
        found[order] = values
        yield name, found
    reverse = columns.receiver * len(columns.accounts) + columns.sender
    place = np.minimum(np.searchsorted(keys, reverse), max(len(keys) - 1, 0))
    yield (
        "pair_reverse",
        np.where(keys[place] == reverse, np.minimum(counts[place], MANY), 0).astype(np.float64),
    )


def _habits(columns: Columns) -> Named:
    """How many transfers a month each side pays and receives, over the whole book."""
    accounts = len(columns.accounts)
    months = max((columns.at[-1] - columns.at[0]) / DAY, 1.0) / 30 if len(columns) else 1.0
    for way, account in (("paid", columns.sender), ("received", columns.receiver)):
        total = np.bincount(account, minlength=accounts)
        for side, asked in (("sender", columns.sender), ("receiver", columns.receiver)):
            yield f"{side}_{way}_a_month", total[asked] / months


def _paths(columns: Columns) -> Named:
    cycle, _ = _WIDE_CYCLES.search(columns)
    length = np.zeros(len(columns))
    length[cycle[cycle >= 0]] = np.repeat((cycle >= 0).sum(axis=1), (cycle >= 0).sum(axis=1))
    yield "cycle_length", length
    pairs, groups = _WIDE_SCATTER.search(columns)
    between = np.repeat(groups[:, 2], groups[:, 1] - groups[:, 0])
    for place, name in ((1, "scattered_between"), (2, "gathered_between")):
        most = np.zeros(len(columns))
        np.maximum.at(most, pairs[:, place], between)
        yield name, most
    yield "passed_on", MuleRing().passed_on(columns).astype(np.float64)


@kernel
def _neighbours(
    start: Ints, events: Ints, across_start: Ints, across_events: Ints, amount: Ints, at: Ints, paying: bool
) -> Reals:
    """For the account on one side of each event: days since and until its last and next event on this side, the amount
    relative to its usual one, then days and amount of the nearest event across (the last received before a payment,
    the first paid after a receipt), and the share of the amount that best continues, at most 1, within `REACH`.
    """
    found = np.full((len(amount), 6), np.nan)
    for account in range(len(start) - 1):
        total, across = 0.0, across_start[account]
        for place in range(start[account], start[account + 1]):
            event = events[place]
            if place > start[account]:
                found[event, 0] = (at[event] - at[events[place - 1]]) / DAY
                found[event, 2] = amount[event] / (total / (place - start[account]) + 1)
            if place + 1 < start[account + 1]:
                found[event, 1] = (at[events[place + 1]] - at[event]) / DAY
            total += amount[event]
            while across < across_start[account + 1] and across_events[across] < event:
                across += 1
            near = across - 1 if paying else across
            if across_start[account] <= near < across_start[account + 1]:
                other = across_events[near]
                found[event, 3] = abs(at[event] - at[other]) / DAY
                found[event, 4] = (amount[event] if paying else amount[other]) / (
                    (amount[other] if paying else amount[event]) + 1
                )
            found[event, 5] = _best(
                event, near, -1 if paying else 1, across_start[account], across_start[account + 1], across_events,
                amount, at, paying,
            )  # fmt: skip
    return found


@kernel
def _best(
    event: int, near: int, step: int, begin: int, end: int, across: Ints, amount: Ints, at: Ints, paying: bool
) -> float:
    """Looks at most 64 events across, one way in time; −1 where none continues the amount."""
    best = -1.0
    for turn in range(64):
        place = near + turn * step
        if not begin <= place < end or abs(at[across[place]] - at[event]) > REACH:
            break
        one, other = amount[event], amount[across[place]]
        share = (one if paying else other) / ((other if paying else one) + 1)
        if share <= 1.0 and share > best:
            best = share
    return best


@kernel
def _company(
    start: Ints, events: Ints, account: Ints, at: Ints, score: Reals, reach: int, first: int
) -> Reals:
    found = np.zeros((len(account) - first, 2))
    for event in range(first, len(account)):
        here = account[event]
        low, high = start[here], start[here + 1]
        middle = low + np.searchsorted(events[low:high], event)
        for step in (-1, 1):
            place = middle - 1 if step < 0 else middle
            looks = 0
            while low <= place < high and looks < 200 and abs(at[events[place]] - at[event]) <= reach:
                if events[place] != event:
                    found[event - first, 0] = max(found[event - first, 0], score[events[place]])
                    found[event - first, 1] += score[events[place]]
                place += step
                looks += 1
    return found


COMPANY = tuple(
    f"{side}_{way}_{what}_first_score"
    for side in ("sender", "receiver") for way in ("paid", "received") for what in ("largest", "sum")
)  # fmt: skip


def company(columns: Columns, score: Reals, *, first: int) -> Matrix:
    """How suspicious the other transfers of both sides are by a first score, within 30 days, for events from `first`.

    At most 200 transfers each way in time are looked at. Columns: `COMPANY`.
    """
    parts = [
        _company(listing.start, listing.events, account, columns.at, score, 30 * DAY, first)
        for account in (columns.sender, columns.receiver)
        for listing in _both(columns)
    ]
    return np.column_stack(parts).astype(np.float32)


def _both(columns: Columns) -> tuple[Listing, Listing]:
    return columns.paid, columns.received
