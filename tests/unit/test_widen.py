"""Only the originator relaxes: it can, its recipients go by it, and nobody else's word makes anything wider."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from comity.backends.sql.items import Item
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.exchange.relaxation import Relaxation, make_relaxation, verify_relaxation
from comity.model import ACTIONS, Permission, Role
from comity.model.handling import NotTheOriginator
from comity.node.handling.exits import require_use
from comity.node.handling.gate import PURPOSE, HandlingForbids, barred
from comity.node.handling.retract import take_back
from comity.node.handling.widen import Wider, widen
from comity.node.hear import hear
from tests.nodes.attaching import tell_of
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town
from tests.unit.test_obligations import CODED, answers, hostile_answer, items, questions, restrict, states_of


def told(town: Town, holder: str = HK) -> Item:
    """CA has told HK something that is made from nobody else's words."""
    message = tell_of(town)
    town.settle()
    return known(town, holder, message)


def known(town: Town, holder: str, message: str) -> Item:
    with town.looking(holder) as tx:
        (item,) = tx.items.named(message)
    return item


def may(town: Town, holder: str, item: Item, action: str, recipient: str = "") -> bool:
    with town.looking(holder) as tx:
        now = tx.items.find(item.compact, item.originator, item.id)
        assert now is not None
        return not barred(town[holder], tx, action, [now], recipient=recipient or holder, purpose=PURPOSE)


def permit(town: Town, node_id: str, item: Item, *, role: Role = Role.SUPERVISOR, **more: Any) -> list[str]:
    return widen(
        town[node_id], item.id, Wider(**more), person=town.person(node_id, role), why="It is released."
    )


def test_the_originator_widens_and_its_recipients_go_by_that(town: Town) -> None:
    item = told(town)
    assert not may(town, HK, item, "judicial_use")
    assert permit(town, CA, item, allow=["judicial_use"], purposes=[PURPOSE], days=200) == [HK]
    town.settle()
    assert may(town, HK, item, "judicial_use")
    now = known(town, HK, item.id)
    assert (now.retain_until - now.at).days == 200
    (said,) = town.events(CA, "item.widened")
    (heard,) = town.events(HK, "item.relaxed")
    assert said.body["relaxation"] == heard.body["relaxation"]
    member = town[TH].compact().member(CA)
    keys = {member.signing_key_id: member.signing_key}
    assert verify_relaxation(heard.body["relaxation"], keys=keys, originator=CA).item == item.digest


def test_a_wider_audience_lets_it_be_told_on(town: Town) -> None:
    restrict(town, CA)
    item = told(town)
    assert not may(town, HK, item, "disclose_onward", TH)
    permit(town, CA, item, audience=[TH], purposes=[PURPOSE])
    town.settle()
    assert may(town, HK, item, "disclose_onward", TH)


def test_what_waited_goes_on_once_its_originator_relaxes_it(town: Town) -> None:
    """HK's answer came under a code that nobody knows; HK says what it meant instead."""
    hk = hostile_answer(town, CODED)
    (item,) = answers(town, CA, HK)
    assert states_of(town, CA, "trace_and_hold.answer") == ["waiting"]
    hk.say(CA, "item.relaxation", {"relaxation": relaxation(town, hk, item, replace(CODED, codes=()))})
    hear(town[CA])
    hear(town[CA])
    assert states_of(town, CA, "trace_and_hold.answer") == ["handled"]


def relaxation(town: Town, who: Hostile, item: Item, handling: Any, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "item": item.digest, "message_id": item.id, "originator": who.member, "handling": handling,
        "at": town.clock(), "why": "",
    }  # fmt: skip
    return make_relaxation(Relaxation(**{**fields, **changes}), key=who.node.keys.signing)


def wide(item: Item, *originators: str) -> Any:
    return replace(
        item.handling, originators=originators, audience=(CA, HK, TH), purposes=(PURPOSE, "anything"),
        actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
    )  # fmt: skip


ATTACKS: dict[str, Callable[[Town, Hostile, Item], str]] = {
    "another's message": lambda town, th, item: relaxation(town, th, item, wide(item, TH)),
    "in its originator's name": lambda town, th, item: relaxation(
        town, th, item, wide(item, CA), originator=CA
    ),
    "its originator's real word": lambda town, _, item: relaxation(
        town, Hostile(town, CA), item, wide(item, CA)
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_widens_what_is_anothers(town: Town, attack: str) -> None:
    """TH would have HK do more with what CA told HK."""
    item = told(town)
    th = Hostile(town, TH)
    th.start_after(HK)
    th.say(HK, "item.relaxation", {"relaxation": ATTACKS[attack](town, th, item)})
    hear(town[HK])
    assert known(town, HK, item.id).handling == item.handling
    assert len(town.events(HK, "alarm.message-refused")) == 1
    assert town.events(HK, "item.relaxed") == []


def test_who_passes_on_anothers_words_does_not_widen_them(held: Town) -> None:
    """CA told TH what HK had told CA: HK's words are in it, whatever CA signs and leaves out."""
    item = next(one for one in items(held, TH, "in") if HK in one.handling.originators)
    ca = Hostile(held, CA)
    ca.start_after(TH)
    tries = (
        wide(item, CA), wide(item, CA, HK), replace(wide(item, CA), sources=()), replace(wide(item, HK), sources=()),
    )  # fmt: skip
    for handling in tries:
        ca.say(TH, "item.relaxation", {"relaxation": relaxation(held, ca, item, handling)})
        hear(held[TH])
    assert known(held, TH, item.id).handling == item.handling
    refused = [one.body["code"] for one in held.events(TH, "alarm.message-refused")]
    assert refused == ["handling.not-the-originator"] * len(tries)
    with pytest.raises(HandlingForbids):
        require_use(held[TH], "judicial_use", item.case_id, actor="mei")
    with pytest.raises(NotTheOriginator):
        permit(held, CA, item, allow=["judicial_use"])


def test_what_was_taken_back_is_not_widened(town: Town) -> None:
    item = told(town)
    ca = Hostile(town, CA)
    take_back(town[CA], item.id, person=town.person(CA, Role.SUPERVISOR), why="Mistaken.")
    with pytest.raises(Conflict):
        permit(town, CA, item, allow=["judicial_use"])
    town.settle()
    ca.start_after(HK)
    ca.say(HK, "item.relaxation", {"relaxation": relaxation(town, ca, item, wide(item, CA))})
    hear(town[HK])
    assert known(town, HK, item.id).handling.closed
    assert town.events(HK, "alarm.message-refused")[-1].body["code"] == "conflict"


def test_only_who_may_widens_and_only_what_is_wider(town: Town) -> None:
    item = told(town)
    for role in Role:
        if role not in (Role.SUPERVISOR, Role.CENTRAL_AUTHORITY):
            with pytest.raises(Forbidden):
                permit(town, CA, item, role=role, allow=["judicial_use"])
    for more in ({}, {"audience": ["stranger"]}, {"allow": ["read"]}, {"allow": ["a b"]}, {"days": 40_000}):
        with pytest.raises(InputError):
            permit(town, CA, item, **more)
    with pytest.raises(NotFound):
        permit(town, HK, item, allow=["judicial_use"])
    assert town.events(CA, "item.widened") == []
    assert questions(town, CA) == []
