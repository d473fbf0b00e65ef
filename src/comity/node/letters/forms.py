"""The form in which the instrument asks for each document (`law/data/letters.yaml`): how it opens, which authority
receives it, whether both sides sign it. What it says is in the procedure's own file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from comity.errors import InputError
from comity.law.authorities import COMPETENCES
from comity.law.files import exact_keys, read_text, texts
from comity.law.procedures import Document, Procedure
from comity.law.strict_yaml import parse_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDocument:
    """`opens`: its own first sentence. `repeats`: facts of earlier steps that stand in it too. `to`: who gets it, where
    that is not the other authority.
    """

    opens: str = ""
    repeats: tuple[str, ...] = ()
    to: str = ""
    both_sign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`competence` is the one in the register of authorities (`law.authorities.COMPETENCES`) that receives it."""

    competence: str
    opens: str
    documents: Mapping[str, OneDocument]


_PLAIN = OneDocument()


@cache
def forms() -> Mapping[str, Form]:
    """The form of each procedure's letters, by its name."""
    return parse_forms(read_text("letters.yaml"), where="letters.yaml")


def parse_forms(text: str, *, where: str) -> Mapping[str, Form]:
    """Read the file or raise `InputError` that says what is wrong with it."""
    found = parse_yaml(text, where=where)
    if not isinstance(found, dict):
        raise InputError.because(expected="a form a procedure", got=type(found).__name__, where=where)
    return {name: _form(body, f"{where} {name}") for name, body in found.items()}


def form_of(procedure: Procedure) -> Form:
    return forms()[procedure.name]


def document_of(procedure: Procedure, document: Document) -> OneDocument:
    """What is particular to one document."""
    return form_of(procedure).documents.get(document.name, _PLAIN)


def drafting(procedure: Procedure) -> frozenset[str]:
    """The states in which only the requesting side has seen it."""
    found, new = {procedure.initial}, {procedure.initial}
    while new:
        new = {
            one.target
            for one in procedure.transitions
            if one.source in new and procedure.states[one.target].lead == "requesting"
        } - found
        found |= new
    return frozenset(found)


def is_request(procedure: Procedure, document: Document) -> bool:
    """Whether the document is what goes out first: with all fields."""
    before = drafting(procedure)
    return any(
        one.event == document.event and one.source in before and one.target not in before
        for one in procedure.transitions
    )


def _form(body: Any, where: str) -> Form:
    row = exact_keys(body, {"competence": str, "opens": str, "documents": dict}, where=where)
    if row["competence"] not in COMPETENCES:
        raise InputError.because(expected=", ".join(COMPETENCES), got=row["competence"], where=where)
    documents = {name: _document(one, f"{where} {name}") for name, one in row["documents"].items()}
    return Form(competence=row["competence"], opens=row["opens"], documents=documents)


def _document(body: Any, where: str) -> OneDocument:
    given = {"opens": "", "repeats": [], "to": "", "both_sign": False} | (
        body if isinstance(body, dict) else {"": body}
    )
    row = exact_keys(given, {"opens": str, "repeats": list, "to": str, "both_sign": bool}, where=where)
    return OneDocument(**{**row, "repeats": texts(row["repeats"], where=where)})
