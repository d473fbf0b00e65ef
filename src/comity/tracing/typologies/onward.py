"""Where money may go next: for each transfer, the first later payment of its receiver. By one merge an account."""

from typing import NamedTuple

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.columns import Columns, Ints


def onward(columns: Columns) -> Ints:
    """For each event, the place in `columns.paid.events` of its receiver's first later payment.

    Where there is none, the end of the receiver's list.
    """
    received, paid = columns.received, columns.paid
    return _onward(received.start, received.events, paid.start, paid.events)


@kernel
def _onward(in_start: Ints, in_events: Ints, out_start: Ints, out_events: Ints) -> Ints:
    found = np.zeros(len(in_events), np.int64)
    for account in range(len(in_start) - 1):
        place = out_start[account]
        for received in range(in_start[account], in_start[account + 1]):
            event = in_events[received]
            while place < out_start[account + 1] and out_events[place] <= event:
                place += 1
            found[event] = place
    return found


def until(columns: Columns, window: int) -> Ints:
    """For each event, the place of its receiver's first payment more than `window` microseconds later."""
    received, paid = columns.received, columns.paid
    return _until(received.start, received.events, paid.start, columns.at[paid.events], columns.at + window)


@kernel
def _until(in_start: Ints, in_events: Ints, out_start: Ints, out_at: Ints, limit: Ints) -> Ints:
    found = np.zeros(len(in_events), np.int64)
    for account in range(len(in_start) - 1):
        place = out_start[account]
        for received in range(in_start[account], in_start[account + 1]):
            event = in_events[received]
            while place < out_start[account + 1] and out_at[place] <= limit[event]:
                place += 1
            found[event] = place
    return found


class Payments(NamedTuple):
    """Transfers grouped by payer, in order, so that a kernel reads one account's payments in a row.

    A *place* is a position in these arrays; account a paid at the places `start[a]` to `start[a + 1]`.
    """

    start: Ints
    event: Ints
    place: Ints
    """By event: its place."""
    at: Ints
    sender: Ints
    receiver: Ints
    amount: Ints
    arriving: Ints
    currency: Ints
    to_currency: Ints
    after: Ints
    """The place of the receiver's first payment later than this one; `stop` where there is none."""
    stop: Ints
    """Where the receiver's payments end."""


def payments(columns: Columns) -> Payments:
    event = columns.paid.events
    place = np.empty(len(event), np.int64)
    place[event] = np.arange(len(event))
    receiver = columns.receiver[event]
    return Payments(
        start=columns.paid.start,
        event=event,
        place=place,
        at=columns.at[event],
        sender=columns.sender[event],
        receiver=receiver,
        amount=columns.amount[event],
        arriving=columns.arriving[event],
        currency=columns.currency[event],
        to_currency=columns.to_currency[event],
        after=onward(columns)[event],
        stop=columns.paid.start[receiver + 1],
    )


@kernel
def carries_on(arrived: int, paid: int, least: float, most: float) -> bool:
    """Whether a payment is between `least` and `most` of what arrived."""
    return arrived * least <= paid <= arrived * most
