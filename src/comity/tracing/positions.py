"""The book index: where every transfer lies in its sender's outflow and in its receiver's inflow. Pure.

32 bytes a transfer: by sender and in order of events (a place) the event (4), its position in the sender's outflow
(8), its position in the receiver's inflow (8) and what the sender held before it (8); by receiver the event (4). And
32 bytes a pot: where its places begin, and all that ever came in and went out. The columns themselves (sender,
receiver, amount, time) are `Book`'s. What a position is: `comity.tracing.kernels.positions`.
"""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


class Lots(NamedTuple):
    """The lot table of last in, first out: `comity.tracing.kernels.lots.play`. 20 bytes a row."""

    row_first: Ints
    position: Ints
    place: Codes
    offset: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Arrays by place, by incoming place, and by pot. The last group of places is of senders that are not ours."""

    out_first: Ints
    out_event: Codes
    out_at: Ints
    in_at: Ints
    balance: Ints
    in_first: Ints
    in_event: Codes
    in_end: Ints
    out_end: Ints

    @classmethod
    def of(
        cls, sender: Codes, receiver: Codes, amount: Ints, arriving: Ints, opening: Ints
    ) -> "Positions | None":
        """Index the events; None where what a pot ever received does not fit 64 bits."""
        return _build(sender, receiver, amount, arriving, opening, 0, None)

    def extended(
        self, sender: Codes, receiver: Codes, amount: Ints, arriving: Ints, opening: Ints, first: int
    ) -> "Positions | None":
        """Index events of which those before `first` are as they were; pots are as they were, or come after.

        What is before `first` is copied; only what comes from there on is gone through.
        """
        return _build(sender, receiver, amount, arriving, opening, first, self)

    def arrays(self) -> dict[str, Any]:
        """Every array by its name, as it is kept in files."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def place(self, group: int, event: int) -> int:
        """The place of an event whose sender's pot is `group` (-1: not ours)."""
        group = group if group >= 0 else len(self.in_end)
        first, last = int(self.out_first[group]), int(self.out_first[group + 1])
        return first + int(np.searchsorted(self.out_event[first:last], event))

    def lots(self, sender: Codes) -> Lots:
        """Play every pot's stack once."""
        from comity.tracing.kernels import lots as kernels

        in_from = kernels.positions_in(
            self.in_first, self.in_event, self.out_first, self.out_event, self.in_at, sender
        )
        return Lots(
            *kernels.play(
                self.out_first, self.out_event, self.out_at, self.out_end,
                self.in_first, self.in_event, in_from, self.in_end,
            )
        )  # fmt: skip

    def balance_before(self, pot: int, end: int, sender: Codes) -> int:
        """What `pot` holds when the events before `end` have happened."""
        came, went = int(self.in_end[pot]), int(self.out_end[pot])
        first, last = int(self.in_first[pot]), int(self.in_first[pot + 1])
        at = first + int(np.searchsorted(self.in_event[first:last], end))
        if at < last:
            event = int(self.in_event[at])
            came = int(self.in_at[self.place(int(sender[event]), event)])
        first, last = int(self.out_first[pot]), int(self.out_first[pot + 1])
        at = first + int(np.searchsorted(self.out_event[first:last], end))
        return came - (int(self.out_at[at]) if at < last else went)

    def events_of(self, pot: int) -> Ints:
        """The events that move money in or out of `pot`, in order."""
        out = self.out_event[self.out_first[pot] : self.out_first[pot + 1]]
        into = self.in_event[self.in_first[pot] : self.in_first[pot + 1]]
        return np.sort(np.concatenate([out, into])).astype(np.int64)


def _build(
    sender: Codes,
    receiver: Codes,
    amount: Ints,
    arriving: Ints,
    opening: Ints,
    first: int,
    old: Positions | None,
) -> Positions | None:
    from comity.tracing.kernels import positions as kernels

    pots = len(opening)
    out_first, in_first = kernels.count(sender, receiver, amount, pots)
    state = np.zeros((pots + 1, 4), np.int64)
    state[:pots, 0] = opening
    state[:, 2] = out_first[:-1]
    state[:pots, 3] = in_first[:-1]
    moving = int(out_first[-1])
    arrays: dict[str, Any] = {
        "out_event": np.empty(moving, np.int32),
        "out_at": np.empty(moving, np.int64),
        "in_at": np.empty(moving, np.int64),
        "balance": np.empty(moving, np.int64),
        "in_event": np.empty(int(in_first[-1]), np.int32),
    }
    if old is not None:
        kernels.resume(
            first, old.out_first, old.out_event, old.out_at, old.in_at, old.balance, old.out_end, old.in_first,
            old.in_event, old.in_end, opening, out_first, in_first, state, *arrays.values(),
        )  # fmt: skip
        kernels.replay(sender, receiver, amount, arriving, first, state)
    if kernels.run(sender, receiver, amount, arriving, first, state, *arrays.values()) >= 0:
        return None
    in_end, out_end = state[:pots, 0].copy(), state[:pots, 1].copy()
    return Positions(out_first=out_first, in_first=in_first, in_end=in_end, out_end=out_end, **arrays)
