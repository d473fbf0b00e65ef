"""Refuse a procedure that could get stuck, run wild, or hold something for ever. Run on every load, before
any use.

What it proves, over the whole table: every state is reached from the initial one and leads to a final one;
final states have no way out; one event leads to one state; every name used is declared. For every state that
holds money, a person or data: a lapse deadline that is always set, whose event ends the hold and has no guard
in its way, that nothing clears while the hold goes on, and that only a guarded decision may start again or
replace by another term. Who may do what, and the gates, are checked by `procedure_sides` and `procedure_gates`.
It does not prove that the guards ask for the right things: that is for the lawyer who reads the page.
"""

from collections.abc import Iterable

from comity.errors import InputError
from comity.law.procedure_gates import check_gates
from comity.law.procedure_sides import check_sides
from comity.law.procedures import Procedure, Rule


def check(procedure: Procedure) -> None:
    """Raise `InputError` naming the first thing that is wrong."""
    _names(procedure)
    _one_way(procedure)
    _finals(procedure)
    _reachable(procedure)
    for rule in procedure.deadlines:
        _deadline(procedure, rule)
    for state in procedure.states.values():
        if state.holds:
            _lapses(procedure, state.name)
    check_sides(procedure)
    check_gates(procedure)


def _require(good: bool, procedure: Procedure, expected: str, got: str) -> None:
    if not good:
        raise InputError.because(expected=expected, got=got, where=procedure.name)


def _names(procedure: Procedure) -> None:
    states, rules = set(procedure.states), {one.rule for one in procedure.deadlines}
    used = {procedure.initial, *procedure.final}
    for one in procedure.transitions:
        used |= {one.source, one.target}
        _declared(procedure, one.guards, set(procedure.guards), f"guards of {one.event}")
        _declared(procedure, (*one.clears, *one.restarts), rules, f"deadlines of {one.event}")
    _declared(procedure, used, states, "states")
    _declared(
        procedure, (one.by for one in procedure.safeguards if one.by), rules | set(procedure.guards), "by"
    )
    for label, names in (
        ("deadline", [one.rule for one in procedure.deadlines]),
        ("field", [one.name for one in procedure.fields]),
        ("refusal", [one.code for one in (*procedure.refusals, *procedure.not_grounds)]),
        ("document", [one.name for one in procedure.documents]),
    ):
        _require(len(set(names)) == len(names), procedure, f"each {label} once", ", ".join(names))
    unused = set(procedure.guards) - {name for one in procedure.transitions for name in one.guards}
    _require(not unused, procedure, "every guard to stand before a transition", f"unused: {sorted(unused)}")


def _declared(procedure: Procedure, used: Iterable[str], known: set[str], what: str) -> None:
    odd = sorted(set(used) - known)
    _require(not odd, procedure, f"declared {what}", f"undeclared {odd}")


def _one_way(procedure: Procedure) -> None:
    seen: set[tuple[str, str]] = set()
    for one in procedure.transitions:
        key = (one.source, one.event)
        _require(key not in seen, procedure, "one way for each event", f"two for {one.event} in {one.source}")
        seen.add(key)


def _finals(procedure: Procedure) -> None:
    _require(bool(procedure.final), procedure, "at least one final state", "none")
    for name, state in procedure.states.items():
        leaves = bool(procedure.allowed(name))
        if name in procedure.final:
            _require(not leaves, procedure, "final states without exits", f"{name} has one")
            _require(not state.holds, procedure, "no hold in a final state", f"{name} holds {state.holds}")
        else:
            _require(leaves, procedure, "no dead end but final states", f"{name}")


def _reachable(procedure: Procedure) -> None:
    ways = {(one.source, one.target) for one in procedure.transitions}
    lost = set(procedure.states) - _closure({procedure.initial}, ways)
    _require(
        not lost, procedure, "every state reachable from the initial one", f"not reached: {sorted(lost)}"
    )
    stuck = set(procedure.states) - _closure(set(procedure.final), {(b, a) for a, b in ways})
    _require(not stuck, procedure, "a way to a final state from everywhere", f"none from: {sorted(stuck)}")


def _closure(start: set[str], ways: set[tuple[str, str]]) -> set[str]:
    found = set(start)
    while more := {b for a, b in ways if a in found} - found:
        found |= more
    return found


def _deadline(procedure: Procedure, rule: Rule) -> None:
    _declared(procedure, rule.states, set(procedure.states), f"states of {rule.rule}")
    if not rule.event:
        silent = procedure.status == "draft" and rule.kind == "T"
        _require(silent, procedure, f"an event for the deadline {rule.rule}", "none")
        return
    for state in sorted(rule.states):
        _require(
            rule.event in procedure.allowed(state),
            procedure,
            f"deadline {rule.rule} to fire an event that {state} knows",
            rule.event,
        )


def _lapses(procedure: Procedure, state: str) -> None:
    """A hold that could stay for ever is no hold under law."""
    fit = [
        rule for rule in procedure.deadlines if state in rule.states and _ends_hold(procedure, rule, state)
    ]
    _require(bool(fit), procedure, f"a deadline that always ends the hold in {state}", "none")
    for one in procedure.transitions:
        if one.target == state and procedure.states[one.source].holds:
            same_term = any(one.source in rule.states and rule.rule not in one.restarts for rule in fit)
            fair = same_term or bool(one.guards)
            _require(fair, procedure, "a guard where a hold gets a new term", f"none on {one.event}")


def _ends_hold(procedure: Procedure, rule: Rule, state: str) -> bool:
    """True if `rule` is set whenever `state` is entered, stays set, and leads out of the hold unguarded."""
    ways = {(one.source, one.event): one for one in procedure.transitions}
    way = ways.get((state, rule.event))
    if rule.when or way is None or way.guards or procedure.states[way.target].holds:
        return False
    if any(ways[one, rule.event].target in rule.states for one in rule.states):
        return False  # fired in one of its states, it would not be set again in the next
    return not any(one.target in rule.states and rule.rule in one.clears for one in procedure.transitions)
