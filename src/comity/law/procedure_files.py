"""Read procedures from their files, strictly, and check each before anyone may use it. Format:
spec/procedure.md.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from comity.errors import InputError, NotFound
from comity.law.conditions import OPERATIONS, Condition, Guard
from comity.law.files import exact_keys, folder, texts
from comity.law.procedure_check import check
from comity.law.procedures import Field, Procedure, Refusal, Rule, Safeguard, State, Transition
from comity.proofs.canonical import parse_strict

_TERM = re.compile(r"([1-9]\d{0,4}) (min|h|d)", re.ASCII)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_NAME = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_VALUE_TYPES: Mapping[str, type] = {
    "in": list, "at_least": int, "distinct": int, "same_as": str, "different_from": str,
}  # fmt: skip
_TOP: Mapping[str, type] = {
    "name": str, "version": int, "title": str, "status": str, "runs_at": str, "initial": str, "final": list,
    "states": dict, "transitions": list, "guards": dict, "fields": list, "deadlines": list, "refusals": list,
    "not_grounds": list, "safeguards": list, "source": str, "confidence": str,
}  # fmt: skip


@cache
def all_procedures() -> tuple[Procedure, ...]:
    """Every procedure that ships, in order of name."""
    found = sorted(folder("procedures").iterdir(), key=lambda file: file.name)
    read = []
    for file in found:
        one = parse_procedure(file.read_text(encoding="utf-8"), where=f"procedures/{file.name}")
        if file.name != f"{one.name}.json":
            raise InputError.because(expected=f"the file {one.name}.json", got=file.name)
        read.append(one)
    return tuple(read)


def procedure(name: str) -> Procedure:
    """Return one procedure; `NotFound` that lists the names if there is none."""
    for one in all_procedures():
        if one.name == name:
            return one
    known = ", ".join(one.name for one in all_procedures())
    raise NotFound(f"expected one of {known}, got {name!r}", remedy="Name one of the procedures listed.")


def parse_procedure(text: str, *, where: str = "procedure") -> Procedure:
    """Read one file and check it (`procedure_check`), or raise `InputError` that says what is wrong with
    it.
    """
    row = exact_keys(parse_strict(text, where=where), _TOP, where=where)
    if row["status"] not in ("running", "draft") or row["version"] < 1:
        raise InputError.because(
            expected="status running or draft, version ≥ 1", got=row["status"], where=where
        )
    guards = {name: _guard(_name(name, where), body, where) for name, body in row["guards"].items()}
    found = Procedure(
        name=_name(row["name"], where), version=row["version"], title=row["title"], status=row["status"],
        runs_at=row["runs_at"], initial=row["initial"], final=frozenset(texts(row["final"], where=where)),
        states={name: _state(_name(name, where), body, where) for name, body in row["states"].items()},
        transitions=tuple(_transition(body, where) for body in row["transitions"]),
        guards=guards,
        fields=tuple(_field(body, where) for body in row["fields"]),
        deadlines=tuple(_rule(body, where) for body in row["deadlines"]),
        refusals=tuple(_refusal(body, where) for body in row["refusals"]),
        not_grounds=tuple(_refusal(body, where) for body in row["not_grounds"]),
        safeguards=tuple(_safeguard(body, where) for body in row["safeguards"]),
        source=row["source"], confidence=_confidence(row["confidence"], where),
    )  # fmt: skip
    check(found)
    return found


def parse_term(text: Any, *, where: str) -> timedelta:
    """Read "72 h", "60 d" or "30 min"."""
    found = _TERM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InputError.because(expected="a term such as 72 h, 60 d or 30 min", got=repr(text), where=where)
    return int(found[1]) * _UNITS[found[2]]


def _state(name: str, body: Any, where: str) -> State:
    row = _keys(body, where, needs={"text"}, may={"holds"})
    if row.get("holds", "money") not in ("money", "person", "data"):
        raise InputError.because(expected="holds: money, person or data", got=repr(row["holds"]), where=where)
    return State(name=name, text=row["text"], holds=row.get("holds", ""))


def _transition(body: Any, where: str) -> Transition:
    lists = {"guards", "clears", "restarts"}
    row = _keys(body, where, needs={"from", "event", "to", "who", "text"}, may=lists)
    return Transition(
        source=row["from"],
        event=_name(row["event"], where),
        target=row["to"],
        who=row["who"],
        text=row["text"],
        **{key: texts(row.get(key, []), where=where) for key in lists},
    )


def _guard(name: str, body: Any, where: str) -> Guard:
    row = _keys(body, where, needs={"text", "all"}, may={"article", "any"})
    tests = [
        tuple(_condition(one, f"{where} guard {name}") for one in row.get(key, [])) for key in ("all", "any")
    ]
    if not any(tests):
        raise InputError.because(expected="a guard with conditions", got=f"{name}, always open", where=where)
    return Guard(name=name, text=row["text"], article=row.get("article", ""), all=tests[0], any=tests[1])


def _condition(body: Any, where: str) -> Condition:
    row = _keys(body, where, needs={"op"}, may={"fact", "value"})
    needs_fact = row["op"] != "complete"
    needs_value = row["op"] not in ("present", "complete", "declared_refusal")
    if row["op"] not in OPERATIONS or needs_fact != ("fact" in row) or needs_value != ("value" in row):
        raise InputError.because(
            expected=f"one of {sorted(OPERATIONS)} with its fact and value", got=str(row), where=where
        )
    value, kind = row.get("value"), _VALUE_TYPES.get(row["op"])
    if kind is not None and type(value) is not kind:
        raise InputError.because(expected=f"a value of type {kind.__name__}", got=repr(value), where=where)
    return Condition(
        fact=row.get("fact", ""), op=row["op"], value=tuple(value) if isinstance(value, list) else value
    )


def _field(body: Any, where: str) -> Field:
    row = _keys(body, where, needs={"name", "text", "required"}, may={"article"})
    if not isinstance(row["required"], bool):
        raise InputError.because(expected="required: true or false", got=repr(row["required"]), where=where)
    return Field(name=row["name"], text=row["text"], article=row.get("article", ""), required=row["required"])


def _rule(body: Any, where: str) -> Rule:
    needs = {"rule", "states", "event", "after", "kind", "source", "confidence"}
    row = _keys(body, where, needs=needs, may={"when", "configurable", "hours_from", "at_most"})
    place = f"{where} deadline {row['rule']}"
    if row["kind"] not in ("L", "T") or not row["source"]:
        raise InputError.because(expected="kind L or T, with a source", got=repr(row["kind"]), where=place)
    return Rule(
        rule=_name(row["rule"], place),
        states=frozenset(texts(row["states"], where=place)),
        event=row["event"],
        after=parse_term(row["after"], where=place),
        kind=row["kind"],
        source=row["source"],
        confidence=_confidence(row["confidence"], place),
        when=tuple(_condition(one, place) for one in row.get("when", [])),
        configurable=row.get("configurable", False) is True,
        hours_from=row.get("hours_from", ""),
        at_most=parse_term(row["at_most"], where=place) if "at_most" in row else None,
    )


def _refusal(body: Any, where: str) -> Refusal:
    row = _keys(body, where, needs={"code", "text", "article"}, may=set())
    return Refusal(code=_name(row["code"], where), text=row["text"], article=row["article"])


def _safeguard(body: Any, where: str) -> Safeguard:
    row = _keys(body, where, needs={"text"}, may={"by"})
    return Safeguard(text=row["text"], by=row.get("by", ""))


def _keys(body: Any, where: str, *, needs: set[str], may: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict) or not needs <= set(body) <= needs | may:
        got = sorted(body) if isinstance(body, dict) else type(body).__name__
        raise InputError.because(
            expected=f"the keys {sorted(needs)}, perhaps {sorted(may)}", got=str(got), where=where
        )
    return body


def _name(text: Any, where: str) -> str:
    if not isinstance(text, str) or _NAME.fullmatch(text) is None:
        raise InputError.because(expected="a name in small letters", got=repr(text), where=where)
    return text


def _confidence(text: Any, where: str) -> str:
    if text not in ("high", "medium", "low"):
        raise InputError.because(expected="high, medium or low", got=repr(text), where=where)
    return str(text)
