"""Erasure: what was said is gone from the database's files, the log still holds, and a legal hold is in the way."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.backends.log_reader import FileLogReader
from comity.entrypoints.cli import app
from comity.entrypoints.cli.arguments import PASSWORD
from comity.errors import ComityError, Conflict, Forbidden, InputError, NotFound, StorageError
from comity.ledger import verify_log
from comity.model import Event, Person, Role
from comity.node.bootstrap import Node
from comity.node.erase import KeptByLaw, erase_case, erase_message, keep_case, release_case, unaccounted
from comity.node.log.fsck import check
from comity.node.log.publish import log_signer, publish_log
from comity.node.pages.desk import NodeDesk
from comity.node.pages.erased import CaseErased
from comity.node.people import add_person
from comity.proofs.note import verifier_of
from comity.proofs.tiles import ENTRIES, decode_bundle, tile_at
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

MARKER = "Zebra-Quagga-Okapi"
GROUND = "retention ended"


def ended(town: Town) -> str:
    """The story's case at Canada, marked, with every hold lapsed and nothing under way."""
    town.clock.advance(hours=73)
    town.settle()
    case = town.case(CA)
    with town[CA].records.transaction() as tx:
        town[CA].record(tx, "case.noted", case_id=case.id, actor="nadia", text=f"{MARKER} said so " * 50)
    publish_log(town[CA])
    return case.id


def supervisor(town: Town, role: Role = Role.SUPERVISOR) -> Person:
    return town.person(CA, role)


def bytes_in_files(node: Node, marker: str) -> list[str]:
    """Files of the database, its write-ahead log included, in which the marker stands."""
    files = [file for file in node.home.path.glob("node.db*") if file.is_file()]
    assert files
    return [file.name for file in files if marker.encode() in file.read_bytes()]


def holds(node: Node) -> tuple[int, int]:
    """Entries checked against the database, and events in it."""
    with node.records.reading() as tx:
        found = verify_log(
            FileLogReader(node.home.log), verifier_of(log_signer(node)),
            expected_entries=tx.events.recomputed_entries,
        )  # fmt: skip
        assert found.fault is None, found.fault
        return found.entries_checked, tx.events.size()


def events_of(node: Node, case_id: str) -> list[Event]:
    with node.records.reading() as tx:
        return [event for event, _ in tx.events.of_case(case_id)]


def a_message_of(node: Node, case_id: str) -> tuple[str, str]:
    """Id and peer of a message of the case."""
    with sqlite3.connect(node.home.path / "node.db") as base:
        query = "SELECT id, sender FROM inbox WHERE case_id = ? UNION SELECT id, peer FROM outbox WHERE case_id = ?"
        found = base.execute(query, [case_id, case_id]).fetchone()
    base.close()
    return str(found[0]), str(found[1])


def test_an_erased_case_is_gone_from_the_files_and_the_log_still_holds(held: Town) -> None:
    case_id, node = ended(held), held[CA]
    before = publish_log(node)
    entries = [FileLogReader(node.home.log).read(tile_at(ENTRIES, 0, before.size).path)] if before else []
    title = held.case(CA).title
    assert bytes_in_files(node, MARKER)
    done = erase_case(node, case_id, ground=GROUND, person=supervisor(held))
    assert done.scrubbed
    assert done.events > 10
    assert done.messages > 0
    assert bytes_in_files(node, MARKER) == []
    assert title
    assert bytes_in_files(node, title) == []
    publish_log(node)
    checked, size = holds(node)
    assert checked == size
    assert before is not None
    after = FileLogReader(node.home.log).read(tile_at(ENTRIES, 0, size).path)
    width = min(before.size, 256)
    assert decode_bundle(entries[0] or b"", width) == decode_bundle(after or b"", min(size, 256))[:width]
    assert check(node) == []
    (disposition,) = events_of(node, case_id)
    assert (disposition.kind, disposition.actor) == ("case.erased", supervisor(held).id)
    assert disposition.body == {
        "ground": GROUND, "what": "case", "events": done.events, "messages": done.messages,
        "attachments": done.attachments,
    }  # fmt: skip


def test_the_node_goes_on_after_an_erasure(held: Town) -> None:
    case_id, node = ended(held), held[CA]
    erase_case(node, case_id, ground=GROUND, person=supervisor(held))
    held.settle()
    desk = NodeDesk(node)
    assert desk.public() is not None
    with node.records.reading() as tx:
        assert tx.cases.all() == []
        assert list(tx.requests.all()) == []
        assert not any(MARKER in str(event.body) for event in tx.events.all())
        assert unaccounted(tx) == 0
        assert tx.events.count_erased() > 0
    held.report(CA)
    held.settle()
    assert len(list(held.events(CA, "report.received"))) == 1


