"""What one cell of a data file may hold: read it, or say what was expected and where."""

from collections.abc import Iterable
from enum import IntEnum

from comity.errors import InputError


class Confidence(IntEnum):
    """How far to trust a row; `min` of several is the confidence of what rests on all of them."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    def __str__(self) -> str:
        return self.name.lower()


def one_of(text: str, known: Iterable[str], where: str) -> str:
    names = list(known)
    if text not in names:
        raise InputError.because(expected=f"one of {', '.join(names)}", got=repr(text), where=where)
    return text


def filled(text: str, where: str) -> str:
    if not text:
        raise InputError.because(expected="a filled cell", got="an empty one", where=where)
    return text


def yes_no(text: str, where: str) -> bool:
    return one_of(text, ("true", "false"), where) == "true"


def confidence(text: str, where: str) -> Confidence:
    return Confidence[one_of(text, ("high", "medium", "low"), where).upper()]
