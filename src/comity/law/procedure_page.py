"""A procedure as a page that a lawyer can read: tables and a Mermaid diagram, generated from the object that
runs.

`python -m comity.law.procedure_page docs/reference` writes the reference; a test says when it is out of date.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from comity.law.procedure_files import all_procedures
from comity.law.procedure_tables import Table, heading, tables
from comity.law.procedures import Procedure
from comity.law.register import GATHERED

_LEGEND = """**L** is a legal deadline, **T** a target (a policy choice). A procedure of two sides runs at the node that
asks (the requesting side) and at the node that is asked (the requested side); in each state one of them leads, and puts
in order what the other proposes. *States* says which facts an event may state: nobody can state others.
"""
_HEAD = f"""# Procedures

Generated from `src/comity/law/data/procedures/` (format: `spec/procedure.md`); do not edit.
Not legal advice; data of {GATHERED}: articles are from memory of the texts and are to be checked by a lawyer.

{_LEGEND}
| procedure | name | sides | states | events | grounds for refusal | source |
| --- | --- | --- | --- | --- | --- | --- |
"""


def reference() -> Mapping[str, str]:
    """Every page of the reference by its path: the list, and one page for each procedure."""
    rows = [
        f"| [{one.title}](procedures/{one.name}.md) | `{one.name}` | {one.sides} | {len(one.states)} | "
        f"{len({move.event for move in one.transitions})} | {len(one.refusals)} | {one.source} |"
        for one in all_procedures()
    ]
    pages = {f"procedures/{one.name}.md": page(one) for one in all_procedures()}
    return {"procedures.md": _HEAD + "\n".join(rows) + "\n", **pages}


def page(procedure: Procedure) -> str:
    """One procedure as Markdown."""
    head = f"# {procedure.title} (`{procedure.name}`)\n\n{heading(procedure)}\n\n{_LEGEND}"
    return "\n".join([head, diagram(procedure), *map(_markdown, tables(procedure))])


def diagram(procedure: Procedure) -> str:
    """States and events as a Mermaid diagram; what holds something, or the requesting side leads, is marked."""
    events: dict[tuple[str, str], list[str]] = {}
    for one in procedure.transitions:
        events.setdefault((one.source, one.target), []).append(one.event)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {procedure.initial}"]
    lines += [f"    {source} --> {target} : {', '.join(names)}" for (source, target), names in events.items()]
    states = procedure.states.values()
    lines += [f"    {one.name} --> [*]" for one in states if one.name in procedure.final]
    lines += _marked("holds", "stroke-width:3px", [one.name for one in states if one.holds])
    led = [one.name for one in states if one.lead == "requesting"]
    lines += _marked("requesting", "stroke-dasharray:4 3", led)
    return "\n".join([*lines, "```", ""])


def _marked(name: str, style: str, states: list[str]) -> list[str]:
    return [f"    classDef {name} {style}", f"    class {','.join(states)} {name}"] if states else []


def _markdown(table: Table) -> str:
    if not table.rows:
        return f"**{table.title}**: none.\n"
    head = [
        "| " + " | ".join(table.columns) + " |",
        "| " + " | ".join("---" for _ in table.columns) + " |",
    ]
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    return "\n".join([f"**{table.title}**", "", *head, *body, ""])


def write(folder: Path) -> None:
    """Write the reference below `folder`, and take away pages of procedures that are no more."""
    wanted = reference()
    (folder / "procedures").mkdir(exist_ok=True)
    for old in (folder / "procedures").glob("*.md"):
        if f"procedures/{old.name}" not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
