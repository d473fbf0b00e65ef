"""Offences, elements, provisions: the reading claims nothing that was not gathered; the comparison, case by case."""

import re
from itertools import product

import pytest

from comity.errors import InputError
from comity.law.dual_criminality import Verdict, compare, condition, read
from comity.law.elements import KINDS, Standing, acts, elements, load_elements, requirements
from comity.law.instruments import PURPOSES
from comity.law.offences import offence, offences
from comity.law.parties import known_jurisdictions
from comity.law.provisions import (
    Penalty,
    all_provisions,
    load_provisions,
    provisions,
    threshold,
    thresholds,
)
from comity.law.register import register

_AREAS = {"trafficking", "drugs", "cyber-enabled fraud", "money laundering", "terrorism financing"}
_HEAD = "party,offence,provision,requires,max_penalty,aggravated,corporal,source,confidence,verified,note\n"
_FRAUD = {"deception": True, "property_moved": True, "dishonest_intent": True}


def test_the_catalogue_spans_the_five_crime_areas_and_defines_every_offence_by_conduct() -> None:
    assert {one.area for one in offences()} - {None} == _AREAS
    for one in offences():
        assert one.conduct
        assert acts(one.conduct), one.id
        assert one.source
        assert one.iccs is None or re.fullmatch(r"0\d{2,5}", one.iccs)
        assert (one.iccs is None) == ("unverified" in one.source)


def test_every_element_has_a_kind_a_text_a_source_and_is_used() -> None:
    used = {name for one in offences() for asked in one.conduct for name in asked.one_of}
    used |= {name for row in all_provisions() for asked in row.requires for name in asked.one_of}
    assert used == set(elements())
    assert all(one.kind in KINDS and one.text and one.source for one in elements().values())


def test_no_definition_and_no_penalty_depends_on_anybodys_nationality() -> None:
    words = re.compile(r"national|citizen|foreign|alien|passport|race|ethnic|religio", re.IGNORECASE)
    for one in elements().values():
        assert not words.search(f"{one.id} {one.text}")
    for row in all_provisions():
        assert not words.search(row.note)


def test_every_gathered_statute_has_a_reading_and_no_reading_stands_on_nothing() -> None:
    gathered = {row.party for row in register().statutes}
    for statute in register().statutes:
        rows = [row for row in provisions(statute.party) if row.offence == statute.offence]
        assert rows, (statute.party, statute.offence)
    for row in all_provisions():
        assert row.party in gathered
        statutes = [one for one in register().statutes if one.party == row.party]
        numbers = re.findall(r"\d+", row.provision)
        assert any(all(number in one.provision for number in numbers[:1]) for one in statutes), row.provision


def test_a_reading_is_never_surer_than_the_row_it_reads_and_no_penalty_is_made_up() -> None:
    for row in all_provisions():
        statutes = [one for one in register().statutes if one.party == row.party]
        same = [one for one in statutes if one.offence == row.offence] or statutes
        assert row.confidence <= max(one.confidence for one in same)
        said = {word for one in statutes for word in re.findall(r"\d+y|life|death", one.max_penalty)}
        for penalty in (row.maximum, row.aggravated):
            assert penalty is None or penalty.text in said, (row.party, row.provision, penalty)


def test_what_was_unverified_stays_unknown() -> None:
    for statute in register().statutes:
        if statute.max_penalty == "unverified":
            assert all(row.maximum is None for row in provisions(statute.party, statute.offence))
    assert {row.party for row in all_provisions() if row.maximum is None} >= {"MM", "LA", "BN", "AE"}
    assert not any(row.verified for row in all_provisions())


def test_a_draft_law_counts_for_nothing() -> None:
    assert {row.maximum for row in provisions("KH", "fraud")} == {Penalty("5y")}
    assert not any("raft" in row.provision for row in all_provisions())


@pytest.mark.parametrize(
    ("text", "years", "reaches"),
    [("3y", 3, False), ("4y", 4, True), ("life", None, True), ("death", None, True)],
)
def test_a_penalty_against_a_threshold(text: str, years: int | None, reaches: bool) -> None:
    assert Penalty(text).years == years
    assert Penalty(text).reaches(4) is reaches


def test_a_requirement_is_present_absent_or_unknown() -> None:
    (asked,) = requirements("means_used|victim_child", where="here")
    for means, child in product((True, False, None), repeat=2):
        stated = {"means_used": means, "victim_child": child}
        conduct = {name: value for name, value in stated.items() if value is not None}
        if True in (means, child):
            expected = Standing.PRESENT
        elif (means, child) == (False, False):
            expected = Standing.ABSENT
        else:
            expected = Standing.UNKNOWN
        assert asked.standing(conduct) is expected


def test_a_provision_whose_elements_were_not_gathered_is_never_met() -> None:
    everything = dict.fromkeys(elements(), True)
    for row in all_provisions():
        verdict = read(row, everything).verdict
        assert verdict is (Verdict.MET if row.requires else Verdict.UNKNOWN)
        assert read(row, {}).verdict is Verdict.UNKNOWN


