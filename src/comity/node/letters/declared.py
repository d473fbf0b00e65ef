"""A procedure as a PDF that a lawyer can read and file: the tables of the reference, from the object that runs."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from comity.law import GATHERED
from comity.law.procedure_tables import Table, heading, tables
from comity.law.procedures import Procedure
from comity.law.wording import ENGLISH
from comity.node.letters.fonts import families, shipped
from comity.node.letters.printable import Printing
from comity.node.letters.typeset import set_in_type

_CODE = re.compile(r"`([^`]*)`")
_LEGEND = f"L is a legal deadline, T a target (a policy choice). Not legal advice; data of {GATHERED}."


def procedure_pdf(procedure: Procedure) -> bytes:
    """Its tables on A4, as PDF/A-3a and PDF/UA-1; the same bytes each time, dated with the month of the data."""
    printing = Printing(fonts=shipped(), room=10**7)
    document = {
        "name": f"{procedure.title}, version {procedure.version}",
        "title": f"{procedure.title} ({procedure.name})",
        "author": "Comity",
        "keywords": [procedure.name, procedure.digest],
        "fonts": list(families(ENGLISH)),
        "footer": f"{procedure.name} {procedure.version} · SHA-256 {procedure.digest[:16]}…",
        "page-word": {"text": "Page", "lang": "en", "dir": "ltr"},
        "head": f"{heading(procedure)} {_LEGEND}",
        "tables": [_laid_out(one, printing) for one in tables(procedure)],
    }
    at = datetime.strptime(GATHERED, "%Y-%m").replace(tzinfo=UTC).timestamp()
    return set_in_type("procedure.typ", {"document": json.dumps(document, ensure_ascii=False)}, at=at)


def _laid_out(one: Table, printing: Printing) -> dict[str, Any]:
    return {
        "title": one.title,
        "columns": list(one.columns),
        "widths": _widths(one),
        "rows": [[_cell(text, printing) for text in row] for row in one.rows],
    }


def _cell(text: str, printing: Printing) -> dict[str, Any]:
    """Marks of code are for Markdown; a cell that is one name is set as a name, which may be parted at its marks."""
    said = _CODE.sub(lambda name: name[1].replace("_", "_\u200b"), text)
    return {"text": printing.line(said), "name": _CODE.fullmatch(text) is not None}


def _widths(one: Table) -> list[int]:
    """How wide each column is, in shares: room for its longest word, and more where long texts stand."""
    columns = [[one.columns[place], *(row[place] for row in one.rows)] for place in range(len(one.columns))]
    words = [max(len(word) for text in texts for word in re.split(r"[\s_]", text)) for texts in columns]
    lengths = [min(200, max(map(len, texts))) for texts in columns]
    return [round(max(2.6 * word, 3 * length**0.5)) for word, length in zip(words, lengths, strict=True)]
