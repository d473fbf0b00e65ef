"""Legal bases: answers known from the instruments, and an oracle that reads the raw rows over every pair
there is.
"""

import csv
import io
from itertools import permutations

import pytest

from comity.errors import InputError
from comity.law.bases import PURPOSES, Bases, Channel, as_json, bases, preferred, remaining, to_ask
from comity.law.basis import Basis
from comity.law.files import read_text
from comity.law.parties import known_jurisdictions, sovereign_of
from comity.law.register import GATHERED

_BOUND = {"party", "extended", "member", "sub_bureau_of_NCB_Beijing"}
_FORCE = {"in_force", "in_force_by_succession"}
_TREATY = {
    "extradition": "extradition", "mla": "mla", "freeze": "mla", "preservation": "mla", "asset_recovery": "mla",
}  # fmt: skip


def _one(found: Bases, instrument: str) -> Basis:
    (one,) = [one for one in found.bases if one.instrument == instrument]
    return one


def _usable(found: Bases) -> list[str]:
    return [one.instrument for one in found.bases if one.usable]


def _raw(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read_text(name))))


@pytest.fixture(scope="module")
def every() -> list[Bases]:
    return [bases(a, b, purpose) for a, b in permutations(known_jurisdictions(), 2) for purpose in PURPOSES]


def test_nothing_is_usable_that_the_raw_rows_do_not_carry(every: list[Bases]) -> None:
    standing: dict[tuple[str, str], set[str]] = {}
    for row in _raw("instruments.csv"):
        standing.setdefault((row["instrument"], row["party"]), set()).add(row["status"])
    treaties: dict[tuple[str, frozenset[str]], set[str]] = {}
    for row in _raw("bilateral.csv"):
        treaties.setdefault((row["type"], frozenset((row["a"], row["b"]))), set()).add(row["status"])
    instruments = {name for name, _ in standing}
    for found in every:
        kind = _TREATY.get(found.for_, "")
        stated = treaties.get((kind, frozenset((found.from_, found.to))), set())
        bilateral = [one for one in found.bases if one.instrument not in instruments]
        assert [one.usable for one in bilateral] == ([stated <= _FORCE] if stated else [])
        for one in found.bases:
            if one.usable and one.instrument in instruments:
                for party in (found.from_, found.to):
                    assert standing[one.instrument, party] & _BOUND, (found.from_, found.to, one.instrument)
                assert one.instrument not in {"UNCC-HANOI", "AET-2025", "FATF-LIST", "LMLECC"}


def test_every_answer_is_ordered_symmetric_and_speaks(every: list[Bases]) -> None:
    by_question = {(found.from_, found.to, found.for_): found for found in every}
    for found in every:
        flags = [one.usable for one in found.bases]
        assert flags == sorted(flags, reverse=True)
        mirror = by_question[found.to, found.from_, found.for_]
        assert _usable(mirror) == _usable(found)
        assert all(
            one.reasons and one.source and one.confidence in {"high", "medium", "low"} for one in found.bases
        )
        assert all(one.reasons[0].startswith("Not usable: ") for one in found.bases if not one.usable)
        assert len(set(found.missing)) == len(found.missing)


def test_between_parts_of_one_sovereign_no_treaty_between_states_applies(every: list[Bases]) -> None:
    for found in every:
        if sovereign_of(found.from_) == sovereign_of(found.to):
            assert set(_usable(found)) <= {"EGMONT"}
            assert "one sovereign" in _one(found, "UNTOC").reasons[0]


def test_an_unusable_extradition_convention_says_what_is_missing(every: list[Bases]) -> None:
    for found in every:
        for one in found.bases:
            if one.status == "notification_unknown":
                assert found.for_ == "extradition"
                assert any(line.startswith(f"{one.instrument}: what ") for line in found.missing)


