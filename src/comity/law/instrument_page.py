"""Instruments, their parties and their articles as a page, written from the register.

`python -m comity.law.instrument_page > docs/reference/instruments.md`; a test says when it is not current.
"""

import sys
from collections.abc import Iterator

from comity.law.articles import articles, declarations
from comity.law.instruments import Instrument, instruments
from comity.law.register import TreatyRow, register

_HEAD = """# Instruments

Written by `python -m comity.law.instrument_page` from the register in `src/comity/law/data/`, gathered 2026-11.
**Not legal advice.** What an article allows is paraphrased to find it by. The declarations are those that are known,
not all there are. An empty cell is unknown.
"""


def reference() -> str:
    """The whole page."""
    sections = (line for one in instruments() for line in _section(one))
    return "\n".join([_HEAD, *sections, *_bilateral()])


def _section(one: Instrument) -> Iterator[str]:
    yield f"## {one.title}\n"
    yield f"`{one.id}` · {one.force}.\n"
    yield from _table(
        ("party", "status", "date", "confidence", "source"),
        [
            (row.party, row.status.replace("_", " "), row.date, str(row.confidence), row.source)
            for row in register().parties
            if row.instrument == one.id
        ],
    )
    yield from _table(
        ("article", "about", "allows", "limits", "for", "confidence"),
        [
            (
                row.article, row.about, row.allows, row.limits,
                ", ".join(row.purposes).replace("_", " "), f"{row.confidence}, {_checked(row.verified)}",
            )
            for row in articles()
            if row.instrument == one.id
        ],
    )  # fmt: skip
    yield from _table(
        ("party", "article", "declared", "confidence"),
        [
            (row.party, row.article, row.text, f"{row.confidence}, {_checked(row.verified)}")
            for row in declarations()
            if row.instrument == one.id
        ],
    )


def _checked(verified: bool) -> str:
    return "verified" if verified else "not verified"


def _bilateral() -> Iterator[str]:
    yield "## Bilateral treaties\n"
    yield "Between two jurisdictions without a row nothing is known, which is not the same as none.\n"
    yield from _table(
        ("kind", "between", "status", "signed", "in force", "confidence", "source"),
        [_treaty(row) for row in register().treaties],
    )


def _treaty(row: TreatyRow) -> tuple[str, ...]:
    kind = {"mla": "mutual legal assistance"}.get(row.type, row.type)
    since = row.footing.replace("_", " ") or row.in_force
    return (
        kind, f"{row.a}, {row.b}", row.status.replace("_", " "), row.signed, since, str(row.confidence), row.source,
    )  # fmt: skip


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """A table, or nothing where there is no row."""
    if not rows:
        return
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference())
