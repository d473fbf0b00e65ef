"""A sentence for every event that a node records, and for any that a later version may record."""

import pytest

from comity.model import Event
from comity.node.pages.event_words import summary_of
from tests.nodes.clock import START
from tests.nodes.laws import NO_ANSWER, refuses
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town


def event(kind: str, **body: object) -> Event:
    return Event(id="event-1", at=START, kind=kind, case_id="", actor="node", body=body)


def test_every_event_of_the_walk_has_a_sentence(town: Town) -> None:
    town.law(HK, NO_ANSWER)
    town.law(TH, refuses("sovereignty"))
    town.report()
    town.settle()
    town.clock.advance(days=31)
    town.settle()
    for node_id in (CA, HK, TH):
        for one in town.events(node_id):
            said = summary_of(one)
            assert said
            assert "{" not in said


def test_amounts_are_written_for_people() -> None:
    said = summary_of(event("hold.placed", amount_minor=230_000_000, currency="CAD", account="hk-1"))
    assert said == "Held: CAD 2,300,000.00 in hk-1"


@pytest.mark.parametrize("currency", ["ZZZ", "", "\x1b[31m"])
def test_a_currency_nobody_knows_is_said_in_minor_units(currency: str) -> None:
    said = summary_of(event("hold.placed", amount_minor=5, currency=currency, account="hk-1"))
    assert "5 (minor units)" in said


def test_an_unknown_kind_is_its_name_in_words() -> None:
    assert summary_of(event("something.not-known-yet")) == "something not known yet"


def test_a_refusal_states_its_ground() -> None:
    said = summary_of(
        event("request.refused", peer="hk-unit", basis="UNTOC", refusal={"ground": "sovereignty"})
    )
    assert "sovereignty" in said
    assert "hk-unit" in said