def test_canada_to_hong_kong_freeze() -> None:
    found = bases("CA", "HK", "freeze", offence="fraud")
    assert _usable(found) == ["UNTOC", "INTERPOL", "EGMONT"]
    untoc = _one(found, "UNTOC")
    assert (untoc.kind, untoc.status, untoc.confidence) == ("multilateral", "in_force", "medium")
    assert "extended to HK by CN (2006-09-27)" in untoc.reasons
    assert any("UNTOC 13(2)" in reason for reason in untoc.reasons)
    assert any("Beijing" in reason for reason in _one(found, "INTERPOL").reasons)
    assert _one(found, "TIP-PROTOCOL").status == "not_extended"
    assert "no row for a CA-HK mutual legal assistance treaty: unknown, not absent" in found.missing


def test_the_convention_against_corruption_does_not_reach_fraud_but_reaches_laundering() -> None:
    assert "UNCAC" not in _usable(bases("CA", "TH", "freeze", offence="fraud"))
    assert "UNCAC" in _usable(bases("CA", "TH", "freeze", offence="ml"))


@pytest.mark.parametrize(
    ("from_", "to", "instrument", "status"),
    [
        ("CN", "AU", "CN-AU extradition treaty", "signed_only"),
        ("HK", "CA", "HK-CA extradition treaty", "suspended_2020"),
        ("US", "HK", "HK-US extradition treaty", "suspended_2020"),
        ("CN", "CA", "CN-CA extradition treaty", "none"),
        ("MY", "CN", "CN-MY extradition treaty", "none_found"),
        ("TH", "MM", "TH-MM police memorandum of understanding (2024-06)", "none_police_MoU_2024-06"),
        ("TH", "KH", "AET-2025", "not_in_force"),
        ("VN", "KH", "UNCC-HANOI", "not_in_force"),
        ("TH", "KH", "ASEAN-MLAT-2004", "in_force"),
        ("TH", "KH", "INTERPOL", "member"),
    ],
)
def test_these_never_carry_an_extradition(from_: str, to: str, instrument: str, status: str) -> None:
    one = _one(bases(from_, to, "extradition"), instrument)
    assert (one.usable, one.status) == (False, status)


def test_an_extradition_treaty_in_force_is_complemented_by_the_conventions() -> None:
    found = bases("TH", "KH", "extradition")
    assert _usable(found) == ["TH-KH extradition treaty", "UNTOC", "UNCAC"]
    untoc = _one(found, "UNTOC")
    assert any("16(3)" in reason for reason in untoc.reasons)
    assert "TH-KH extradition treaty" in untoc.source
    assert "TH-KH extradition treaty: its date of entry into force is not in the data" in found.missing


def test_without_a_treaty_the_conventions_are_not_relied_on() -> None:
    found = bases("CA", "KH", "extradition")
    assert _usable(found) == []
    assert _one(found, "UNTOC").status == "notification_unknown"
    assert "UNTOC: what CA and KH notified under UNTOC 16(4) and 16(5)" in found.missing
    assert any(line.startswith("no usable basis in the data") for line in found.missing)


def test_a_designation_is_no_treaty_and_complements_nothing() -> None:
    found = bases("CA", "JP", "extradition")
    assert _usable(found) == ["CA-JP extradition arrangement (designated)"]
    assert found.bases[0].kind == "arrangement"
    assert any("only one, is not in the data" in line for line in found.missing)


def test_succession_is_usable_and_flagged() -> None:
    one = _one(bases("US", "MM", "extradition"), "MM-US extradition treaty")
    assert one.usable
    assert any("succession" in reason for reason in one.reasons)


def test_extradition_rows_do_not_count_for_assistance_nor_the_other_way_round() -> None:
    assert not any("extradition" in one.instrument for one in bases("CN", "KH", "mla").bases)
    assert not any("assistance treaty" in one.instrument for one in bases("CN", "CA", "extradition").bases)


def test_a_treaty_of_assistance_counts_for_a_freeze_and_says_why() -> None:
    one = bases("CN", "CA", "freeze").bases[0]
    assert (one.instrument, one.kind, one.usable) == (
        "CN-CA mutual legal assistance treaty",
        "bilateral",
        True,
    )
    assert any("counts for a freeze" in reason for reason in one.reasons)


