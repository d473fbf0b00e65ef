"""What an account did in the days before and after a transfer: counts, sums and counterparties, by kernels.

Each kernel walks the events of one account once, with two pointers: time O(transfers), memory O(accounts), however
many counterparties a hub has.
"""

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.columns import Columns, Ints, Listing, Reals

MEASURES = ("count", "others", "new", "sum")
"""Transfers, different counterparties, first transfers of a pair of accounts, and the sum of amounts (minor units)."""


def account_windows(
    columns: Columns, *, account: Ints, paying: bool, first: Ints, last: Ints, new: Ints
) -> Reals:
    """For each event e, what `account[e]` paid (or received) among the events `first[e]` ≤ f < `last[e]`.

    `account` is the sender or the receiver of each event; `first` and `last` never fall; `new` is `new_pairs(columns)`.
    Returns one row an event, the columns are `MEASURES`.
    """
    side, asking = (columns.paid if paying else columns.received), _asking(columns, account)
    other = columns.receiver if paying else columns.sender
    amount = columns.amount if paying else columns.arriving
    return _measure(asking.start, asking.events, side.start, side.events, other, amount, new, first, last)


def _asking(columns: Columns, account: Ints) -> Listing:
    return columns.paid if account is columns.sender else columns.received


def new_pairs(columns: Columns) -> Ints:
    """1 for the first transfer from one account to another in the book, else 0."""
    key = columns.sender * len(columns.accounts) + columns.receiver
    found = np.zeros(len(columns), np.int64)
    found[np.unique(key, return_index=True)[1]] = 1
    return found


@kernel
def _measure(
    ask_start: Ints,
    ask_events: Ints,
    start: Ints,
    events: Ints,
    other: Ints,
    amount: Ints,
    new: Ints,
    first: Ints,
    last: Ints,
) -> Reals:
    found = np.zeros((len(other), 4))
    seen = np.zeros(len(start) - 1, np.int64)
    for account in range(len(start) - 1):
        low = high = start[account]
        end = start[account + 1]
        others, fresh, total = 0, 0, 0.0
        for place in range(ask_start[account], ask_start[account + 1]):
            event = ask_events[place]
            while high < end and events[high] < last[event]:
                entering = events[high]
                seen[other[entering]] += 1
                others += seen[other[entering]] == 1
                fresh += new[entering]
                total += amount[entering]
                high += 1
            while low < high and events[low] < first[event]:
                leaving = events[low]
                seen[other[leaving]] -= 1
                others -= seen[other[leaving]] == 0
                fresh -= new[leaving]
                total -= amount[leaving]
                low += 1
            found[event, 0] = high - low
            found[event, 1] = others
            found[event, 2] = fresh
            found[event, 3] = max(total, 0.0)
        for place in range(low, high):
            seen[other[events[place]]] = 0
    return found
