"""Whatever the source records has its own sentence: the kinds are read out of the source."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import comity
from comity.exchange.delivery import Next
from comity.exchange.receipt import Status
from comity.law import procedure
from comity.model import Event
from comity.node.hold import _kind
from comity.node.pages.event_words import _WORDS, summary_of
from tests.nodes.clock import START

SOURCE = Path(comity.__file__).parent
KIND = re.compile(r"[a-z-]+\.[a-z-]+")
HOLD_MOVES = procedure("urgent_freeze").transitions
REQUEST_MOVES = procedure("trace_and_hold").transitions
OPEN = {
    "f'message.{receipt.status.value}'": {f"message.{one.value}" for one in Status},
    "f'message.{how.value}'": {f"message.{one.value}" for one in Next if one is not Next.RETRY},
    "f'attachment.{state.value}'": {f"attachment.{one}" for one in ("whole", "failed", "erased")},
    "f'consent.{row.state}'": {"consent.granted", "consent.refused", "consent.withdrawn"},
    "f'consent.{state}'": {"consent.granted", "consent.refused", "consent.withdrawn"},
    "_kind(before, hold.state, event)": {_kind(one.source, one.target, one.event) for one in HOLD_MOVES},
    "f'request.{(moved.state if moved.state != before else event)}'.replace('_', '-')": {
        f"request.{one.target if one.source != one.target else one.event}".replace("_", "-")
        for one in REQUEST_MOVES
    },
}
"""Kinds that are put together while the node runs, and what they may be."""


def test_every_kind_of_event_that_the_source_records_has_its_own_sentence() -> None:
    kinds = recorded_kinds()
    assert {
        "hold.placed",
        "hold.renew",
        "alarm.message-unread",
        "consent.unanswered",
        "message.refused",
    } <= kinds
    assert {"attachment.whole", "request.answer-overdue", "witness-policy.removed", "peer.pinned"} <= kinds
    assert kinds - _WORDS.keys() == set()


@pytest.mark.parametrize("kind", sorted(_WORDS))
def test_a_sentence_needs_nothing_that_its_event_does_not_say(kind: str) -> None:
    body = Body()
    if kind == "request.drafted":
        body["basis"] = {"instrument": "UNTOC"}
    said = summary_of(Event(id="event-1", at=START, kind=kind, case_id="", actor="node", body=body))
    assert said.strip()
    assert "{" not in said
    for fields in fields_of(kind):
        assert body.asked <= fields


class Body(dict[str, Any]):
    """A body with any field that is asked for, which remembers what was asked for."""

    several = ("fields", "files", "joined", "left", "rekeyed", "members", "peers", "told", "audience")
    numbers = ("amount_minor", "attempts", "events", "messages", "open", "rows", "size", "transfers")

    def __init__(self) -> None:
        self.asked: set[str] = set()
        super().__init__(amounts={"CAD": 700}, revoked=[{"member": "hk", "reason": "lost"}], refusal={})
        self.update(dict.fromkeys(self.numbers, 7), **{name: ["a", "b"] for name in self.several})

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name) if name in self else name


@cache
def calls() -> tuple[ast.Call, ...]:
    """Every call of a method `record` in the source."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(SOURCE.rglob("*.py"))]
    every = (one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.Call))
    return tuple(one for one in every if getattr(one.func, "attr", "") == "record" and len(one.args) > 1)


def fields_of(kind: str) -> Iterator[set[str]]:
    """The fields of the body wherever the source records an event of exactly this kind, in one place."""
    for call in calls():
        names = {one.arg for one in call.keywords}
        if isinstance(call.args[1], ast.Constant) and call.args[1].value == kind and None not in names:
            yield {str(name) for name in names} - {"case_id", "actor"}


def recorded_kinds() -> set[str]:
    """What `record` and what goes by that name is called with, in the whole source."""
    found: set[str] = set()
    unknown: set[str] = set()
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in [
            one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        ]:
            for call in [one for one in ast.walk(function) if isinstance(one, ast.Call) and records(one)]:
                for argument in call.args:
                    kinds, open_ = kinds_in(argument, function, tree)
                    found |= kinds
                    unknown |= open_
    assert unknown == OPEN.keys()
    return found.union(*OPEN.values())


def records(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return "record" in name.split("_") or name.lstrip("_").startswith("record")


def kinds_in(said: ast.expr, function: ast.AST, tree: ast.AST) -> tuple[set[str], set[str]]:
    """The kinds that an argument may be, and what in it must be looked up in `OPEN`."""
    if isinstance(said, ast.Name):
        given = [
            one.value for scope in (function, tree) for one in ast.walk(scope)
            if isinstance(one, ast.Assign) and any(said.id in names_in(to) for to in one.targets)
        ]  # fmt: skip
        return {kind for value in given for kind in constants(value)}, set()
    if isinstance(said, ast.Constant | ast.IfExp):
        return constants(said), set()
    text = ast.unparse(said)
    return set(), {text} if isinstance(said, ast.JoinedStr | ast.Call) and (
        "_kind(" in text or "f'" in text
    ) else set()


def names_in(target: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}


def constants(said: ast.AST) -> set[str]:
    every = [one.value for one in ast.walk(said) if isinstance(one, ast.Constant)]
    return {one for one in every if isinstance(one, str) and KIND.fullmatch(one)}