def test_a_signed_treaty_of_assistance_is_not_usable() -> None:
    assert not _one(bases("US", "AE", "mla"), "US-AE mutual legal assistance treaty").usable


def test_the_budapest_convention_obtains_data_but_holds_no_money() -> None:
    assert "BUDAPEST" in _usable(bases("CA", "US", "mla"))
    one = _one(bases("CA", "US", "freeze"), "BUDAPEST")
    assert not one.usable
    assert "no basis for holding money" in one.reasons[0]


@pytest.mark.parametrize(
    ("instrument", "offence"), [("ACTIP-2015", "tip"), ("ACCT-2007", "terrorism_financing")]
)
def test_an_instrument_of_one_crime_counts_for_that_crime_only(instrument: str, offence: str) -> None:
    assert instrument not in _usable(bases("TH", "KH", "mla"))
    assert instrument not in _usable(bases("TH", "KH", "mla", offence="fraud"))
    assert instrument in _usable(bases("TH", "KH", "mla", offence=offence))


def test_an_fiu_outside_egmont_is_flagged_as_a_memorandum() -> None:
    found = bases("TH", "VN", "freeze")
    one = _one(found, "EGMONT")
    assert (one.usable, one.status) == (False, "non_member")
    assert "memorandum" in one.reasons[0]
    assert "EGMONT: no row for a memorandum between the units of TH and VN" in found.missing


def test_unverified_membership_is_not_usable() -> None:
    found = bases("SG", "BN", "freeze")
    assert _one(found, "EGMONT").status == "unverified"
    assert "EGMONT: the standing of BN is unverified" in found.missing


def test_a_listing_is_a_caution_and_never_a_basis() -> None:
    found = bases("TH", "MM", "freeze")
    assert not any("FATF" in one.instrument for one in found.bases)
    for one in found.bases:
        assert any("call for action" in reason for reason in one.reasons) == one.usable


def test_the_lowest_confidence_rules_and_both_sources_are_named() -> None:
    one = _one(bases("TH", "LA", "mla", offence="tip"), "ACTIP-2015")
    assert (one.usable, one.confidence) == (True, "low")
    assert "TH: asean.org" in one.source
    assert "LA: own knowledge" in one.source
    found = bases("MM", "IN", "mla")
    assert any("low confidence" in line for line in found.missing)


def test_two_sources_of_one_treaty_make_one_basis() -> None:
    one = _one(bases("KH", "KR", "extradition"), "KH-KR extradition treaty")
    assert "own knowledge" in one.source
    assert "sunnarin" in one.source
    assert "signed 2009-10-22, in force since 2011" in one.reasons[0]


def test_a_party_that_the_data_does_not_know_is_unknown_not_absent() -> None:
    found = bases("TH", "TL", "mla")
    assert _one(found, "UNTOC").status == "no_row"
    assert "no row for TL in UNTOC: unknown, not absent" in found.missing


def test_mainland_treaties_are_not_evidence_for_hong_kong() -> None:
    assert any(
        "CN-TH extradition treaty" in line and "not evidence for HK-TH" in line
        for line in bases("HK", "TH", "extradition").missing
    )


def test_json_has_exactly_the_keys_of_the_contract() -> None:
    said = as_json(bases("CA", "HK", "freeze"))
    assert list(said) == ["from", "to", "for", "bases", "missing", "otherwise", "ask", "not_advice"]
    for one in said["bases"]:
        keys = [
            "instrument", "kind", "status", "usable", "confidence", "source", "reasons", "articles", "age",
        ]  # fmt: skip
        assert list(one) == keys
        assert one["kind"] in {"bilateral", "multilateral", "arrangement"}


