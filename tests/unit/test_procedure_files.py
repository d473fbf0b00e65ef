"""Procedure files: what ships is what was gathered and more; what is malformed or could hold for ever is
refused.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comity.errors import InputError, NotFound
from comity.law.files import read_text
from comity.law.procedure_files import all_procedures, parse_procedure, procedure, text_of
from comity.law.procedure_page import diagram, page, reference, write
from comity.law.procedure_parts import parse_term, parse_working_days
from comity.law.strict_yaml import parse_yaml
from comity.model import Role

_OF_TWO = [
    "asset_recovery", "complaint", "extradition", "fiu_request", "freeze_request", "handover", "joint_team", "mla",
    "notice", "police_information", "preservation", "victim_referral",
]  # fmt: skip
_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def _freeze() -> dict[str, Any]:
    row = parse_yaml(read_text("procedures", "urgent_freeze.yaml"), where="urgent_freeze.yaml")
    assert isinstance(row, dict)
    return row


def _way(row: dict[str, Any], source: str, event: str) -> dict[str, Any]:
    (found,) = [one for one in row["transitions"] if (one["from"], one["event"]) == (source, event)]
    assert isinstance(found, dict)
    return found


def _rule(row: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in row["deadlines"] if one["rule"] == name]
    assert isinstance(found, dict)
    return found


def test_all_fourteen_run_twelve_of_them_between_two_nodes() -> None:
    assert [one.name for one in all_procedures() if one.sides == "two"] == _OF_TWO
    assert [one.name for one in all_procedures() if one.sides == "one"] == ["trace_and_hold", "urgent_freeze"]
    assert {one.status for one in all_procedures()} == {"running"}
    assert {one.version for one in all_procedures()} == {1}


@pytest.mark.parametrize("name", _OF_TWO)
def test_each_says_who_decides_what_is_asked_and_what_protects(name: str) -> None:
    one = procedure(name)
    assert one.fields
    assert one.documents
    assert one.safeguards
    assert one.guards
    assert one.refusals
    assert all(move.who and move.text for move in one.transitions)
    assert all(Role(role) for move in one.transitions for role in move.roles)
    assert all(bool(move.roles) is (move.side != "clock") for move in one.transitions)
    assert all(rule.source and rule.confidence and rule.escalate for rule in one.deadlines)
    assert one.confidence == "medium", "nobody has compared the articles with their texts"


@pytest.mark.parametrize("name", _OF_TWO)
def test_each_is_drafted_by_one_sent_by_another_and_can_be_withdrawn(name: str) -> None:
    one = procedure(name)
    ways = {(move.source, move.event): move for move in one.transitions}
    assert ways["draft", "submit"].side == ways["review", "send"].side == "requesting"
    assert {"fields-complete", "four-eyes"} <= set(ways["review", "send"].guards)
    assert ways["draft", "withdraw"].target == "dropped"
    assert [state for state, event in ways if event == "withdraw" and state not in ("draft", "review")]
    assert [move for move in one.transitions if move.event == "extend"]
    assert [move for move in one.transitions if move.event == "ask"]
    assert [move for move in one.transitions if move.event == "supply" and move.side == "requesting"]


def test_known_terms() -> None:
    def term(name: str, rule: str) -> tuple[timedelta, str]:
        (found,) = [one for one in procedure(name).deadlines if one.rule == rule]
        return found.after, found.kind

    assert term("urgent_freeze", "hold-lapse") == (timedelta(hours=72), "T")
    assert term("trace_and_hold", "acknowledge-urgent") == (timedelta(hours=2), "T")
    assert term("trace_and_hold", "answer-urgent") == (timedelta(hours=24), "T")
    assert term("preservation", "preservation") == (timedelta(days=60), "L")
    assert term("extradition", "provisional-arrest") == (timedelta(days=40), "L")
    assert term("victim_referral", "reflection") == (timedelta(days=30), "L")
    assert term("complaint", "access") == (timedelta(days=120), "L")
    assert term("complaint", "correction") == (timedelta(days=273), "L")
    assert term("freeze_request", "hold-lapse") == (timedelta(hours=72), "T")
    (acknowledge,) = [one for one in procedure("mla").deadlines if one.rule == "acknowledge"]
    assert (acknowledge.working_days, acknowledge.after) == (5, timedelta(0))
    assert (acknowledge.remind, acknowledge.escalate) == (timedelta(hours=24), "central-authority")


def test_the_digest_is_of_the_text_that_ships() -> None:
    for one in all_procedures():
        assert one.digest == hashlib.sha256(text_of(one.name).encode("utf-8")).hexdigest()
    changed = text_of("mla").replace("It is received", "It was received")
    assert parse_procedure(changed).digest != procedure("mla").digest


def test_bank_secrecy_is_never_a_ground_of_refusal() -> None:
    for one in all_procedures():
        assert not any("secrecy" in ground.text for ground in one.refusals)
    assert "bank-secrecy" in {one.code for one in procedure("mla").not_grounds}


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(NotFound, match="trace_and_hold, urgent_freeze, victim_referral"):
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
        (_set("deadlines/0/confidence", "sure"), "high, medium, low"),
        (_set("guards/holder-told", {"text": "x", "all": []}), "always open"),
        (_set("guards/spare", {"text": "x", "all": [{"op": "complete"}]}), "stand before a transition"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "eval", "value": "1"}), "one of"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "equals"}), "with its fact and value"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "in", "value": "abc"}), "of type list"),
        (_set("safeguards/0/by", "hope"), "undeclared"),
        (_set("status", "ready"), "running or draft"),
        (_set("surprise", 1), "surprise"),
        (_set("version", True), "version"),
        (_set("states/held/holds", "breath"), "money, person, data"),
        (_set("states/held/lead", "both"), "one of requesting, requested"),
        (_set("states/held/lead", "requesting"), "no lead in a procedure of one side"),
        (_set("sides", "three"), "one of one, two"),
        (_set("transitions/0/side", "ours"), "one of requesting, requested, either, clock"),
        (_set("transitions/0/side", "requested"), "of one side"),
        (_set("transitions/0/roles", ["king"]), "one of analyst"),
        (_set("transitions/0/roles", ["analyst"]), "of one side"),
        (_set("transitions/0/from", []), "a state, or several"),
        (_set("transitions/0/from", ["requested", "requested"]), "each once"),
        (_set("transitions/0/event", "Place"), "a name in small letters"),
        (_set("transitions/0/text", 3), "a text"),
        (_set("deadlines/0/after", "5 wd"), "a fixed term where it is in working days"),
        (_set("deadlines/0/remind", "2 wd"), "a term such as"),
        (_set("deadlines/0/escalate", "everybody"), "one of analyst"),
        (_set("deadlines/0/when", {}), "a list"),
        (
            _set("documents", [{"name": "letter", "title": "x", "event": "nothing"}]),
            "for the document letter",
        ),
        (_set("steps", ["flying"]), "steps among"),
        (_set("guards/holder-told/all/0", {"fact": "x", "op": "safeguard", "value": "luck"}), "'luck'"),
        (_set("not_grounds/0/code", "sovereignty"), "each refusal once"),
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
    assert parse_working_days("5 wd") == 5
    for bad in ("60d", "-1 h", "1.5 h", "1 w", 3, None, "٣ h", "5 wd"):
        with pytest.raises(InputError):
            parse_term(bad, where="")
    for other in ("60 d", "0 wd", "5wd", "٥ wd", 5, None, "1000 wd"):
        assert parse_working_days(other) == 0


def test_without_a_target_the_state_stays_and_several_states_are_written_once() -> None:
    (first, second) = [one for one in procedure("joint_team").transitions if one.event == "abandon"]
    assert (first.source, second.source) == ("drafting", "half_signed")
    assert replace(first, source="") == replace(second, source="")
    (loop,) = [one for one in procedure("mla").transitions if one.event == "report_progress"]
    assert loop.source == loop.target == "executing"


def test_the_diagram_shows_every_event_and_marks_what_holds() -> None:
    for one in all_procedures():
        drawn = diagram(one)
        assert drawn.startswith(f"```mermaid\nstateDiagram-v2\n    [*] --> {one.initial}\n")
        for move in one.transitions:
            assert re.search(
                rf"^    {move.source} --> {move.target} : .*\b{move.event}\b", drawn, re.MULTILINE
            )
    drawn = diagram(procedure("urgent_freeze"))
    assert "class held,ordered holds" in drawn
    assert "    lapsed --> [*]" in drawn
    assert "class draft,review,dropped requesting" in diagram(procedure("handover"))


def test_the_page_says_everything_that_the_object_holds() -> None:
    for one in all_procedures():
        said = page(one)
        events = {move.event for move in one.transitions}
        fields = [field.name for field in one.fields]
        for part in (*one.states, *events, *one.guards, *fields, *(rule.rule for rule in one.deadlines)):
            assert f"`{part}`" in said
        for text in (
            *(ground.text for ground in (*one.refusals, *one.not_grounds)),
            *(safe.text for safe in one.safeguards),
            *(move.text for move in one.transitions),
            *(document.title for document in one.documents),
        ):
            assert text in said


def test_the_reference_is_current() -> None:
    found = {
        str(file.relative_to(_REFERENCE)): file.read_text(encoding="utf-8")
        for file in (_REFERENCE / "procedures.md", *(_REFERENCE / "procedures").glob("*.md"))
    }
    assert found == reference(), "run: python -m comity.law.procedure_page docs/reference"


def test_writing_the_reference_takes_away_what_is_no_more(tmp_path: Path) -> None:
    (tmp_path / "procedures").mkdir()
    (tmp_path / "procedures" / "old.md").write_text("gone")
    write(tmp_path)
    assert not (tmp_path / "procedures" / "old.md").exists()
    assert (tmp_path / "procedures" / "mla.md").is_file()
