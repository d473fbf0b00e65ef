"""Follow pieces of money through a book under first in, first out or last in, first out: look-ups of intervals.

A tainted piece is a stretch of a pot's inflow; the index says with which transfers it left, and where in the next
pot's inflow it arrived. Pieces wait in a heap by the event that carries them, so that neighbours which meet again
are joined, and what is found is in order. No pot that tainted money does not reach is looked at, and no time passes:
cost follows the pieces.
"""

from heapq import heappop, heappush
from typing import Any

import numpy as np

from comity.tracing.kernels.compiled import Column, Number, kernel
from comity.tracing.kernels.exact import place_after, place_of, times_over
from comity.tracing.kernels.lots import NEVER


@kernel
def arrival(
    event: Number, start: Number, stop: Number, asked: Number, converted: Column, arriving: Column
) -> tuple[Number, Number]:
    """Where units `start` to `stop` of a transfer of `asked` are among those that arrive (cumulative floors)."""
    if len(converted):
        at = place_of(converted, 0, len(converted), event)
        if at < len(converted) and converted[at] == event:
            return times_over(start, arriving[at], asked)[0], times_over(stop, arriving[at], asked)[0]
    return start, stop


_SLOT = 31
"""An entry of the heap is the event that carries a piece, then the piece's number, in this many bits."""


@kernel
def _due(ahead: list[Any], waits: list[Any], stretch: list[Any]) -> tuple[Number, Number]:
    """Take the pieces of the next event from the heap, join neighbours, and put them into `stretch`, last first."""
    first = heappop(ahead)
    event = first >> _SLOT
    low, high, place = waits[first & ((1 << _SLOT) - 1)]
    stretch.append((low, high))
    while len(ahead) and ahead[0] >> _SLOT == event:
        low, high, place = waits[heappop(ahead) & ((1 << _SLOT) - 1)]
        stretch.append((low, high))
    if len(stretch) > 1:
        stretch.sort(reverse=True)
        kept = 0
        for at in range(1, len(stretch)):
            if stretch[at][1] == stretch[kept][0]:
                stretch[kept] = (stretch[at][0], stretch[kept][1])
            else:
                kept += 1
                stretch[kept] = stretch[at]
        while len(stretch) > kept + 1:
            stretch.pop()
    return event, place


@kernel
def fifo(
    seeds: Column,
    dropped: Column,
    end: Number,
    sender: Column,
    receiver: Column,
    amount: Column,
    converted: Column,
    arriving: Column,
    out_first: Column,
    out_event: Column,
    out_at: Column,
    out_end: Column,
    in_at: Column,
) -> tuple[Column, Column]:
    """Return the pieces that moved (event, place, start, stop) in order, and what rests (pot, amount).

    `seeds`: (pot, start, stop), tainted stretches of inflow. `dropped`: rising events whose tainted money goes no
    further. Events from `end` on have not happened. `out_first` … `in_at`: kernels.positions.
    """
    ahead = [np.int64(0) for _ in range(0)]
    waits = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    stretch = [(np.int64(0), np.int64(0)) for _ in range(0)]
    event, carrier = np.int64(0), np.int64(0)
    moved = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    rests = [(np.int64(0), np.int64(0)) for _ in range(0)]
    seed = 0
    while seed < len(seeds) or len(ahead) or len(stretch):
        if seed < len(seeds):
            pot, low, high = seeds[seed, 0], seeds[seed, 1], seeds[seed, 2]
            seed += 1
        else:
            if not len(stretch):
                event, carrier = _due(ahead, waits, stretch)
            low, high = stretch.pop()
            moved.append((event, carrier, low, high))
            pot = np.int64(receiver[event])
            if pot < 0 or _has(dropped, event):
                continue
            low, high = arrival(event, low, high, amount[event], converted, arriving)
            low, high = low + in_at[carrier], high + in_at[carrier]
        last = out_first[pot + 1]
        place = place_after(out_at, out_first[pot], last, low) - 1
        place = max(place, out_first[pot])
        while low < high and place < last and out_event[place] < end:
            stop = out_at[place + 1] if place + 1 < last else out_end[pot]
            if stop > low:
                begin, upto = low - out_at[place], min(stop, high) - out_at[place]
                heappush(ahead, (np.int64(out_event[place]) << _SLOT) | len(waits))
                waits.append((begin, upto, np.int64(place)))
                low = min(stop, high)
            place += 1
        if low < high:
            rests.append((pot, high - low))
    return _quads(moved), _pairs(rests)


@kernel
def lifo(
    seeds: Column,
    dropped: Column,
    end: Number,
    sender: Column,
    receiver: Column,
    amount: Column,
    converted: Column,
    arriving: Column,
    row_first: Column,
    position: Column,
    row_place: Column,
    offset: Column,
    in_end: Column,
    out_event: Column,
    in_at: Column,
) -> tuple[Column, Column]:
    """As `fifo`, by the lot table (kernels.lots)."""
    ahead = [np.int64(0) for _ in range(0)]
    waits = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    stretch = [(np.int64(0), np.int64(0)) for _ in range(0)]
    event, carrier = np.int64(0), np.int64(0)
    moved = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    rests = [(np.int64(0), np.int64(0)) for _ in range(0)]
    seed = 0
    while seed < len(seeds) or len(ahead) or len(stretch):
        if seed < len(seeds):
            pot, low, high = seeds[seed, 0], seeds[seed, 1], seeds[seed, 2]
            seed += 1
        else:
            if not len(stretch):
                event, carrier = _due(ahead, waits, stretch)
            low, high = stretch.pop()
            moved.append((event, carrier, low, high))
            pot = np.int64(receiver[event])
            if pot < 0 or _has(dropped, event):
                continue
            low, high = arrival(event, low, high, amount[event], converted, arriving)
            low, high = low + in_at[carrier], high + in_at[carrier]
        last = row_first[pot + 1]
        row = place_after(position, row_first[pot], last, low) - 1
        while low < high:
            stop = min(high, position[row + 1] if row + 1 < last else in_end[pot])
            place = np.int64(row_place[row])
            if place == NEVER or out_event[place] >= end:
                rests.append((pot, stop - low))
            else:
                top = position[row + 1] if row + 1 < last else in_end[pot]
                begin, upto = offset[row] + top - stop, offset[row] + top - low
                heappush(ahead, (np.int64(out_event[place]) << _SLOT) | len(waits))
                waits.append((begin, upto, place))
            low = stop
            row += 1
    return _quads(moved), _pairs(rests)


@kernel
def _has(values: Column, wanted: Number) -> bool:
    at = place_of(values, 0, len(values), wanted)
    return bool(at < len(values) and values[at] == wanted)


@kernel
def _quads(rows: list[tuple[Number, Number, Number, Number]]) -> Column:
    found = np.empty((len(rows), 4), np.int64)
    for at in range(len(rows)):
        found[at, 0], found[at, 1], found[at, 2], found[at, 3] = (
            rows[at][0],
            rows[at][1],
            rows[at][2],
            rows[at][3],
        )
    return found


@kernel
def _pairs(rows: list[tuple[Number, Number]]) -> Column:
    found = np.empty((len(rows), 2), np.int64)
    for at in range(len(rows)):
        found[at, 0], found[at, 1] = rows[at][0], rows[at][1]
    return found
