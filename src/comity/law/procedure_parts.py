"""Read the parts of a procedure file, each strictly: unknown keys, other types and unknown words are errors.
Format: spec/procedure.md.
"""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from comity.errors import InputError
from comity.law import safeguards
from comity.law.conditions import OPERATIONS, Condition, Guard
from comity.law.files import texts
from comity.law.procedures import Document, Field, Refusal, Rule, Safeguard, State, Transition
from comity.model import Role

SIDES = ("requesting", "requested")
_TERM = re.compile(r"([1-9]\d{0,4}) (min|h|d)", re.ASCII)
_WORKING_DAYS = re.compile(r"([1-9]\d{0,2}) wd", re.ASCII)
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_NAME = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_VALUE_TYPES: Mapping[str, type] = {
    "in": list, "at_least": int, "distinct": int, "same_as": str, "different_from": str, "safeguard": str,
}  # fmt: skip


def state(name_: str, body: Any, where: str) -> State:
    row = _keys(body, where, needs={"text"}, may={"holds", "lead"})
    holds = among(row["holds"], ("money", "person", "data"), where) if "holds" in row else ""
    lead = among(row.get("lead", "requested"), SIDES, where)
    return State(name=name_, text=_text(row["text"], where), holds=holds, lead=lead)


def transitions(body: Any, where: str) -> tuple[Transition, ...]:
    """One for each state of `from`; without `to` the state stays."""
    lists = {"guards", "clears", "restarts", "roles", "records"}
    row = _keys(body, where, needs={"from", "event", "who", "text"}, may=lists | {"side", "to"})
    place = f"{where} {row['from']} {row['event']}"
    for role in row.get("roles", []):
        among(role, tuple(Role), place)
    sources = texts(row["from"] if isinstance(row["from"], list) else [row["from"]], where=place)
    if not sources or len(set(sources)) != len(sources):
        raise InputError.because(
            expected="from: a state, or several, each once", got=repr(sources), where=where
        )
    return tuple(_transition(name(source, place), row, lists, place) for source in sources)


def _transition(source: str, row: Mapping[str, Any], lists: Collection[str], place: str) -> Transition:
    return Transition(
        source=source,
        event=name(row["event"], place),
        target=name(row.get("to", source), place),
        who=_text(row["who"], place),
        text=_text(row["text"], place),
        side=among(row.get("side", "either"), (*SIDES, "either", "clock"), place),
        **{key: texts(row.get(key, []), where=place) for key in lists},
    )


def guard(name_: str, body: Any, where: str) -> Guard:
    place = f"{where} guard {name_}"
    row = _keys(body, place, needs={"text", "all"}, may={"article", "any"})
    tests = [tuple(condition(one, place) for one in _list(row.get(key, []), place)) for key in ("all", "any")]
    if not any(tests):
        raise InputError.because(expected="a guard with conditions", got=f"{name_}, always open", where=where)
    return Guard(
        name=name_,
        text=_text(row["text"], place),
        article=_text(row.get("article", ""), place),
        all=tests[0],
        any=tests[1],
    )


def condition(body: Any, where: str) -> Condition:
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
    if row["op"] == "safeguard":
        safeguards.table(row["value"])
    return Condition(
        fact=_text(row.get("fact", ""), where),
        op=row["op"],
        value=tuple(value) if isinstance(value, list) else value,
    )


def field(body: Any, where: str) -> Field:
    row = _keys(body, where, needs={"name", "text", "required"}, may={"article"})
    if not isinstance(row["required"], bool):
        raise InputError.because(expected="required: true or false", got=repr(row["required"]), where=where)
    return Field(
        name=name(row["name"], where),
        text=_text(row["text"], where),
        article=_text(row.get("article", ""), where),
        required=row["required"],
    )


def rule(body: Any, where: str) -> Rule:
    needs = {"rule", "states", "event", "after", "kind", "source", "confidence"}
    may = {"when", "configurable", "hours_from", "at_most", "remind", "escalate"}
    row = _keys(body, where, needs=needs, may=may)
    place = f"{where} deadline {row['rule']}"
    if row["kind"] not in ("L", "T") or not row["source"]:
        raise InputError.because(expected="kind L or T, with a source", got=repr(row["kind"]), where=place)
    working_days = parse_working_days(row["after"])
    if working_days and {"configurable", "hours_from", "at_most"} & set(row):
        raise InputError.because(
            expected="a fixed term where it is in working days", got=row["after"], where=place
        )
    return Rule(
        rule=name(row["rule"], place),
        states=frozenset(texts(row["states"], where=place)),
        event=_text(row["event"], place),
        after=timedelta(0) if working_days else parse_term(row["after"], where=place),
        kind=row["kind"],
        source=_text(row["source"], place),
        confidence=confidence(row["confidence"], place),
        when=tuple(condition(one, place) for one in _list(row.get("when", []), place)),
        configurable=row.get("configurable", False) is True,
        hours_from=_text(row.get("hours_from", ""), place),
        at_most=parse_term(row["at_most"], where=place) if "at_most" in row else None,
        working_days=working_days,
        remind=parse_term(row["remind"], where=place) if "remind" in row else None,
        escalate=among(row["escalate"], tuple(Role), place) if "escalate" in row else "",
    )


def refusal(body: Any, where: str) -> Refusal:
    row = _keys(body, where, needs={"code", "text", "article"}, may=set())
    return Refusal(
        code=name(row["code"], where), text=_text(row["text"], where), article=_text(row["article"], where)
    )


def safeguard(body: Any, where: str) -> Safeguard:
    row = _keys(body, where, needs={"text"}, may={"by"})
    return Safeguard(text=_text(row["text"], where), by=_text(row.get("by", ""), where))


def document(body: Any, where: str) -> Document:
    row = _keys(body, where, needs={"name", "title", "event"}, may=set())
    return Document(
        name=name(row["name"], where), title=_text(row["title"], where), event=name(row["event"], where)
    )


def parse_term(text: Any, *, where: str) -> timedelta:
    """Read "72 h", "60 d" or "30 min"."""
    found = _TERM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InputError.because(
            expected="a term such as 72 h, 60 d, 30 min or, after what, 5 wd", got=repr(text), where=where
        )
    return int(found[1]) * _UNITS[found[2]]


def parse_working_days(text: Any) -> int:
    """Read "5 wd"; 0 where it is not in working days."""
    found = _WORKING_DAYS.fullmatch(text) if isinstance(text, str) else None
    return int(found[1]) if found is not None else 0


def name(text: Any, where: str) -> str:
    if not isinstance(text, str) or _NAME.fullmatch(text) is None:
        raise InputError.because(expected="a name in small letters", got=repr(text), where=where)
    return text


def among(text: Any, known: Collection[str], where: str) -> str:
    if not isinstance(text, str) or text not in known:
        raise InputError.because(expected=f"one of {', '.join(known)}", got=repr(text), where=where)
    return text


def confidence(text: Any, where: str) -> str:
    return among(text, ("high", "medium", "low"), where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError.because(expected="a text", got=repr(value)[:80], where=where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError.because(expected="a list", got=repr(value)[:80], where=where)
    return value


def _keys(body: Any, where: str, *, needs: set[str], may: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict) or not needs <= set(body) <= needs | may:
        got = sorted(body) if isinstance(body, dict) else type(body).__name__
        raise InputError.because(
            expected=f"the keys {sorted(needs)}, perhaps {sorted(may)}", got=str(got), where=where
        )
    return body
