"""A procedure as tables for people: what its pages, the terminal and a PDF show, from the one object that runs.

Names of the data stand in backticks. An event that several states know in the same way is one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from comity.law.conditions import Condition, Guard
from comity.law.procedures import Procedure, Refusal, Rule, Transition

_OPERATIONS = {
    "present": "{fact} is stated",
    "equals": "{fact} is {value}",
    "in": "{fact} is one of {value}",
    "at_least": "{fact} is at least {value}",
    "distinct": "{fact} names at least {value} different ones",
    "same_as": "{fact} is the same as `{value}`",
    "different_from": "{fact} is another than `{value}`",
    "safeguard": "{fact} makes the decision table {value} clear",
    "complete": "every required field is filled",
    "declared_refusal": "{fact} is a declared ground",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` have a cell for each of `columns`; none where there is nothing to say."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def heading(procedure: Procedure) -> str:
    """Where it runs and how far it is to be trusted, in a line."""
    runs = "runs" if procedure.status == "running" else "draft, runs no case"
    return (
        f"Version {procedure.version}, {runs}. At: {procedure.runs_at}. "
        f"Source: {procedure.source}. Confidence: {procedure.confidence}."
    )


def tables(procedure: Procedure) -> tuple[Table, ...]:
    """Everything that the procedure declares."""
    return (
        _states(procedure),
        _events(procedure),
        _table(
            "Guards",
            ("guard", "meaning", "tested as", "article"),
            ((f"`{one.name}`", one.text, _tested(one), one.article) for one in procedure.guards.values()),
        ),
        _table(
            "Deadlines",
            ("deadline", "runs in", "term", "kind", "then", "source"),
            (_deadline(one) for one in procedure.deadlines),
        ),
        _table(
            "Fields",
            ("field", "meaning", "article", "required"),
            (
                (f"`{one.name}`", one.text, one.article, "yes" if one.required else "no")
                for one in procedure.fields
            ),
        ),
        _table(
            "Documents",
            ("document", "title", "goes out with"),
            ((f"`{one.name}`", one.title, f"`{one.event}`") for one in procedure.documents),
        ),
        _table("Grounds for refusal", ("code", "ground", "article"), _grounds(procedure.refusals)),
        _table("No ground for refusal", ("code", "what", "article"), _grounds(procedure.not_grounds)),
        _table(
            "Safeguards",
            ("safeguard", "kept by"),
            (
                (one.text, f"`{one.by}`" if one.by else "the people who decide")
                for one in procedure.safeguards
            ),
        ),
    )


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    return Table(title=title, columns=columns, rows=tuple(rows))


def _states(procedure: Procedure) -> Table:
    states = procedure.states.values()
    if procedure.sides == "one":
        rows = ((f"`{one.name}`", one.text, one.holds) for one in states)
        return _table("States", ("state", "meaning", "holds"), rows)
    leads = ((f"`{one.name}`", one.text, one.lead, one.holds) for one in states)
    return _table("States", ("state", "meaning", "led by", "holds"), leads)


def _events(procedure: Procedure) -> Table:
    if procedure.sides == "one":
        columns: tuple[str, ...] = ("from", "event", "to", "decides", "what happens", "only if")
        return _table("Events", columns, map(_event, procedure.transitions))
    columns = ("from", "event", "to", "side", "roles", "decides", "what happens", "only if", "states")
    return _table("Events", columns, (_event_of_two(*way) for way in _joined(procedure)))


def _joined(procedure: Procedure) -> list[tuple[tuple[str, ...], Transition]]:
    """Transitions that differ in their state only, as one with all its states."""
    found: dict[Transition, list[str]] = {}
    for one in procedure.transitions:
        stays = one.source == one.target
        key = replace(one, source="", target="" if stays else one.target)
        found.setdefault(key, []).append(one.source)
    return [(tuple(sources), one) for one, sources in found.items()]


def _event(one: Transition) -> tuple[str, ...]:
    gates = _codes(one.guards)
    return f"`{one.source}`", f"`{one.event}`", f"`{one.target}`", one.who, one.text, gates


def _event_of_two(sources: tuple[str, ...], one: Transition) -> tuple[str, ...]:
    target = f"`{one.target}`" if one.target else "stays"
    terms = [f"clears {_codes(one.clears)}"] if one.clears else []
    terms += [f"starts {_codes(one.restarts)} again"] if one.restarts else []
    text = "; ".join([one.text, *terms])
    roles = ", ".join(one.roles)
    return (
        _codes(sources), f"`{one.event}`", target, one.side, roles, one.who, text, _codes(one.guards),
        _codes(one.records),
    )  # fmt: skip


def _deadline(one: Rule) -> tuple[str, ...]:
    term = f"{one.working_days} working days" if one.working_days else term_text(one.after)
    if one.hours_from:
        term += f", or `{one.hours_from}`"
    if one.at_most is not None:
        term += f", at most {term_text(one.at_most)}"
    if one.when:
        term += f", where {' and '.join(map(_words, one.when))}"
    then = [f"`{one.event}`" if one.event else "is shown as missed"]
    then += [f"a reminder {term_text(one.remind)} before"] if one.remind is not None else []
    then += [f"the {one.escalate} is told"] if one.escalate else []
    source = f"{one.source} ({one.confidence})"
    return f"`{one.rule}`", _codes(sorted(one.states)), term, one.kind, "; ".join(then), source


def term_text(after: timedelta) -> str:
    """A term as its file writes it: `30 min`, `72 h`, `60 d`."""
    if after < timedelta(hours=1):
        return f"{after // timedelta(minutes=1)} min"
    hours = after // timedelta(hours=1)
    return f"{hours // 24} d" if hours > 72 and hours % 24 == 0 else f"{hours} h"


def _grounds(grounds: tuple[Refusal, ...]) -> Iterable[tuple[str, ...]]:
    return ((f"`{one.code}`", one.text, one.article) for one in grounds)


def _tested(guard: Guard) -> str:
    said = [_words(one) for one in guard.all]
    if guard.any:
        said.append("one of: " + " or ".join(map(_words, guard.any)))
    return "; ".join(said)


def _words(one: Condition) -> str:
    value = one.value
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return _OPERATIONS[one.op].format(fact=f"`{one.fact}`", value=value)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
