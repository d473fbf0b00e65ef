"""Who may do what: a procedure of two sides in which that is not clear does not load."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from comity.errors import InputError
from comity.law import Procedure, all_procedures, procedure
from comity.law.procedure_check import check
from comity.law.procedures import Document, Rule, Transition

_MLA = procedure("mla")
Spoil = Callable[[Procedure], Procedure]


def _move(source: str, event: str, /, **change: object) -> Spoil:
    def spoil(one: Procedure) -> Procedure:
        moves = [
            replace(move, **change) if (move.source, move.event) == (source, event) else move  # type: ignore[arg-type]
            for move in one.transitions
        ]
        assert moves != list(one.transitions)
        return replace(one, transitions=tuple(moves))

    return spoil


def _lead(state: str, side: str) -> Spoil:
    return lambda one: replace(one, states={**one.states, state: replace(one.states[state], lead=side)})


def _rule(name: str, **change: object) -> Spoil:
    def changed(rule: Rule) -> Rule:
        return replace(rule, **change) if rule.rule == name else rule  # type: ignore[arg-type]

    return lambda one: replace(one, deadlines=tuple(map(changed, one.deadlines)))


def _field_gone(name: str) -> Spoil:
    return lambda one: replace(one, fields=tuple(field for field in one.fields if field.name != name))


def _plus(**named: object) -> Spoil:
    move = {"who": "x", "text": "x", "side": "requested", "roles": ("analyst",), **named}
    return lambda one: replace(one, transitions=(*one.transitions, Transition(**move)))  # type: ignore[arg-type]


@pytest.mark.parametrize("one", all_procedures(), ids=lambda one: one.name)
def test_what_ships_is_clear(one: Procedure) -> None:
    check(one)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_lead("draft", "requested"), "a beginning that the requesting side leads"),
        (_move("sent", "acknowledge", roles=()), "roles for every event of people"),
        (_move("sent", "acknowledge_overdue", roles=("analyst",)), "no roles and records for the clock"),
        (_move("sent", "acknowledge_overdue", records=("x",)), "no roles and records for the clock"),
        (_move("sent", "acknowledge", side="clock", roles=()), "a deadline behind every event of the clock"),
        (_move("sent", "acknowledge_overdue", side="requested", roles=("analyst",)), "events of the clock only"),
        (_plus(source="sent", event="amend", target="sent"), "an event not named"),
        (_plus(source="sent", event="open", target="sent"), "an event not named"),
        (_plus(source="sent", event="clock", target="sent"), "an event not named"),
        (_move("review", "send", side="requested"), "the lead in review handed over by the side that has it"),
        (_move("executing", "deliver", side="requesting"), "the lead in executing handed over"),
        (_move("executing", "deliver", side="either"), "the lead in executing handed over"),
        (_lead("dropped", "requested"), "a draft that ends where the requesting side leads"),
        (_plus(source="draft", event="stop", target="closed", side="requesting"), "a draft that ends where"),
        (_move("draft", "submit", records=("facts",)), "record neither fields nor what the engine stamps"),
        (_move("draft", "submit", records=("decided",)), "record neither fields nor what the engine stamps"),
        (_move("sent", "acknowledge", records=("basis",)), "record neither fields nor what the engine stamps"),
        (_move("sent", "acknowledge", records=("requested_basis",)), "record neither fields nor what"),
        (_move("sent", "acknowledge", records=("use.purpose",)), "record whole facts"),
        (_move("executing", "extend", records=()), "extend guarded, recording an extension"),
        (_move("executing", "extend", restarts=()), "extend guarded, recording an extension"),
        (_move("executing", "report_progress", event="extend"), "one way for each event"),
        (_move("delivered", "use", records=()), "somebody who may state use.purpose"),
        (_field_gone("purpose"), "somebody who may state purpose"),
        (_field_gone("urgent"), "somebody who may state urgent, which deadline execute"),
        (_rule("postponement", hours_from="nobody.hours"), "somebody who may state nobody.hours"),
        (_plus(source="consulted", event="decline", target="refused", guards=("ground-stated",)), "named refuse"),
        (_move("consulted", "refuse", records=()), "a refusal named refuse|somebody who may state refusal"),
        (_move("consulted", "refuse", guards=()), "a refusal named refuse|stand before"),
        (_move("consulted", "refuse", side="requesting"), "a refusal by the requested side"),
        (_move("consulted", "refuse", target="consulting"), "a refusal by the requested side that is final|reachable"),
        (lambda one: replace(one, refusals=()), "grounds where there is a refusal"),
        (_rule("supply", remind=timedelta(days=30)), "supply to remind before its end"),
        (lambda one: replace(one, steps=("mla", "flying")), "steps among"),
        (lambda one: replace(one, documents=(Document(name="x", title="x", event="y"),)), "for the document x"),
    ],
)  # fmt: skip
def test_what_is_not_clear_does_not_load(spoil: Spoil, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(spoil(_MLA))


def test_whoever_decided_is_asked_by_an_event_that_people_decide() -> None:
    old = _MLA.guards["four-eyes"]
    for path in ("decided.nothing.by", "decided.submit", "decided.submit.name", "decided.review_overdue.by"):
        spoilt = replace(old, all=(replace(old.all[0], value=path),))
        with pytest.raises(InputError, match=r"decided\.EVENT"):
            check(replace(_MLA, guards={**_MLA.guards, "four-eyes": spoilt}))
