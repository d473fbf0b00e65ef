"""The pots a trace watches: only those that hold tainted money, only while they do.

Any other pot is one clean balance at one place in its list of events, moved forward when it is needed: each
event is replayed at most once, with the contract's shortfall rule (a balance never falls below zero). Clean
money that arrives in a watched pot is put in when the pot next pays or receives tainted money: it changes
nothing before.
"""

from collections.abc import Callable, Iterable

import numpy as np

from comity.tracing.book import Book
from comity.tracing.positions import Ints
from comity.tracing.rules import Part, Pot

_SAFE = 2.0**62
_FEW = 8
"""Below this many events a plain loop is faster than setting up arrays."""


class Pots:
    """`watched`: pot code → its money, up to date with the last thing that happened to it.

    `make` builds a pot of a rule from a clean balance.
    """

    def __init__(self, book: Book, make: Callable[[int], Pot]) -> None:
        self.watched: dict[int, Pot] = {}
        self._book, self._make = book, make
        self._events, start, payment = _listing(book)
        self._index, self._start, self._payment = self._events.data, start.data, payment.data
        self._arriving = book.arriving.data
        self._at: dict[int, int] = {}
        """Where each watched pot is: the first place in the index that is not yet in its money."""
        self._resting: dict[int, tuple[int, int]] = {}
        """Clean pots met before: (first place in the index not yet in the balance, balance)."""

    def payer(self, event: int, pot: int) -> Pot | None:
        """Return `pot` as it is just before it pays in `event`; None if it is not watched: all its money is
        clean.
        """
        watched = self.watched.get(pot)
        if watched is not None:
            self._bring(watched, pot, event)
        return watched

    def credit(self, event: int, pot: int, parts: Iterable[Part]) -> int | None:
        """Put `parts` into `pot`. Return the event of its next payment if it was not watched before, and now
        is.
        """
        if not any(size and tainted for size, tainted in parts):
            return None
        watched = self.watched.get(pot)
        fresh = watched is None
        if watched is None:
            watched = self.watched[pot] = self._make(self._balance_before(event, pot))
        else:
            self._bring(watched, pot, event)
        watched.arrive(parts)
        return self._next_payment(pot) if fresh else None

    def paid(self, pot: int) -> int | None:
        """Return the event of a watched pot's next payment; forget the pot if it is clean again."""
        watched = self.watched[pot]
        if watched.is_clean:
            del self.watched[pot]
            self._resting[pot] = (self._at.pop(pot), watched.balance)
            return None
        return self._next_payment(pot)

    def settle(self, end: int) -> None:
        """Bring every watched pot to just before event `end`."""
        for pot, watched in self.watched.items():
            self._credit_clean(watched, self._at[pot], self._place(pot, self._at[pot], end))

    def _next_payment(self, pot: int) -> int | None:
        at = self._at[pot]
        if at >= self._start[pot + 1]:
            return None
        place = self._payment[at]
        return self._index[place] if place < len(self._index) else None

    def _place(self, pot: int, first: int, event: int) -> int:
        """Return the first place of `pot`, from `first`, whose event is `event` or later."""
        stop = self._start[pot + 1]
        if first < stop and self._index[first] >= event:
            return first
        return first + int(np.searchsorted(self._events[first:stop], event))

    def _bring(self, watched: Pot, pot: int, event: int) -> None:
        """Put in the clean money that arrived before `event`; step past it."""
        place = self._place(pot, self._at[pot], event)
        self._credit_clean(watched, self._at[pot], place)
        self._at[pot] = place + 1

    def _credit_clean(self, watched: Pot, first: int, stop: int) -> None:
        """Put in the events at these places, all of which credit this pot with clean money."""
        if first == stop:
            return
        if stop - first < _FEW:
            total = sum(self._arriving[self._index[place]] for place in range(first, stop))
        else:
            total = _sum(self._book.arriving[self._events[first:stop]])
        watched.arrive(((total, False),))

    def _balance_before(self, event: int, pot: int) -> int:
        first, balance = self._resting.pop(pot, (self._start[pot], int(self._book.opening[pot])))
        place = self._place(pot, first, event)
        self._at[pot] = place + 1
        return replay(self._book, pot, self._events[first:place], balance)


def replay(book: Book, pot: int, events: Ints, balance: int) -> int:
    """Return what `pot` holds after `events` of its own, from a clean `balance`.

    balance ← max(balance − paid, 0) or balance + received; in closed form the running sum less its lowest dip
    below zero. Sums that might not fit 64 bits are done in Python's integers.
    """
    if not len(events):
        return balance
    paying = book.sender[events] == pot
    change = np.where(paying, -book.amount[events], book.arriving[events])
    if balance + float(np.abs(change).astype(np.float64).sum()) < _SAFE:
        running = np.cumsum(change) + balance
        return int(running[-1]) - min(int(running.min()), 0)
    for step in change.tolist():
        balance = max(balance + step, 0)
    return balance


def _sum(amounts: Ints) -> int:
    if float(amounts.astype(np.float64).sum()) < _SAFE:
        return int(amounts.sum())
    return sum(amounts.tolist())


def _listing(book: Book) -> tuple[Ints, Ints, Ints]:
    """Return the events grouped by pot in order, where each pot's begin, and by place in that list the next place,
    this one or later, where that pot pays (the list's length for none).
    """
    sender, receiver = book.sender.astype(np.int64), book.receiver.astype(np.int64)
    moves = (book.amount > 0) & (sender != receiver)
    events = np.arange(len(sender), dtype=np.int64)
    paying, paid = moves & (sender >= 0), moves & (receiver >= 0)
    pot = np.concatenate([sender[paying], receiver[paid]])
    event = np.concatenate([events[paying], events[paid]])
    order = np.lexsort((event, pot))
    start = np.zeros(len(book.opening) + 1, np.int64)
    np.cumsum(np.bincount(pot, minlength=len(book.opening)), out=start[1:])
    listed = event[order]
    size = len(listed)
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    places = np.where(sender[listed] == owner, np.arange(size), size)
    following = np.minimum.accumulate(places[::-1])[::-1]
    return listed, start, np.where(following < start[owner + 1], following, size)