def test_nothing_is_erased_under_a_legal_hold(held: Town) -> None:
    case_id, node, person = ended(held), held[CA], supervisor(held)
    for ground in ("appeal pending", "civil claim"):
        keep_case(node, case_id, ground=ground, person=supervisor(held, Role.PROSECUTOR))
    with pytest.raises(KeptByLaw, match="appeal pending"):
        erase_case(node, case_id, ground=GROUND, person=person)
    message = next(iter(held.events(CA, "message.received"))).body
    with node.records.reading() as tx:
        received = next(
            peer for peer in (HK, "th-office") if tx.erasure.case_of_message(peer, message["message"])
        )
        assert tx.erasure.case_of_message(received, message["message"]) is not None
    assert bytes_in_files(node, MARKER)
    assert release_case(node, case_id, ground="all ended", person=person) == 2
    assert erase_case(node, case_id, ground=GROUND, person=person).events > 0
    kinds = [event.kind for event in events_of(node, case_id)]
    assert kinds == ["case.kept", "case.kept", "case.released", "case.erased"]


def test_nothing_is_erased_while_money_is_held(held: Town) -> None:
    case = held.case(HK)
    with pytest.raises(Conflict, match="holds that stand"):
        erase_case(held[HK], case.id, ground=GROUND, person=held.person(HK, Role.SUPERVISOR))
    assert held.case(HK) == case


@pytest.mark.parametrize(
    "role",
    [
        Role.ANALYST,
        Role.ADMINISTRATOR,
        Role.OVERSIGHT,
        Role.TRAINING,
        Role.DEFENCE,
        Role.VICTIM_SUPPORT,
        Role.BORDER_OFFICER,
    ],
)
def test_only_who_answers_for_a_case_keeps_or_erases_it(held: Town, role: Role) -> None:
    case_id, node = held.case(CA).id, held[CA]
    person = supervisor(held, role)
    for act in (keep_case, release_case, erase_case):
        with pytest.raises(Forbidden):
            act(node, case_id, ground=GROUND, person=person)
    assert held.case(CA).id == case_id


def test_a_prosecutor_keeps_but_does_not_erase(held: Town) -> None:
    prosecutor = supervisor(held, Role.PROSECUTOR)
    keep_case(held[CA], held.case(CA).id, ground="trial", person=prosecutor)
    with pytest.raises(Forbidden):
        erase_case(held[CA], held.case(CA).id, ground=GROUND, person=prosecutor)


def test_a_ground_is_needed(held: Town) -> None:
    for ground in ("", "  ", "x" * 2001):
        with pytest.raises(InputError, match="ground"):
            erase_case(held[CA], held.case(CA).id, ground=ground, person=supervisor(held))


def test_what_is_not_there_is_not_found(held: Town) -> None:
    person = supervisor(held)
    with pytest.raises(NotFound):
        erase_case(held[CA], "case-9", ground=GROUND, person=person)
    with pytest.raises(NotFound):
        keep_case(held[CA], "case-9", ground=GROUND, person=person)
    with pytest.raises(Conflict):
        release_case(held[CA], held.case(CA).id, ground=GROUND, person=person)
    with pytest.raises(NotFound):
        erase_message(held[CA], HK, "message-9", ground=GROUND, person=person)


