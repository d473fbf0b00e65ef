"""`comity law authority|offence|check|bases`: what a person reads, what a program reads, and what is refused."""

import json
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.entrypoints.cli.terminal import out
from comity.errors import InputError
from comity.law.bases import NOT_ADVICE

_SCAM = ["--has", "recruit_transport_harbour", "--has", "means_used", "--has", "purpose_forced_labour"]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal's width decides where words break, whatever the environment says."""
    monkeypatch.setattr(out, "width", 160)


def _said(*words: str) -> str:
    result = CliRunner().invoke(app, ["law", *words])
    assert result.exit_code == 0, result.exception
    return " ".join(result.stdout.split())


def _json(*words: str) -> Any:
    result = CliRunner().invoke(app, ["law", *words, "--json"])
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


def test_authorities_for_a_person() -> None:
    said = _said("authority", "TH", "--for", "anti_trafficking")
    assert "Thailand, competent authorities" in said
    assert "not verified" in said
    assert "To settle: TH: “Anti-Trafficking in Persons Division" in said
    assert NOT_ADVICE in said
    assert "Unknown (not in the data): extradition" in _said("authority", "MM", "--for", "extradition")


def test_authorities_for_a_program() -> None:
    said = _json("authority", "CN", "--for", "mla")
    assert said["conflicts"][0]["authorities"] == [
        "National Commission of Supervision",
        "Supreme People's Procuratorate",
    ]
    assert {one["verified"] for one in said["authorities"]} == {False}


def test_bases_say_what_may_remain_and_whom_to_ask() -> None:
    said = _said("bases", "--from", "TH", "--to", "MM", "--for", "extradition")
    assert "What may remain · reciprocity: MM may act" in said
    assert "no way round extradition" in said
    assert "Whom to ask unknown: the data names no authority of MM for this" in said
    asked = _json("bases", "--from", "CA", "--to", "SG", "--for", "mla")
    assert asked["ask"]["authorities"][0]["authority"] == "Attorney-General's Chambers"
    assert asked["otherwise"] == []
    assert asked["not_advice"] == NOT_ADVICE


def test_the_catalogue_and_one_offence() -> None:
    assert "illegal_gambling unknown" in _said("offence")
    assert {one["offence"] for one in _json("offence")["offences"]} >= {
        "fraud",
        "ml",
        "tip",
        "drugs",
        "terrorism_financing",
    }
    said = _said("offence", "ml")
    assert "Unknown (no provision in the data): TL" in said
    assert "LA Penal Code 2017 art. 130 unknown" in said
    one = _json("offence", "tip")
    assert [row["maximum"] for row in one["provisions"] if row["party"] == "MM"] == [None]
    assert "Unknown (no provision in the data): AE, AU, BN" in _said("offence", "drugs")


def test_dual_criminality_shows_present_absent_and_unknown() -> None:
    said = _said("offence", "tip", "--from", "TH", "--to", "HK", *_SCAM, "--lacks", "purpose_sexual")
    assert "Dual criminality: not met" in said
    found = _json(
        "offence", "tip", "--from", "TH", "--to", "HK", *_SCAM, "--lacks", "purpose_sexual",
        "--for", "extradition", "--threshold", "serious_crime",
    )  # fmt: skip
    assert (found["verdict"], found["condition"]["condition"]) == ("not_met", "required")
    (reading,) = found["sides"][1]["readings"]
    assert (reading["present"], reading["absent"], reading["unknown"]) == (
        [],
        ["purpose_sexual"],
        ["crossing_border"],
    )
    assert "mla: may decline" in _said(
        "offence", "fraud", "--from", "CA", "--to", "LA", "--has", "deception", "--for", "mla"
    )


def test_safeguards_listed_one_and_all_of_a_step() -> None:
    assert len(_json("check")["safeguards"]) == 15
    assert "non_punishment" in _said("check")
    one = _json("check", "death_penalty", "--fact", "threatened=yes", "--fact", "assured=no")
    assert (one["outcome"], one["safeguards"][0]["outcome"]) == ("barred", "barred")
    step = _json("check", "--for", "handover", "--fact", "torture.danger=no")
    assert step["outcome"] == "unknown"
    (torture,) = [one for one in step["safeguards"] if one["table"] == "torture"]
    assert [fact["fact"] for fact in torture["open"]] == ["claim", "screened"]
    said = _said("check", "--for", "handover", "--fact", "torture.danger=yes")
    assert "Together: barred" in said
    assert "? screened:" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["authority", "XX"], "a jurisdiction of the data"),
        (["authority", "TH", "--for", "arrest"], "one of mla"),
        (["bases", "--from", "TH", "--to", "TH", "--for", "mla"], "two different"),
        (["bases", "--from", "TH", "--to", "KH", "--for", "arrest"], "one of freeze"),
        (["offence", "arson"], "one of fraud"),
        (["offence", "fraud", "--from", "CA"], "--from and --to"),
        (["offence", "--has", "deception"], "an offence, --from and --to"),
        (["offence", "fraud", "--threshold", "serious_crime"], "an offence, --from and --to"),
        (["offence", "fraud", "--from", "CA", "--to", "HK", "--has", "lying"], "one of the elements"),
        (
            ["offence", "fraud", "--from", "CA", "--to", "HK", "--has", "deception", "--lacks", "deception"],
            "each element once",
        ),
        (["offence", "fraud", "--from", "CA", "--to", "HK", "--threshold", "petty"], "one of serious_crime"),
        (["check", "mercy"], "one of bank_secrecy_fiscal"),
        (["check", "--for", "arrest"], "one of extradition"),
        (["check", "torture", "--for", "handover"], "not both"),
        (["check", "torture", "--fact", "danger"], "NAME=ANSWER"),
        (["check", "torture", "--fact", "danger=maybe"], "one of yes, no, unknown"),
        (["check", "torture", "--fact", "colour=yes"], "one of danger"),
        (["check", "torture", "--fact", "persecution.purpose=no"], "NAME=ANSWER"),
        (["check", "torture", "--fact", "danger=no", "--fact", "danger=yes"], "one answer"),
        (["check", "--for", "handover", "--fact", "danger=no"], "SAFEGUARD.NAME=ANSWER"),
    ],
)
def test_bad_input_says_what_was_expected(words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["law", *words])
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_status == 2
    assert said in str(result.exception)
    assert result.stdout == ""


def test_an_unknown_jurisdiction_ends_with_status_2_and_says_expected_and_got() -> None:
    code = "from comity.entrypoints.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "law", "authority", "XX"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "expected a jurisdiction of the data" in done.stderr
    assert "got 'XX'" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["bases", "--from", "CA", "--to", "HK", "--for", "freeze"],
        ["authority", "TH"],
        ["offence"],
        ["offence", "fraud"],
        ["offence", "fraud", "--from", "CA", "--to", "HK", "--has", "deception"],
        ["check"],
        ["check", "torture"],
        ["check", "--for", "extradition"],
    ],
)
def test_every_answer_says_that_it_is_no_advice_and_how_old_the_data_is(words: list[str]) -> None:
    assert NOT_ADVICE in _said(*words)
    assert _json(*words)["not_advice"] == NOT_ADVICE


def test_facts_without_a_safeguard_are_refused() -> None:
    result = CliRunner().invoke(app, ["law", "check", "--fact", "danger=yes"])
    assert isinstance(result.exception, InputError)
