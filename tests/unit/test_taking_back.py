"""Taking back many things costs what they cost one by one, and the receipt says what was done and no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from comity.backends.sql.items import Item
from comity.exchange.handling import MAX_SOURCES
from comity.exchange.retraction import How, Retraction, make_retraction, verify_compliance
from comity.model import Role
from comity.node.bootstrap import Node
from comity.node.erase import keep_case, release_case
from comity.node.handling.retract import COMPLIED, take_back
from comity.node.hear import hear
from comity.node.run import work
from comity.node.sweep import sweep
from tests.nodes.attaching import tell_of
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town
from tests.unit.test_obligations import CODED, answers, hostile_answer, said_back, states_of

STEPS = 100
"""Instructions of the database between two counts."""


class Work:
    """How much the databases did: their own instructions, so that it is the same on a busy machine."""

    done = 0

    def note(self) -> int:
        self.done += STEPS
        return 0


@contextmanager
def counted(*nodes: Node) -> Iterator[Work]:
    work = Work()

    def watch(raw: Any, *_: Any) -> None:
        raw.set_progress_handler(work.note, STEPS)

    def leave(raw: Any, *_: Any) -> None:
        raw.set_progress_handler(None, 0)

    for node in nodes:
        event.listen(node.records._engine, "checkout", watch)
        event.listen(node.records._engine, "checkin", leave)
    try:
        yield work
    finally:
        for node in nodes:
            event.remove(node.records._engine, "checkout", watch)
            event.remove(node.records._engine, "checkin", leave)


def back(town: Town, item_id: str, node_id: str = CA, **more: Any) -> list[str]:
    return take_back(
        town[node_id], item_id, person=town.person(node_id, Role.SUPERVISOR), why="Mistaken.", **more
    )


def complied(town: Town, item_id: str, node_id: str = CA) -> list[dict[str, Any]]:
    return [
        dict(one.body) for one in town.events(node_id, "item.complied-with") if one.body["item"] == item_id
    ]


def received(town: Town, message: str, node_id: str = HK) -> Item:
    with town.looking(node_id) as tx:
        (item,) = tx.items.named(message)
    return item


def told_of(town: Town, item: Item, number: int) -> None:
    """HK has told others something made from `item`, and nobody who is still there: it stays as it is."""
    made = replace(
        item, id=f"{item.id}-of-{number}", direction="out", originator=HK, digest=f"{number:032x}{item.digest[:32]}",
        handling=replace(item.handling, sources=("ab" * 32,)),
    )  # fmt: skip
    with town[HK].records.transaction() as tx:
        tx.items.put(made)


def test_taking_back_many_things_is_linear(held: Town) -> None:
    """Four times as many, in a case that has all of them: about four times the work, told, heard and complied with."""
    case, cost = held.case(CA), {}
    for count in (25, 100):
        told = [tell_of(held, case_id=case.id) for _ in range(count)]
        held.settle()
        for number, message in enumerate(told):
            told_of(held, received(held, message), number)
        with counted(held[CA], held[HK]) as work:
            for message in told:
                back(held, message)
            held.settle()
        cost[count] = work.done
        assert all(len(complied(held, message)) == 1 for message in told[:3] + told[-3:])
    assert cost[25] > 25 * STEPS
    assert cost[100] < 5 * cost[25], cost


# --- what was told on --------------------------------------------------------------------------------------------


def test_what_may_come_from_more_than_can_be_named_is_taken_back_too(held: Town) -> None:
    """A list of sources that is full may leave one out; one that is not full names them all."""
    case = held.case(CA)
    item = received(held, tell_of_settled(held, case.id))
    with held.looking(HK) as tx:
        out = next(one for one in tx.items.of_case(item.case_id) if one.direction == "out")
    full = tuple(f"{number:064x}" for number in range(MAX_SOURCES))
    for name, sources in (("full", full), ("short", full[1:]), ("names-it", (item.digest,))):
        made = replace(
            out, id=name, digest=f"{name:0>64}", at=item.at, handling=replace(out.handling, sources=sources)
        )
        with held[HK].records.transaction() as tx:
            tx.items.put(made)
    with held.looking(HK) as tx:
        assert {one.id for one in tx.items.made_of(item)} == {"full", "names-it"}


@pytest.mark.parametrize("left", [[CA, HK], [CA, HK, TH]], ids=["shrunk", "left"])
def test_saying_it_again_tells_nobody_again(held: Town, left: list[str]) -> None:
    """HK leaves what CA told TH of to fewer, again and again, each time in other words."""
    item = answers(held, CA, HK)[0]
    hk = Hostile(held, HK)
    hk.start_after(CA)
    again(held, hk, item, left, "once")
    assert told_back(held) == ([TH] if TH not in left else [])
    before = len(deadlines(held))
    for number in range(3):
        again(held, hk, item, left, f"again {number}")
    assert told_back(held) == ([TH] if TH not in left else [])
    assert len(deadlines(held)) == before
    assert len(held.events(CA, "item.complied")) == 4
    again(held, hk, item, [CA, HK], "to fewer")
    assert told_back(held) == [TH]


def test_who_was_told_by_consent_only_is_told_once_that_it_is_over(held: Town) -> None:
    """TH was never in the audience of what CA made from HK's answer."""
    item = answers(held, CA, HK)[0]
    with held[CA].records.transaction() as tx:
        for ours in tx.items.made_of(item):
            tx.items.put(replace(ours, handling=replace(ours.handling, audience=(CA, HK))))
    hk = Hostile(held, HK)
    hk.start_after(CA)
    for number in range(3):
        again(held, hk, item, [CA, HK], f"number {number}")
    assert told_back(held) == [TH]


