"""The words in which the law room answers: a basis, the question it answers, and how rows combine.

The confidence of what rests on several rows is the lowest of them; its source names them all.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from comity.law.register import GATHERED, Confidence, Register

Sourced = tuple[str, str, Confidence]
"""Who or what a row is about, its source, its confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """One instrument, and whether it may be used for this purpose between these two, with the reasons.

    `kind` is bilateral, multilateral or arrangement. `status` is the standing that decides. `articles` are those
    of the instrument that matter for the purpose; `age` is when the rows were gathered.
    """

    instrument: str
    kind: str
    status: str
    usable: bool
    confidence: str
    source: str
    reasons: tuple[str, ...]
    articles: tuple[str, ...] = ()
    age: str = GATHERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """The answer: every basis, usable ones first, and what the data does not know and a lawyer must check."""

    from_: str
    to: str
    for_: str
    bases: tuple[Basis, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May `from_` ask `to` for this, on which basis? `offence` None: not said."""

    from_: str
    to: str
    for_: str
    offence: str | None
    data: Register

    @property
    def pair(self) -> str:
        return f"{self.from_}-{self.to}"


def combined(rows: Iterable[Sourced]) -> tuple[str, str]:
    """Return (confidence, source) of what rests on all of `rows`."""
    found = list(rows)
    said: dict[str, list[str]] = {}
    for about, source, _ in found:
        said.setdefault(source, []).append(about)
    source = "; ".join(f"{', '.join(dict.fromkeys(about))}: {text}" for text, about in said.items())
    return str(min(confidence for _, _, confidence in found)), source
