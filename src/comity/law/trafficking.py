"""Presume, never rule out: indicators of trafficking for forced criminality, and what follows from them. Pure.

Answers in (yes, no or unknown to each question), a finding with its reasons out. One strong or three weak indicators:
the person is presumed a victim (`data/indicators.json`, each row with source and confidence). What nobody asked is
unknown, and unknown is not absent: nothing is "not found" while an open question could still make the presumption.

Nothing here takes a nationality, a name or anything else about who the person is. Not legal advice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from comity.errors import InputError
from comity.law import safeguards
from comity.law.files import exact_keys, read_json

Answers = Mapping[str, str]
"""Id of a question to `yes`, `no` or `unknown`; what is not there is unknown."""

LONGEST_REFLECTION = 730
"""Days; a longer one is a typing mistake."""
_PROTECTION = (
    ("torture", "danger"),
    ("torture", "claim"),
    ("persecution", "prejudice"),
    ("persecution", "refugee"),
)
_STRONGEST = ("unknown", "no", "yes")
_ROW: Mapping[str, type | tuple[type, ...]] = {
    "id": str, "strength": str, "part": str, "question": str, "source": str, "confidence": str,
}  # fmt: skip


class Finding(StrEnum):
    PRESUMED = "presumed"
    """One strong or three weak indicators: to be treated as a victim."""
    UNKNOWN = "unknown"
    """An open question could still make the presumption."""
    NOT_FOUND = "not found"
    """Whatever is still open, it cannot: too little was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """`strength` is `strong` or `weak`; `part` of the trafficking that it tells about."""

    id: str
    strength: str
    part: str
    question: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """`strong` and `weak` are the ids that were answered yes, `open` those that nobody answered."""

    finding: Finding
    reason: str
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """So many strong or so many weak ones. `reflection` in days, with the source of each."""

    strong: int
    weak: int
    text: str
    source: str
    confidence: str
    reflection_days: int
    reflection_source: str


@cache
def indicators() -> Mapping[str, Indicator]:
    """Every indicator by its id, in the order of the file."""
    rows = [Indicator(**exact_keys(row, _ROW, where="indicators.json")) for row in _file()["indicators"]]
    for row in rows:
        if row.strength not in ("strong", "weak") or row.confidence not in ("high", "medium", "low"):
            raise InputError.because(
                expected="a strength and a confidence", got=f"{row.strength}, {row.confidence}", where=row.id
            )
    found = {row.id: row for row in rows}
    if len(found) != len(rows):
        raise InputError.because(expected="each id once", got="one twice", where="indicators.json")
    return found


@cache
def rule() -> Rule:
    """The rule as the file states it."""
    said, reflection = _file()["rule"], _file()["reflection"]
    return Rule(
        strong=said["strong"], weak=said["weak"], text=said["text"], source=said["source"],
        confidence=said["confidence"], reflection_days=reflection["days"], reflection_source=reflection["source"],
    )  # fmt: skip


@cache
def protection_questions() -> Mapping[str, str]:
    """What is asked about a need for protection: id to question, as the safeguards' own tables ask it."""
    asked = {}
    for name, fact in _PROTECTION:
        found = next(one for one in safeguards.table(name).facts if one.name == fact)
        asked[f"{name}.{fact}"] = found.question
    return asked


def assess(answers: Answers) -> Assessment:
    """Apply the rule. Raises `InputError` for a question or an answer that there is not."""
    said = _stated(answers, indicators())
    strong, weak = _answered(said, "yes", "strong"), _answered(said, "yes", "weak")
    still = (_answered(said, "unknown", "strong"), _answered(said, "unknown", "weak"))
    if _met(len(strong), len(weak)):
        finding, reason = Finding.PRESUMED, rule().text
    elif _met(len(strong) + len(still[0]), len(weak) + len(still[1])):
        finding = Finding.UNKNOWN
        reason = (
            "Not enough was asked: what is open could still make the presumption, and unknown is not absent"
        )
    else:
        finding = Finding.NOT_FOUND
        reason = "Asked, and neither one strong nor three weak indicators can be there; new facts reopen it"
    return Assessment(finding=finding, reason=reason, strong=strong, weak=weak, open=(*still[0], *still[1]))


def protection_need(answers: Answers) -> str:
    """Whether there is, or may be, a need for protection: `yes` as soon as one says so, `no` only if all do."""
    said = _stated(answers, protection_questions())
    if "yes" in said.values():
        return "yes"
    return "unknown" if "unknown" in said.values() else "no"


def together(earlier: Answers, later: Answers) -> dict[str, str]:
    """The answers of two screenings: what was once said yes stays; a later unknown takes nothing away."""
    names = [*earlier, *(name for name in later if name not in earlier)]
    return {
        name: max(earlier.get(name, "unknown"), later.get(name, "unknown"), key=_STRONGEST.index)
        for name in names
    }


def reflection_days(wanted: int | None) -> int:
    """How long the person may reflect: the default, or longer. `InputError` for less."""
    least = rule().reflection_days
    if wanted is not None and not least <= wanted <= LONGEST_REFLECTION:
        raise InputError.because(
            expected=f"{least} to {LONGEST_REFLECTION} days ({rule().reflection_source})", got=str(wanted),
            remedy="A reflection period can be made longer, never shorter.",
        )  # fmt: skip
    return least if wanted is None else wanted


def may_return(facts: Answers) -> safeguards.Decision:
    """Whether a victim may return: clear only if assessed, safe and voluntary."""
    return safeguards.decide(_safe_return(), facts)


def non_punishment(*, screened: str, victim: str, compelled: str) -> safeguards.Decision:
    """The safeguard of that name, on what is known of the person."""
    facts = {"screened": screened, "victim": victim, "compelled": compelled}
    return safeguards.decide(safeguards.table("non_punishment"), facts)


@cache
def _safe_return() -> safeguards.Table:
    return safeguards.load_table(read_json("safe_return.json"), where="safe_return.json")


@cache
def _file() -> Mapping[str, Any]:
    shape: dict[str, type | tuple[type, ...]] = {
        "name": str, "title": str, "rule": dict, "reflection": dict, "indicators": list, "source": str,
        "verified": bool,
    }  # fmt: skip
    found = exact_keys(read_json("indicators.json"), shape, where="indicators.json")
    exact_keys(
        found["rule"], {"strong": int, "weak": int, "text": str, "source": str, "confidence": str},
        where="indicators.json, rule",
    )  # fmt: skip
    exact_keys(
        found["reflection"],
        {"days": int, "source": str, "confidence": str},
        where="indicators.json, reflection",
    )
    return found


def _met(strong: int, weak: int) -> bool:
    return strong >= rule().strong or weak >= rule().weak


def _answered(said: Answers, answer: str, strength: str) -> tuple[str, ...]:
    known = indicators()
    return tuple(name for name, got in said.items() if got == answer and known[name].strength == strength)


def _stated(answers: Answers, known: Mapping[str, object]) -> dict[str, str]:
    for name, answer in answers.items():
        if name not in known:
            raise InputError.because(expected=f"one of {', '.join(known)}", got=repr(name[:60]))
        if answer not in safeguards.ANSWERS:
            raise InputError.because(
                expected=f"one of {', '.join(safeguards.ANSWERS)}", got=repr(answer[:20]), where=name
            )
    return {name: answers.get(name, "unknown") for name in known}
