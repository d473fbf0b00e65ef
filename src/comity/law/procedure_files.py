"""Read procedures from their files, strictly, and check each before anyone may use it. Format:
spec/procedure.md.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from comity.errors import InputError, NotFound
from comity.law import procedure_parts as parts
from comity.law.files import exact_keys, folder, read_text, texts
from comity.law.procedure_check import check
from comity.law.procedures import Procedure
from comity.law.strict_yaml import parse_yaml

_TOP: Mapping[str, type] = {
    "name": str, "version": int, "title": str, "status": str, "sides": str, "runs_at": str, "initial": str,
    "final": list, "states": dict, "transitions": list, "guards": dict, "fields": list, "deadlines": list,
    "refusals": list, "not_grounds": list, "safeguards": list, "steps": list, "documents": list, "source": str,
    "confidence": str,
}  # fmt: skip


@cache
def all_procedures() -> tuple[Procedure, ...]:
    """Every procedure that ships, in order of name."""
    return tuple(procedure(name) for name in names())


@cache
def procedure(name: str) -> Procedure:
    """Return one procedure, and read no other; `NotFound` that lists the names if there is none."""
    if name not in names():
        raise NotFound(
            f"expected one of {', '.join(names())}, got {name!r}", remedy="Name one of the procedures listed."
        )
    file = f"{name}.yaml"
    one = parse_procedure(read_text("procedures", file), where=f"procedures/{file}")
    if one.name != name:
        raise InputError.because(expected=f"the file {one.name}.yaml", got=file)
    return one


@cache
def names() -> tuple[str, ...]:
    """The names of the procedures that ship."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in folder("procedures").iterdir()))


def parse_procedure(text: str, *, where: str = "procedure") -> Procedure:
    """Read one file and check it (`procedure_check`), or raise `InputError` that says what is wrong with
    it.
    """
    row = exact_keys(parse_yaml(text, where=where), _TOP, where=where)
    if row["status"] not in ("running", "draft") or row["version"] < 1:
        raise InputError.because(
            expected="status running or draft, version ≥ 1", got=row["status"], where=where
        )
    found = Procedure(
        name=parts.name(row["name"], where),
        version=row["version"],
        title=row["title"],
        status=row["status"],
        sides=parts.among(row["sides"], ("one", "two"), where),
        runs_at=row["runs_at"],
        initial=row["initial"],
        final=frozenset(texts(row["final"], where=where)),
        states=_named(row["states"], parts.state, where),
        transitions=tuple(one for body in row["transitions"] for one in parts.transitions(body, where)),
        guards=_named(row["guards"], parts.guard, where),
        fields=tuple(parts.field(body, where) for body in row["fields"]),
        deadlines=tuple(parts.rule(body, where) for body in row["deadlines"]),
        refusals=tuple(parts.refusal(body, where) for body in row["refusals"]),
        not_grounds=tuple(parts.refusal(body, where) for body in row["not_grounds"]),
        safeguards=tuple(parts.safeguard(body, where) for body in row["safeguards"]),
        steps=texts(row["steps"], where=where),
        documents=tuple(parts.document(body, where) for body in row["documents"]),
        source=row["source"],
        confidence=parts.confidence(row["confidence"], where),
        digest=sha256(text.encode("utf-8")).hexdigest(),
    )
    check(found)
    return found


def _named(rows: Mapping[str, Any], read: Any, where: str) -> dict[str, Any]:
    return {key: read(parts.name(key, where), body, where) for key, body in rows.items()}


@cache
def text_of(name: str) -> str:
    """The text that the procedure of that name is read from, as it ships."""
    return folder("procedures").joinpath(f"{procedure(name).name}.yaml").read_text(encoding="utf-8")
