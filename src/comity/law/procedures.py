"""A procedure: a table of states and events that a lawyer can read and that runs as it is read. Pure.

`step` moves a case by one event, or refuses: a shut guard raises `Forbidden` naming it, an event that this
state does not know raises `Conflict` listing those it knows. Facts come in as values; nothing is fetched,
stored or timed here: the caller keeps the state, and a row for every deadline. A draft does not run a case;
`rehearse` moves it for pages, exercises and tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from comity.errors import Conflict, Forbidden, InputError
from comity.law.conditions import Condition, Declared, Facts, Guard, fact, failures


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`holds` says what is being held in this state (money, person, data), or is "". `lead` is the side that puts
    events in order here; the other proposes (spec/matter.md).
    """

    name: str
    text: str
    holds: str = ""
    lead: str = "requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """`who` decides, in words. `clears` and `restarts` name deadlines; all others follow from the states.

    `side` is requesting, requested, either or clock, `roles` those of the people who may decide (of the clock: none),
    `records` the facts that they may state with it.
    """

    source: str
    event: str
    target: str
    who: str
    text: str
    guards: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    side: str = "either"
    roles: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The letter `name` goes out with `event`."""

    name: str
    title: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    text: str
    article: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    code: str
    text: str
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """`by` names the guard or deadline that keeps it, or is "" where people must."""

    text: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A deadline as declared: it runs while the case is in one of `states`, and fires `event` if it runs out.

    `kind` is L (legal) or T (target, a policy choice). `when`: set only if these hold as it is set.
    `hours_from`: a fact that states the term in hours, at most `at_most`. An `event` of "" (targets of drafts
    only) fires nothing. `working_days` counts in the calendar of the state that leads, and `after` is then nothing.
    `remind` is how long before somebody is reminded; `escalate` the role that is told once it has passed.
    """

    rule: str
    states: frozenset[str]
    event: str
    after: timedelta
    kind: str
    source: str
    confidence: str
    when: tuple[Condition, ...] = ()
    configurable: bool = False
    hours_from: str = ""
    at_most: timedelta | None = None
    working_days: int = 0
    remind: timedelta | None = None
    escalate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """The whole table. `version` is frozen in a case when it begins; `status` is running or draft.

    `sides` is two where two nodes run it together, `steps` what it does for the safeguards (`safeguards.STEPS`).
    `digest` is the SHA-256 of the text that it was read from: the other side must have the same.
    """

    name: str
    version: int
    title: str
    status: str
    runs_at: str
    initial: str
    final: frozenset[str]
    states: Mapping[str, State]
    transitions: tuple[Transition, ...]
    guards: Mapping[str, Guard]
    fields: tuple[Field, ...]
    deadlines: tuple[Rule, ...]
    refusals: tuple[Refusal, ...]
    not_grounds: tuple[Refusal, ...]
    safeguards: tuple[Safeguard, ...]
    source: str
    confidence: str
    sides: str = "one"
    steps: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    digest: str = ""

    def allowed(self, state: str) -> tuple[str, ...]:
        """The events `state` knows, whatever the guards say."""
        return tuple(one.event for one in self.transitions if one.source == state)

    @property
    def declared(self) -> Declared:
        return Declared(
            required_fields=tuple(one.name for one in self.fields if one.required),
            refusal_codes=frozenset(one.code for one in self.refusals),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A deadline as set: the caller stores it with the procedure's name and version, which freezes the
    rule.
    """

    rule: str
    event: str
    after: timedelta
    kind: str
    source: str
    working_days: int = 0
    remind: timedelta | None = None
    escalate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one event did. Deadlines are cleared first, then set: a rule in both starts again."""

    state: str
    reasons: tuple[str, ...]
    deadlines_set: tuple[Deadline, ...]
    deadlines_cleared: tuple[str, ...]


def begin(procedure: Procedure, facts: Facts) -> Step:
    """Enter the initial state. Raises `Forbidden` for a draft."""
    _refuse_draft(procedure)
    due = tuple(
        _set(rule, facts, procedure) for rule in procedure.deadlines if _starts(rule, None, procedure, facts)
    )
    text = procedure.states[procedure.initial].text
    return Step(state=procedure.initial, reasons=(text,), deadlines_set=due, deadlines_cleared=())


def step(procedure: Procedure, state: str, event: str, facts: Facts) -> Step:
    """Move a case of a running procedure from `state` by `event`.

    Raises `Conflict` (the state does not know the event), `Forbidden` (a guard is shut, or the procedure is a
    draft) or `InputError` (no such state, or a fact that states a term is malformed). Nothing changes then.
    """
    _refuse_draft(procedure)
    return rehearse(procedure, state, event, facts)


def rehearse(procedure: Procedure, state: str, event: str, facts: Facts) -> Step:
    """The same step, for drafts too: for pages, exercises and tests, never for a case."""
    move = _move(procedure, state, event)
    _refuse_shut(procedure, move, facts)
    cleared = tuple(rule.rule for rule in procedure.deadlines if state in rule.states and _ends(rule, move))
    due = tuple(
        _set(rule, facts, procedure) for rule in procedure.deadlines if _starts(rule, move, procedure, facts)
    )
    reasons = (f"{move.text} (decides: {move.who})", *(procedure.guards[name].text for name in move.guards))
    return Step(state=move.target, reasons=reasons, deadlines_set=due, deadlines_cleared=cleared)


def configured(
    procedure: Procedure, rule: str, *, after: timedelta, kind: str = "", source: str = ""
) -> Procedure:
    """The same procedure with the term of one deadline as the node's own law or policy sets it.

    Only a deadline declared configurable, to more than nothing and at most its `at_most`. `source` says which
    law.
    """
    for index, old in enumerate(procedure.deadlines):
        if old.rule != rule:
            continue
        if not old.configurable:
            raise InputError.because(
                expected="a deadline that may be configured", got=rule, where=procedure.name
            )
        if after <= timedelta(0) or (old.at_most is not None and after > old.at_most):
            raise InputError.because(
                expected=f"more than nothing and at most {old.at_most or 'any term'}",
                got=str(after),
                where=f"{procedure.name} {rule}",
            )
        if kind not in ("", "L", "T"):
            raise InputError.because(expected="L or T", got=repr(kind), where=f"{procedure.name} {rule}")
        new = replace(old, after=after, kind=kind or old.kind, source=source or old.source)
        deadlines = (*procedure.deadlines[:index], new, *procedure.deadlines[index + 1 :])
        return replace(procedure, deadlines=deadlines)
    known = ", ".join(one.rule for one in procedure.deadlines)
    raise InputError.because(expected=f"one of {known}", got=repr(rule), where=procedure.name)


def _refuse_draft(procedure: Procedure) -> None:
    if procedure.status != "running":
        raise Forbidden(
            f"{procedure.name}: expected a procedure that runs, got a draft",
            remedy="A draft can be read and rehearsed; it runs no case until it is marked running.",
        )


def _move(procedure: Procedure, state: str, event: str) -> Transition:
    if state not in procedure.states:
        raise InputError.because(
            expected=f"a state of {procedure.name} ({', '.join(procedure.states)})", got=repr(state)
        )
    for one in procedure.transitions:
        if one.source == state and one.event == event:
            return one
    known = ", ".join(procedure.allowed(state)) or "no event: it is final"
    raise Conflict(f"{procedure.name}: expected in state {state} one of [{known}], got {event!r}")


def _refuse_shut(procedure: Procedure, move: Transition, facts: Facts) -> None:
    shut = []
    for name in move.guards:
        guard = procedure.guards[name]
        if why := failures(guard, facts, procedure.declared):
            article = f", {guard.article}" if guard.article else ""
            shut.append(f"{name} ({guard.text}{article}): {'; '.join(why)}")
    if shut:
        raise Forbidden(
            f"{procedure.name}: {move.event} is not open in state {move.source}: {' | '.join(shut)}",
            remedy="Fulfil what the named guard asks for; there is no way around it.",
        )


def _starts(rule: Rule, move: Transition | None, procedure: Procedure, facts: Facts) -> bool:
    target = procedure.initial if move is None else move.target
    if target not in rule.states or (move is not None and rule.rule in move.clears):
        return False
    if move is not None and move.source in rule.states and rule.rule not in move.restarts:
        return False
    when = Guard(name=rule.rule, text="", article="", all=rule.when)
    return not failures(when, facts, procedure.declared)


def _ends(rule: Rule, move: Transition) -> bool:
    return move.target not in rule.states or rule.rule in move.clears or rule.rule in move.restarts


def _set(rule: Rule, facts: Facts, procedure: Procedure) -> Deadline:
    return Deadline(
        rule=rule.rule,
        event=rule.event,
        after=_term(rule, facts, procedure),
        kind=rule.kind,
        source=rule.source,
        working_days=rule.working_days,
        remind=rule.remind,
        escalate=rule.escalate,
    )


def _term(rule: Rule, facts: Facts, procedure: Procedure) -> timedelta:
    hours = fact(facts, rule.hours_from) if rule.hours_from else None
    if hours is None:
        return rule.after
    limit = rule.at_most if rule.at_most is not None else rule.after
    most = limit // timedelta(hours=1)
    if type(hours) is not int or not 0 < hours <= most:
        raise InputError.because(
            expected=f"{rule.hours_from}: whole hours, 1 to {most}", got=repr(hours), where=procedure.name
        )
    return timedelta(hours=hours)
