"""The safeguards, over every combination of facts there is: one row each, and unknown is never clear."""

import copy
from pathlib import Path
from typing import Any

import pytest

from comity.errors import InputError
from comity.law.files import read_json
from comity.law.safeguard_page import reference
from comity.law.safeguards import (
    STEPS,
    UNKNOWN,
    Outcome,
    Table,
    combinations,
    decide,
    load_table,
    table,
    tables,
    tables_for,
    worst,
)

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "safeguards.md"
_TABLES = tuple(tables().values())


@pytest.mark.parametrize("one", _TABLES, ids=lambda one: one.name)
def test_exactly_one_row_applies_to_every_combination(one: Table) -> None:
    used = set()
    for facts in combinations(one.facts):
        applying = [number for number, row in enumerate(one.rows) if row.applies(facts)]
        assert len(applying) == 1, facts
        used.update(applying)
    assert used == set(range(len(one.rows))), "a row that never applies"


@pytest.mark.parametrize("one", _TABLES, ids=lambda one: one.name)
def test_unknown_is_never_clear(one: Table) -> None:
    for facts in combinations(one.facts):
        decision = decide(one, facts)
        if UNKNOWN in facts.values():
            assert decision.outcome is not Outcome.CLEAR, facts
            assert decision.open
        else:
            assert decision.outcome is not Outcome.UNKNOWN, facts


@pytest.mark.parametrize("one", _TABLES, ids=lambda one: one.name)
def test_learning_more_never_takes_back_what_was_barred(one: Table) -> None:
    for facts in combinations(one.facts):
        if decide(one, facts).outcome is not Outcome.BARRED:
            continue
        for name in (name for name, answer in facts.items() if answer == UNKNOWN):
            for answer in ("yes", "no"):
                assert decide(one, {**facts, name: answer}).outcome is Outcome.BARRED, (facts, name, answer)


@pytest.mark.parametrize("one", _TABLES, ids=lambda one: one.name)
def test_a_table_can_clear_and_can_stop_and_says_why(one: Table) -> None:
    outcomes = {row.outcome for row in one.rows}
    assert {Outcome.CLEAR, Outcome.UNKNOWN} <= outcomes
    assert outcomes & {Outcome.BARRED, Outcome.CONDITION, Outcome.DISCRETION}
    assert decide(one, {}).outcome is Outcome.UNKNOWN
    for row in one.rows:
        assert row.reason
        assert row.article or row.outcome is Outcome.UNKNOWN
        assert row.then or row.outcome not in (Outcome.CONDITION, Outcome.DISCRETION, Outcome.UNKNOWN)
    assert one.source
    assert not one.verified


def test_nationality_decides_nothing_but_in_the_table_on_own_nationals() -> None:
    for one in _TABLES:
        asked = [fact.name for fact in one.facts if "national" in fact.name]
        assert asked == (["national"] if one.name == "nationals" else [])


def test_the_safeguards_of_the_issue_are_there_and_stand_before_what_they_guard() -> None:
    assert set(tables()) == {
        "torture", "persecution", "political_offence", "ne_bis_in_idem", "specialty", "use_limitation", "nationals",
        "death_penalty", "corporal_penalty", "fair_trial", "non_punishment", "bank_secrecy_fiscal", "third_parties",
        "interpol_neutrality", "minimisation",
    }  # fmt: skip
    handover = {one.name for one in tables_for("handover")}
    assert handover == {"torture", "persecution", "death_penalty", "corporal_penalty", "non_punishment"}
    assert handover < {one.name for one in tables_for("extradition")}
    assert "specialty" in {one.name for one in tables_for("prosecution")}
    assert all(tables_for(step) for step in STEPS)


def test_the_worst_of_several_counts() -> None:
    clear = decide(table("death_penalty"), {"threatened": "no", "assured": "no"})
    barred = decide(table("death_penalty"), {"threatened": "yes", "assured": "no"})
    unknown = decide(table("death_penalty"), {})
    assert worst([clear, clear]) is Outcome.CLEAR
    assert worst([clear, unknown]) is Outcome.UNKNOWN
    assert worst([unknown, barred, clear]) is Outcome.BARRED
    assert worst([]) is Outcome.UNKNOWN


def _spoiled(change: str) -> Any:
    record = copy.deepcopy(read_json("safeguards", "death_penalty.json"))
    if change == "gap":
        del record["rows"][0]
    elif change == "overlap":
        record["rows"].append(dict(record["rows"][2]))
    elif change == "clear":
        record["rows"][3]["outcome"] = "clear"
    elif change == "answer":
        record["rows"][0]["when"]["assured"] = ["perhaps"]
    elif change == "fact":
        record["rows"][0]["when"]["colour"] = ["yes"]
    elif change == "outcome":
        record["rows"][0]["outcome"] = "fine"
    else:
        record["applies"] = ["arrest"]
    return record


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("gap", "exactly one row"),
        ("overlap", "exactly one row"),
        ("clear", "never clear"),
        ("answer", "'perhaps'"),
        ("fact", "'colour'"),
        ("outcome", "'fine'"),
        ("applies", "'arrest'"),
    ],
)
def test_a_broken_table_does_not_load(change: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_table(_spoiled(change), where="death_penalty.json")


def test_unknown_facts_answers_tables_and_steps_list_the_known() -> None:
    with pytest.raises(InputError, match="one of threatened, assured"):
        decide(table("death_penalty"), {"asured": "yes"})
    with pytest.raises(InputError, match="one of yes, no, unknown"):
        decide(table("death_penalty"), {"assured": "maybe"})
    with pytest.raises(InputError, match="one of bank_secrecy_fiscal"):
        table("mercy")
    with pytest.raises(InputError, match="one of extradition"):
        tables_for("arrest")


def test_the_page_is_current() -> None:
    assert _PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m comity.law.safeguard_page > docs/reference/safeguards.md"
    )
