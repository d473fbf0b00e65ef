"""The gates of the procedures: no hand-over without both screenings and every safeguard, no use of what was given
beyond its purpose, nothing shared before owners and victims. And broken copies do not load.

The space of two halves together is in `test_matter_space.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import Conflict, Forbidden, InputError
from comity.law import procedure, safeguards
from comity.law.conditions import Guard
from comity.law.procedure_check import check
from comity.law.procedure_gates import HANDED_OVER
from comity.law.procedures import Procedure, Rule, Transition, rehearse
from comity.law.safeguards import tables_for
from tests.property.procedure_facts import opening_facts, put

_OF_PERSONS = [procedure("handover"), procedure("extradition")]
_EVERY = pytest.mark.parametrize("one", _OF_PERSONS, ids=lambda one: one.name)


def _entry(one: Procedure) -> Transition:
    """The one event by which a person is handed over."""
    (found,) = [
        move for move in one.transitions
        if move.target in HANDED_OVER and move.source == "cleared"
    ]  # fmt: skip
    return found


def _without(one: Procedure, event: str) -> set[str]:
    found, todo = {one.initial}, [one.initial]
    while todo:
        state = todo.pop()
        ways = {move.target for move in one.transitions if move.source == state and move.event != event}
        todo.extend(ways - found)
        found |= ways
    return found


@_EVERY
@pytest.mark.parametrize("event", ["screen_victim", "screen_protection", "grant", "assess"])
def test_no_way_leads_to_a_hand_over_without(one: Procedure, event: str) -> None:
    assert _without(one, "nothing") & HANDED_OVER
    assert not _without(one, event) & HANDED_OVER


def test_nobody_is_surrendered_without_a_court() -> None:
    one = procedure("extradition")
    by_court = [move for move in one.transitions if move.event in ("commit", "simplify")]
    assert all("court" in move.who for move in by_court)
    cut = replace(one, transitions=tuple(move for move in one.transitions if move not in by_court))
    found = _without(cut, "go_on")  # which asks for the court's decision itself
    assert not found & HANDED_OVER


# --- the hand-over itself, with any one thing wrong


def _open(one: Procedure) -> dict[str, Any]:
    facts = opening_facts(one, _entry(one))
    assert rehearse(one, "cleared", _entry(one).event, facts).state in HANDED_OVER
    return facts


def _shut(one: Procedure, path: str, value: Any) -> None:
    facts = _open(one)
    put(facts, path, value)
    with pytest.raises(Forbidden):
        rehearse(one, "cleared", _entry(one).event, facts)


@_EVERY
@pytest.mark.parametrize("kind", ["victim", "protection"])
@pytest.mark.parametrize("value", [False, "yes", 1, None, "true", {}])
def test_a_dependent_or_distant_screening_counts_for_nothing(one: Procedure, kind: str, value: Any) -> None:
    for name in ("independent_of_origin", "independent_of_receiver", "in_person", "interpreter"):
        _shut(one, f"screening_{kind}.{name}", value)


@_EVERY
@pytest.mark.parametrize("kind", ["victim", "protection"])
def test_nobody_is_handed_over_on_another_persons_screening(one: Procedure, kind: str) -> None:
    for other in ("somebody else", "", None, ["x"], {"id": "x"}):
        _shut(one, f"screening_{kind}.person", other)
    _shut(one, f"screening_{kind}.by", "somebody else")
    _shut(one, f"decided.screen_{kind}.role", "border-officer")
    _shut(one, f"decided.screen_{kind}.side", "requesting")
    _shut(one, f"screening_{kind}", {})


@_EVERY
@pytest.mark.parametrize("found", [True, None, "no", 0, ""])
def test_nobody_is_handed_over_whom_a_screening_found_in_need(one: Procedure, found: Any) -> None:
    _shut(one, "screening_victim.presumed", found)
    _shut(one, "screening_protection.need", found)


@_EVERY
@pytest.mark.parametrize("kind", ["victim", "protection"])
@pytest.mark.parametrize("event", ["grant", "hand_over"])
def test_whoever_screens_neither_decides_nor_hands_over(one: Procedure, kind: str, event: str) -> None:
    event = "surrender" if event == "hand_over" and one.name == "extradition" else event
    facts = _open(one)
    screener = facts["decided"][f"screen_{kind}"]["by"]
    _shut(one, f"decided.{event}.by", screener)
    _shut(one, f"decided.{event}.by", f"{screener} for somebody")
    _shut(one, f"decided.{event}.by", f"somebody for {screener}")


@_EVERY
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_table_stands_in_the_way_until_it_is_clear(one: Procedure, data: st.DataObject) -> None:
    (step,) = {"handover", "extradition"} & set(one.steps)
    names = [table.name for table in tables_for(step) if table.name != "bank_secrecy_fiscal"]
    table = safeguards.table(data.draw(st.sampled_from(names)))
    answers = {fact.name: data.draw(st.sampled_from(safeguards.ANSWERS)) for fact in table.facts}
    outcome = safeguards.decide(table, answers).outcome
    facts = _open(one)
    facts["safeguards"] = {**facts["safeguards"], table.name: answers}
    if outcome in (safeguards.Outcome.CLEAR, safeguards.Outcome.DISCRETION):
        rehearse(one, "cleared", _entry(one).event, facts)
    else:
        with pytest.raises(Forbidden, match=table.name):
            rehearse(one, "cleared", _entry(one).event, facts)
    for spoilt in ({}, {**answers, "nationality": "yes"}, "clear", None):
        _shut(one, f"safeguards.{table.name}", spoilt)


@_EVERY
def test_nationality_opens_and_shuts_nothing(one: Procedure) -> None:
    move = _entry(one)
    for nationality in ("CN", "TH", "stateless", "", None):
        facts = _open(one)
        facts["person"] = {**facts["person"], "nationality": nationality}
        assert rehearse(one, "cleared", move.event, facts).state == move.target
        del facts["screening_victim"]
        with pytest.raises(Forbidden, match="victim-screened"):
            rehearse(one, "cleared", move.event, facts)


# --- other gates


@pytest.mark.parametrize(
    ("name", "field"),
    [("mla", "purpose"), ("police_information", "purpose"), ("fiu_request", "intended_use")],
)
def test_what_was_given_is_used_for_its_purpose_or_with_consent_for_that_very_one(
    name: str, field: str
) -> None:
    one = procedure(name)
    (move,) = [each for each in one.transitions if each.event == "use"]
    (before,) = {
        each.source for each in one.transitions if each.target == move.source and each.event == "consent"
    }
    assert before == "consent_asked"
    facts = opening_facts(one, move)
    facts |= {field: "this case", "use": {**facts["use"], "purpose": "this case"}}
    assert rehearse(one, move.source, "use", facts).state == move.source
    other = {**facts, "use": {**facts["use"], "purpose": "another case"}}
    for consent in (None, {}, {"purpose": "a third case"}, {"purpose": ""}):
        with pytest.raises(Forbidden, match="within-purpose"):
            rehearse(one, move.source, "use", {**other, "consent": consent})
    allowed = {**facts.get("consent", {}), "purpose": "another case"}
    assert rehearse(one, move.source, "use", {**other, "consent": allowed}).state == move.source
    for state in set(one.states) - {move.source}:
        with pytest.raises(Conflict):
            rehearse(one, state, "use", facts)


def test_nothing_is_shared_or_returned_before_owners_and_victims() -> None:
    one = procedure("asset_recovery")
    for event in ("share", "return_to_state", "finish"):
        (move,) = [each for each in one.transitions if each.event == event]
        for missing in ("owners", "victims", "publication"):
            facts = opening_facts(one, move)
            del facts[missing]
            with pytest.raises(Forbidden):
                rehearse(one, "claims_decided", event, facts)
    (share,) = [each for each in one.transitions if each.event == "share"]
    facts = opening_facts(one, share)
    facts["sharing_signed"] = {"agreement": "another"}
    with pytest.raises(Forbidden, match="sharing-agreed"):
        rehearse(one, "claims_decided", "share", facts)


@pytest.mark.parametrize(
    ("strong", "weak", "presumed"), [(1, 0, True), (0, 3, True), (0, 2, False), (True, 3.0, False)]
)
def test_one_strong_indicator_or_three_weak_ones(strong: Any, weak: Any, presumed: bool) -> None:
    one, facts = procedure("victim_referral"), {"indicators": {"strong": strong, "weak": weak}}
    if presumed:
        assert rehearse(one, "screened", "presume", facts).state == "presumed"
    else:
        with pytest.raises(Forbidden, match="indicators-met"):
            rehearse(one, "screened", "presume", facts)
    with pytest.raises(Forbidden):
        rehearse(one, "screened", "none_found", facts if presumed else {"indicators": {}})


def test_a_referral_has_no_field_for_personal_data() -> None:
    names = {one.name for one in procedure("victim_referral").fields}
    assert "vault_ref" in names
    assert not names & {"person", "persons", "name", "identity", "nationality", "applicant", "passport"}


# --- broken copies


def _no_guard(name: str) -> Callable[[Procedure], Procedure]:
    def spoil(one: Procedure) -> Procedure:
        moves = tuple(
            replace(move, guards=tuple(each for each in move.guards if each != name))
            for move in one.transitions
        )
        return replace(one, transitions=moves, guards={k: v for k, v in one.guards.items() if k != name})

    return spoil


def _moves(change: Callable[[Transition], Transition]) -> Callable[[Procedure], Procedure]:
    return lambda one: replace(one, transitions=tuple(map(change, one.transitions)))


def _plus(**named: Any) -> Callable[[Procedure], Procedure]:
    base = {"who": "police", "text": "at once", "side": "requested", "roles": ("border-officer",)}
    return lambda one: replace(
        one, transitions=(*one.transitions, Transition(**{**base, "target": _entry(one).target, **named}))
    )


def _guarded_plus(**named: Any) -> Callable[[Procedure], Procedure]:
    """Another way in, with every gate of the right one."""
    return lambda one: _plus(guards=_entry(one).guards, **named)(one)


def _weaker(one: Procedure) -> Procedure:
    """The screening as a mere choice of one of its conditions."""
    old = one.guards["victim-screened"]
    choice = Guard(name=old.name, text=old.text, article="", all=(), any=old.all)
    return replace(one, guards={**one.guards, old.name: choice})


def _by_analysts(move: Transition) -> Transition:
    return replace(move, roles=("analyst",)) if move.event == "screen_victim" else move


def _assessed_there(move: Transition) -> Transition:
    return replace(move, side="requesting") if move.event == "assess" else move


def _screened_by_decree(move: Transition) -> Transition:
    return replace(move, records=(*move.records, "screening_victim")) if move.event == "grant" else move


def _other_rules(change: Callable[[Rule], Rule | None]) -> Callable[[Procedure], Procedure]:
    return lambda one: replace(
        one, deadlines=tuple(new for rule in one.deadlines if (new := change(rule)) is not None)
    )


@_EVERY
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_no_guard("victim-screened"), "screening_victim|ask for"),
        (_no_guard("protection-screened"), "screening_protection|ask for"),
        (_no_guard("no-victim-indicated"), "presumed"),
        (_no_guard("no-protection-need"), "need"),
        (_no_guard("decided-by-others"), "decided"),
        (_no_guard("safe-from-torture"), "torture"),
        (_no_guard("death-assured"), "death_penalty"),
        (_no_guard("not-punished-as-victim"), "non_punishment"),
        (_weaker, "screening_victim|decided"),
        (_plus(source="granted", event="shortcut"), "ask for|around a screening"),
        (_plus(source="acknowledged", event="shortcut"), "ask for|around a screening"),
        (_guarded_plus(source="acknowledged", event="shortcut"), "ask for|around a screening"),
        (_moves(_by_analysts), "victim-support"),
        (_moves(_assessed_there), "safeguards judged by"),
        (_moves(_screened_by_decree), "stated by the victim-support officers"),
        (_other_rules(lambda one: None if one.rule == "screening-lapse" else one), "deadline"),
    ],
)  # fmt: skip
def test_a_broken_copy_does_not_load(
    one: Procedure, spoil: Callable[[Procedure], Procedure], said: str
) -> None:
    check(one)
    kept = tuple(each for each in one.safeguards if not each.by)
    with pytest.raises(InputError, match=said):
        check(replace(spoil(one), safeguards=kept))


def test_a_guard_that_asks_for_nationality_does_not_load() -> None:
    one = procedure("handover")
    old = one.guards["one-person"]
    spoilt = replace(old, all=(*old.all, replace(old.all[0], fact="person.nationality")))
    with pytest.raises(InputError, match="nationality"):
        check(replace(one, guards={**one.guards, "one-person": spoilt}))


def test_a_step_whose_table_nobody_asks_does_not_load() -> None:
    with pytest.raises(InputError, match="third_parties"):
        check(replace(procedure("mla"), steps=("mla", "asset_recovery")))
    with pytest.raises(InputError, match="hand-over of a person declared"):
        check(replace(procedure("handover"), steps=()))
