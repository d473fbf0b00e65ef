"""Whom to ask next, when several nodes follow the same money. Pure: exits in, questions out.

Why this converges, and to what. An account belongs to one node, and what leaves an account depends only on
what entered it earlier in the order of events. So an exit depends only on inflows that are earlier than it.
Order all transfers between nodes; suppose every node has been told the right pieces for the first n of them.
Then every node computes the right pieces for transfer n + 1, whatever it was told about later ones, and the
next round of questions tells them on. Hence after at most as many rounds as there are such transfers nothing
changes any more, and that fixed point is the trace over everybody's pooled books, to the minor unit. A
question is always about the complete set of inflows, so that an answer replaces the one before, and asking
twice does no harm; of which a message carries what is new (`comity.tracing.growing`).

What it does not promise: that a peer which changes its answers at will ever stops. The caller bounds the
rounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from comity.model import Crossing

Exits = Mapping[str, tuple[Crossing, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Ask `country` to follow exactly these inflows, in order of events, in place of any it was told
    before.
    """

    country: str
    inflows: tuple[Crossing, ...]


def questions(exits: Exits, told: Exits, covered: frozenset[str]) -> tuple[Question, ...]:
    """Return whom to ask, or ask again, by country; empty when the fixed point is reached.

    `exits`: the latest exits of each country's node. `told`: what each country was last told. `covered`: the
    countries whose nodes take part; take out one that refuses, and what goes there is `beyond`. A country
    whose inflows have all been withdrawn is asked with none.
    """
    due = []
    for country in sorted(covered):
        inflows = _into(exits, frozenset({country}))
        if inflows != _in_order(told.get(country, ())):
            due.append(Question(country=country, inflows=inflows))
    return tuple(due)


def beyond(exits: Exits, covered: frozenset[str]) -> tuple[Crossing, ...]:
    """Return the crossings to where no node takes part (a wallet, a state without a node), in order of
    events.
    """
    elsewhere = frozenset(crossing.to_country for crossing in chain.from_iterable(exits.values())) - covered
    return _into(exits, elsewhere)


def _into(exits: Exits, countries: frozenset[str]) -> tuple[Crossing, ...]:
    return _in_order(
        tuple(
            crossing for crossing in chain.from_iterable(exits.values()) if crossing.to_country in countries
        )
    )


def _in_order(crossings: tuple[Crossing, ...]) -> tuple[Crossing, ...]:
    return tuple(sorted(crossings, key=lambda crossing: (crossing.booked_at, crossing.transfer_id)))
