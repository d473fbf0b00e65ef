"""Refuse a procedure in which it is not clear who may do what: sides, roles, what an event may state, who leads.

For a procedure of two sides: whoever decides is named by side and role, the clock by its deadlines alone; the lead
goes over only by a step of the side that has it; a draft that is given up is never sent; every fact that a guard or a
term asks for can be stated by somebody (a field, the `records` of an event) or is stamped by the engine; every
refusal is the requested side's, on a declared ground, and final. For one of one side: none of this is declared.
"""

from collections.abc import Iterator

from comity.errors import InputError
from comity.law.conditions import Condition
from comity.law.procedures import Procedure, Transition
from comity.law.safeguards import STEPS

STAMPED = frozenset({"decided", "basis", "requested_basis"})
"""What the engine alone states: who decided an event, and how each side's register reads the legal basis."""
_RESERVED = frozenset({"open", "amend", "clock"})
_STAMP = ("by", "role", "side", "at")


def check_sides(procedure: Procedure) -> None:
    """Raise `InputError` naming the first thing that is wrong."""
    for one in procedure.documents:
        known = {move.event for move in procedure.transitions}
        _require(one.event in known, procedure, f"an event for the document {one.name}", one.event)
    _require(
        set(procedure.steps) <= set(STEPS), procedure, f"steps among {', '.join(STEPS)}", str(procedure.steps)
    )
    if procedure.sides == "one":
        _one_side(procedure)
        return
    _require(
        _lead(procedure, procedure.initial) == "requesting",
        procedure,
        "a beginning that the requesting side leads",
        "requested",
    )
    for move in procedure.transitions:
        _who(procedure, move)
        _lead_kept(procedure, move)
        _records(procedure, move)
    _drafts_stay(procedure)
    _stated(procedure)
    _refusals(procedure)
    _terms(procedure)


def _require(good: bool, procedure: Procedure, expected: str, got: str) -> None:
    if not good:
        raise InputError.because(expected=expected, got=got, where=procedure.name)


def _lead(procedure: Procedure, state: str) -> str:
    return procedure.states[state].lead


def _one_side(procedure: Procedure) -> None:
    for move in procedure.transitions:
        plain = move.side == "either" and not move.roles and not move.records
        _require(plain, procedure, "no sides, roles or records in a procedure of one side", move.event)
    led = [one.name for one in procedure.states.values() if one.lead != "requested"]
    _require(not led, procedure, "no lead in a procedure of one side", ", ".join(led))


def _who(procedure: Procedure, move: Transition) -> None:
    place = f"{move.event} in {move.source}"
    _require(move.event not in _RESERVED, procedure, f"an event not named {sorted(_RESERVED)}", place)
    fired = any(rule.event == move.event for rule in procedure.deadlines)
    if move.side == "clock":
        _require(not move.roles and not move.records, procedure, "no roles and records for the clock", place)
        here = any(rule.event == move.event and move.source in rule.states for rule in procedure.deadlines)
        _require(here, procedure, "a deadline behind every event of the clock", place)
    else:
        _require(bool(move.roles), procedure, "roles for every event of people", place)
        _require(not fired, procedure, "deadlines to fire events of the clock only", place)


def _lead_kept(procedure: Procedure, move: Transition) -> None:
    if move.target in procedure.final or _lead(procedure, move.source) == _lead(procedure, move.target):
        return
    leads = move.side in ("clock", _lead(procedure, move.source))
    _require(
        leads,
        procedure,
        f"the lead in {move.source} handed over by the side that has it",
        f"{move.event} by {move.side}",
    )


def _records(procedure: Procedure, move: Transition) -> None:
    fields = {one.name.partition(".")[0] for one in procedure.fields}
    odd = sorted(set(move.records) & (fields | STAMPED))
    _require(
        not odd, procedure, f"{move.event} to record neither fields nor what the engine stamps", str(odd)
    )
    dotted = [name for name in move.records if "." in name]
    _require(not dotted, procedure, f"{move.event} to record whole facts", str(dotted))
    if move.event == "extend":
        good = bool(move.guards) and bool(move.restarts) and "extension" in move.records
        _require(
            good, procedure, "extend guarded, recording an extension, restarting a deadline", move.source
        )


def _drafts_stay(procedure: Procedure) -> None:
    """What ends before it was sent ends in a state that the requesting side leads: nobody is told of it."""
    seen, todo = {procedure.initial}, [procedure.initial]
    while todo:
        state = todo.pop()
        for move in (one for one in procedure.transitions if one.source == state):
            if move.target in procedure.final:
                stays = _lead(procedure, move.target) == "requesting"
                _require(stays, procedure, "a draft that ends where the requesting side leads", move.target)
            elif _lead(procedure, move.target) == "requesting" and move.target not in seen:
                seen.add(move.target)
                todo.append(move.target)


def _stated(procedure: Procedure) -> None:
    events = {one.event for one in procedure.transitions if one.side != "clock"}
    known = {one.name.partition(".")[0] for one in procedure.fields} | STAMPED
    known |= {name for one in procedure.transitions for name in one.records}
    for place, path in _asked(procedure):
        top, _, rest = path.partition(".")
        _require(top in known, procedure, f"somebody who may state {path}, which {place} asks for", "nobody")
        if top == "decided":
            event, _, part = rest.partition(".")
            _require(
                event in events and part in _STAMP,
                procedure,
                f"decided.EVENT.{'|'.join(_STAMP)} in {place}",
                path,
            )


def _asked(procedure: Procedure) -> Iterator[tuple[str, str]]:
    """Every path of a fact that something asks for, with what asks."""
    for guard in procedure.guards.values():
        for one in (*guard.all, *guard.any):
            yield from ((f"guard {guard.name}", path) for path in _paths(one))
    for rule in procedure.deadlines:
        if rule.hours_from:
            yield f"deadline {rule.rule}", rule.hours_from
        for one in rule.when:
            yield from ((f"deadline {rule.rule}", path) for path in _paths(one))


def _paths(one: Condition) -> tuple[str, ...]:
    if one.op == "complete":
        return ()
    return (one.fact, one.value) if one.op in ("same_as", "different_from") else (one.fact,)


def _refusals(procedure: Procedure) -> None:
    refusing = [move for move in procedure.transitions if move.event == "refuse" or _refuses(procedure, move)]
    _require(
        bool(refusing) == bool(procedure.refusals),
        procedure,
        "grounds where there is a refusal",
        "one without the other",
    )
    for move in refusing:
        place = f"refuse in {move.source}"
        good = move.event == "refuse" and _refuses(procedure, move) and "refusal" in move.records
        _require(good, procedure, "a refusal named refuse, guarded by its ground, recording it", place)
        final = move.side == "requested" and move.target in procedure.final
        _require(final, procedure, "a refusal by the requested side that is final", place)


def _refuses(procedure: Procedure, move: Transition) -> bool:
    return any(one.op == "declared_refusal" for name in move.guards for one in procedure.guards[name].all)


def _terms(procedure: Procedure) -> None:
    for rule in procedure.deadlines:
        early = rule.remind is None or rule.working_days or rule.remind < rule.after
        _require(bool(early), procedure, f"{rule.rule} to remind before its end", str(rule.remind))
