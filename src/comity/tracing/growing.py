"""What changed between two sets of inflows, and a trace that grows by it instead of being made again. Pure.

Under `fifo` and `lifo` where money goes does not depend on what is tainted: each unit of it has its own way. So the
trace of more inflows is the trace of the earlier ones and the trace of what was added, laid over each other, to the
minor unit (tests/property/test_growing.py). Under the other rules what one inflow taints changes how another is
shared: there is no such sum, and `grown` refuses.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from comity.errors import InputError
from comity.model import Crossing, Flow, Gap, Holding, Piece, Total, Trace

ADDITIVE = frozenset({"fifo", "lifo"})
"""Rules under which a trace may grow."""
Stretch = tuple[int, int]
"""From (inclusive) and to (exclusive), in minor units of what arrives."""
One = TypeVar("One")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a peer is told after the first time: crossings that are new or differ, and ids of those that are none."""

    crossings: tuple[Crossing, ...]
    withdrawn: tuple[str, ...]


def changes(before: Sequence[Crossing], now: Sequence[Crossing]) -> Changes:
    """Return what must be said to somebody who knows `before`, so that they know `now`."""
    known = {one.transfer_id: one for one in before}
    there = {one.transfer_id for one in now}
    return Changes(
        crossings=tuple(one for one in now if known.get(one.transfer_id) != one),
        withdrawn=tuple(one.transfer_id for one in before if one.transfer_id not in there),
    )


def changed(before: Sequence[Crossing], said: Changes) -> tuple[Crossing, ...]:
    """Return what somebody knows who knew `before` and is told `said`, in order of events.

    `InputError` if it withdraws what was never told, or withdraws and tells the same.
    """
    known = {one.transfer_id: one for one in before}
    unknown = [one for one in said.withdrawn if one not in known]
    twice = set(said.withdrawn) & {one.transfer_id for one in said.crossings}
    if unknown or twice:
        raise InputError.because(
            expected="withdrawn transfers that were told before, and are not told now",
            got=repr([*unknown, *sorted(twice)][0])[:100],
        )
    for transfer_id in said.withdrawn:
        del known[transfer_id]
    known |= {one.transfer_id: one for one in said.crossings}
    return in_order(known.values())


def in_order(crossings: Collection[Crossing]) -> tuple[Crossing, ...]:
    """Order of events: by time, then by transfer id, bytewise."""
    return tuple(sorted(crossings, key=lambda one: (one.booked_at, one.transfer_id.encode())))


def added(before: Sequence[Crossing], now: Sequence[Crossing]) -> tuple[Crossing, ...] | None:
    """Return the taint that `now` has and `before` has not, as crossings; None where some was taken away.

    Of a crossing that grew only the new part is tainted in what is returned.
    """
    known = {one.transfer_id: one for one in before}
    if known.keys() - {one.transfer_id for one in now}:
        return None
    found = []
    for one in now:
        earlier = known.get(one.transfer_id)
        more = one if earlier is None else _more(earlier, one)
        if more is None:
            return None
        if more.tainted_minor:
            found.append(more)
    return tuple(found)


def grown(before: Trace, more: Trace, *, place: Callable[[Collection[str]], Mapping[str, int]]) -> Trace:
    """Lay `more`, the trace of what was `added`, over `before`: the trace of both together.

    Both are of one book under one additive rule, without claims of their own, and show every inflow (nothing
    unmatched). `place` gives the place of transfers in the order of events (`Book.find`).
    """
    if before.rule != more.rule or before.rule not in ADDITIVE or before.unmatched or more.unmatched:
        raise InputError.because(
            expected=f"two traces under one of {', '.join(sorted(ADDITIVE))} that show every inflow",
            got=f"{before.rule} with {len(before.unmatched)} and {more.rule} with {len(more.unmatched)} unmatched",
        )
    flows = _summed(before.flows, more.flows, _transfer, _with_flow)
    gaps = _summed(before.gaps, more.gaps, _gap_key, lambda gap, _: gap)
    at = place([*(one.transfer_id for one in flows), *(one.transfer_id for one in gaps)])
    holdings = sorted(
        _summed(before.holdings, more.holdings, _pot, _with_holding),
        key=lambda held: (-held.tainted_minor, held.account, held.currency),
    )
    return Trace(
        rule=before.rule,
        totals=_totals(holdings),
        holdings=tuple(holdings),
        flows=tuple(sorted(flows, key=lambda one: at[one.transfer_id])),
        gaps=tuple(sorted(gaps, key=lambda one: at[one.transfer_id])),
        exits=in_order(_as_sent(_summed(before.exits, more.exits, _transfer, _laid_over), flows)),
        unmatched=(),
    )


