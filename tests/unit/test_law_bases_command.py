"""`comity law bases` as a person and as a program see it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from comity.entrypoints.cli.law_bases import law_bases
from comity.errors import InputError
from comity.law.bases import NOT_ADVICE


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("bases")(law_bases)
    app.command("other")(lambda: None)
    return app


def test_json_is_the_only_thing_on_standard_output(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["bases", "--from", "CA", "--to", "HK", "--for", "freeze", "--json"])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["from"], said["to"], said["for"]) == ("CA", "HK", "freeze")
    assert said["bases"][0]["usable"] is True


def test_a_person_reads_what_is_usable_what_is_missing_and_that_it_is_no_advice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    law_bases("TH", "MM", "freeze")
    said = " ".join(capsys.readouterr().out.split())
    assert "Thailand → Myanmar, freeze" in said
    assert said.index("✓ use") < said.index("– no")
    assert "Not in the data; to be checked" in said
    assert said.count("Caution:") == 1
    assert NOT_ADVICE in said


def test_bad_input_is_an_input_error() -> None:
    with pytest.raises(InputError):
        law_bases("TH", "XX", "freeze")


def test_help_has_examples(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["bases", "--help"])
    assert "Examples:" in result.stdout
    assert "comity law bases --from CA --to HK --for freeze" in result.stdout