def again(town: Town, who: Hostile, item: Item, left: list[str], why: str) -> None:
    said = Retraction(
        item=item.digest, message_id=item.id, originator=who.member, audience=tuple(left), at=town.clock(),
        comply_by=town.clock() + timedelta(hours=1), why=why,
    )  # fmt: skip
    signed = make_retraction(said, key=who.node.keys.signing)
    assert who.say(CA, "item.retraction", {"retraction": signed}, purpose="retraction").status == 202
    while work(town[CA]):
        pass


def told_back(town: Town) -> list[str]:
    return [peer for one in town.events(CA, "item.shrunk") for peer in one.body["told"]]


def deadlines(town: Town) -> list[str]:
    """CA's pending ones for what it took back."""
    with town.looking(CA) as tx:
        due = tx.deadlines.due(town.clock() + timedelta(days=30))
    return [one.subject_id for one in due if one.rule == COMPLIED]


def tell_of_settled(town: Town, case_id: str) -> str:
    message = tell_of(town, case_id=case_id)
    town.settle()
    return message


# --- what the receipt says -----------------------------------------------------------------------------------------


def test_of_a_notice_nothing_is_left(held: Town) -> None:
    message = tell_of_settled(held, held.case(CA).id)
    back(held, message)
    held.settle()
    (said,) = complied(held, message)
    assert (said["how"], said["why"]) == ("erased", "")


def test_what_was_made_from_an_answer_stays_and_the_receipt_says_so(held: Town) -> None:
    item = answers(held, CA, HK)[0]
    back(held, item.id, HK)
    held.settle()
    (said,) = complied(held, item.id, HK)
    assert said["how"] == "closed"
    assert "stays, withheld" in said["why"]


def test_of_what_was_never_acted_on_nothing_is_left(town: Town) -> None:
    """HK's answer waits for a consent when it is taken back."""
    hk = hostile_answer(town, CODED)
    (item,) = answers(town, CA, HK)
    hk.say(CA, "item.retraction", {"retraction": said_back(town, hk, item)})
    hear(town[CA])
    sweep(town[CA])
    assert states_of(town, CA, "trace_and_hold.answer") == ["refused"]
    (done,) = town.events(CA, "item.complied")
    assert done.body["how"] == "erased"


def test_what_is_left_to_it_is_neither_closed_nor_erased(held: Town) -> None:
    message = tell_of(held, peers=[HK, TH])
    held.settle()
    back(held, message, audience=[CA, HK])
    held.settle()
    assert {one["how"] for one in complied(held, message)} == {"left", "erased"}
    assert received(held, message).state == "held"
    assert received(held, message, TH).state == "retracted"


