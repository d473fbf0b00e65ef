"""Questions whose answers are known from the instruments: each with its citation.

Where an answer rests on what was gathered (who is party, what a statute says), the citation names the data too.
"""

from collections.abc import Mapping

import pytest

from comity.law.bases import Basis, bases
from comity.law.dual_criminality import Verdict, compare, condition
from comity.law.provisions import threshold
from comity.law.safeguards import decide, table


def _basis(from_: str, to: str, purpose: str, instrument: str, offence: str) -> Basis:
    found = bases(from_, to, purpose, offence=offence).bases
    (one,) = [one for one in found if one.instrument == instrument]
    return one


# fmt: off
BASES = [
    # from, to, purpose, offence, instrument, usable, citation
    ("CA", "HK", "freeze", "fraud", "UNTOC", True, "UNTOC 13(2): seizure on request; extended to Hong Kong 2006-09-27"),
    ("TH", "CA", "mla", "fraud", "TH-CA mutual legal assistance treaty", True, "CTS 1994/20: in force 1994-10-03"),
    ("TH", "KH", "mla", "fraud", "ASEAN-MLAT-2004", True, "ASEAN MLAT 1: all ten parties since 2013"),
    ("TH", "KH", "extradition", "fraud", "ASEAN-MLAT-2004", False, "ASEAN MLAT 2(1): no extradition"),
    ("TH", "KH", "extradition", "fraud", "AET-2025", False, "signed 2025-11-14; six ratifications needed, none found"),
    ("VN", "KH", "preservation", "fraud", "UNCC-HANOI", False, "UNCC 65: 40 ratifications needed, not in force"),
    ("JP", "PH", "preservation", "cyber_fraud", "BUDAPEST", True, "Budapest 29(1), 29(7): 60 days or more; both party"),
    ("JP", "TH", "preservation", "cyber_fraud", "BUDAPEST", False, "Budapest 29 binds parties only; Thailand is none"),
    ("CA", "US", "freeze", "fraud", "BUDAPEST", False, "Budapest 23, 29: evidence and data, not money"),
    ("PH", "SG", "asset_recovery", "corruption", "UNCAC", True, "UNCAC 51, 57: return of assets; both party"),
    ("PH", "SG", "asset_recovery", "drugs", "UNCAC", False, "UNCAC 3(1): offences of this Convention"),
    ("TH", "LA", "mla", "tip", "ACTIP-2015", True, "ACTIP 18"),
    ("TH", "LA", "mla", "fraud", "ACTIP-2015", False, "ACTIP 3: trafficking in persons only"),
    ("TH", "HK", "mla", "tip", "TIP-PROTOCOL", False, "TIP Protocol: not extended to Hong Kong"),
    ("AU", "ID", "joint_team", "tip", "UNTOC", True, "UNTOC 19: case by case where there is no agreement"),
    ("SG", "ID", "extradition", "fraud", "UNTOC", True, "UNTOC 16(3): deemed included in the treaty of 2022"),
    ("SG", "VN", "extradition", "fraud", "UNTOC", False, "UNTOC 16(5)(a): neither takes it as treaty basis"),
    ("TH", "VN", "fiu_information", "ml", "EGMONT", False, "Egmont Principles: members only; Viet Nam is none"),
    ("TH", "KH", "fiu_information", "ml", "EGMONT", True, "Egmont Principles: both members"),
    ("TH", "KH", "mla", "ml", "EGMONT", False, "Egmont Principles: intelligence, no evidence"),
    ("TH", "KH", "extradition", "fraud", "INTERPOL", False, "RPD 87: a notice asks for arrest, the treaty surrenders"),
    ("TH", "KH", "police_information", "fraud", "INTERPOL", True, "INTERPOL Constitution 2(a), 31"),
    ("US", "HK", "extradition", "fraud", "HK-US extradition treaty", False, "suspended since 2020"),
    ("CN", "HK", "mla", "fraud", "UNTOC", False, "UNTOC 18(1): between States Parties; one sovereign"),
]

