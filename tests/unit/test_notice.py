"""Notices: who may tell whom what, how they are filed, what of them is shown, and what a peer may not make of them."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.errors import ComityError, Conflict, Forbidden, InputError, NotFound, StorageError
from comity.exchange import StaleRegister
from comity.exchange.fields import Malformed
from comity.exchange.notice import LONGEST_TEXT, Notice, read_notice, write_notice
from comity.model import Role
from comity.node.attachments.attach import OFFERED_FOR, files_of, offered_to, tidy
from comity.node.attachments.export import fetch_again, save_attachment
from comity.node.handling.gate import HandlingForbids
from comity.node.handling.retract import take_back
from comity.node.notice import notice_named, notices, tell
from tests.nodes.attaching import attachments, fetch_all, states, tell_of, written
from tests.nodes.hostile import Hostile
from tests.nodes.mutations import mutated
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town

KEY = "A" * 43
ABOUT_NOTHING = {"origin": "", "id": ""}


def said(**changes: Any) -> dict[str, Any]:
    return {"case": ABOUT_NOTHING, "subject": "S", "text": "T", "attachments": [], **changes}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "format": "comity-attachment/1", "id": "a" * 64, "name": "n", "media_type": "text/plain", "size": 5,
        "chunk": 4096, "digest": "b" * 64, "key": KEY, **changes,
    }  # fmt: skip


def shown(town: Town, node_id: str, **of: Any) -> list[Any]:
    with town.looking(node_id) as tx:
        return notices(town[node_id], tx, **of)


# --- form ----------------------------------------------------------------------------------------------


def test_a_notice_is_read_as_it_was_written() -> None:
    notice = Notice(origin="ca-centre", case="case-1", subject="S", text="Two\nlines\n\nand more")
    assert read_notice(write_notice(notice)) == notice


@pytest.mark.parametrize(
    "change",
    [
        {"subject": ""}, {"subject": "x" * 201}, {"subject": "two\nlines"}, {"subject": "\u202eevil"}, {"subject": 5},
        {"text": "x" * (LONGEST_TEXT + 1)}, {"text": "x" * 4001}, {"text": "a\rb"}, {"text": "a\x00"}, {"text": None},
        {"text": "a\u2066b"}, {"case": None}, {"case": {"origin": "ca-centre", "id": ""}}, {"case": "case-1"},
        {"case": {"origin": "../x", "id": "y"}}, {"attachments": {}}, {"attachments": [5]},
        {"attachments": [described(), described()]},
        {"attachments": [described(id=f"{one:064x}") for one in range(33)]},
        {"attachments": [described(key="A" * 42 + "B")]}, {"attachments": [described(id="../../x")]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_notice_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_notice(said(**change))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_notice_that_is_almost_right_is_read_or_refused(data: st.DataObject) -> None:
    with suppress(InputError):
        read_notice(data.draw(mutated(said(attachments=[described()]))))


# --- telling -------------------------------------------------------------------------------------------


def test_one_message_tells_several_and_both_sides_can_read_it(town: Town) -> None:
    notice = tell_of(town, peers=[HK, TH], text="One.\nTwo.")
    town.settle()
    (ours,) = shown(town, CA)
    assert (ours.id, ours.sent_by_us, ours.peers, ours.text) == (notice, True, (HK, TH), "One.\nTwo.")
    assert ours.person == town.person(CA, Role.ANALYST).id
    for peer in (HK, TH):
        (theirs,) = shown(town, peer)
        assert (theirs.id, theirs.sent_by_us, theirs.peers, theirs.subject, theirs.text) == (
            notice, False, (CA,), "A statement", "One.\nTwo.",
        )  # fmt: skip
        assert [event.body["message"] for event in town.events(peer, "notice.received")] == [notice]
        assert not [event for event in town.events(peer) if event.kind.startswith("alarm.")]
    assert shown(town, WATCH) == []
    with town.looking(CA) as tx:
        assert tx.outbox.counts().keys() <= {"handled", "accepted"}
    with pytest.raises(NotFound), town.looking(HK) as tx:
        notice_named(town[HK], tx, "message-none")


def test_under_a_register_that_is_too_old_a_notice_is_refused_and_stands_in_nobodys_way(town: Town) -> None:
    formed = town[CA].compact().fresh_at
    town.clock.advance(seconds=(formed - town.clock()).total_seconds(), hours=30)
    with pytest.raises(StaleRegister, match="30 h ago") as refusal:
        tell_of(town, peers=[HK], text="One.")
    assert "comity compact update" in refusal.value.next_step
    with town[CA].records.reading() as tx:
        assert tx.outbox.waiting(HK) == 0


def test_a_notice_is_filed_under_the_case_that_both_have(held: Town) -> None:
    case = held.case(CA)
    tell_of(held, peers=[HK], case_id=case.id)
    tell_of(held, sender=HK, peers=[CA], case_id=held.case(HK, case.id).id)
    held.settle()
    copy = held.case(HK, case.id).id
    assert [one.case_id for one in shown(held, HK)] == [copy, copy]
    assert [one.case_id for one in shown(held, CA, case_id=case.id)] == [case.id, case.id]
    page = held.case_page(CA, case.id)
    assert [(one.sent_by_us, one.lines) for one in page.notices] == [(True, ("Text.",)), (False, ("Text.",))]
    assert any(row.summary == "Notice from hk-unit" for row in page.events)


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_work_on_cases_tell(town: Town, role: Role) -> None:
    may = role in (Role.ANALYST, Role.SUPERVISOR, Role.CENTRAL_AUTHORITY, Role.PROSECUTOR)
    about = {"compact": None, "peers": [HK], "case_id": "", "subject": "S", "text": "T"}
    if may:
        assert tell(town[CA], person=town.person(CA, role), **about)  # type: ignore[arg-type] # one dictionary
        return
    with pytest.raises(Forbidden):
        tell(town[CA], person=town.person(CA, role), **about)  # type: ignore[arg-type] # one dictionary
    assert town.queued(CA) == 0


def test_no_policy_lets_oversight_or_a_trainee_tell(town: Town) -> None:
    town.law(CA, '@id("all") @reason("everything") permit (principal, action, resource);')
    for role in (Role.OVERSIGHT, Role.TRAINING, Role.ADMINISTRATOR):
        with pytest.raises(Forbidden):
            tell(
                town[CA],
                person=town.person(CA, role),
                compact=None,
                peers=[HK],
                case_id="",
                subject="S",
                text="",
            )


@pytest.mark.parametrize("peers", [[], [CA], [HK, HK], [HK, CA], ["nobody-here"], ["../x"]], ids=str)
def test_only_other_members_are_told(town: Town, peers: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        tell_of(town, written(town, "f", b"x"), peers=peers)
    assert town.queued(CA) == 0
    assert left_in(town, CA) == []


def left_in(town: Town, node_id: str) -> list[Path]:
    folder = town.folder / node_id / "attachments"
    return sorted(file for file in folder.rglob("*") if file.is_file())


def test_what_cannot_be_told_leaves_nothing_sealed(town: Town) -> None:
    good = written(town, "good", b"x")
    for changes in ({"text": "\x00"}, {"case_id": "case-none"}):
        with pytest.raises(InputError):
            tell_of(town, good, **changes)
    for files in ([good, town.folder / "gone"], [good] * 33):
        with pytest.raises(InputError):
            tell_of(town, *files)
    assert left_in(town, CA) == []
    assert attachments(town, CA) == []


def test_a_file_whose_name_would_deceive_is_not_sent(town: Town) -> None:
    with pytest.raises(Malformed):
        tell_of(town, written(town, "gnp.\u202eexe", b"x"))
    assert left_in(town, CA) == []


# --- what a member may not make of it ------------------------------------------------------------------


def test_nobody_puts_a_notice_into_a_case_they_have_no_part_in(held: Town) -> None:
    """The oversight body was never asked anything in it; whether there is such a case it cannot tell."""
    case = held.case(CA)
    hostile = Hostile(held, WATCH)
    for name in (case.id, "case-0000000000000000"):
        hostile.say(CA, "notice", said(case={"origin": CA, "id": name}), purpose="trace-and-hold")
    held.settle()
    assert [one.case_id for one in shown(held, CA)] == ["", ""]
    assert [event.case_id for event in held.events(CA, "notice.received")] == ["", ""]
    assert held.case_page(CA, case.id).notices == ()


def test_a_notice_that_is_refused_is_shown_to_nobody(town: Town) -> None:
    hostile = Hostile(town, HK)
    for payload in ({}, said(subject="\u202eevil"), said(attachments=[described(key="x")])):
        assert hostile.say(CA, "notice", payload, purpose="trace-and-hold").status == 202
    hostile.say(CA, "notice", said(subject="Good"), purpose="trace-and-hold")
    town.settle(down=[HK])
    assert [one.subject for one in shown(town, CA)] == ["Good"]
    assert [event.body["code"] for event in town.events(CA, "alarm.message-refused")] == [
        "exchange.malformed"
    ] * 3


def test_an_id_that_comes_again_must_be_the_same(town: Town) -> None:
    hostile = Hostile(town, HK)
    for payload in (
        said(attachments=[described()]), said(attachments=[described(name="another label")]),
        said(attachments=[described(size=6)]), said(attachments=[described(key="B" * 42 + "A")]),
        said(attachments=[described(digest="c" * 64)]),
    ):  # fmt: skip
        hostile.say(CA, "notice", payload, purpose="trace-and-hold")
    town.settle(down=[HK])
    (one,) = attachments(town, CA)
    assert (one.attachment.name, one.attachment.size) == ("n", 5)
    assert len(shown(town, CA)) == 2
    assert len(town.events(CA, "alarm.message-refused")) == 3


def test_two_members_may_use_one_id_and_neither_touches_the_others(town: Town) -> None:
    for member, size in ((HK, 5), (TH, 6)):
        Hostile(town, member).say(
            CA, "notice", said(attachments=[described(size=size)]), purpose="trace-and-hold"
        )
    town.settle(down=[HK, TH])
    assert {(one.peer, one.attachment.size) for one in attachments(town, CA)} == {(HK, 5), (TH, 6)}
    with pytest.raises(InputError, match="one attachment"):
        fetch_again(town[CA], "a" * 64, person=town.person(CA, Role.ANALYST))


@pytest.mark.parametrize(
    "changes", [{"state": "offered"}, {"state": "erased"}, {"attachment": "f" * 64}, {"reason": "\x1b[31m"}]
)
def test_a_state_that_nobody_may_tell_is_refused(town: Town, changes: dict[str, str]) -> None:
    tell_of(town, written(town, "f", b"x"), peers=[HK])
    (one,) = attachments(town, CA)
    town.settle(down=[TH])
    payload = {"attachment": one.attachment.id, "state": "whole", "reason": "", **changes}
    hostile = Hostile(town, HK)
    hostile.start_after(CA)
    hostile.say(CA, "attachment.state", payload)
    Hostile(town, TH).say(CA, "attachment.state", {**payload, "state": "whole"})
    town.settle(down=[HK, TH])
    assert states(town, CA) == ["offered"]


# --- limits, obligations, the end ----------------------------------------------------------------------


def test_what_is_too_large_is_refused_politely_before_a_byte_is_asked_for(town: Town) -> None:
    settings_file = town.folder / HK / "node.toml"
    settings_file.write_text(settings_file.read_text() + "max_attachment_bytes = 10\n")
    town.reopen(HK)
    tell_of(town, written(town, "large", b"x" * 11), written(town, "small", b"x" * 10))
    town.settle()
    assert fetch_all(town) == 1
    town.settle()
    assert sorted(states(town, HK)) == ["refused", "whole"]
    assert {(one.state.value, one.reason) for one in attachments(town, CA)} == {
        ("whole", ""), ("refused", "larger than the 10 bytes that this node takes"),
    }  # fmt: skip


def test_one_member_does_not_fill_the_disk_with_announcements(town: Town) -> None:
    settings_file = town.folder / CA / "node.toml"
    settings_file.write_text(settings_file.read_text() + "max_attachment_bytes = 1000\n")
    town.reopen(CA)
    many = [described(id=f"{one:064x}", size=1000) for one in range(6)]
    Hostile(town, HK).say(CA, "notice", said(attachments=many), purpose="trace-and-hold")
    town.settle(down=[HK])
    assert sorted(states(town, CA)) == ["announced"] * 4 + ["refused"] * 2


def test_empty_attachments_count_too(town: Town) -> None:
    hostile = Hostile(town, CA)
    one = described(size=0, digest=hashlib.sha256(b"").hexdigest())
    with patch("comity.node.attachments.attach.MOST_OF_ONE_PEER", 3):
        for number in range(5):
            many = [{**one, "id": f"{number:064x}"}]
            hostile.say(HK, "notice", said(attachments=many), purpose="trace-and-hold")
            town.settle(down=[CA])
    assert sorted(states(town, HK)) == ["announced"] * 3 + ["refused"] * 2


def test_where_the_answer_of_the_database_is_lost_the_files_stay(town: Town) -> None:
    """The notice may go out: what it announces must be there. `tidy` removes what no row names."""
    with (
        patch("comity.node.notice._send", side_effect=StorageError("expected a database, got silence")),
        pytest.raises(StorageError),
    ):
        tell_of(town, written(town, "a.txt", b"a"))
    (left,) = left_in(town, CA)
    os.utime(left, (0, 0))  # `tidy` lets it rest for a day first
    tidy(town[CA])
    assert left_in(town, CA) == []


def test_a_person_takes_it_out_and_it_is_recorded(town: Town) -> None:
    content = b"Exhibit A" * 1000
    tell_of(town, written(town, "../../exhibit.txt".rpartition("/")[2], content))
    town.settle()
    analyst, target = town.person(HK, Role.ANALYST), town.folder / "out.txt"
    (one,) = attachments(town, HK)
    with pytest.raises(Conflict):
        save_attachment(town[HK], one.attachment.id, target, person=analyst)
    fetch_all(town)
    for role in (Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING, Role.DEFENCE):
        with pytest.raises(Forbidden):
            save_attachment(town[HK], one.attachment.id, target, person=town.person(HK, role))
    assert not target.exists()
    saved = save_attachment(town[HK], one.attachment.id[:12], target, person=analyst)
    assert target.read_bytes() == content
    assert saved.digest == hashlib.sha256(content).hexdigest()
    (event,) = town.events(HK, "attachment.saved")
    assert (event.actor, event.body["attachment"]) == (analyst.id, saved.id)
    for id_ in ("", "../..", "a" * 7, "A" * 64):
        with pytest.raises(InputError):
            save_attachment(town[HK], id_, town.folder / "other", person=analyst)


def test_what_is_taken_back_is_neither_shown_nor_offered_nor_given_out(town: Town) -> None:
    notice = tell_of(town, written(town, "one", b"x" * 100), written(town, "two", b"y" * 100), peers=[HK, TH])
    town.settle()
    fetch_all(town)
    ids = [one.attachment.id for one in attachments(town, HK)]
    assert all(offered_to(town[CA], TH, one) for one in ids)
    take_back(town[CA], notice, person=town.person(CA, Role.SUPERVISOR), why="The witness is in danger.")
    assert [offered_to(town[CA], TH, one) for one in ids] == [None, None]
    town.settle()
    assert all(one.attachment.key == b"" for one in attachments(town, HK))
    for node_id in (CA, HK, TH):
        tidy(town[node_id])
    (theirs,) = shown(town, HK)
    assert "retracted by ca-centre" in theirs.withheld
    assert (theirs.subject, theirs.text, theirs.attachments) == ("", "", ())
    assert set(states(town, HK)) | set(states(town, CA)) | set(states(town, TH)) == {"erased"}
    assert all(one.attachment.key == b"" for node_id in (CA, HK, TH) for one in attachments(town, node_id))
    assert left_in(town, HK) == left_in(town, CA) == []
    with pytest.raises(ComityError):
        save_attachment(town[HK], ids[0], town.folder / "out", person=town.person(HK, Role.ANALYST))


def test_what_may_be_kept_no_longer_is_given_out_no_more(town: Town) -> None:
    tell_of(town, written(town, "one", b"x" * 100))
    town.settle()
    fetch_all(town)
    (one,) = attachments(town, HK)
    town.clock.advance(days=100)
    with pytest.raises(HandlingForbids):
        save_attachment(
            town[HK], one.attachment.id, town.folder / "out", person=town.person(HK, Role.ANALYST)
        )
    assert not (town.folder / "out").exists()
    assert len(town.events(HK, "handling.forbidden")) == 1
    assert town.events(HK, "attachment.saved") == []
    (theirs,) = shown(town, HK)
    assert "was to be kept until" in theirs.withheld


def test_an_offer_ends_when_everybody_has_it_or_after_its_time(town: Town) -> None:
    tell_of(town, written(town, "one", b"x" * 100), peers=[HK, TH])
    town.settle()
    fetch_all(town, HK)
    town.settle()
    tidy(town[CA])
    assert len(left_in(town, CA)) == 1
    town.clock.advance(days=OFFERED_FOR.days + 1)
    tidy(town[CA])
    assert left_in(town, CA) == []
    (one,) = {one.attachment.id for one in attachments(town, HK)}
    assert offered_to(town[CA], TH, one) is None
    assert fetch_all(town, TH) == 1
    assert states(town, TH) == ["failed"]


def test_the_sender_keeps_no_key(town: Town) -> None:
    tell_of(town, written(town, "one", b"x" * 100))
    assert [one.attachment.key for one in attachments(town, CA)] == [b""]
    assert files_of(town[CA]).offered(attachments(town, CA)[0].attachment.id).stat().st_mode & 0o077 == 0
