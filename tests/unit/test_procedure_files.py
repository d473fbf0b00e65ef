"""Procedure files: what ships is what was gathered and more; what is malformed or could hold for ever is
refused.
"""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comity.errors import InputError, NotFound
from comity.law.files import read_json
from comity.law.procedure_files import all_procedures, parse_procedure, parse_term, procedure
from comity.law.procedure_page import diagram, page, reference

_DRAFTS = [
    "a_p2p", "b_fiu", "c_freeze", "d_preserve", "e_mla", "f_asset", "g_extrad", "h_handover", "i_jit", "j_victim",
    "k_notice", "l_ccf",
]  # fmt: skip
_REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "procedures.md"


def _freeze() -> dict[str, Any]:
    row = read_json("procedures", "urgent_freeze.json")
    assert isinstance(row, dict)
    return copy.deepcopy(row)


def _way(row: dict[str, Any], source: str, event: str) -> dict[str, Any]:
    (found,) = [one for one in row["transitions"] if (one["from"], one["event"]) == (source, event)]
    assert isinstance(found, dict)
    return found


def _rule(row: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in row["deadlines"] if one["rule"] == name]
    assert isinstance(found, dict)
    return found


def test_two_run_and_twelve_are_drafts() -> None:
    status = {one.name: one.status for one in all_procedures()}
    assert sorted(name for name in status if status[name] == "running") == ["trace_and_hold", "urgent_freeze"]
    assert sorted(name for name in status if status[name] == "draft") == _DRAFTS


@pytest.mark.parametrize("name", _DRAFTS)
def test_a_draft_says_who_decides_what_is_asked_and_what_protects(name: str) -> None:
    one = procedure(name)
    assert one.fields
    assert one.safeguards
    assert one.guards
    assert all(move.who and move.text for move in one.transitions)
    assert all(rule.source and rule.confidence for rule in one.deadlines)


def test_known_terms() -> None:
    def term(name: str, rule: str) -> tuple[timedelta, str]:
        (found,) = [one for one in procedure(name).deadlines if one.rule == rule]
        return found.after, found.kind

    assert term("urgent_freeze", "hold-lapse") == (timedelta(hours=72), "T")
    assert term("trace_and_hold", "acknowledge-urgent") == (timedelta(hours=2), "T")
    assert term("trace_and_hold", "answer-urgent") == (timedelta(hours=24), "T")
    assert term("d_preserve", "preservation") == (timedelta(days=60), "L")
    assert term("g_extrad", "provisional-arrest") == (timedelta(days=18), "L")
    assert term("j_victim", "reflection") == (timedelta(days=30), "L")
    assert term("l_ccf", "correction")[1] == "L"
    assert term("e_mla", "acknowledge") == (timedelta(days=5), "T")


def test_bank_secrecy_is_never_a_ground_of_refusal() -> None:
    for one in all_procedures():
        assert not any("secrecy" in ground.text for ground in one.refusals)
    assert "bank-secrecy" in {one.code for one in procedure("e_mla").not_grounds}


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(NotFound, match="trace_and_hold, urgent_freeze"):
        procedure("freeze")


def _no_lapse(row: dict[str, Any]) -> None:
    row["deadlines"] = [one for one in row["deadlines"] if one["rule"] != "hold-lapse"]
    row["safeguards"] = []


def _conditional_lapse(row: dict[str, Any]) -> None:
    _rule(row, "hold-lapse")["when"] = [{"fact": "urgent", "op": "equals", "value": True}]


def _guarded_lapse(row: dict[str, Any]) -> None:
    _way(row, "held", "lapse")["guards"] = ["release-reasoned"]


def _lapse_to_hold(row: dict[str, Any]) -> None:
    _way(row, "held", "lapse")["to"] = "ordered"


def _cleared_lapse(row: dict[str, Any]) -> None:
    _way(row, "held", "tell_holder")["clears"] = ["hold-lapse"]


def _restarted_lapse(row: dict[str, Any]) -> None:
    _way(row, "held", "tell_holder")["restarts"] = ["hold-lapse"]


def _unguarded_renewal(row: dict[str, Any]) -> None:
    del _way(row, "ordered", "renew")["guards"], row["guards"]["renewal-decided"]


def _back_to_held(row: dict[str, Any]) -> None:
    again = {"from": "ordered", "event": "again", "to": "held", "who": "x", "text": "A new term"}
    row["transitions"].append(again)


def _lapse_spent_before(row: dict[str, Any]) -> None:
    """Set in `requested`, fired there without leaving: it would not be set again on entering `held`."""
    _rule(row, "hold-lapse")["states"] = ["requested", "held"]
    spent = {"from": "requested", "event": "lapse", "to": "requested", "who": "the clock", "text": "x"}
    row["transitions"].append(spent)


def _final_hold(row: dict[str, Any]) -> None:
    row["states"]["lapsed"]["holds"] = "money"


