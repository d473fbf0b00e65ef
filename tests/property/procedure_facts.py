"""Facts that open a transition's guards, built from the guards themselves."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from comity.law import safeguards
from comity.law.conditions import Condition
from comity.law.procedures import Procedure, Transition

_STATED = {"x": "y"}
_VALUES: dict[int, tuple[Procedure, dict[str, Any]]] = {}
"""What was found out before about a procedure, which is kept so that its id stays its own."""


def opening_facts(procedure: Procedure, move: Transition) -> dict[str, Any]:
    """Facts under which every guard of `move` holds, and which fit what other guards compare them with."""
    facts: dict[str, Any] = {}
    asked = [
        one for name in move.guards for one in (*procedure.guards[name].all, *procedure.guards[name].any[:1])
    ]
    for one in asked:
        if one.op == "complete":
            for name in procedure.declared.required_fields:
                put(facts, name, dict(_STATED))
        else:
            put(facts, one.fact, _fitting(procedure, one))
            if one.op in ("same_as", "different_from"):
                put(facts, one.value, _compared(procedure, one.value))
    return facts


def clear_answers(name: str) -> dict[str, str]:
    """Answers under which the safeguard's table says clear."""
    return dict(_clear(name))


@cache
def _clear(name: str) -> dict[str, str]:
    table = safeguards.table(name)
    clear = safeguards.Outcome.CLEAR
    return next(
        dict(one)
        for one in safeguards.combinations(table.facts)
        if safeguards.decide(table, one).outcome is clear
    )


def put(facts: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path, keeping what is below it already."""
    *parents, last = path.split(".")
    for part in parents:
        facts = facts.setdefault(part, {})
    if not (value == _STATED and last in facts):
        facts[last] = value


def _fitting(procedure: Procedure, one: Condition) -> Any:
    if one.op == "declared_refusal":
        return min(procedure.declared.refusal_codes)
    if one.op == "in":
        return one.value[0]
    if one.op == "distinct":
        return [f"p{number}" for number in range(one.value)]
    if one.op == "at_least":
        same = [each for each in _conditions(procedure) if (each.fact, each.op) == (one.fact, one.op)]
        return max(each.value for each in same)
    if one.op == "safeguard":
        return clear_answers(one.value)
    return one.value if one.op == "equals" else _compared(procedure, one.fact)


def _compared(procedure: Procedure, path: str) -> Any:
    """One value for all that is to be the same somewhere, and another for everything else."""
    kept, values = _VALUES.get(id(procedure), (procedure, {}))
    _VALUES[id(procedure)] = (kept, values)
    if path not in values:
        alike = _alike(procedure, path)
        fixed = [
            one.value if one.op == "equals" else one.value[0]
            for one in _conditions(procedure)
            if one.fact in alike and one.op in ("equals", "in")
        ]
        values[path] = fixed[0] if fixed else f"as {min(alike)}"
    return values[path]


def _alike(procedure: Procedure, path: str) -> set[str]:
    alike = {path}
    while (
        more := {
            other
            for one in _conditions(procedure)
            if one.op == "same_as" and {one.fact, one.value} & alike
            for other in (one.fact, one.value)
        }
        - alike
    ):
        alike |= more
    return alike


def _conditions(procedure: Procedure) -> Iterator[Condition]:
    for guard in procedure.guards.values():
        yield from (*guard.all, *guard.any)
