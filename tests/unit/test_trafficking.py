"""The rule over indicators: one strong or three weak; unknown is not absent; a presumption is never taken away."""

from itertools import combinations

import pytest

from comity.errors import InputError
from comity.law.safeguards import Outcome
from comity.law.trafficking import (
    Finding,
    assess,
    indicators,
    may_return,
    non_punishment,
    protection_need,
    protection_questions,
    reflection_days,
    rule,
    together,
)

STRONG = [one.id for one in indicators().values() if one.strength == "strong"]
WEAK = [one.id for one in indicators().values() if one.strength == "weak"]
NO = dict.fromkeys(indicators(), "no")


def test_every_indicator_states_source_and_confidence() -> None:
    assert len(STRONG) >= 5
    assert len(WEAK) >= 5
    for one in indicators().values():
        assert one.question.endswith("?")
        assert len(one.source) > 20
        assert one.confidence in ("high", "medium", "low")
    assert rule().source
    assert (rule().strong, rule().weak) == (1, 3)


@pytest.mark.parametrize("one", STRONG)
def test_one_strong_indicator_presumes(one: str) -> None:
    assert assess({**NO, one: "yes"}).finding is Finding.PRESUMED
    assert assess({one: "yes"}).strong == (one,)


def test_three_weak_ones_presume_and_two_do_not() -> None:
    for three in combinations(WEAK, 3):
        assert assess({**NO, **dict.fromkeys(three, "yes")}).finding is Finding.PRESUMED
    for two in combinations(WEAK, 2):
        assert assess({**NO, **dict.fromkeys(two, "yes")}).finding is Finding.NOT_FOUND


@pytest.mark.parametrize("one", STRONG)
def test_a_strong_one_that_nobody_asked_leaves_it_open(one: str) -> None:
    asked = {name: answer for name, answer in NO.items() if name != one}
    assert assess(asked).finding is Finding.UNKNOWN
    assert assess({**NO, one: "unknown"}).open == (one,)
    assert assess({}).finding is Finding.UNKNOWN


def test_weak_ones_that_could_still_make_three_leave_it_open() -> None:
    assert assess({**NO, WEAK[0]: "yes", WEAK[1]: "yes", WEAK[2]: "unknown"}).finding is Finding.UNKNOWN
    assert assess({**NO, WEAK[0]: "yes", WEAK[2]: "unknown"}).finding is Finding.NOT_FOUND


@pytest.mark.parametrize("wrong", [{"nationality": "yes"}, {"fear": "maybe"}, {"fear": ""}])
def test_a_question_or_an_answer_that_there_is_not_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError):
        assess(wrong)


def test_once_said_yes_stays_whatever_is_said_later() -> None:
    said = together({"fear": "yes", "threats": "no"}, {"fear": "no", "threats": "unknown", "violence": "yes"})
    assert said == {"fear": "yes", "threats": "no", "violence": "yes"}
    assert together({"fear": "no"}, {"fear": "yes"}) == {"fear": "yes"}


def test_a_need_for_protection_is_ruled_out_only_where_everything_was_asked() -> None:
    no = dict.fromkeys(protection_questions(), "no")
    assert protection_need(no) == "no"
    assert protection_need({}) == "unknown"
    for name in no:
        assert protection_need({**no, name: "yes"}) == "yes"
        assert protection_need({**no, name: "unknown"}) == "unknown"


def test_reflection_goes_upward_only() -> None:
    assert reflection_days(None) == rule().reflection_days == 30
    assert reflection_days(31) == 31
    for days in (29, 0, -1, 731):
        with pytest.raises(InputError):
            reflection_days(days)


def test_a_return_is_clear_only_if_assessed_safe_and_voluntary() -> None:
    for assessed in ("yes", "no", "unknown"):
        for safe in ("yes", "no", "unknown"):
            for voluntary in ("yes", "no", "unknown"):
                facts = {"assessed": assessed, "safe": safe, "voluntary": voluntary}
                clear = may_return(facts).outcome is Outcome.CLEAR
                assert clear == (assessed == safe == voluntary == "yes"), facts
    assert may_return({}).outcome is Outcome.UNKNOWN
    assert may_return({"assessed": "yes", "safe": "yes", "voluntary": "no"}).outcome is Outcome.BARRED


def test_non_punishment_bars_punishing_a_presumed_victim() -> None:
    assert non_punishment(screened="yes", victim="yes", compelled="yes").outcome is Outcome.BARRED
    assert non_punishment(screened="no", victim="unknown", compelled="unknown").outcome is not Outcome.CLEAR
