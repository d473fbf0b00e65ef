"""The register of competent authorities as a page, written from its files.

`python -m comity.law.authority_page > docs/reference/authorities.md`; a test says when it is not current.
"""

import sys
from collections.abc import Iterator

from comity.law.authorities import CHANNELS, COMPETENCES, WHOLE, CompetentAuthority, Delineation, competent
from comity.law.parties import known_jurisdictions

_HEAD = """# Competent authorities

Written by `python -m comity.law.authority_page` from `src/comity/law/data/authorities/`, one file a jurisdiction.
**Not legal advice.** Rows marked *not verified* are from memory of the source that is named after "check", or from the
page named after "read", and are to be compared with the law before anybody relies on them. An empty cell is unknown,
never "none". Hong Kong and Macao have authorities of their own.
"""


def reference() -> str:
    """The whole page."""
    sections = (
        line for code, name in known_jurisdictions().items() for line in _section(name, competent(code))
    )
    return "\n".join([_HEAD, *sections])


def _section(name: str, found: Delineation) -> Iterator[str]:
    yield f"## {name} ({found.party})\n"
    if found.authorities:
        yield "| competence | part | authority | languages | channel | source | confidence |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        for one in found.authorities:
            yield f"| {' | '.join(_cells(one))} |"
        yield ""
    for conflict in found.conflicts:
        yield f"**To settle.** {conflict.text}.\n"
    if found.unknown:
        yield f"Unknown: {', '.join(COMPETENCES[one] for one in found.unknown)}.\n"


def _cells(one: CompetentAuthority) -> tuple[str, ...]:
    name = one.authority + (f" ({one.local_name})" if one.local_name else "")
    checked = "verified" if one.verified else "not verified"
    return (
        COMPETENCES[one.competence],
        "" if one.scope == WHOLE else one.scope,
        name + (f"; {one.note}" if one.note else ""),
        ", ".join(one.languages),
        CHANNELS[one.channel] if one.channel else "",
        one.source,
        f"{one.confidence}, {checked}, {one.as_of}",
    )


if __name__ == "__main__":
    sys.stdout.write(reference())