def _more(earlier: Crossing, now: Crossing) -> Crossing | None:
    """`now` with only that tainted which `earlier` was not; None if `earlier` had other taint, or is another."""
    if replace(earlier, pieces=(), sent_minor=0) != replace(now, pieces=(), sent_minor=0):
        return None
    if _size(earlier) != _size(now):
        return None
    known, taint = _stretches(earlier.pieces), _stretches(now.pieces)
    if _cut(known, taint):
        return None
    return replace(now, pieces=_pieces(_cut(taint, known), _size(now)), sent_minor=0)


def _laid_over(one: Crossing, other: Crossing) -> Crossing:
    stretches = sorted([*_stretches(one.pieces), *_stretches(other.pieces)])
    return replace(one, pieces=_pieces(stretches, _size(one)))


def _as_sent(exits: Sequence[Crossing], flows: Sequence[Flow]) -> list[Crossing]:
    """Exits with what left as their flows have it: a part of which nothing arrives, once converted, is a flow in
    one of two traces and no exit.
    """
    left = {one.transfer_id: one.tainted_minor for one in flows}
    return [replace(one, sent_minor=left[one.transfer_id]) if one.sent_currency else one for one in exits]


def _size(crossing: Crossing) -> int:
    return sum(piece.amount_minor for piece in crossing.pieces)


def _stretches(pieces: Sequence[Piece]) -> list[Stretch]:
    found, at = [], 0
    for piece in pieces:
        if piece.tainted and piece.amount_minor:
            found.append((at, at + piece.amount_minor))
        at += piece.amount_minor
    return found


def _cut(stretches: Sequence[Stretch], away: Sequence[Stretch]) -> list[Stretch]:
    """What of `stretches` is in none of `away`. Both in order, neither overlaps itself."""
    left = []
    for start, end in stretches:
        for first, last in away:
            if last <= start or end <= first:
                continue
            if start < first:
                left.append((start, first))
            start = max(start, last)
        if start < end:
            left.append((start, end))
    return left


def _pieces(stretches: Sequence[Stretch], size: int) -> tuple[Piece, ...]:
    """Pieces that sum to `size`, tainted on `stretches`; neighbours of one kind are one."""
    pieces, at = list[Piece](), 0
    for start, end in stretches:
        if start > at:
            pieces.append(Piece(amount_minor=start - at, tainted=False))
        elif pieces and pieces[-1].tainted:
            end_before = pieces.pop().amount_minor
            start = at - end_before
        pieces.append(Piece(amount_minor=end - start, tainted=True))
        at = end
    if at < size:
        pieces.append(Piece(amount_minor=size - at, tainted=False))
    return tuple(pieces)


def _summed(
    first: Sequence[One], second: Sequence[One], key: Callable[[One], object], both: Callable[[One, One], One]
) -> list[One]:
    found = {key(one): one for one in first}
    for one in second:
        known = found.get(key(one))
        found[key(one)] = one if known is None else both(known, one)
    return list(found.values())


def _transfer(one: Flow | Crossing) -> object:
    return one.transfer_id


def _gap_key(gap: Gap) -> object:
    return gap.transfer_id, gap.account, gap.currency


def _pot(holding: Holding) -> object:
    return holding.account, holding.currency


def _with_flow(one: Flow, other: Flow) -> Flow:
    return replace(one, tainted_minor=one.tainted_minor + other.tainted_minor)


def _with_holding(one: Holding, other: Holding) -> Holding:
    return replace(one, tainted_minor=one.tainted_minor + other.tainted_minor)


def _totals(holdings: Sequence[Holding]) -> tuple[Total, ...]:
    held: dict[str, int] = {}
    for holding in holdings:
        held[holding.currency] = held.get(holding.currency, 0) + holding.tainted_minor
    return tuple(
        Total(currency=currency, reported_minor=0, held_minor=minor, reported_again_minor=0)
        for currency, minor in sorted(held.items())
    )