CONDUCT: Mapping[str, Mapping[str, bool]] = {
    "business e-mail compromise": {
        "deception": True, "property_moved": True, "dishonest_intent": True, "computer_used": True,
        "amount_large": True, "public_deceived": False,
    },
    "small fraud": {
        "deception": True, "property_moved": True, "dishonest_intent": True, "amount_large": False,
        "computer_interference": False, "organised": False, "aid_given": False, "computer_used": False,
        "personation": False,
    },
    "man in a scam compound": {
        "recruit_transport_harbour": True, "means_used": True, "purpose_forced_labour": True,
        "purpose_forced_crime": True, "purpose_sexual": False, "purpose_sale": False, "victim_woman": False,
        "victim_child": False, "sale_of_person": False, "labour_forced": True, "crossing_border": True,
    },
    "man on the way there": {
        "recruit_transport_harbour": True, "means_used": True, "purpose_forced_labour": True, "purpose_sale": False,
        "victim_woman": False, "victim_child": False, "labour_forced": False,
    },
    "laundering of fraud": {
        "laundering_act": True, "proceeds_of_crime": True, "knowledge_of_origin": True, "predicate_listed": False,
    },
}
DUAL = [
    # from, to, offence, conduct, threshold, verdict, citation
    ("CA", "HK", "fraud", "business e-mail compromise", "serious_crime", "met", "UNTOC 2(b): CC 380 and s16A, 14 y"),
    ("SG", "MY", "fraud", "small fraud", "extradition", "met", "UN Model Treaty 2(1): Penal Codes 420, 10 y"),
    ("HK", "CN", "fraud", "small fraud", None, "not_met", "Criminal Law 266: a relatively large amount"),
    ("HK", "TH", "fraud", "business e-mail compromise", "serious_crime", "met", "CCA 14: 5 y, 343 needs the public"),
    ("HK", "LA", "fraud", "business e-mail compromise", None, "unknown", "Penal Code 233: unverified, stays unknown"),
    ("US", "AE", "fraud", "business e-mail compromise", "serious_crime", "unknown", "FDL 34/2021 40: maximum unknown"),
    ("TH", "PH", "tip", "man in a scam compound", "serious_crime", "met", "TIP Protocol 3(a): ATIPA 52; RA 9208 10"),
    ("TH", "HK", "tip", "man in a scam compound", None, "not_met", "Cap. 200 s. 129: prostitution only"),
    ("TH", "CN", "tip", "man on the way there", None, "not_met", "Criminal Law 240: women and children, for sale"),
    ("TH", "CN", "forced_labour", "man in a scam compound", "serious_crime", "met", "Criminal Law 244: 10 y"),
    ("TH", "JP", "tip", "man in a scam compound", None, "not_met", "PC 226-2: buying and selling of persons"),
    ("HK", "CN", "ml", "laundering of fraud", None, "not_met", "Criminal Law 191 lists the earlier offences"),
    ("HK", "CA", "ml", "laundering of fraud", "serious_crime", "met", "UNTOC 6(1): CC 462.31; OSCO 25"),
    ("TH", "KH", "drugs", "small fraud", None, "unknown", "no provision on drugs was gathered"),
]

