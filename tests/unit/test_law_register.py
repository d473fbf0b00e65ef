"""The register: what ships loads, and what is malformed is refused with its line."""

import csv
import io

import pytest

from comity.errors import InputError
from comity.law.files import read_text
from comity.law.instruments import PURPOSES, instruments, load_instruments
from comity.law.offences import offence, offences, statutes
from comity.law.parties import known_jurisdictions, name_of, sovereign_of
from comity.law.register import GATHERED, Confidence, load_register, register

_INSTRUMENTS = "instrument,type,party,status,date,source,confidence\n"
_BILATERAL = "type,a,b,signed,in_force,status,source,confidence\n"
_STATUTES = "party,offence,provision,max_penalty,source,confidence\n"


def _load(instrument: str = "", treaty: str = "", statute: str = "") -> object:
    return load_register(
        instruments=_INSTRUMENTS + instrument, bilateral=_BILATERAL + treaty, statutes=_STATUTES + statute
    )


def test_what_ships_loads_whole_and_every_row_has_source_confidence_and_age() -> None:
    found = register()
    for name, rows in (
        ("instruments.csv", found.parties),
        ("bilateral.csv", found.treaties),
        ("statutes.csv", found.statutes),
    ):
        assert len(rows) == len(list(csv.reader(io.StringIO(read_text(name))))) - 1
        for row in rows:
            assert row.source
            assert isinstance(row.confidence, Confidence)
            assert row.age == GATHERED


@pytest.mark.parametrize(
    ("instrument", "treaty", "statute", "said"),
    [
        ("UNTOC,multilateral,CN,acceded,,me,high\n", "", "", "'acceded'"),
        ("UNTOC,multilateral,CN,party,,me,sure\n", "", "", "'sure'"),
        ("UNTOC,multilateral,XX,party,,me,high\n", "", "", "'XX'"),
        ("UNTOC,multilateral,CN,party,2003-9-23,me,high\n", "", "", "'2003-9-23'"),
        ("UNTOC,multilateral,CN,party,,,high\n", "", "", "a filled cell"),
        ("UNTOC,treaty,CN,party,,me,high\n", "", "", "'treaty'"),
        ("UNTOC,multilateral,CN,party,,me\n", "", "", "7 cells"),
        ("UNTOC,multilateral,CN,party,,me,high,x\n", "", "", "7 cells"),
        ("UNTOC,multilateral,CN,party,,me,high\nUNTOC,multilateral,CN,party,,me,low\n", "", "", "twice"),
        ("", "extradition,CN,CN,,,in_force,me,high\n", "", "two different parties"),
        ("", "extradition,CN,TH,,soon,in_force,me,high\n", "", "'soon'"),
        ("", "extradition,CN,TH,,,agreed,me,high\n", "", "'agreed'"),
        ("", "asylum,CN,TH,,,in_force,me,high\n", "", "'asylum'"),
        ("", "mla,CN,TH,,,in_force,me,high\nmla,TH,CN,,,none,you,high\n", "", "several sources that agree"),
        ("", "mla,CN,TH,,,in_force,me,high\nmla,TH,CN,,,in_force,me,high\n", "", "one statement"),
        ("", "", "CN,fraud,,life,me,high\n", "a filled cell"),
        ("", "", "CN,fraud,266,life,me,high\nCN,fraud,267,life,me,high\n", "twice"),
    ],
)
def test_a_malformed_row_is_refused(instrument: str, treaty: str, statute: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        _load(instrument, treaty, statute)


def test_other_columns_are_refused() -> None:
    with pytest.raises(InputError, match=r"instruments\.csv: expected instrument,type"):
        load_register(instruments="instrument,party\n", bilateral=_BILATERAL, statutes=_STATUTES)


def test_a_bilateral_row_is_found_from_either_side() -> None:
    assert (
        register().between("extradition", "CN", "TH") == register().between("extradition", "TH", "CN") != ()
    )


def test_two_sources_of_one_treaty_stay_two_rows() -> None:
    assert len(register().between("extradition", "KH", "KR")) == 2


def test_an_unknown_jurisdiction_lists_the_known() -> None:
    with pytest.raises(InputError, match="AE, AU, BN, CA, CN") as caught:
        name_of("ca")
    assert "capitals" in caught.value.next_step
    assert len(known_jurisdictions()) == 22


def test_hong_kong_and_macao_are_one_sovereign_with_china() -> None:
    assert {sovereign_of(code) for code in ("CN", "HK", "MO")} == {"CN"}
    assert sovereign_of("TH") == "TH"


def test_every_gathered_instrument_is_described_but_listings_are_none() -> None:
    ids = [one.id for one in instruments()]
    assert "FATF-LIST" not in ids
    assert {row.instrument for row in register().parties} - set(ids) == {"FATF-LIST"}


def test_a_use_that_hangs_on_notification_must_cite_the_rule() -> None:
    use = {"serves": "complement", "reasons": []}
    row = {
        "instrument": "X", "title": "X", "kind": "multilateral", "in_force": True, "force": "so",
        "circle": None, "between_states": True, "channel": None, "source": "me", "confidence": "low",
        "uses": dict.fromkeys(PURPOSES, use),
    }  # fmt: skip
    with pytest.raises(InputError, match="rule on notification"):
        load_instruments([row])


def test_offence_codes_are_those_gathered_and_unverified_ones_are_none() -> None:
    codes = {one.id: one.iccs for one in offences()}
    assert codes["fraud"] == codes["cyber_fraud"] == "0701"
    assert offence("cyber_fraud").tag == "cyber"
    assert (codes["ml"], codes["tip"], codes["forced_labour"]) == ("07041", "0204", "02042")
    assert (codes["drugs"], codes["kidnapping"], codes["system_attack"]) == ("0601", "020221", "0903")
    assert (codes["organised_group"], codes["terrorism_financing"]) == ("09051", "09062")
    assert codes["illegal_gambling"] is None


def test_every_statute_row_belongs_to_an_offence_and_is_found_through_it() -> None:
    keys = {one.statutes for one in offences()}
    assert {row.offence for row in register().statutes} <= keys
    (row,) = statutes("HK", "cyber_fraud")
    assert (row.provision, row.max_penalty) == ("Theft Ord Cap210 s16A", "14y")
    assert statutes("TL", "fraud") == ()
    with pytest.raises(InputError, match="one of fraud"):
        statutes("HK", "arson")
