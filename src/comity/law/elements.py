"""Conduct elements (`data/elements.csv`), and what a definition asks of them.

A definition is words and bars: `deception property_moved victim_woman|victim_child` asks for the first, the second,
and one of the last two. No element depends on anybody's nationality; a test holds that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of, yes_no
from comity.law.files import read_rows, read_text

KINDS = ("act", "means", "result", "mind", "purpose", "object", "circumstance")

Conduct = Mapping[str, bool]
"""The facts as alleged: element to whether it is there. What is not said is unknown."""


class Standing(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    id: str
    kind: str
    text: str
    source: str
    confidence: Confidence
    verified: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of these elements must be there."""

    one_of: tuple[str, ...]

    def standing(self, conduct: Conduct) -> Standing:
        """Present if any is there, absent if every one is said not to be, else unknown."""
        stated = [conduct.get(name) for name in self.one_of]
        if any(stated):
            return Standing.PRESENT
        return Standing.UNKNOWN if None in stated else Standing.ABSENT

    def __str__(self) -> str:
        return " or ".join(self.one_of)


@cache
def elements() -> Mapping[str, Element]:
    """Every element by its id, in the order of the file."""
    return load_elements(read_text("elements.csv"))


def load_elements(text: str) -> Mapping[str, Element]:
    columns = ("element", "kind", "text", "source", "confidence", "verified")
    found: dict[str, Element] = {}
    for where, row in read_rows(text, columns, where="elements.csv"):
        if row["element"] in found:
            raise InputError.because(expected="each element once", got=row["element"], where=where)
        found[filled(row["element"], where)] = Element(
            id=row["element"],
            kind=one_of(row["kind"], KINDS, where),
            text=filled(row["text"], where),
            source=filled(row["source"], where),
            confidence=confidence(row["confidence"], where),
            verified=yes_no(row["verified"], where),
        )
    return found


def requirements(text: str, *, where: str) -> tuple[Requirement, ...]:
    """Read a definition; () where the cell is empty, which means not gathered, never that nothing is asked for."""
    return tuple(
        Requirement(tuple(one_of(name, elements(), where) for name in word.split("|")))
        for word in text.split()
    )


def check_conduct(conduct: Conduct) -> None:
    """Raise `InputError` with the known elements if one is unknown."""
    for name in conduct:
        if name not in elements():
            raise InputError.because(
                expected=f"one of the elements {', '.join(elements())}",
                got=repr(name),
                remedy="List them with `comity law offence ID`, and say only what the facts say.",
            )


def acts(asked: tuple[Requirement, ...]) -> frozenset[str]:
    """The acts that a definition may ask for."""
    return frozenset(name for one in asked for name in one.one_of if elements()[name].kind == "act")
