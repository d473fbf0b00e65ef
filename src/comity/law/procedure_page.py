"""A procedure as a page that a lawyer can read: tables and a Mermaid diagram, generated from the object that
runs.

`python -m comity.law.procedure_page > docs/reference/procedures.md` writes the reference; a test says when it
is out of date.
"""

import sys
from collections.abc import Iterable
from datetime import timedelta

from comity.law.conditions import Condition, Guard
from comity.law.procedure_files import all_procedures
from comity.law.procedures import Procedure, Rule, Transition
from comity.law.register import GATHERED

_HEAD = f"""# Procedures

Generated from `src/comity/law/data/procedures/` (format: `spec/procedure.md`); do not edit.
Not legal advice; data of {GATHERED}. **L** is a legal deadline, **T** a target (a policy choice).
A procedure that is a draft can be read and rehearsed, but runs no case.
"""
_OPERATIONS = {
    "present": "{fact} is stated",
    "equals": "{fact} is {value}",
    "in": "{fact} is one of {value}",
    "at_least": "{fact} is at least {value}",
    "distinct": "{fact} names at least {value} different ones",
    "same_as": "{fact} is the same as {value}",
    "different_from": "{fact} is another than {value}",
    "complete": "every required field is filled",
    "declared_refusal": "{fact} is a declared ground",
}


def reference() -> str:
    """The page of every procedure, those that run first."""
    ordered = sorted(all_procedures(), key=lambda one: (one.status != "running", one.name))
    return "\n".join([_HEAD, *(page(one) for one in ordered)])


def page(procedure: Procedure) -> str:
    """One procedure as Markdown."""
    runs = "runs" if procedure.status == "running" else "draft, runs no case"
    head = (
        f"## {procedure.title} (`{procedure.name}`)\n\n"
        f"Version {procedure.version}, {runs}. At: {procedure.runs_at}. "
        f"Source: {procedure.source}. Confidence: {procedure.confidence}.\n"
    )
    return "\n".join([head, diagram(procedure), *_tables(procedure)])


def diagram(procedure: Procedure) -> str:
    """The states and events as a Mermaid diagram; what holds something is marked."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {procedure.initial}"]
    lines += [f"    {one.source} --> {one.target} : {one.event}" for one in procedure.transitions]
    lines += [f"    {name} --> [*]" for name in procedure.states if name in procedure.final]
    holding = [name for name, state in procedure.states.items() if state.holds]
    if holding:
        lines += ["    classDef holds stroke-width:3px", f"    class {','.join(holding)} holds"]
    return "\n".join([*lines, "```", ""])


def _tables(procedure: Procedure) -> list[str]:
    guards = procedure.guards.values()
    return [
        _table(
            "States",
            ("state", "meaning", "holds"),
            ((f"`{one.name}`", one.text, one.holds) for one in procedure.states.values()),
        ),
        _table(
            "Events",
            ("from", "event", "to", "decides", "what happens", "only if"),
            (_event(one) for one in procedure.transitions),
        ),
        _table(
            "Guards",
            ("guard", "meaning", "tested as", "article"),
            ((f"`{one.name}`", one.text, _tested(one), one.article) for one in guards),
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
            "Grounds for refusal",
            ("code", "ground", "article"),
            ((f"`{one.code}`", one.text, one.article) for one in procedure.refusals),
        ),
        _table(
            "No ground for refusal",
            ("code", "what", "article"),
            ((f"`{one.code}`", one.text, one.article) for one in procedure.not_grounds),
        ),
        _table(
            "Safeguards",
            ("safeguard", "kept by"),
            (
                (one.text, f"`{one.by}`" if one.by else "the people who decide")
                for one in procedure.safeguards
            ),
        ),
    ]


def _event(one: Transition) -> tuple[str, ...]:
    gates = ", ".join(f"`{name}`" for name in one.guards)
    return f"`{one.source}`", f"`{one.event}`", f"`{one.target}`", one.who, one.text, gates


def _deadline(one: Rule) -> tuple[str, ...]:
    states = ", ".join(f"`{name}`" for name in sorted(one.states))
    term = _term(one.after)
    if one.hours_from:
        term += f", or `{one.hours_from}`"
    if one.at_most is not None:
        term += f", at most {_term(one.at_most)}"
    if one.when:
        term += f", where {' and '.join(map(_words, one.when))}"
    event = f"`{one.event}`" if one.event else "is shown as missed"
    return f"`{one.rule}`", states, term, one.kind, event, f"{one.source} ({one.confidence})"


def _term(after: timedelta) -> str:
    if after < timedelta(hours=1):
        return f"{after // timedelta(minutes=1)} min"
    hours = after // timedelta(hours=1)
    return f"{hours // 24} d" if hours > 72 and hours % 24 == 0 else f"{hours} h"


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


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if not body:
        return f"**{title}**: none.\n"
    head = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    return "\n".join([f"**{title}**", "", *head, *body, ""])


if __name__ == "__main__":
    sys.stdout.write(reference())
