"""Follow money by the book index: look-ups of intervals, or payments of the pots that have some. Pure.

Under `fifo` and `lifo` where money goes does not depend on what is tainted: kernels.pieces. Under the other rules a pot
is two numbers: kernels.shares looks at the payments of tainted pots only, and changes to a sweep over the column of
payers once more than `SWEEP_FROM` of the events ahead have been looked at (measured: the sweep wins far below the few
per cent one would guess).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from comity.tracing.book import Book
from comity.tracing.found import Found, Task
from comity.tracing.positions import Ints, Positions
from comity.tracing.rules import Part, Rule

SWEEP_FROM = 0.002
"""A payment from the heap takes microseconds, an event of the sweep nanoseconds: benchmarks/tracing.py shows both."""
FEWEST = 1_000
"""Payments that are always taken from the heap first."""
_BY_INTERVALS = frozenset({Rule.FIFO, Rule.LIFO})


def search(book: Book, positions: Positions, rule: Rule, task: Task) -> Found:
    """Find where the money goes under `rule`; the same as `walk`, for books that fit 64 bits."""
    if rule in _BY_INTERVALS:
        moved, rests = follow_pieces(book, positions, rule, stretches(book, positions, task), task)
        return _of_pieces(book, positions, moved, rests, task.end)
    paid, pots, tainted = follow_shares(book, positions, rule, arrivals(book, task), task)
    return _of_shares(book, positions, rule, paid, pots, tainted, task.end)


def follow_pieces(book: Book, positions: Positions, rule: Rule, seeds: Ints, task: Task) -> tuple[Ints, Ints]:
    """Run kernels.pieces: (event, place, start, stop) of the pieces that moved, and (pot, amount) that rest."""
    from comity.tracing.kernels import pieces

    common = (
        seeds, _dropped(task), task.end, book.sender, book.receiver, book.amount, book.converted, book.converted_minor
    )  # fmt: skip
    at = positions
    if rule is Rule.FIFO:
        return pieces.fifo(*common, at.out_first, at.out_event, at.out_at, at.out_end, at.in_at)
    return pieces.lifo(*common, *book.lots(), at.in_end, at.out_event, at.in_at)


def follow_shares(
    book: Book, positions: Positions, rule: Rule, seeds: Ints, task: Task
) -> tuple[Ints, Ints, Ints]:
    """Run kernels.shares: (event, place, tainted part) of payments, the pots touched, tainted money by pot."""
    from comity.tracing.kernels import shares

    number = {Rule.PRORATA: shares.PRORATA, Rule.LIBR: shares.LIBR, Rule.POISON: shares.POISON}[rule]
    pots = len(book.opening)
    tainted, cursor = np.zeros(pots, np.int64), np.zeros(pots, np.int64)
    dropped = _dropped(task)
    columns = (
        tainted, cursor, book.sender, book.receiver, book.amount, book.converted, book.converted_minor,
        positions.out_first, positions.out_event, positions.balance,
    )  # fmt: skip
    ahead = task.end - int(seeds[0, 0]) if len(seeds) else 0
    most = max(FEWEST, int(SWEEP_FROM * ahead))
    paid, touched, stopped, used = shares.local(number, seeds, dropped, task.end, most, *columns)
    if stopped < task.end:
        more = shares.sweep(number, 0, seeds, used, dropped, stopped, task.end, *columns)
        paid, touched = np.concatenate([paid, more]), np.flatnonzero(tainted)
    return paid, touched, tainted


def stretches(book: Book, positions: Positions, task: Task) -> Ints:
    """The tainted stretches (pot, start, stop) of inflow that claims and other nodes make."""
    found = []
    for event in sorted({*task.claimed, *task.told}):
        pot = int(book.receiver[event])
        if event >= task.end or pot < 0:
            continue
        begin = int(positions.in_at[positions.place(int(book.sender[event]), event)])
        for size, tainted in _arriving(book, task, event):
            if tainted and size:
                found.append((pot, begin, begin + size))
            begin += size
    return np.array(found, np.int64).reshape(-1, 3)


def arrivals(book: Book, task: Task) -> Ints:
    """The tainted amounts (event, pot, amount) that claims and other nodes make arrive, in order of events."""
    found = []
    for event in sorted({*task.claimed, *task.told}):
        pot = int(book.receiver[event])
        amount = sum(size for size, tainted in _arriving(book, task, event) if tainted)
        if event < task.end and pot >= 0 and amount:
            found.append((event, pot, amount))
    return np.array(found, np.int64).reshape(-1, 3)


def _arriving(book: Book, task: Task, event: int) -> list[Part]:
    if event in task.told:
        return task.told[event]
    amount = int(book.amount[event])
    return [(task.claimed[event] * book.arrives(event) // amount, True)]


def _dropped(task: Task) -> Ints:
    return np.array(sorted({*task.claimed, *task.told}), np.int64)


def _of_pieces(book: Book, positions: Positions, moved: Ints, rests: Ints, end: int) -> Found:
    event, at = np.unique(moved[:, 0], return_index=True)
    tainted = np.add.reduceat(moved[:, 3] - moved[:, 2], at) if len(at) else event
    paid = _paid(event, tainted, positions.balance[moved[at, 1]])
    leaving = np.flatnonzero(book.receiver[event] < 0)
    stops = np.append(at[1:], len(moved))
    parts = {
        int(event[one]): _with_clean(moved[at[one] : stops[one], 2:].tolist(), int(book.amount[event[one]]))
        for one in leaving.tolist()
    }
    pots, group = np.unique(rests[:, 0], return_inverse=True)
    held = np.zeros(len(pots), np.int64)
    np.add.at(held, group, rests[:, 1])
    return Found(paid=paid, parts=parts, rests=_rests(book, positions, pots, held, end))


def _of_shares(
    book: Book, positions: Positions, rule: Rule, paid: Ints, pots: Ints, tainted: Ints, end: int
) -> Found:
    event, place, part = paid.T
    parts = {
        one: [(size, True), (int(book.amount[one]) - size, False)]
        for one, size in paid[book.receiver[event] < 0][:, ::2].tolist()
    }
    rests = _rests(book, positions, pots, tainted[pots], end)
    if rule is Rule.POISON:
        rests = [(pot, balance, balance) for pot, _, balance in rests]
    return Found(
        paid=_paid(event, part, positions.balance[place]),
        parts=parts,
        rests=[rest for rest in rests if rest[1]],
    )


def _paid(event: Any, tainted: Any, held: Any) -> list[tuple[int, int, int]]:
    return list(zip(event.tolist(), tainted.tolist(), held.tolist(), strict=True))


def _rests(
    book: Book, positions: Positions, pots: Ints, tainted: Any, end: int
) -> list[tuple[int, int, int]]:
    return [
        (pot, minor, positions.balance_before(pot, end, book.sender))
        for pot, minor in zip(pots.tolist(), tainted.tolist(), strict=True)
    ]


def _with_clean(tainted: Iterable[list[int]], amount: int) -> list[Part]:
    """Tainted stretches of a transfer of `amount`, and the clean ones between them, as parts."""
    parts: list[Part] = []
    upto = 0
    for start, stop in tainted:
        parts += [(start - upto, False), (stop - start, True)]
        upto = stop
    return [*parts, (amount - upto, False)]