@pytest.mark.parametrize(
    "spoil",
    [
        _no_lapse, _conditional_lapse, _guarded_lapse, _lapse_to_hold, _cleared_lapse, _restarted_lapse,
        _unguarded_renewal, _back_to_held, _lapse_spent_before, _final_hold,
    ],
)  # fmt: skip
def test_a_hold_that_could_stay_for_ever_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    row = _freeze()
    spoil(row)
    with pytest.raises(InputError, match=r"hold|term"):
        parse_procedure(json.dumps(row))


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(row: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        target: Any = row
        for part in parents:
            target = target[int(part) if part.isdigit() else part]
        target[int(last) if last.isdigit() else last] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_set("states/lost", {"text": "x"}), "no dead end"),
        (_set("final", ["released"]), "no dead end"),
        (_set("final", ["released", "held"]), "final states without exits|no dead end"),
        (_set("initial", "nowhere"), "undeclared"),
        (_set("transitions/0/to", "nowhere"), "undeclared"),
        (_set("transitions/0/guards", ["nothing"]), "undeclared"),
        (_set("transitions/0/restarts", ["nothing"]), "undeclared"),
        (_set("transitions/1/event", "place"), "one way for each event"),
        (_set("deadlines/0/event", "nothing"), "fire an event"),
        (_set("deadlines/0/event", ""), "an event for the deadline"),
        (_set("deadlines/0/states", ["nowhere"]), "undeclared"),
        (_set("deadlines/0/after", "72"), "a term such as"),
        (_set("deadlines/0/after", "0 h"), "a term such as"),
        (_set("deadlines/0/kind", "X"), "kind L or T"),
        (_set("deadlines/0/rule", "hold-lapse"), "each deadline once"),
        (_set("deadlines/0/confidence", "sure"), "high, medium or low"),
        (_set("guards/holder-told", {"text": "x", "all": []}), "always open"),
        (_set("guards/spare", {"text": "x", "all": [{"op": "complete"}]}), "stand before a transition"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "eval", "value": "1"}), "one of"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "equals"}), "with its fact and value"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "in", "value": "abc"}), "of type list"),
        (_set("safeguards/0/by", "hope"), "undeclared"),
        (_set("status", "ready"), "running or draft"),
        (_set("surprise", 1), "surprise"),
        (_set("version", True), "version"),
        (_set("states/held/holds", "breath"), "money, person or data"),
    ],
)
def test_a_malformed_procedure_is_refused(spoil: Callable[[dict[str, Any]], None], said: str) -> None:
    row = _freeze()
    spoil(row)
    with pytest.raises(InputError, match=said):
        parse_procedure(json.dumps(row))


def test_a_state_nobody_reaches_or_leaves_is_refused() -> None:
    row = _freeze()
    row["states"] |= {"island": {"text": "x"}, "trap": {"text": "x"}}
    loop = {"from": "island", "event": "go", "to": "released", "who": "x", "text": "x"}
    row["transitions"].append(loop)
    row["transitions"].append({"from": "requested", "event": "in", "to": "trap", "who": "x", "text": "x"})
    row["transitions"].append({"from": "trap", "event": "on", "to": "trap", "who": "x", "text": "x"})
    with pytest.raises(InputError, match=r"not reached: \['island'\]"):
        parse_procedure(json.dumps(row))
    loop["from"] = "trap"
    del row["states"]["island"]
    row["transitions"].remove(loop)
    with pytest.raises(InputError, match=r"none from: \['trap'\]"):
        parse_procedure(json.dumps(row))


def test_terms() -> None:
    assert parse_term("30 min", where="") == timedelta(minutes=30)
    assert parse_term("60 d", where="") == timedelta(days=60)
    for bad in ("60d", "-1 h", "1.5 h", "1 w", 3, None, "٣ h"):
        with pytest.raises(InputError):
            parse_term(bad, where="")


def test_the_diagram_shows_every_event_and_marks_what_holds() -> None:
    one = procedure("urgent_freeze")
    drawn = diagram(one)
    assert drawn.startswith("```mermaid\nstateDiagram-v2\n    [*] --> requested\n")
    assert drawn.count(" : ") == len(one.transitions)
    assert "class held,ordered holds" in drawn
    assert "    lapsed --> [*]" in drawn


def test_the_page_says_everything_that_the_object_holds() -> None:
    for one in all_procedures():
        said = page(one)
        for part in (*one.states, *one.guards, *(rule.rule for rule in one.deadlines)):
            assert f"`{part}`" in said
        for text in (*(ground.text for ground in one.refusals), *(safe.text for safe in one.safeguards)):
            assert text in said


def test_the_reference_is_current() -> None:
    assert _REFERENCE.read_text(encoding="utf-8") == reference(), (
        "run: python -m comity.law.procedure_page > docs/reference/procedures.md"
    )