def test_the_comparison_is_the_same_from_either_side_and_nothing_said_is_never_met() -> None:
    for one, other in product(known_jurisdictions(), repeat=2):
        if one == other:
            continue
        there = compare(one, other, "fraud", _FRAUD, threshold=threshold("serious_crime"))
        back = compare(other, one, "fraud", _FRAUD, threshold=threshold("serious_crime"))
        assert there.verdict is back.verdict
        assert compare(one, other, "tip", {}).verdict is Verdict.UNKNOWN


def test_an_unverified_reading_is_to_be_checked() -> None:
    found = compare("CA", "HK", "fraud", {**_FRAUD, "amount_large": True})
    assert [line.split(" ")[0] for line in found.to_check] == ["CA", "HK"]
    assert all("not verified" in line for line in found.to_check)


def test_a_graver_provision_that_may_not_be_met_reaches_no_threshold() -> None:
    facts = {"deception": True, "personation": True, "computer_used": True, "dishonest_intent": True}
    found = compare("IN", "US", "fraud", facts, threshold=threshold("serious_crime"))
    india = found.sides[0]
    assert (india.verdict, india.penalty) == (Verdict.MET, Verdict.UNKNOWN)
    assert found.verdict is Verdict.UNKNOWN
    told = compare(
        "IN", "US", "fraud", {**facts, "property_moved": False}, threshold=threshold("serious_crime")
    )
    assert (told.sides[0].penalty, told.verdict) == (Verdict.NOT_MET, Verdict.NOT_MET)


def test_a_penalty_that_asks_for_an_assurance_is_pointed_out() -> None:
    found = compare("HK", "SG", "fraud", _FRAUD)
    assert any("SG Penal Code 420 threatens a corporal penalty" in line for line in found.to_check)
    found = compare(
        "HK", "CN", "tip", {"recruit_transport_harbour": True, "purpose_sale": True, "victim_child": True}
    )
    assert any("CN Criminal Law 240 threatens death" in line for line in found.to_check)
    assert not any("threatens" in line for line in compare("HK", "CA", "fraud", _FRAUD).to_check)


def test_a_provision_under_another_label_counts_if_it_punishes_the_same_act() -> None:
    found = compare(
        "KR", "PH", "fraud_aid", {"aid_given": True, "knowledge_of_crime": True, "computer_used": True}
    )
    other = found.sides[1]
    assert (other.party, other.verdict) == ("PH", Verdict.MET)
    assert any("another label" in line for line in other.reasons)
    assert found.verdict is Verdict.UNKNOWN
    assert "unknown, not absent" in found.sides[0].reasons[0]


def test_not_met_speaks_of_the_data_only() -> None:
    found = compare("TH", "JP", "tip", {"sale_of_person": False})
    assert "others, not in the data, may be" in found.sides[1].reasons[0]


def test_every_purpose_says_whether_dual_criminality_is_a_condition() -> None:
    for purpose in PURPOSES:
        found = condition(purpose)
        assert found.source
        assert found.article or found.condition == "unknown"
    with pytest.raises(InputError, match="one of freeze"):
        condition("arrest")


def test_every_threshold_has_an_article() -> None:
    assert {one.id: one.years for one in thresholds()} == {
        "serious_crime": 4, "extradition": 1, "budapest_extradition": 1, "red_notice": 2,
    }  # fmt: skip
    assert all(one.article for one in thresholds())
    with pytest.raises(InputError, match="one of serious_crime"):
        threshold("petty")


@pytest.mark.parametrize(
    ("from_", "to", "id_", "element", "said"),
    [
        ("CA", "CA", "fraud", "deception", "two different"),
        ("CA", "XX", "fraud", "deception", "a jurisdiction of the data"),
        ("CA", "HK", "arson", "deception", "one of fraud"),
        ("CA", "HK", "fraud", "lying", "one of the elements deception"),
    ],
)
def test_bad_questions_are_refused(from_: str, to: str, id_: str, element: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare(from_, to, id_, {element: True})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("XX,fraud,1,deception,1y,,no,me,low,false,\n", "'XX'"),
        ("CA,arson,1,deception,1y,,no,me,low,false,\n", "'arson'"),
        ("CA,fraud,1,lying,1y,,no,me,low,false,\n", "'lying'"),
        ("CA,fraud,1,deception,long,,no,me,low,false,\n", "'long'"),
        ("CA,fraud,1,deception,0y,,no,me,low,false,\n", "'0y'"),
        ("CA,fraud,1,deception,1y,,perhaps,me,low,false,\n", "'perhaps'"),
        ("CA,fraud,1,deception,1y,,no,,low,false,\n", "a filled cell"),
        ("CA,fraud,1,deception,1y,,no,me,low,false,\n" * 2, "each provision once"),
    ],
)
def test_a_malformed_provision_is_refused(row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_provisions(_HEAD + row)


def test_an_element_given_twice_is_refused() -> None:
    head = "element,kind,text,source,confidence,verified\n"
    with pytest.raises(InputError, match="each element once"):
        load_elements(head + "deception,act,a,b,low,false\n" * 2)
    with pytest.raises(InputError, match="one of act"):
        load_elements(head + "deception,thing,a,b,low,false\n")


def test_the_offences_of_one_law_share_its_provisions() -> None:
    assert offence("forced_labour").statutes == offence("tip").statutes