def test_an_erasure_that_fails_half_way_erases_nothing(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, node = ended(held), held[CA]
    before = len(events_of(node, case_id))

    def fail(*args: object, **kwargs: object) -> None:
        raise StorageError("disk I/O error")

    monkeypatch.setattr(Node, "record", fail)
    with pytest.raises(StorageError):
        erase_case(node, case_id, ground=GROUND, person=supervisor(held))
    monkeypatch.undo()
    assert len(events_of(node, case_id)) == before
    assert held.case(CA).id == case_id


def test_remnants_are_removed_by_asking_again(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The erasure was committed, then the disk was full: the same command ends it, and records nothing twice."""
    case_id, node, person = ended(held), held[CA], supervisor(held)

    def fail(*args: object) -> bool:
        raise StorageError("disk full")

    monkeypatch.setattr("comity.backends.sql.records.scrub", fail)
    with pytest.raises(StorageError):
        erase_case(node, case_id, ground=GROUND, person=person)
    monkeypatch.undo()
    again = erase_case(node, case_id, ground=GROUND, person=person)
    assert (again.events, again.messages, again.scrubbed) == (0, 0, True)
    assert bytes_in_files(node, MARKER) == []
    assert [event.kind for event in events_of(node, case_id)] == ["case.erased"]


def test_one_message_is_erased_with_what_names_it(held: Town) -> None:
    ended(held)
    node, person = held[CA], supervisor(held)
    message = next(event for event in held.events(CA, "message.received"))
    with node.records.reading() as tx:
        peer = next(one for one in node.peers() if tx.erasure.case_of_message(one, message.body["message"]))
    done = erase_message(node, peer, message.body["message"], ground=GROUND, person=person)
    assert done.messages == 1
    assert done.events >= 1
    ids = [event.id for event in held.events(CA)]
    assert message.id not in ids
    with node.records.reading() as tx:
        assert tx.events.is_erased(message.id)
        assert tx.events.opening(message.id) is None
        assert unaccounted(tx) == 0
    publish_log(node)
    checked, size = holds(node)
    assert checked == size


def test_a_message_id_that_is_a_word_of_events_erases_nothing_else(held: Town) -> None:
    """A member chooses its message ids: `actor` stands in every event."""
    case_id, node = ended(held), held[CA]
    message_id, _ = a_message_of(node, case_id)
    with sqlite3.connect(node.home.path / "node.db") as base:
        row = (
            "UPDATE inbox SET id = 'actor' WHERE arrival = (SELECT min(arrival) FROM inbox WHERE case_id = ?)"
        )
        assert base.execute(row, [case_id]).rowcount == 1
    base.close()
    with node.records.transaction() as tx:
        node.record(tx, "book.imported", actor="nadia", file="unrelated.csv")
        node.record(tx, "message.received", actor="node", peer="another-member", message=message_id)
    others = [one.id for one in held.events(CA) if not one.case_id and not one.kind.startswith("message.")]
    strangers = [one.id for one in held.events(CA) if one.body.get("peer") == "another-member"]
    assert others
    assert strangers
    erase_case(node, case_id, ground=GROUND, person=supervisor(held))
    left = {one.id for one in held.events(CA)}
    assert set(others) | set(strangers) <= left


def test_what_requests_and_answers_said_goes_with_their_case(held: Town) -> None:
    case_id, node = ended(held), held[CA]
    with sqlite3.connect(node.home.path / "node.db") as base:
        told = "SELECT count(*) FROM inbox WHERE type = 'trace_and_hold.answer' AND message IS NOT NULL"
        assert base.execute(told).fetchone()[0] > 0
        base.commit()
        erase_case(node, case_id, ground=GROUND, person=supervisor(held))
        assert base.execute(told).fetchone()[0] == 0
    base.close()


def test_a_message_of_a_kept_case_is_not_erased_by_its_name(held: Town) -> None:
    """By its own case, and by every case of which an event would go."""
    case_id, node = ended(held), held[CA]
    keep_case(node, case_id, ground="court order 1", person=supervisor(held))
    with sqlite3.connect(node.home.path / "node.db") as base:
        query = "SELECT id, sender FROM inbox WHERE type = 'trace_and_hold.answer'"
        message_id, peer = base.execute(query).fetchone()
        base.execute("UPDATE inbox SET case_id = '' WHERE id = ?", [message_id])
    base.close()
    with node.records.transaction() as tx:
        node.record(tx, "message.noted", case_id=case_id, actor="nadia", peer=peer, message=message_id)
    before = len(events_of(node, case_id))
    with pytest.raises(KeptByLaw):
        erase_message(node, peer, message_id, ground=GROUND, person=supervisor(held))
    assert len(events_of(node, case_id)) == before


def test_events_erased_past_the_node_are_found_out(held: Town) -> None:
    """Somebody with the database but no right to it makes an event say nothing: the log holds, the count does not."""
    case_id, node = ended(held), held[CA]
    with sqlite3.connect(node.home.path / "node.db") as base:
        base.execute(
            "UPDATE events SET body = NULL, salt = NULL WHERE id = ?", [events_of(node, case_id)[0].id]
        )
    base.close()
    holds(node)
    (trouble,) = check(node)
    assert not trouble.mendable
    assert "erased" in trouble.problem
    with sqlite3.connect(node.home.path / "node.db") as base:
        base.execute("UPDATE events SET salt = zeroblob(32) WHERE body IS NULL")
    base.close()
    assert any("does not give its own entry" in one.problem for one in check(node))


# --- the commands --------------------------------------------------------------------------------------------


@pytest.fixture
def console(held: Town, monkeypatch: pytest.MonkeyPatch) -> Path:
    password = add_person(held[CA], "nadia", Role.SUPERVISOR, actor="test")
    monkeypatch.setenv(PASSWORD, password)
    return held[CA].home.path


def run(*args: object) -> str:
    result = CliRunner().invoke(app, [str(one) for one in args])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_commands_keep_release_and_erase(held: Town, console: Path) -> None:
    case_id = ended(held)
    who = ("--as", "nadia", "--ground", GROUND)
    assert "is kept" in run("case", "keep", console, case_id, *who)
    with pytest.raises(ComityError, match="legal hold"):
        run("case", "erase", console, case_id, *who)
    assert json.loads(run("case", "release", console, case_id, *who, "--json"))["released"] == 1
    done = json.loads(run("case", "erase", console, case_id, *who, "--json"))
    assert done["scrubbed"] is True
    assert done["events"] > 0
    assert bytes_in_files(held[CA], MARKER) == []
    publish_log(held[CA])
    verdict = json.loads(run("log", "verify", console, "--quorum", "0", "--json"))
    assert verdict["ok"] is True
    assert verdict["erased"] == done["events"]


def test_fsck_finds_and_mends_tiles(held: Town, console: Path) -> None:
    node = held[CA]
    publish_log(node)
    assert "agree" in run("log", "fsck", console)
    bundle = next(iter((node.home.log / "tile").rglob("entries/**/*.p/*")))
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[:-1])
    with pytest.raises(ComityError, match="not what follows"):
        run("log", "fsck", console)
    shown = CliRunner().invoke(app, ["log", "fsck", str(console), "--json"])
    assert json.loads(shown.stdout)["wrong"][0]["mendable"] is True
    assert "mended" in run("log", "fsck", console, "--mend")
    assert bundle.read_bytes() == whole
    assert "agree" in run("log", "fsck", console)


def test_fsck_does_not_choose_between_database_and_log(held: Town, console: Path) -> None:
    node = held[CA]
    publish_log(node)
    before = {file: file.read_bytes() for file in node.home.log.rglob("*") if file.is_file()}
    with sqlite3.connect(node.home.path / "node.db") as base:
        base.execute("UPDATE events SET entry = zeroblob(32) WHERE log_index = 1")
    base.close()
    shown = CliRunner().invoke(app, ["log", "fsck", str(console), "--mend", "--json"])
    found = json.loads(shown.stdout)
    assert found["mended"] == []
    assert {one["where"] for one in found["wrong"]} >= {"database", "checkpoint"}
    assert not any(one["mendable"] for one in found["wrong"])
    assert {file: file.read_bytes() for file in before} == before


def test_an_event_is_disclosed_and_checked_by_commands(held: Town, console: Path, tmp_path: Path) -> None:
    node = held[CA]
    publish_log(node)
    event = held.events(CA, "report.received")[0]
    file = tmp_path / "shown.json"
    key = str(verifier_of(log_signer(node)))
    run("log", "disclose", console, event.id, "--field", "kind", "--field", "case", "--out", file)
    assert str(event.at.year) not in file.read_text().split('"proof"')[0]
    found = json.loads(run("log", "check-disclosure", file, "--key", key, "--json"))
    assert found["fields"] == {"case": event.case_id, "kind": "report.received"}
    assert found["hidden"] == 3 + len(event.body)
    assert "hidden fields" in run("log", "check-disclosure", file, "--key", key)
    file.write_text(file.read_text().replace("report.received", "report.withdrawn"))
    with pytest.raises(ComityError) as refused:
        run("log", "check-disclosure", file, "--key", key)
    assert refused.value.exit_status == 3
    with pytest.raises(InputError, match=r"body\."):
        run("log", "disclose", console, event.id, "--field", "nothing", "--out", file)
    with pytest.raises(NotFound):
        run("log", "disclose", console, "event-9", "--out", file)


def test_an_erased_event_is_not_disclosed(held: Town, console: Path, tmp_path: Path) -> None:
    case_id = ended(held)
    event = events_of(held[CA], case_id)[0]
    erase_case(held[CA], case_id, ground=GROUND, person=supervisor(held))
    with pytest.raises(Conflict, match="erased"):
        run("log", "disclose", console, event.id, "--field", "kind", "--out", tmp_path / "x")


def test_of_an_erased_case_is_said_when_by_whom_and_why(town: Town) -> None:
    town.report()
    town.settle()
    case_id = ended(town)
    person = supervisor(town)
    erase_case(town[CA], case_id, person=person, ground=GROUND)
    shown = CliRunner().invoke(app, ["case", "show", str(town[CA].home.path), case_id])
    assert isinstance(shown.exception, CaseErased)
    for said in (case_id, person.id, GROUND, f"{town.clock():%Y-%m-%d}"):
        assert said in str(shown.exception)
    with pytest.raises(CaseErased, match=GROUND):
        NodeDesk(town[CA]).case(person, case_id)
    unknown = CliRunner().invoke(app, ["case", "show", str(town[CA].home.path), "case-0000000000000000"])
    assert isinstance(unknown.exception, NotFound)
    assert not isinstance(unknown.exception, CaseErased)
