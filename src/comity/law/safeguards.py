"""Safeguards as decision tables (`data/safeguards/*.json`): facts in, one outcome with its reason out. Pure.

Every question is answered yes, no or unknown, and exactly one row applies to each combination: a table with a gap, an
overlap, or a row that says clear while anything is unknown does not load. What nobody said is unknown. Nobody's
nationality decides anything, except in the table on own nationals, where treaties say so. Not legal advice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Any

from comity.errors import InputError
from comity.law.files import exact_keys, folder, read_json, texts

ANSWERS = ("yes", "no", "unknown")
UNKNOWN = "unknown"

STEPS = (
    "extradition", "handover", "mla", "asset_recovery", "police_information", "fiu_information", "notice",
    "prosecution",
)  # fmt: skip
"""What a safeguard may stand in the way of."""


class Outcome(StrEnum):
    """From best to worst for going on."""

    CLEAR = "clear"
    """The safeguard does not stand in the way."""
    DISCRETION = "discretion"
    """The instrument leaves it to the competent authority, which decides with reasons."""
    CONDITION = "condition"
    """Only once what the row names is done."""
    UNKNOWN = "unknown"
    """Not decided: ask, or a person decides."""
    BARRED = "barred"
    """It must not be done."""


Facts = Mapping[str, str]
"""Name of a fact to its answer (`ANSWERS`). What is not there is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    name: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """It applies where each fact it names has one of these answers; a fact it does not name may have any."""

    when: Mapping[str, tuple[str, ...]]
    outcome: Outcome
    reason: str
    article: str
    then: str

    def applies(self, facts: Facts) -> bool:
        return all(facts[name] in answers for name, answers in self.when.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    title: str
    question: str
    applies: tuple[str, ...]
    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]
    source: str
    confidence: str
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a table says, and which of its questions nobody has answered."""

    table: str
    title: str
    outcome: Outcome
    reason: str
    article: str
    then: str
    facts: Facts
    open: tuple[Fact, ...]
    confidence: str
    source: str
    verified: bool


@cache
def tables() -> Mapping[str, Table]:
    """Every table by its name."""
    files = sorted(file.name for file in folder("safeguards").iterdir() if file.name.endswith(".json"))
    found = [load_table(read_json("safeguards", name), where=f"safeguards/{name}") for name in files]
    return {one.name: one for one in found}


def table(name: str) -> Table:
    """Return one table; `InputError` that lists the known names if there is none."""
    if name not in tables():
        raise InputError.because(expected=f"one of {', '.join(tables())}", got=repr(name))
    return tables()[name]


def tables_for(step: str) -> tuple[Table, ...]:
    """The tables that may stand in the way of this step."""
    if step not in STEPS:
        raise InputError.because(expected=f"one of {', '.join(STEPS)}", got=repr(step))
    return tuple(one for one in tables().values() if step in one.applies)


def decide(one: Table, facts: Facts) -> Decision:
    """Apply the table. Raises `InputError` for a fact or answer it does not know."""
    stated = _stated(one, facts)
    (row,) = [row for row in one.rows if row.applies(stated)]
    return Decision(
        table=one.name,
        title=one.title,
        outcome=row.outcome,
        reason=row.reason,
        article=row.article,
        then=row.then,
        facts=stated,
        open=tuple(fact for fact in one.facts if stated[fact.name] == UNKNOWN),
        confidence=one.confidence,
        source=one.source,
        verified=one.verified,
    )


def worst(decisions: Iterable[Decision]) -> Outcome:
    """What several safeguards say together: the worst of them. Nothing decided is unknown."""
    order = list(Outcome)
    return max((one.outcome for one in decisions), key=order.index, default=Outcome.UNKNOWN)


def combinations(facts: Iterable[Fact]) -> Iterable[Facts]:
    """Every combination of answers."""
    names = [fact.name for fact in facts]
    for answers in product(ANSWERS, repeat=len(names)):
        yield dict(zip(names, answers, strict=True))


def as_json(one: Decision) -> dict[str, Any]:
    """The decision as `comity law check --json` prints it."""
    return {
        "table": one.table,
        "title": one.title,
        "outcome": one.outcome.value,
        "reason": one.reason,
        "article": one.article,
        "then": one.then,
        "facts": dict(one.facts),
        "open": [{"fact": fact.name, "question": fact.question} for fact in one.open],
        "confidence": one.confidence,
        "source": one.source,
        "verified": one.verified,
    }


def table_as_json(one: Table) -> dict[str, Any]:
    """A safeguard with what it asks for, as `comity law check --json` lists it."""
    return {
        "table": one.name, "title": one.title, "question": one.question, "applies": list(one.applies),
        "facts": [{"fact": fact.name, "question": fact.question} for fact in one.facts],
        "source": one.source, "confidence": one.confidence, "verified": one.verified,
    }  # fmt: skip


def load_table(record: Any, *, where: str) -> Table:
    """Read one parsed file, strictly, and prove that exactly one row applies to everything."""
    shape: dict[str, type | tuple[type, ...]] = {
        "name": str, "title": str, "question": str, "applies": list, "facts": list, "rows": list, "source": str,
        "confidence": str, "verified": bool,
    }  # fmt: skip
    found = exact_keys(record, shape, where=where)
    facts = tuple(
        Fact(**exact_keys(fact, {"name": str, "question": str}, where=where)) for fact in found["facts"]
    )
    names = {fact.name for fact in facts}
    one = Table(
        name=found["name"],
        title=found["title"],
        question=found["question"],
        applies=_among(texts(found["applies"], where=where), STEPS, where),
        facts=facts,
        rows=tuple(_row(row, names, where) for row in found["rows"]),
        source=found["source"],
        confidence=_among((found["confidence"],), ("high", "medium", "low"), where)[0],
        verified=found["verified"],
    )
    _prove(one, where)
    return one


def _row(record: Any, names: set[str], where: str) -> Row:
    shape: dict[str, type | tuple[type, ...]] = {
        "when": dict, "outcome": str, "reason": str, "article": str, "then": str,
    }  # fmt: skip
    row = exact_keys(record, shape, where=where)
    when = {}
    for name, answers in row["when"].items():
        _among((name,), names, where)
        wanted = texts([answers] if isinstance(answers, str) else answers, where=where)
        when[name] = _among(wanted, ANSWERS, where)
    outcome = Outcome(_among((row["outcome"],), tuple(Outcome), where)[0])
    return Row(when=when, outcome=outcome, reason=row["reason"], article=row["article"], then=row["then"])


def _prove(one: Table, where: str) -> None:
    for facts in combinations(one.facts):
        rows = [row for row in one.rows if row.applies(facts)]
        if len(rows) != 1:
            raise InputError.because(
                expected="exactly one row for every combination", got=f"{len(rows)} for {facts}", where=where
            )
        if rows[0].outcome is Outcome.CLEAR and UNKNOWN in facts.values():
            raise InputError.because(
                expected="never clear while something is unknown", got=str(facts), where=where
            )


def _stated(one: Table, facts: Facts) -> dict[str, str]:
    names = [fact.name for fact in one.facts]
    for name, answer in facts.items():
        if name not in names:
            raise InputError.because(
                expected=f"one of {', '.join(names)}", got=repr(name), where=f"safeguard {one.name}"
            )
        if answer not in ANSWERS:
            raise InputError.because(
                expected=f"one of {', '.join(ANSWERS)}",
                got=repr(answer),
                where=f"safeguard {one.name}, {name}",
            )
    return {name: facts.get(name, UNKNOWN) for name in names}


def _among(given: tuple[str, ...], known: Iterable[str], where: str) -> tuple[str, ...]:
    for text in given:
        if text not in known:
            raise InputError.because(
                expected=f"one of {', '.join(sorted(known))}", got=repr(text), where=where
            )
    return given
