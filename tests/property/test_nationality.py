"""Nothing about nationality can alter what a screening finds, what is stated of it, or what protects the person."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.casework.victim import Purpose
from comity.errors import InputError
from comity.law.files import read_text
from comity.law.trafficking import assess, indicators, protection_questions
from comity.node.vault.consents import consent
from comity.node.vault.people import admit, correct
from comity.node.vault.protection import protection
from comity.node.vault.screening import screen, state
from tests.nodes.story import TH
from tests.nodes.town import Town
from tests.nodes.vaults import INDEPENDENT, found_vault, vault_of

ANSWER = st.sampled_from(("yes", "no", "unknown"))
ANSWERS = st.fixed_dictionaries({}, optional=dict.fromkeys(indicators(), ANSWER))
NEEDS = st.fixed_dictionaries({}, optional=dict.fromkeys(protection_questions(), ANSWER))
NATIONALITY = st.sampled_from(
    ("", "CN", "TH", "KH", "stateless", "unknown", "own national", "Vietnamese")
) | st.text(min_size=1, max_size=30)


def test_two_people_who_differ_in_nationality_only_are_found_and_protected_alike(town: Town) -> None:
    found_vault(town[TH])

    @settings(max_examples=12, deadline=None)
    @given(answers=ANSWERS, needs=NEEDS, one=NATIONALITY, other=NATIONALITY)
    def compare(answers: dict[str, str], needs: dict[str, str], one: str, other: str) -> None:
        assert seen(town, answers, needs, one) == seen(town, answers, needs, other)

    compare()


def seen(town: Town, answers: dict[str, str], needs: dict[str, str], nationality: str) -> Any:
    """Everything that is decided about a person of that nationality, without what is random and when it was."""
    record = {"name": "A person"} | ({"nationality": nationality} if nationality else {})
    with vault_of(town[TH]) as vault:
        who = admit(vault, record, case_id="file-1").pseudonym
        found = screen(vault, who, by="IOM", held=INDEPENDENT, answers=answers, protection=needs)
        if nationality:
            correct(vault, who, {"nationality": f"{nationality} after all"})
        consent(
            vault,
            who,
            purpose=Purpose.SCREENING_STATEMENT,
            recipient="cn-mps",
            fields=(),
            days=1,
            how="signed",
        )
        stated, standing = state(vault, who, recipient="cn-mps"), protection(vault, who)
    text = json.dumps(stated, sort_keys=True)
    return (
        found.assessment, found.protection_need, re.sub(r'(victim|statement)-[0-9a-z-]+|"at": "[^"]+"', r"\1", text),
        standing.removal, standing.interview, standing.voluntary_return, standing.punishment,
    )  # fmt: skip


@given(answers=ANSWERS, nationality=ANSWER)
def test_nationality_is_no_question_that_can_be_answered(answers: dict[str, str], nationality: str) -> None:
    for name in ("nationality", "citizenship", "passport", "state_of_origin"):
        with pytest.raises(InputError):
            assess({**answers, name: nationality})


def test_no_indicator_asks_for_it() -> None:
    asked = " ".join(row["question"] for row in json.loads(read_text("indicators.json"))["indicators"])
    assert not re.search(r"national|citizen|country of origin|foreign", asked, re.IGNORECASE)
