"""Facts that open a transition's guards, built from the guards themselves."""

from typing import Any

from comity.law.conditions import Condition
from comity.law.procedures import Procedure, Transition

_STATED = {"x": "y"}


def opening_facts(procedure: Procedure, move: Transition) -> dict[str, Any]:
    """Facts under which every guard of `move` holds."""
    facts: dict[str, Any] = {}
    for name in move.guards:
        guard = procedure.guards[name]
        for one in (*guard.all, *guard.any[:1]):
            _satisfy(procedure, facts, one)
    return facts


def put(facts: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path, keeping what is below it already."""
    *parents, last = path.split(".")
    for part in parents:
        facts = facts.setdefault(part, {})
    if not (value == _STATED and last in facts):
        facts[last] = value


def _satisfy(procedure: Procedure, facts: dict[str, Any], one: Condition) -> None:
    if one.op == "complete":
        for name in procedure.declared.required_fields:
            put(facts, name, _STATED)
    elif one.op == "declared_refusal":
        put(facts, one.fact, min(procedure.declared.refusal_codes))
    elif one.op == "in":
        put(facts, one.fact, one.value[0])
    elif one.op == "distinct":
        put(facts, one.fact, [f"p{number}" for number in range(one.value)])
    elif one.op in ("same_as", "different_from"):
        put(facts, one.fact, "p1")
        put(facts, one.value, "p1" if one.op == "same_as" else "p2")
    else:
        put(facts, one.fact, "text" if one.op == "present" else one.value)
