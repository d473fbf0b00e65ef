"""The register of competent authorities: every row stands on something, and conflicts are shown."""

import csv
import io
from pathlib import Path

import pytest

from comity.errors import InputError
from comity.law.authorities import (
    CHANNELS,
    COMPETENCES,
    WHOLE,
    as_json,
    authorities,
    competent,
    conflicts,
    load_authorities,
)
from comity.law.authority_page import reference
from comity.law.files import folder
from comity.law.parties import known_jurisdictions
from comity.law.register import register

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "authorities.md"
_COVERED = sorted(set(known_jurisdictions()) - {"TL"})
_HEAD = "competence,scope,authority,local_name,languages,channel,source,confidence,verified,as_of,note\n"
_ROW = "mla,all,Ministry of Justice,,en,diplomatic,the Act,high,false,2024,\n"


def test_there_is_one_file_for_every_jurisdiction_of_the_issue() -> None:
    files = sorted(file.name.removesuffix(".csv") for file in folder("authorities").iterdir())
    assert files == _COVERED
    assert len(files) == 21


@pytest.mark.parametrize("party", _COVERED)
def test_every_row_has_source_confidence_year_and_known_codes(party: str) -> None:
    rows = authorities(party)
    text = folder("authorities", f"{party}.csv").read_text(encoding="utf-8")
    assert len(rows) == len(list(csv.reader(io.StringIO(text)))) - 1
    for row in rows:
        assert row.party == party
        assert row.competence in COMPETENCES
        assert row.channel is None or row.channel in CHANNELS
        assert len(row.source) > 10
        assert 2018 <= row.as_of <= 2026
        if not row.verified:
            assert row.source.startswith(("own knowledge; check: ", "read: "))


@pytest.mark.parametrize("party", _COVERED)
def test_the_core_of_cooperation_is_known_or_said_to_be_unknown(party: str) -> None:
    found = competent(party)
    named = {row.competence for row in found.authorities}
    assert named | set(found.unknown) == set(COMPETENCES)
    assert named.isdisjoint(found.unknown)
    assert {"mla", "fiu", "police", "border", "customs"} <= named


@pytest.mark.parametrize("party", _COVERED)
def test_the_channel_of_an_fiu_is_that_of_its_membership(party: str) -> None:
    statuses = {row.status for row in register().standing("EGMONT", party)}
    channels = {row.channel for row in competent(party, "fiu").authorities}
    expected = {"member": "egmont", "non_member": "memorandum", "unverified": None}
    assert channels == {expected[status] for status in statuses}


def test_hong_kong_and_macao_have_authorities_of_their_own() -> None:
    mainland = {row.authority for row in authorities("CN")}
    for party in ("HK", "MO"):
        assert mainland.isdisjoint(row.authority for row in authorities(party))
        (bureau,) = competent(party, "police").authorities
        assert "sub-bureau" in bureau.authority


def test_two_claims_on_one_part_are_a_conflict_and_neither_is_first() -> None:
    (conflict,) = competent("TH", "anti_trafficking").conflicts
    assert conflict.scope == "investigation"
    assert len(conflict.claims) == 2
    assert "does not put one before the other" in conflict.text
    assert all(claim.authority in conflict.text for claim in conflict.claims)
    assert competent("CN", "mla").conflicts[0].scope == "corruption (UNCAC 46(13))"


def test_a_claim_on_the_whole_conflicts_with_a_claim_on_a_part() -> None:
    rows = load_authorities("TH", _HEAD + _ROW + "mla,corruption,Commission,,,,the Act,low,false,2024,\n")
    (conflict,) = conflicts(rows)
    assert {claim.scope for claim in conflict.claims} == {WHOLE, "corruption"}


def test_different_parts_and_one_authority_twice_are_no_conflict() -> None:
    assert competent("US", "oversight").conflicts == ()
    assert competent("CN", "mla", scope="under a treaty").conflicts == ()
    rows = load_authorities("TH", _HEAD + _ROW + _ROW.replace("all", "fraud"))
    assert conflicts(rows) == ()


def test_what_is_not_in_the_data_is_unknown() -> None:
    found = competent("KH", "asset_recovery")
    assert (found.authorities, found.unknown) == ((), ("asset_recovery",))
    assert competent("TL").unknown == tuple(COMPETENCES)


def test_unknown_cells_are_null_in_json_and_nothing_is_hidden() -> None:
    said = as_json(competent("MM"))
    assert list(said) == ["party", "authorities", "conflicts", "unknown"]
    for row in said["authorities"]:
        assert {"source", "confidence", "verified", "as_of"} <= set(row)
    assert said["authorities"][0]["local_name"] is None
    assert said["authorities"][0]["languages"] is None


def test_an_unknown_jurisdiction_or_competence_lists_the_known() -> None:
    with pytest.raises(InputError, match="a jurisdiction of the data"):
        competent("XX")
    with pytest.raises(InputError, match="one of mla, extradition, fiu"):
        competent("TH", "arrest")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mla,", "arrest,", "'arrest'"),
        (",all,", ",,", "a filled cell"),
        ("Ministry of Justice", "", "a filled cell"),
        (",en,", ",english,", "ISO 639-1"),
        ("diplomatic", "pigeon", "'pigeon'"),
        ("the Act", "", "a filled cell"),
        ("high", "certain", "'certain'"),
        ("false", "no", "'no'"),
        ("2024", "24", "a year"),
    ],
)
def test_a_malformed_row_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        load_authorities("TH", _HEAD + _ROW.replace(old, new, 1))
    assert "authorities/TH.csv" in str(caught.value)


def test_a_claim_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="each claim once"):
        load_authorities("TH", _HEAD + _ROW + _ROW)


def test_the_page_is_current() -> None:
    assert _PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m comity.law.authority_page > docs/reference/authorities.md"
    )
