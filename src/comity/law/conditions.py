"""Guards over facts, declared as data and decided by this code alone: no expression is ever evaluated as a
program.

A fact is named by its path ("legal_basis.usable"). A fact that is not there, or of another type, never
satisfies a condition: what is unknown does not open a gate. Operations: spec/procedure.md.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from comity.errors import InputError
from comity.law import safeguards
from comity.model import humans_in

Facts = Mapping[str, Any]

_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test of one fact. `value` is a constant, the path of another fact (`same_as`, `different_from`) or
    unused.
    """

    fact: str
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A named gate. It holds if all of `all` hold and, where `any` is not empty, at least one of `any`."""

    name: str
    text: str
    article: str
    all: tuple[Condition, ...]
    any: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the procedure itself declares, which two operations refer to."""

    required_fields: tuple[str, ...]
    refusal_codes: frozenset[str]


def failures(guard: Guard, facts: Facts, declared: Declared) -> list[str]:
    """Return in plain words what keeps `guard` shut; empty if it holds."""
    shut = [text for one in guard.all if (text := _why_not(one, facts, declared))]
    if guard.any:
        alternatives = [_why_not(one, facts, declared) for one in guard.any]
        if all(alternatives):
            shut.append("neither: " + "; nor: ".join(alternatives))
    return shut


def fact(facts: Facts, path: str) -> Any:
    """Return the value at `path`, or None if it is not there."""
    found = _look(facts, path)
    return None if found is _MISSING else found


def is_present(value: Any) -> bool:
    """Something was stated: False and 0 count, nothing, "" and empty collections do not."""
    if value is _MISSING or value is None:
        return False
    if isinstance(value, str):
        return value.strip() != ""
    return not (isinstance(value, Collection) and len(value) == 0)


def _look(facts: Facts, path: str) -> Any:
    found: Any = facts
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return _MISSING
        found = found[part]
    return found


def _why_not(one: Condition, facts: Facts, declared: Declared) -> str:
    if one.op == "complete":
        empty = [name for name in declared.required_fields if not is_present(_look(facts, name))]
        return f"required fields not filled: {', '.join(empty)}" if empty else ""
    got = _look(facts, one.fact)
    if not is_present(got):
        return f"{one.fact} is not stated"
    if one.op == "declared_refusal":
        known = ", ".join(sorted(declared.refusal_codes))
        stated = isinstance(got, str) and got in declared.refusal_codes
        return "" if stated else f"{one.fact} must be one of: {known}"
    if _TESTS[one.op](got, one, facts):
        return ""
    return f"{one.fact} {_WORDS[one.op]} {one.value}, {_outcome(got, one)}"


def _outcome(got: Any, one: Condition) -> str:
    """What stands there instead; of a safeguard, what its table makes of it and which answers are open."""
    if one.op != "safeguard" or not isinstance(got, Mapping):
        return f"it is {repr(got)[:60]}"
    try:
        found = safeguards.decide(safeguards.table(one.value), got)
    except InputError as error:
        return str(error)
    unanswered = ", ".join(fact.name for fact in found.open)
    return f"it is {found.outcome}: {found.reason}" + (f" (not answered: {unanswered})" if unanswered else "")


def _same(got: Any, value: Any) -> bool:
    """Equal and of one type: `True` is not 1."""
    return type(got) is type(value) and bool(got == value)


def _one_of(got: Any, one: Condition, _facts: Facts) -> bool:
    return any(_same(got, value) for value in one.value)


def _at_least(got: Any, one: Condition, _facts: Facts) -> bool:
    return type(got) is int and got >= one.value


def _distinct(got: Any, one: Condition, _facts: Facts) -> bool:
    return isinstance(got, (list, tuple)) and len({repr(item) for item in got}) >= one.value


def _other(got: Any, one: Condition, facts: Facts, *, same: bool) -> bool:
    other = _look(facts, one.value)
    if not (is_present(other) and type(got) is type(other)):
        return False
    if not same and isinstance(got, str):  # "P-12 for P-34" is P-12, and P-34 too
        return humans_in(got).isdisjoint(humans_in(other))
    return (got == other) is same


def _clear(got: Any, one: Condition, _facts: Facts) -> bool:
    """The safeguard's table says clear, or leaves it to whoever decides this very event."""
    if not isinstance(got, Mapping):
        return False
    try:
        outcome = safeguards.decide(safeguards.table(one.value), got).outcome
    except InputError:
        return False
    return outcome in (safeguards.Outcome.CLEAR, safeguards.Outcome.DISCRETION)


_TESTS: Mapping[str, Callable[[Any, Condition, Facts], bool]] = {
    "present": lambda got, one, facts: True,
    "equals": lambda got, one, facts: _same(got, one.value),
    "in": _one_of,
    "at_least": _at_least,
    "distinct": _distinct,
    "same_as": lambda got, one, facts: _other(got, one, facts, same=True),
    "different_from": lambda got, one, facts: _other(got, one, facts, same=False),
    "safeguard": _clear,
}
_WORDS = {
    "equals": "must be",
    "in": "must be one of",
    "at_least": "must be a whole number of at least",
    "distinct": "must name this many different ones:",
    "same_as": "must be the same as",
    "different_from": "must be another than",
    "safeguard": "must satisfy the safeguard",
}
OPERATIONS = frozenset(_TESTS) | {"complete", "declared_refusal"}
