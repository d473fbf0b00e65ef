"""A way through a procedure that its own gates allow, and the facts that people state on it: read off the table alone,
as a program outside reads it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from comity.law.conditions import Condition, fact
from comity.law.procedures import Procedure, Transition
from tests.property.procedure_facts import clear_answers

COMPUTED = frozenset({"basis", "requested_basis"})
_Known = frozenset[str]


def ways(procedure: Procedure) -> dict[str, list[Transition]]:
    """A shortest way to every end that people bring about, except where the other side never saw it."""
    return {
        state: way for state in sorted(procedure.final - {"dropped"}) if (way := way_to(procedure, state))
    }


def way_to(procedure: Procedure, state: str) -> list[Transition]:
    """The fewest events of people from the first state to that one, each gate's facts having been stated; or none."""
    begin: tuple[str, _Known] = (procedure.initial, _fields(procedure) | COMPUTED)
    came: dict[tuple[str, _Known], tuple[Any, Transition | None]] = {begin: (None, None)}
    todo = deque([begin])
    while todo:
        here = todo.popleft()
        if here[0] == state:
            return list(_back(came, here))[::-1]
        for move in procedure.transitions:
            after = (move.target, here[1] | {*move.records, f"decided.{move.event}"})
            people = move.source == here[0] and move.side != "clock"
            if people and after not in came and _may(procedure, move, after[1]):
                came[after] = (here, move)
                todo.append(after)
    return []


def fields_for(procedure: Procedure, way: Sequence[Transition]) -> dict[str, Any]:
    """Every field filled, so that the gates of the way that look at fields are open."""
    found: dict[str, Any] = {}
    for one in procedure.fields:
        _put(found, one.name, {"offence": "fraud", "urgent": False}.get(one.name, f"{one.name} as stated"))
    tops = _fields(procedure)
    for test in _tests(procedure, way):
        about = [test.fact, test.value] if test.op == "same_as" else [test.fact]
        if all(path.split(".")[0] in tops for path in about):
            _satisfy(procedure, found, found, test, "")
    return found


def facts_at(
    procedure: Procedure, way: Sequence[Transition], index: int, *, name: str, known: dict[str, Any]
) -> dict[str, Any]:
    """What `name` states with the event at `index`, so that its gates and those behind it on the way open."""
    move = way[index]
    given: dict[str, Any] = {}
    for record in move.records:
        given[record] = {}
        for test in _tests(procedure, _until_restated(way, index, record)):
            if test.fact.split(".")[0] == record:
                own = name if test.value == f"decided.{move.event}.by" else ""
                _satisfy(procedure, given, {**known, **given}, test, own)
        given[record] = given[record] or {"text": "stated"}
    return given


def _until_restated(way: Sequence[Transition], index: int, record: str) -> list[Transition]:
    """The events at which what is stated now is looked at: until somebody states it anew."""
    later = next((at for at in range(index + 1, len(way)) if record in way[at].records), len(way))
    return list(way[index:later])


def _tests(procedure: Procedure, way: Sequence[Transition]) -> Iterator[Condition]:
    for move in way:
        for name in move.guards:
            guard = procedure.guards[name]
            yield from guard.all
            yield from guard.any[:1]


def _may(procedure: Procedure, move: Transition, known: _Known) -> bool:
    guards = [procedure.guards[name] for name in move.guards]
    return all(
        all(_said(test, known) for test in guard.all) and (not guard.any or _said(guard.any[0], known))
        for guard in guards
    )


def _said(test: Condition, known: _Known) -> bool:
    paths = [test.fact] if test.fact else []
    paths += [test.value] if test.op in ("same_as", "different_from") else []
    return all(_name_of(path) in known for path in paths)


def _name_of(path: str) -> str:
    parts = path.split(".")
    return ".".join(parts[:2]) if parts[0] == "decided" else parts[0]


def _fields(procedure: Procedure) -> _Known:
    return frozenset(one.name.split(".")[0] for one in procedure.fields)


def _satisfy(
    procedure: Procedure, found: dict[str, Any], known: dict[str, Any], test: Condition, own: str
) -> None:
    before = fact(found, test.fact)
    if test.op == "present":
        value = before if before is not None else "stated"
    elif test.op == "at_least":
        value = max(before, test.value) if isinstance(before, int) else test.value
    elif test.op == "in":
        value = before if before in test.value else test.value[0]
    elif test.op == "distinct":
        value = [f"item {number}" for number in range(test.value)]
    elif test.op == "safeguard":
        value = clear_answers(test.value)
    elif test.op == "same_as":
        value = own or fact(known, test.value) or before or "the same"
    elif test.op == "different_from":
        value = before if before not in (None, "stated") else f"{test.fact}, another"
    elif test.op == "equals":
        value = test.value
    elif test.op == "declared_refusal":
        value = min(procedure.declared.refusal_codes)
    else:
        return
    _put(found, test.fact, value)


def _put(facts: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        if not isinstance(facts.get(part), dict):
            facts[part] = {}
        facts = facts[part]
    facts[last] = value


def _back(came: dict[Any, tuple[Any, Transition | None]], here: Any) -> Iterator[Transition]:
    while True:
        here, move = came[here]
        if move is None:
            return
        yield move