SAFEGUARDS = [
    # table, facts, outcome, citation
    ("torture", {"danger": "yes", "claim": "no", "screened": "yes"}, "barred", "CAT 3(1)"),
    ("torture", {"danger": "no", "claim": "no", "screened": "no"}, "condition", "CAT 3(2): all considerations"),
    ("torture", {"danger": "no", "claim": "no"}, "unknown", "CAT 3(2): never taken as clear"),
    ("persecution", {"purpose": "yes"}, "barred", "UNTOC 16(14)"),
    ("political_offence", {"political": "yes", "excluded": "yes"}, "clear", "UNCAC 44(4)"),
    ("political_offence", {"political": "yes", "excluded": "no"}, "barred", "UN Model Treaty on Extradition 3(a)"),
    ("ne_bis_in_idem", {"judged_here": "yes"}, "barred", "UN Model Treaty on Extradition 3(d)"),
    ("ne_bis_in_idem", {"judged_here": "no", "judged_elsewhere": "no", "pending_here": "yes"}, "discretion",
     "UN Model Treaty on Extradition 4(c)"),
    ("specialty", {"other_offence": "yes", "released_from_it": "no"}, "barred", "UN Model Treaty 14(1)"),
    ("use_limitation", {"exculpatory": "no", "other_purpose": "yes", "consent": "no"}, "barred", "UNTOC 18(19)"),
    ("use_limitation", {"exculpatory": "yes", "other_purpose": "yes", "consent": "no"}, "condition", "UNTOC 18(19)"),
    ("nationals", {"national": "yes", "law_bars": "yes", "return_agreed": "no"}, "barred", "UNTOC 16(10)"),
    ("nationals", {"national": "yes", "law_bars": "yes", "return_agreed": "yes"}, "condition", "UNTOC 16(11)"),
    ("death_penalty", {"threatened": "yes", "assured": "no"}, "barred", "UN Model Treaty on Extradition 4(d)"),
    ("death_penalty", {"threatened": "yes"}, "unknown", "UN Model Treaty on Extradition 4(d)"),
    ("corporal_penalty", {"threatened": "yes", "assured": "no"}, "barred", "ICCPR 7; General Comment 20 (5)"),
    ("fair_trial", {"denied": "no", "absentia": "yes", "retrial": "no"}, "barred", "UN Model Treaty 3(g)"),
    ("non_punishment", {"screened": "yes", "victim": "yes", "compelled": "yes"}, "barred", "ACTIP 14(7)"),
    ("non_punishment", {"screened": "no", "victim": "no", "compelled": "no"}, "condition", "ACTIP 14"),
    ("bank_secrecy_fiscal", {"other_ground": "no", "convention": "yes", "bank_secrecy": "yes", "fiscal": "no"},
     "clear", "UNTOC 18(8)"),
    ("bank_secrecy_fiscal", {"other_ground": "no", "convention": "yes", "bank_secrecy": "no", "fiscal": "yes"},
     "clear", "UNTOC 18(22)"),
    ("third_parties", {"claim": "yes", "heard": "yes", "bona_fide": "yes"}, "barred", "UNCAC 55(9)"),
    ("third_parties", {"claim": "yes", "heard": "no"}, "condition", "UNTOC 12(8)"),
    ("interpol_neutrality", {"forbidden_character": "yes"}, "barred", "INTERPOL Constitution 3"),
    ("interpol_neutrality", {"threshold": "no"}, "barred", "Rules on the Processing of Data 83"),
    ("minimisation", {"purpose": "no"}, "barred", "ICCPR 17"),
]

CONDITIONS = [
    ("extradition", "required", "UNTOC 16(1)"),
    ("mla", "may_decline", "UNTOC 18(9)"),
    ("preservation", "not_required", "Budapest 29(3)"),
]
# fmt: on


@pytest.mark.parametrize(
    ("from_", "to", "purpose", "offence", "instrument", "usable", "citation"),
    BASES,
    ids=lambda one: str(one)[:24],
)
def test_legal_bases(
    from_: str, to: str, purpose: str, offence: str, instrument: str, usable: bool, citation: str
) -> None:
    assert _basis(from_, to, purpose, instrument, offence).usable is usable, citation


@pytest.mark.parametrize(
    ("from_", "to", "offence", "conduct", "limit", "verdict", "citation"), DUAL, ids=lambda one: str(one)[:24]
)
def test_dual_criminality(
    from_: str, to: str, offence: str, conduct: str, limit: str | None, verdict: str, citation: str
) -> None:
    found = compare(from_, to, offence, CONDUCT[conduct], threshold=threshold(limit) if limit else None)
    assert found.verdict is Verdict(verdict), (citation, found)


@pytest.mark.parametrize(("name", "facts", "outcome", "citation"), SAFEGUARDS, ids=lambda one: str(one)[:24])
def test_safeguards(name: str, facts: dict[str, str], outcome: str, citation: str) -> None:
    found = decide(table(name), facts)
    assert found.outcome == outcome, citation
    if found.article and "Model" not in citation:
        instrument, clause = citation.split(":")[0].split(";")[0].rsplit(" ", 1)
        assert instrument.split(" ")[0] in found.article
        assert clause in found.article


@pytest.mark.parametrize(("purpose", "expected", "citation"), CONDITIONS)
def test_whether_dual_criminality_is_a_condition(purpose: str, expected: str, citation: str) -> None:
    found = condition(purpose)
    assert found.condition == expected
    assert citation in found.article
