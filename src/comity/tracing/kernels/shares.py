"""Follow money under the rules by which a pot is two numbers: rateable sharing, lowest intermediate balance, and
poison.

What a pot holds before a payment does not depend on what is tainted: the index has it. So a trace keeps one number a
pot, its tainted money, and looks only at payments of pots that have some. `local` takes them from a heap, for traces
that stay small; when it has looked at `most` payments it stops, and `sweep` goes on from there over the whole
column of payers, which is quicker once a few payments in a hundred matter (benchmarks/tracing.py measures where).
"""

from heapq import heappop, heappush

import numpy as np

from comity.tracing.kernels.compiled import Column, Number, kernel
from comity.tracing.kernels.exact import place_of, times_over
from comity.tracing.kernels.pieces import arrival

PRORATA, LIBR, POISON = 0, 1, 2


@kernel
def leaves(rule: Number, asked: Number, held: Number, tainted: Number) -> Number:
    """The tainted part of a payment of `asked` from a pot that holds `held`, `tainted` of it (under poison: if any)."""
    if rule == POISON:
        return asked
    paid = min(asked, held)
    if paid == held:
        return tainted
    if rule == LIBR:
        return max(0, paid - (held - tainted))
    share, rest = times_over(paid, tainted, held)
    if rest >= held - rest:
        share += 1
    return min(max(share, tainted - (held - paid)), tainted, paid)


@kernel
def local(
    rule: Number,
    seeds: Column,
    dropped: Column,
    end: Number,
    most: Number,
    tainted: Column,
    cursor: Column,
    sender: Column,
    receiver: Column,
    amount: Column,
    converted: Column,
    arriving: Column,
    out_first: Column,
    out_event: Column,
    balance: Column,
) -> tuple[Column, Column, Number, Number]:
    """Return (payments: event, place, tainted part), (pots touched), the event where it stopped, seeds used.

    `seeds`: (event, pot, tainted amount that arrives), in order of events. `tainted` and `cursor` (the next outgoing
    place of a pot with tainted money), by pot, begin as zeros and are left as they are for `sweep`.
    """
    ahead = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    paid = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    pots = [np.int64(0) for _ in range(0)]
    waiting = np.zeros(len(tainted), np.bool_)
    seen = np.zeros(len(tainted), np.bool_)
    looked, used = 0, 0
    while used < len(seeds) or len(ahead):
        event = ahead[0][0] if len(ahead) else np.int64(end)
        if used < len(seeds) and seeds[used, 0] < event:
            event, pot, part = seeds[used, 0], seeds[used, 1], seeds[used, 2]
            used += 1
        elif looked >= most:
            return _triples(paid), _list(pots), int(event), used
        else:
            looked += 1
            event, place, payer = heappop(ahead)
            waiting[payer] = False
            part = leaves(rule, amount[event], balance[place], tainted[payer])
            if rule != POISON:
                tainted[payer] -= part
            cursor[payer] = place + 1
            if tainted[payer] > 0 and place + 1 < out_first[payer + 1] and out_event[place + 1] < end:
                waiting[payer] = True
                heappush(ahead, (np.int64(out_event[place + 1]), np.int64(place + 1), payer))
            pot = np.int64(receiver[event])
            if part > 0:
                paid.append((event, place, part))
            if pot < 0 or part == 0 or _is_in(dropped, event):
                continue
            part = arrival(event, 0, part, amount[event], converted, arriving)[1]
        if part == 0:
            continue
        if not seen[pot]:
            seen[pot] = True
            pots.append(pot)
        if tainted[pot] == 0:
            cursor[pot] = place_of(out_event, out_first[pot], out_first[pot + 1], event + 1)
        tainted[pot] = 1 if rule == POISON else tainted[pot] + part
        place = cursor[pot]
        if not waiting[pot] and place < out_first[pot + 1] and out_event[place] < end:
            waiting[pot] = True
            heappush(ahead, (np.int64(out_event[place]), np.int64(place), pot))
    return _triples(paid), _list(pots), end, used


@kernel
def sweep(
    rule: Number,
    least: Number,
    seeds: Column,
    used: Number,
    dropped: Column,
    begin: Number,
    end: Number,
    tainted: Column,
    cursor: Column,
    sender: Column,
    receiver: Column,
    amount: Column,
    converted: Column,
    arriving: Column,
    out_first: Column,
    out_event: Column,
    balance: Column,
) -> Column:
    """Go over all events from `begin` in order; return (event, place, tainted part) of the payments that had some.

    `least`: in hundredths; a pot whose tainted share is less when it pays counts as clean until tainted money next
    arrives (0: none does; anything else is no trace under the contract, but a quick look).
    """
    paid = [(np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    marked = np.zeros(len(tainted) + 1, np.bool_)
    for pot in range(len(tainted)):
        marked[pot] = tainted[pot] > 0
    next_seed = seeds[used, 0] if used < len(seeds) else end
    for event in range(begin, end):
        payer = sender[event]
        if not marked[payer] and event != next_seed:
            continue
        if marked[payer] and amount[event] > 0 and payer != receiver[event]:
            place, pot = cursor[payer], receiver[event]
            cursor[payer] = place + 1
            held = balance[place]
            if least and 100.0 * tainted[payer] < float(least) * held:
                marked[payer] = False
            else:
                part = leaves(rule, amount[event], held, tainted[payer])
                if rule != POISON:
                    tainted[payer] -= part
                    marked[payer] = tainted[payer] > 0
                if part > 0:
                    paid.append((np.int64(event), place, part))
                if pot >= 0 and part > 0 and not _is_in(dropped, event):
                    part = arrival(event, 0, part, amount[event], converted, arriving)[1]
                    _credit(rule, event, pot, part, tainted, marked, cursor, out_first, out_event)
        while event == next_seed:
            _credit(
                rule, event, seeds[used, 1], seeds[used, 2], tainted, marked, cursor, out_first, out_event
            )
            used += 1
            next_seed = seeds[used, 0] if used < len(seeds) else end
    return _triples(paid)


@kernel
def _credit(
    rule: Number,
    event: Number,
    pot: Number,
    part: Number,
    tainted: Column,
    marked: Column,
    cursor: Column,
    out_first: Column,
    out_event: Column,
) -> None:
    if part == 0:
        return
    if not marked[pot]:
        cursor[pot] = place_of(out_event, out_first[pot], out_first[pot + 1], event + 1)
        marked[pot] = True
    tainted[pot] = 1 if rule == POISON else tainted[pot] + part


@kernel
def _is_in(values: Column, wanted: Number) -> bool:
    at = place_of(values, 0, len(values), wanted)
    return bool(at < len(values) and values[at] == wanted)


@kernel
def _triples(rows: list[tuple[Number, Number, Number]]) -> Column:
    found = np.empty((len(rows), 3), np.int64)
    for at in range(len(rows)):
        found[at, 0], found[at, 1], found[at, 2] = rows[at][0], rows[at][1], rows[at][2]
    return found


@kernel
def _list(values: list[Number]) -> Column:
    found = np.empty(len(values), np.int64)
    for at in range(len(values)):
        found[at] = values[at]
    return found
