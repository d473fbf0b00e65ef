"""The public figures from events and nothing else: each by its definition."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.indicators import DEFINITIONS, Interception
from comity.indicators import interception as interception_at
from comity.model import Event
from tests.nodes.clock import START

REPORTED_AT, LAPSES_AT = START.isoformat(), START + timedelta(hours=72)


def event(kind: str, seconds: float = 0, actor: str = "node", **body: Any) -> Event:
    return Event(
        id="e", at=START + timedelta(seconds=seconds), kind=kind, case_id="c", actor=actor, body=body
    )


def report(**amounts: int) -> Event:
    return event("report.received", amounts=amounts)


def hold(kind: str, name: str = "h-1", minor: int = 100, seconds: float = 0, currency: str = "USD") -> Event:
    return event(
        f"hold.{kind}", seconds, hold=name, amount_minor=minor, currency=currency, reported_at=REPORTED_AT,
        lapses_at=LAPSES_AT.isoformat(),
    )  # fmt: skip


def told(state: str, name: str = "h-1", minor: int = 100, peer: str = "hk-unit", seconds: float = 0) -> Event:
    placed = (START + timedelta(seconds=seconds)).isoformat()
    return event(
        "hold.told", 1_000, peer, hold=name, amount_minor=minor, currency="USD", state=state,
        placed_at=placed, reported_at=REPORTED_AT, lapses_at=LAPSES_AT.isoformat(),
    )  # fmt: skip


def interception(events: Iterable[Event], *, hours: float = 1) -> Interception:
    """The figures some hours after the start."""
    return interception_at(events, now=START + timedelta(hours=hours))


def test_nothing_happened() -> None:
    found = interception([])
    assert (found.cases, found.reported, found.held_here, found.held_by_partners, found.returned, found.times) == (
        0, {}, {}, {}, {}, (),
    )  # fmt: skip


def test_reports_add_up_by_currency_and_are_never_converted() -> None:
    found = interception([report(USD=5, CAD=7), report(USD=1)])
    assert (found.cases, found.reported) == (2, {"USD": 6, "CAD": 7})


def test_a_hold_counts_until_it_ends() -> None:
    events = [hold("placed"), hold("placed", "h-2", 50)]
    assert interception(events).held_here == {"USD": 150}
    for end in ("lapsed", "released"):
        assert interception([*events, hold(end)]).held_here == {"USD": 50}
    assert interception([*events, hold("confirmed")]).held_here == {"USD": 150}


def test_a_reminder_or_a_notice_ends_nothing() -> None:
    quiet = ("order-reminder", "notice-overdue", "tell-holder", "tell_holder")
    assert interception([hold("placed"), *map(hold, quiet)]).held_here == {"USD": 100}


def test_what_was_returned_was_held() -> None:
    found = interception([hold("placed"), hold("confirmed"), hold("returned")])
    assert (found.held_here, found.returned) == ({"USD": 100}, {"USD": 100})


def test_an_amended_hold_counts_at_its_new_amount_and_keeps_its_state() -> None:
    assert interception([hold("placed"), hold("amended", minor=30)]).held_here == {"USD": 30}
    assert interception([hold("placed"), hold("lapsed"), hold("amended", minor=30)]).held_here == {}


def test_a_partners_hold_is_counted_apart_and_by_its_last_word() -> None:
    found = interception([told("held"), told("held", peer="th-office", minor=7), told("ordered", minor=90)])
    assert (found.held_here, found.held_by_partners) == ({}, {"USD": 97})
    for end in ("lapsed", "released", "refused", "funds_gone"):
        assert interception([told("held"), told(end)]).held_by_partners == {}
    assert interception([told("held"), told("returned")]).returned == {"USD": 100}


def test_a_partner_that_fell_silent_is_not_believed_beyond_its_deadline() -> None:
    """Its hold has lapsed by then, told or not; our own waits for our own sweeper."""
    events = [told("held"), hold("placed", minor=7)]
    assert interception(events, hours=71).held_by_partners == {"USD": 100}
    later = interception(events, hours=73)
    assert (later.held_by_partners, later.held_here) == ({}, {"USD": 7})


def taken_back(peer: str = "hk-unit", case: str = "c") -> Event:
    return replace(event("holds.taken-back", 2_000, peer, peer=peer), case_id=case)


def test_what_a_partner_took_back_counts_in_no_figure() -> None:
    """And what it says anew afterwards counts again."""
    gone = interception([told("held"), told("returned", "h-2"), told("held", peer="th-office"), taken_back()])
    assert (gone.held_by_partners, gone.returned, len(gone.times)) == ({"USD": 100}, {}, 1)
    again = interception([told("held"), taken_back(), told("held", minor=40)])
    assert again.held_by_partners == {"USD": 40}


@pytest.mark.parametrize("other", [{"peer": "th-office"}, {"case": "another"}])
def test_only_what_its_giver_took_back_in_that_case_is_left_out(other: dict[str, str]) -> None:
    events = [hold("placed", minor=7), told("held"), taken_back(**other)]
    assert (interception(events).held_by_partners, interception(events).held_here) == (
        {"USD": 100},
        {"USD": 7},
    )


def test_the_definitions_say_that_what_was_taken_back_is_left_out() -> None:
    for figure in ("held_by_partners", "returned", "time_to_hold"):
        assert "taken back" in DEFINITIONS[figure]


def test_two_partners_may_use_the_same_number() -> None:
    assert interception([told("held"), told("held", peer="th-office")]).held_by_partners == {"USD": 200}


def test_what_was_not_held_does_not_count() -> None:
    body: dict[str, Any] = {"account": "a", "currency": "USD", "amount_minor": 5, "reasons": []}
    assert interception([event("hold.not-placed", **body)]).held_here == {}


def test_time_to_hold_is_one_a_hold_and_never_negative() -> None:
    found = interception(
        [
            hold("placed", seconds=4),
            hold("amended", seconds=9),
            told("held", seconds=2),
            told("held", "h-9", seconds=-50),
        ]
    )
    assert found.times == (timedelta(seconds=4), timedelta(seconds=2), timedelta(0))


def test_every_figure_has_a_definition() -> None:
    assert {"reported", "held_here", "held_by_partners", "returned", "time_to_hold"} <= DEFINITIONS.keys()


def test_figures_are_never_negative_whatever_the_order() -> None:
    kinds = ("placed", "amended", "confirmed", "lapsed", "released", "returned", "order-reminder")
    for seed in range(200):
        dice = random.Random(seed)
        events = [hold(dice.choice(kinds), f"h-{dice.randrange(3)}", dice.randrange(100)) for _ in range(12)]
        found = interception(events)
        for sums in (found.held_here, found.held_by_partners, found.returned):
            assert all(minor >= 0 for minor in sums.values())
