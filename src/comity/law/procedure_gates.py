"""Refuse a procedure with a way around a gate: safeguards that do not stand in the way, a hand-over without screening.

For each step that a procedure takes (`steps`), every decision table that may stand in its way is asked by a guard,
or what it forbids is declared to be no ground. Nobody comes into a state named in `HANDED_OVER` but by a
transition that asks for the independent screening of that very person, for victimhood and for protection, by somebody
else than who grants it and who hands over, and for every table: each as a condition that always counts. What only
screeners may state nobody else states. The screening lapses by itself, and there is no way on from there but through
both.
"""

from typing import Any

from comity.errors import InputError
from comity.law.procedures import Procedure, Transition
from comity.law.safeguards import tables_for
from comity.model import Role

HANDED_OVER = frozenset({"handed_over", "surrendered"})
SCREENINGS = ("screening_victim", "screening_protection")
_OF_PERSONS = frozenset({"extradition", "handover"})
_NO_GROUND = {"bank_secrecy_fiscal": {"bank-secrecy", "fiscal-only"}}
"""Tables about what is no ground of refusal: declaring one of these as such keeps them."""


def check_gates(procedure: Procedure) -> None:
    """Raise `InputError` naming the first gate with a way around."""
    _tables_asked(procedure)
    _screeners_only(procedure)
    before = _reached(procedure, procedure.initial, stop=HANDED_OVER)
    entries = [move for move in procedure.transitions if move.target in HANDED_OVER and move.source in before]
    persons = _OF_PERSONS & set(procedure.steps)
    _require(
        bool(entries) == bool(persons),
        procedure,
        "a hand-over of a person declared in steps, and the reverse",
        str(sorted(persons)),
    )
    for move in entries:
        _all_gates(procedure, move)
        _fresh(procedure, move)
    for guard in procedure.guards.values():
        for one in (*guard.all, *guard.any):
            asks = "nationality" in one.fact or (isinstance(one.value, str) and "nationality" in one.value)
            _require(not asks, procedure, "no guard that asks for anybody's nationality", guard.name)


def _require(good: bool, procedure: Procedure, expected: str, got: str) -> None:
    if not good:
        raise InputError.because(expected=expected, got=got, where=procedure.name)


def _tables_asked(procedure: Procedure) -> None:
    asked = {one.value for guard in procedure.guards.values() for one in guard.all if one.op == "safeguard"}
    declared = {one.code for one in procedure.not_grounds}
    for step in procedure.steps:
        for table in tables_for(step):
            kept = table.name in asked or bool(_NO_GROUND.get(table.name, set()) & declared)
            _require(kept, procedure, f"a guard that asks the table {table.name} ({step})", "none")


def _screeners_only(procedure: Procedure) -> None:
    for move in procedure.transitions:
        for fact in SCREENINGS:
            if fact in move.records:
                good = move.event == f"screen_{fact.partition('_')[2]}" and move.side == "requested"
                good = good and set(move.roles) == {Role.VICTIM_SUPPORT.value}
                _require(
                    good, procedure, f"{fact} stated by the victim-support officers who screen", move.event
                )
        if "safeguards" in move.records:
            _require(
                move.side == "requested", procedure, "safeguards judged by the requested side", move.event
            )


def _all_gates(procedure: Procedure, move: Transition) -> None:
    """Every condition that a hand-over asks for stands before it, none as a mere alternative."""
    asked = {(one.fact, one.op, one.value) for name in move.guards for one in procedure.guards[name].all}
    wanted: set[tuple[str, str, Any]] = {
        (f"safeguards.{table.name}", "safeguard", table.name)
        for step in _OF_PERSONS & set(procedure.steps)
        for table in tables_for(step)
        if table.name not in _NO_GROUND
    }
    for fact, nothing in zip(SCREENINGS, ("presumed", "need"), strict=True):
        event = f"screen_{fact.partition('_')[2]}"
        wanted |= {
            (f"{fact}.person", "same_as", "person.id"),
            (f"{fact}.by", "same_as", f"decided.{event}.by"),
            (f"decided.{event}.role", "equals", Role.VICTIM_SUPPORT.value),
            (f"decided.{event}.side", "equals", "requested"),
            (f"{fact}.independent_of_origin", "equals", True),
            (f"{fact}.independent_of_receiver", "equals", True),
            (f"{fact}.{nothing}", "equals", False),
            (f"decided.{move.event}.by", "different_from", f"decided.{event}.by"),
            ("decided.grant.by", "different_from", f"decided.{event}.by"),
        }
    absent = sorted(f"{fact} {op} {value}" for fact, op, value in wanted - asked)
    _require(not absent, procedure, f"{move.event} from {move.source} to ask for {absent[:1]}", "not asked")


def _fresh(procedure: Procedure, move: Transition) -> None:
    lapses = [
        way.target
        for rule in procedure.deadlines
        if move.source in rule.states and not rule.when
        for way in procedure.transitions
        if way.source == move.source and way.event == rule.event and not way.guards
    ]
    again = [state for state in lapses if not _around(procedure, state)]
    _require(
        bool(again), procedure, f"a deadline in {move.source} that leads back to both screenings", "none"
    )
    _require(
        not _around(procedure, procedure.initial),
        procedure,
        "no way to a hand-over around a screening",
        move.event,
    )


def _around(procedure: Procedure, start: str) -> bool:
    """Whether somebody may come from `start` to a hand-over without one of the two screenings."""
    return any(
        _reached(procedure, start, without=event) & HANDED_OVER
        for event in ("screen_victim", "screen_protection")
    )


def _reached(
    procedure: Procedure, start: str, *, without: str = "", stop: frozenset[str] = frozenset()
) -> set[str]:
    """The states that may follow `start`, without this event, and not through the states where it stops."""
    found, todo = {start}, [start]
    while todo:
        state = todo.pop()
        ways = {
            one.target for one in procedure.transitions if one.source == state and one.event != without
        } - stop
        todo.extend(ways - found)
        found |= ways
    return found
