"""The safeguards as a page a lawyer can read, written from the tables that run.

`python -m comity.law.safeguard_page > docs/reference/safeguards.md`; a test says when it is not current.
"""

import sys
from collections.abc import Iterator

from comity.law.safeguards import Row, Table, tables

_HEAD = """# Safeguards

Written by `python -m comity.law.safeguard_page` from the tables that `comity law check` applies. **Not legal advice**;
no row was verified by a lawyer yet unless it says so.

Each question is answered *yes*, *no* or *unknown*. Exactly one row applies to every combination of answers, and none
says *clear* while anything is unknown: a table that breaks this does not load. No outcome depends on anybody's
nationality, except in the table on own nationals, on which treaties base the duty to surrender or prosecute.

| outcome | means |
| --- | --- |
| clear | this safeguard does not stand in the way |
| discretion | the instrument leaves it to the competent authority, which decides with reasons |
| condition | only once what the row names is done |
| unknown | not decided: ask, or a person decides; never taken as clear |
| barred | it must not be done |
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for one in tables().values() for line in _section(one))])


def _section(one: Table) -> Iterator[str]:
    yield f"## {one.title}\n"
    yield f"`{one.name}` · {one.question} Asked before: {', '.join(one.applies).replace('_', ' ')}.\n"
    for number, fact in enumerate(one.facts, start=1):
        yield f"{number}. `{fact.name}`: {fact.question}"
    heads = [f"`{fact.name}`" for fact in one.facts]
    yield "\n" + _line([*heads, "outcome", "reason", "article", "then"])
    yield _line(["---"] * (len(heads) + 4))
    for row in one.rows:
        yield _line(_cells(one, row))
    checked = "verified" if one.verified else "not verified"
    yield f"\nSource: {one.source}. Confidence {one.confidence}, {checked}.\n"


def _cells(one: Table, row: Row) -> list[str]:
    answers = [" or ".join(row.when[fact.name]) if fact.name in row.when else "–" for fact in one.facts]
    return [*answers, f"**{row.outcome}**", row.reason, row.article, row.then]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
