"""The lot table of last in, first out: which units that came into a pot left it with which transfer.

Which lot a payment takes does not depend on what is tainted, so the stack of each pot is played once. A row of the
table is a stretch of a pot's inflow that left with one transfer (or never): rows of a pot rise with their inflow
position and cover all of it. The newest unit leaves first: within a row, the highest position leaves first.
"""

import numpy as np

from comity.tracing.kernels.compiled import Column, kernel
from comity.tracing.kernels.exact import place_of

NEVER = -1


@kernel
def play(
    out_first: Column,
    out_event: Column,
    out_at: Column,
    out_end: Column,
    in_first: Column,
    in_event: Column,
    in_from: Column,
    in_end: Column,
) -> tuple[Column, Column, Column, Column]:
    """Return (row_first by pot, position, place, offset) of the table's rows.

    `in_from`: inflow position by incoming place; the opening balance lies before the first. `out_end`, `in_end`: by
    pot, all that ever went out and came in. Row i covers inflow positions from `position[i]` to the next row's (or the
    pot's `in_end`); they left at outgoing place `place[i]` (`NEVER` for what is still there), the highest of them at
    `offset[i]` units into that transfer.
    """
    pots = len(in_first) - 1
    most = out_first[pots] + in_first[pots] + pots
    position, place, offset = np.empty(most, np.int64), np.empty(most, np.int32), np.empty(most, np.int64)
    row_first = np.zeros(pots + 1, np.int64)
    longest, busiest = 1, 1
    for pot in range(pots):
        came, went = in_first[pot + 1] - in_first[pot], out_first[pot + 1] - out_first[pot]
        longest, busiest = max(longest, came + 1), max(busiest, came + went + 1)
    low, high, newest = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    stack, after = np.empty(longest, np.int64), np.empty(busiest, np.int64)
    cut, cut_place, cut_offset = (
        np.empty(busiest, np.int64),
        np.empty(busiest, np.int32),
        np.empty(busiest, np.int64),
    )
    rows = 0
    for pot in range(pots):
        lots, depth, cuts = 0, 0, 0
        incoming, last_in = in_first[pot], in_first[pot + 1]
        begin = in_from[incoming] if incoming < last_in else in_end[pot]
        if begin > 0:
            low[0], high[0], newest[0], stack[0] = 0, begin, -1, 0
            lots, depth = 1, 1
        last_out = out_first[pot + 1]
        for out in range(out_first[pot], last_out):
            while incoming < last_in and in_event[incoming] < out_event[out]:
                upto = in_from[incoming + 1] if incoming + 1 < last_in else in_end[pot]
                if upto > in_from[incoming]:
                    low[lots], high[lots], newest[lots], stack[depth] = in_from[incoming], upto, -1, lots
                    lots += 1
                    depth += 1
                incoming += 1
            left = (out_at[out + 1] if out + 1 < last_out else out_end[pot]) - out_at[out]
            gone = 0
            while left > 0:
                lot = stack[depth - 1]
                taken = min(left, high[lot] - low[lot])
                high[lot] -= taken
                cut[cuts], cut_place[cuts], cut_offset[cuts] = high[lot], out, gone
                after[cuts] = newest[lot]
                newest[lot] = cuts
                cuts += 1
                gone += taken
                left -= taken
                if high[lot] == low[lot]:
                    depth -= 1
        while incoming < last_in:
            upto = in_from[incoming + 1] if incoming + 1 < last_in else in_end[pot]
            if upto > in_from[incoming]:
                low[lots], high[lots], newest[lots] = in_from[incoming], upto, -1
                lots += 1
            incoming += 1
        for lot in range(lots):
            if high[lot] > low[lot]:
                position[rows], place[rows], offset[rows] = low[lot], NEVER, 0
                rows += 1
            link = newest[lot]
            while link >= 0:
                position[rows], place[rows], offset[rows] = cut[link], cut_place[link], cut_offset[link]
                rows += 1
                link = after[link]
        row_first[pot + 1] = rows
    return row_first, position[:rows].copy(), place[:rows].copy(), offset[:rows].copy()


@kernel
def positions_in(
    in_first: Column,
    in_event: Column,
    out_first: Column,
    out_event: Column,
    in_at: Column,
    sender: Column,
) -> Column:
    """Return the inflow position by incoming place: looked up at the place where the same transfer went out."""
    pots = len(in_first) - 1
    found = np.empty(len(in_event), np.int64)
    for place in range(len(in_event)):
        event = in_event[place]
        group = sender[event] if sender[event] >= 0 else pots
        found[place] = in_at[place_of(out_event, out_first[group], out_first[group + 1], event)]
    return found
