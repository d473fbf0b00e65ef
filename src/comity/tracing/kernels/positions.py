"""Where each transfer lies in the money that ever went out of one pot, and in the money that ever came into another.

A pot's positions count minor units: its inflow from 0, opening balance first; its outflow from 0, only what it held
(a shortfall comes from nowhere and has no position). Under first in, first out, the unit at outflow position n is the
unit that came in at position n: that is Clayton's case as an index.
"""

import numpy as np

from comity.tracing.kernels.compiled import Column, Number, kernel
from comity.tracing.kernels.exact import place_of

_MOST = np.iinfo(np.int64).max


@kernel
def count(sender: Column, receiver: Column, amount: Column, pots: Number) -> tuple[Column, Column]:
    """Return where each pot's outgoing transfers begin (`pots + 2` numbers) and its incoming ones (`pots + 1`).

    Transfers from accounts elsewhere (-1) are the last group of the outgoing ones, so that each transfer has a place.
    """
    out_first = np.zeros(pots + 2, np.int64)
    in_first = np.zeros(pots + 1, np.int64)
    for event in range(len(sender)):
        payer, payee = sender[event], receiver[event]
        if amount[event] > 0 and payer != payee:
            out_first[(payer if payer >= 0 else pots) + 1] += 1
            if payee >= 0:
                in_first[payee + 1] += 1
    for pot in range(pots + 1):
        out_first[pot + 1] += out_first[pot]
    for pot in range(pots):
        in_first[pot + 1] += in_first[pot]
    return out_first, in_first


@kernel
def run(
    sender: Column,
    receiver: Column,
    amount: Column,
    arriving: Column,
    first: Number,
    state: Column,
    out_event: Column,
    out_at: Column,
    in_at: Column,
    balance: Column,
    in_event: Column,
) -> Number:
    """Go through the events from `first` in order and write down where each lies; return -1, or a pot that overflows.

    `state` by pot: what came in so far, what went out, the next outgoing and the next incoming place; a last row for
    elsewhere. It is left as it is after the last event.
    """
    elsewhere = len(state) - 1
    for event in range(first, len(sender)):
        payer, payee, asked = sender[event], receiver[event], amount[event]
        if asked == 0 or payer == payee:
            continue
        row = payer if payer >= 0 else elsewhere
        place = state[row, 2]
        state[row, 2] = place + 1
        out_event[place] = event
        out_at[place] = state[row, 1]
        held = state[row, 0] - state[row, 1]
        balance[place] = held
        state[row, 1] += min(asked, held)
        if payee >= 0:
            before = state[payee, 0]
            in_at[place] = before
            if before > _MOST - arriving[event]:
                return int(payee)
            state[payee, 0] = before + arriving[event]
            in_event[state[payee, 3]] = event
            state[payee, 3] += 1
        else:
            in_at[place] = 0
    return -1


@kernel
def resume(
    first: Number,
    old_out_first: Column,
    old_out_event: Column,
    old_out_at: Column,
    old_in_at: Column,
    old_balance: Column,
    old_out_end: Column,
    old_in_first: Column,
    old_in_event: Column,
    old_in_end: Column,
    opening: Column,
    out_first: Column,
    in_first: Column,
    state: Column,
    out_event: Column,
    out_at: Column,
    in_at: Column,
    balance: Column,
    in_event: Column,
) -> None:
    """Copy what an older index says of the events before `first`, and set `state` as it was just before it.

    Pots keep their numbers; new ones come after them. Events before `first` are the same in both.
    """
    old_pots, pots = len(old_in_end), len(opening)
    for pot in range(pots + 1):
        old = pot if pot < old_pots else (old_pots if pot == pots else -1)
        place: Number = out_first[pot]
        incoming: Number = 0
        paid: Number = 0
        if old >= 0:
            begin, last = old_out_first[old], old_out_first[old + 1]
            stop = place_of(old_out_event, begin, last, first)
            for at in range(begin, stop):
                out_event[place], out_at[place] = old_out_event[at], old_out_at[at]
                in_at[place], balance[place] = old_in_at[at], old_balance[at]
                place += 1
            if old < old_pots:
                paid = old_out_at[stop] if stop < last else old_out_end[old]
        if pot < pots:
            incoming = in_first[pot]
            if old >= 0:
                begin, last = old_in_first[old], old_in_first[old + 1]
                stop = place_of(old_in_event, begin, last, first)
                for at in range(begin, stop):
                    in_event[incoming] = old_in_event[at]
                    incoming += 1
        state[pot, 1], state[pot, 2] = paid, place
        if pot < pots:
            state[pot, 0], state[pot, 3] = opening[pot], incoming


@kernel
def replay(
    sender: Column, receiver: Column, amount: Column, arriving: Column, first: Number, state: Column
) -> None:
    """Add to `state` what came into each pot before `first` (the opening is there already)."""
    for event in range(first):
        payee = receiver[event]
        if payee >= 0 and amount[event] > 0 and sender[event] != payee:
            state[payee, 0] += arriving[event]