@pytest.mark.parametrize(
    ("from_", "to", "purpose", "offence", "said"),
    [
        ("CA", "CA", "freeze", None, "two different"),
        ("CA", "XX", "freeze", None, "a jurisdiction of the data"),
        ("CA", "HK", "arrest", None, "one of freeze, mla, extradition"),
        ("CA", "HK", "freeze", "arson", "one of fraud"),
    ],
)
def test_bad_questions_are_refused(from_: str, to: str, purpose: str, offence: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        bases(from_, to, purpose, offence=offence)


def test_an_urgent_freeze_tries_the_own_channel_first_then_treaties() -> None:
    found = bases("CN", "CA", "freeze", offence="fraud")
    treaty = "CN-CA mutual legal assistance treaty"
    assert [one.instrument for one in preferred(found, Channel.POLICE)] == ["INTERPOL", treaty, "UNTOC"]
    found = bases("TH", "KH", "freeze", offence="fraud")
    fiu = [one.instrument for one in preferred(found, Channel.FIU)]
    assert fiu == ["EGMONT", "UNTOC", "ASEAN-MLAT-2004", "INTERPOL"]
    judicial = [one.instrument for one in preferred(found, Channel.JUDICIAL)]
    assert judicial == ["UNTOC", "ASEAN-MLAT-2004", "INTERPOL", "EGMONT"]


def test_medium_and_low_confidence_and_age_are_said_aloud(every: list[Bases]) -> None:
    for found in every:
        for one in found.bases:
            assert one.age == GATHERED
            said = [line for line in found.missing if line.startswith(f"{one.instrument} rests on a row of ")]
            assert bool(said) == (one.usable and one.confidence != "high")
            assert all(one.confidence in line and GATHERED in line for line in said)


def test_what_may_remain_is_said_exactly_where_nothing_is_usable(every: list[Bases]) -> None:
    for found in every:
        ways = [one.kind for one in remaining(found)]
        assert bool(ways) == (not _usable(found))
        if ways and found.for_ == "extradition":
            assert ways[:3] == ["reciprocity", "ad_hoc", "prosecution_there"]
            assert ways[-1] == "caution"


def test_a_police_memorandum_carries_police_information_at_most() -> None:
    assert "police_memorandum" in [one.kind for one in remaining(bases("TH", "MM", "extradition"))]
    assert any("terms are not: read it" in line for line in bases("TH", "MM", "police_information").missing)
    assert not any(
        "MoU" in one or "memorandum" in one for one in _usable(bases("TH", "MM", "police_information"))
    )


def test_whom_to_ask_comes_from_the_register_of_authorities() -> None:
    (one,) = to_ask(bases("CA", "TH", "mla")).authorities
    assert one.authority.startswith("Office of the Attorney General")
    assert to_ask(bases("CA", "KH", "asset_recovery")).unknown == ("asset_recovery",)


def test_every_usable_treaty_basis_names_its_articles(every: list[Bases]) -> None:
    for found in every:
        for one in found.bases:
            if one.usable and one.kind == "multilateral":
                assert one.articles, (one.instrument, found.for_)


def test_a_declaration_against_the_treaty_basis_is_shown() -> None:
    untoc = _one(bases("US", "VN", "extradition"), "UNTOC")
    assert any(line.startswith("US on UNTOC 16(4)") and "not verified" in line for line in untoc.reasons)
    assert any(line.startswith("VN on UNTOC 16") for line in untoc.reasons)


@pytest.mark.parametrize(
    ("from_", "to", "offence", "expected"),
    [
        ("CA", "HK", "fraud", []),
        ("CA", "LA", "fraud", ["LA: it is not in the data whether"]),
        ("CN", "CA", "fraud_aid", ["CN: no maximum for", "CA: it is not in the data whether"]),
        ("CA", "LA", "ml", []),
    ],
)
def test_whether_it_is_serious_crime_is_said_where_the_data_does_not_show_it(
    from_: str, to: str, offence: str, expected: list[str]
) -> None:
    said = [
        line for line in bases(from_, to, "mla", offence=offence).missing if line.startswith("UNTOC 2(b): ")
    ]
    assert len(said) == len(expected)
    assert all(part in line for part, line in zip(expected, said, strict=True))
