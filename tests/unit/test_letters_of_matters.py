"""Letters of matters: made from what happened on two nodes, recorded, and the same on both."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.entrypoints.cli.arguments import PASSWORD
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.law import procedure
from comity.model import Person, Role
from comity.node.letters.make import Made, make_letter
from comity.node.letters.of_request import make_request_letter
from comity.node.people import add_person
from tests.nodes.matters import Ends
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

MLA = procedure("mla")
READER = Person(id="reader", role=Role.SUPERVISOR)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def attached(pdf: bytes) -> dict[str, Any]:
    files = PdfReader(io.BytesIO(pdf)).attachments
    assert len(files) == 1
    return {name: json.loads(contents[0]) for name, contents in files.items()}


def letter(ends: Ends, side: str, **options: Any) -> Made:
    return make_letter(ends.node(side), ends.id, person=READER, **options)


@pytest.fixture
def ends(town: Town) -> Ends:
    return Ends(town, MLA)


def test_a_draft_says_that_it_is_one_and_what_is_missing(town: Town) -> None:
    ends = Ends(town, MLA, fields={"facts": "money went"})
    made = letter(ends, "requesting")
    assert made.draft
    said = text_of(made.typeset.pdf)
    assert "DRAFT: not approved, not sent" in said
    assert "Still missing" in said
    assert "law_text" in said
    assert "Nobody has approved this" in said


def test_a_request_has_every_field_its_article_and_who_sent_it(ends: Ends) -> None:
    ends.go("sent")
    made = letter(ends, "requesting")
    said = text_of(made.typeset.pdf)
    half = ends.half("requesting")
    assert half is not None
    for one in MLA.fields:
        assert one.article.split(";")[0] in said
        assert isinstance(half.facts[one.name], bool) or str(half.facts[one.name]) in said, one.name
    assert "UNTOC 18(15)(a)" in said
    assert "Not signed by hand" in said
    assert "Entry " in said
    assert "DRAFT" not in said


def test_the_message_attached_is_the_matters_story_up_to_that_step(ends: Ends) -> None:
    ends.go("sent")
    half = ends.half("requesting")
    assert half is not None
    found = attached(letter(ends, "requesting").typeset.pdf)[f"{ends.id}.json"]
    assert found["chain"] == half.chain
    assert found["steps"][-1]["event"] == "send"
    ends.go_on("acknowledged")
    again = attached(letter(ends, "requesting").typeset.pdf)[f"{ends.id}.json"]
    assert again == found, "what happened since is not in the letter that went out before"


def test_both_sides_make_the_same_letter_but_for_their_own_log(ends: Ends) -> None:
    ends.go("sent")
    one, other = (
        letter(ends, side, document="request", language="en") for side in ("requesting", "requested")
    )
    assert attached(one.typeset.pdf) == attached(other.typeset.pdf)


def test_a_refusal_names_ground_article_and_reasons(ends: Ends) -> None:
    ends.go("refused")
    made = letter(ends, "requested")
    assert made.document.name == "refusal"
    said = text_of(made.typeset.pdf)
    half = ends.half("requested")
    assert half is not None
    ground = next(one for one in MLA.refusals if one.code == half.facts["refusal"]["ground"])
    assert ground.text[:30] in " ".join(said.split())
    assert ground.article.split(";")[0] in said


def test_a_letter_is_the_same_bytes_twice_and_its_digest_is_in_the_log(ends: Ends) -> None:
    ends.go("sent")
    one, again = letter(ends, "requesting"), letter(ends, "requesting")
    assert one.typeset.pdf == again.typeset.pdf
    with ends.node("requesting").records.reading() as tx:
        made = list(tx.events.of_kinds({"letter.made"}))
    assert [event.body["sha256"] for event in made] == [one.digest, one.digest]
    assert made[0].actor == "reader"


def test_what_has_not_happened_has_no_letter(ends: Ends) -> None:
    with pytest.raises(Conflict, match="has gone out"):
        letter(ends, "requesting", document="refusal")
    with pytest.raises(NotFound, match="postponement"):
        letter(ends, "requesting", document="love")
    with pytest.raises(InputError, match="km"):
        letter(ends, "requesting", language="tlh")


def test_nobody_makes_a_letter_of_what_they_may_not_read(ends: Ends) -> None:
    with pytest.raises(Forbidden):
        make_letter(ends.node("requesting"), ends.id, person=Person(id="x", role=Role.ADMINISTRATOR))


def test_a_request_to_trace_and_hold_has_its_letter_on_both_sides(town: Town) -> None:
    town.report()
    town.settle()
    sent = town.requests(CA)[0]
    made = make_request_letter(town[CA], sent.id, person=READER, language="zh-Hant")
    said = text_of(made.typeset.pdf)
    assert "Request to trace and hold" in said
    assert sent.payload["facts"][:40] in " ".join(said.split())
    assert "Approved" in said
    assert attached(made.typeset.pdf)[f"{sent.id}.json"] == json.loads(json.dumps(sent.payload))
    assert not made.draft
    with pytest.raises(Forbidden):
        make_request_letter(town[CA], sent.id, person=Person(id="x", role=Role.ADMINISTRATOR))
    received = town.requests(HK)[0]
    assert "Approved by the authority that asks" in text_of(
        make_request_letter(town[HK], received.id, person=READER).typeset.pdf
    )


def test_the_command_writes_a_new_file_and_says_what_it_made(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = Ends(town, MLA)
    ends.go("sent")
    monkeypatch.setenv(PASSWORD, add_person(town[CA], "mei", Role.SUPERVISOR, actor="test"))
    file = tmp_path / "letter.pdf"
    words = [
        "request",
        "letter",
        str(town.folder / CA),
        ends.id,
        "--as",
        "mei",
        "-o",
        str(file),
        "--own-fonts",
    ]
    done = CliRunner().invoke(app, [*words, "--json"], env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["document"], said["language"], said["draft"]) == ("request", "zh-Hant", False)
    assert file.read_bytes().startswith(b"%PDF")
    assert file.stat().st_mode & 0o077 == 0
    again = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert again.exit_code != 0