def test_a_legal_hold_is_named_as_the_reason(held: Town) -> None:
    """That there is one, and since when: its ground is the other authority's own business."""
    case = held.case(HK)
    keep_case(held[HK], case.id, ground="appeal of Mr X", person=held.person(HK, Role.PROSECUTOR))
    message = tell_of_settled(held, held.case(CA).id)
    back(held, message)
    held.settle()
    (said,) = complied(held, message)
    assert said["how"] == "kept"
    assert said["why"] == f"a legal hold of {held.clock():%Y-%m-%d} on the case forbids to erase it"
    member = held[CA].compact().member(HK)
    keys = {member.signing_key_id: member.signing_key}
    signed = verify_compliance(said["compliance"], keys=keys, by=HK)
    assert (signed.how, signed.why) == (How.KEPT, said["why"])


@pytest.mark.parametrize("how", [How.KEPT, How.CLOSED])
def test_a_receipt_that_gives_no_reason_is_none(how: How) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from comity.exchange.fields import Malformed
    from comity.exchange.retraction import Compliance, make_compliance
    from tests.nodes.clock import START

    with pytest.raises(Malformed, match="why"):
        make_compliance(
            Compliance(
                retraction="ab" * 32, item="cd" * 32, by=HK, originator=CA, at=START, how=how, onward=()
            ),
            key=Ed25519PrivateKey.generate(),
        )


# --- attachments of a case under a legal hold ----------------------------------------------------------------------


def test_tidying_up_takes_nothing_of_a_case_under_a_legal_hold(held: Town) -> None:
    """What we offered in it, what a peer has fetched, and what came: until the hold is lifted."""
    from comity.node.attachments.attach import OFFERED_FOR, tidy
    from tests.nodes.attaching import attachments, fetch_all, written

    prosecutor = Role.PROSECUTOR
    kept, other = held.case(CA).id, ""
    for name, case_id in (("kept-1", kept), ("kept-2", kept), ("other", other)):
        tell_of(held, written(held, name, name.encode() * 50), peers=[HK, TH], case_id=case_id)
    held.settle()
    fetch_all(held, HK)
    held.settle()
    for node_id in (CA, HK):
        keep_case(
            held[node_id], held.case(node_id).id, ground="appeal", person=held.person(node_id, prosecutor)
        )
    held.clock.advance(days=OFFERED_FOR.days + 1)
    with held[HK].records.transaction() as tx:
        for one in tx.items.all():
            if one.direction == "in" and tx.items.type_of(one) == "notice":
                tx.items.erase_content(one)
    for node_id in (CA, HK):
        tidy(held[node_id])

    def left(node_id: str) -> set[tuple[str, str]]:
        rows = [one for one in attachments(held, node_id) if one.state != "erased"]
        return {(one.peer, one.attachment.name) for one in rows}

    def files(node_id: str) -> int:
        return len([one for one in (held.folder / node_id / "attachments").rglob("*") if one.is_file()])

    fetched = {(HK, "kept-1"), (HK, "kept-2"), (HK, "other")}
    assert left(CA) == fetched | {(TH, "kept-1"), (TH, "kept-2")}
    assert left(HK) == {(CA, "kept-1"), (CA, "kept-2")}
    assert (files(CA), files(HK)) == (2, 2)
    for node_id in (CA, HK):
        person = held.person(node_id, prosecutor)
        release_case(held[node_id], held.case(node_id).id, ground="it has ended", person=person)
        tidy(held[node_id])
    assert (left(CA), left(HK)) == (fetched, set())
    assert (files(CA), files(HK)) == (0, 0)


def test_another_peers_message_of_the_same_id_keeps_nothing(held: Town) -> None:
    """Members choose the ids of their messages: what TH sent under that id is in a case under a legal hold."""
    from tests.nodes.attaching import written

    message = tell_of(held, written(held, "notes", b"words" * 50))
    held.settle()
    item = received(held, message)
    case = held.case(HK)
    theirs = replace(item, originator=TH, digest="ab" * 32, case_id=case.id)
    with held[HK].records.transaction() as tx:
        tx.items.put(theirs)
    keep_case(held[HK], case.id, ground="appeal", person=held.person(HK, Role.PROSECUTOR))
    with held.looking(HK) as tx:
        assert [one.peer for one in tx.attachments.kept_by_law()] == []
    with held[HK].records.transaction() as tx:
        tx.items.put(replace(item, case_id=case.id))
    with held.looking(HK) as tx:
        assert [one.peer for one in tx.attachments.kept_by_law()] == [CA]
