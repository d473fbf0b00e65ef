"""Queues between nodes: batches, what a bad message leaves behind, receipts that travel together, ticks, mailboxes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from comity.backends.sql.inbox import SqlInbox
from comity.backends.sql.outbox import SqlOutbox
from comity.backends.sql.rows import time_value
from comity.errors import Forbidden
from comity.exchange import (
    Answer,
    Member,
    Queue,
    Result,
    Status,
    verify_receipt,
    write_envelopes,
    write_results,
)
from comity.exchange.notice import NOTICE, Notice, write_notice
from comity.model import Role
from comity.node.answer import answer_by_hand
from comity.node.bootstrap import Node
from comity.node.post import mailbox
from comity.node.post import send as sending
from comity.node.post.deliver import deliver
from comity.node.post.mailbox import Mailbox, NotAFetcher, hand_out, take_results
from comity.node.post.receive import receive
from comity.node.post.send import Letter, send
from comity.node.post.tell import tell as tell_outcomes
from comity.node.run import work
from tests.nodes.hostile import Hostile
from tests.nodes.laws import NO_ANSWER
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town
from tests.nodes.wires import Fate

COMPACT = "test-compact"
QUEUE = Queue(COMPACT, HK)


def tell(node: Node, *peers: str, text: str = "x", **more: Any) -> str:
    letter = Letter(
        compact=COMPACT, peer=peers[0], also=peers[1:], type=NOTICE, case_id="", purpose="trace-and-hold",
        legal_basis="", payload=write_notice(Notice(origin="", case="", subject="s", text=text)), **more,
    )  # fmt: skip
    with node.records.transaction() as tx:
        return send(node, tx, letter, actor="test")


def states(town: Town, node_id: str) -> dict[str, int]:
    with town.looking(node_id) as tx:
        return dict(tx.outbox.counts())


def due(town: Town, node_id: str, queue: Queue = QUEUE) -> list[Any]:
    with town.looking(node_id) as tx:
        return list(tx.outbox.due(town.clock(), queue, most=64, most_bytes=1 << 22))


# --- batches -------------------------------------------------------------------------------------------


def test_what_waits_goes_together_in_order(town: Town) -> None:
    said = [tell(town[CA], HK) for _ in range(70)]
    assert town.deliver(CA, HK)
    assert town.deliver(CA, HK)
    assert town.wires.batches == [64, 6]
    assert [one.body["message"] for one in town.events(HK, "message.received")] == said
    assert states(town, CA) == {"accepted": 70}


def test_a_batch_is_bounded_in_bytes_but_never_empty(town: Town) -> None:
    tell(town[CA], HK)
    with town.looking(CA) as tx:
        assert len(tx.outbox.due(town.clock(), QUEUE, most=64, most_bytes=1)) == 1


def test_a_poisoned_message_blocks_nothing_and_leaves_no_trouble(town: Town) -> None:
    """One that the receiver refuses for good, in the middle of a batch: those before and behind it arrive."""
    for _ in range(2):
        tell(town[CA], HK)
    with patch.object(sending, "lifetime", lambda _: timedelta(seconds=1)):
        poisoned = tell(town[CA], HK)
    for _ in range(3):
        tell(town[CA], HK)
    town.clock.set_wrong(HK, minutes=1)
    while town.deliver(CA, HK):
        pass
    assert states(town, CA) == {"accepted": 5, "refused": 1}
    (refused,) = town.events(CA, "message.refused")
    assert refused.body["message"] == poisoned
    assert "envelope.expired" in refused.body["reason"]
    assert town.wires.batches == [6, 3]
    assert Counter(one.body.get("code") for one in town.events(HK) if one.kind.startswith("alarm.")) == {
        "envelope.expired": 1, "arrival.gap": 1,
    }  # fmt: skip


def test_what_follows_a_refused_envelope_is_not_looked_at(town: Town) -> None:
    hostile = Hostile(town, HK)
    good = hostile.packed(CA, "receipt", {}).wire
    results = receive(town[CA], [b"nonsense\n", good, b"worse"], connection=HK)
    assert [one.status for one in results] == [400, 424, 424]
    assert len(town.events(CA, "alarm.message-rejected")) == 1
    assert [one.status for one in receive(town[CA], [good, b"nonsense\n"], connection=HK)] == [202, 400]


def test_a_duplicate_stops_nothing(town: Town) -> None:
    hostile = Hostile(town, HK)
    first = hostile.packed(CA, "receipt", {})
    hostile.bring(CA, first.wire)
    hostile.start_from(CA, 1, first.digest)
    second = hostile.packed(CA, "receipt", {})
    assert [one.status for one in receive(town[CA], [first.wire, second.wire], connection=HK)] == [200, 202]


def test_one_that_cannot_be_stored_does_not_undo_the_others(town: Town) -> None:
    """Whatever the reason: the batch is placed again one by one, and that one is refused by a signed receipt."""
    said = [tell(town[CA], HK) for _ in range(4)]
    real = SqlInbox.take

    def take(self: SqlInbox, opened: Any, **more: Any) -> None:
        if opened.message.id == said[1]:
            raise KeyError("something nobody thought of")
        real(self, opened, **more)

    with patch.object(SqlInbox, "take", take):
        while town.deliver(CA, HK):
            pass
    assert states(town, CA) == {"accepted": 3, "refused": 1}
    assert [one.body["message"] for one in town.events(HK, "message.received")] == [said[0], *said[2:]]
    assert [one.body["code"] for one in town.events(HK, "alarm.message-rejected")] == ["quarantined"]


def test_damage_on_the_way_is_mended_by_sending_again(town: Town) -> None:
    """A bit that fell over in a ciphertext, or in a signed line: nothing is lost, and the order is kept."""
    said = [tell(town[CA], HK) for _ in range(4)]
    real = town.wires.bring_all
    damages = iter([(1, -1), (2, 5), (0, 300)])

    def bring_all(sender: str, receiver: str, wires: Any) -> Any:
        wires, damage = list(wires), next(damages, None)
        if damage is not None and damage[0] < len(wires):
            number, place = damage
            wires[number] = (
                wires[number][:place] + bytes([wires[number][place] ^ 4]) + wires[number][place:][1:]
            )
        return real(sender, receiver, wires)

    with patch.object(town.wires, "bring_all", bring_all):
        town.settle()
    assert [one.body["message"] for one in town.events(HK, "message.received")] == said
    assert set(states(town, CA)) == {"handled"}


def test_the_head_that_failed_goes_alone(town: Town) -> None:
    for _ in range(3):
        tell(town[CA], HK)
    town.wires.fate = lambda _: Fate.ANSWER_LOST
    assert not town.deliver(CA, HK)
    town.wires.fate = lambda _: Fate.ARRIVES
    town.clock.advance(minutes=1)
    while town.deliver(CA, HK):
        pass
    assert town.wires.batches == [3, 1, 2]
    assert states(town, CA) == {"accepted": 3}


def test_one_queue_never_waits_for_another(town: Town) -> None:
    tell(town[CA], HK)
    tell(town[CA], TH)
    town.wires.down = {HK}
    town.deliver(CA, HK)
    assert town.deliver(CA, TH)
    assert states(town, CA) == {"queued": 1, "accepted": 1}


def test_one_envelope_for_several_peers_is_in_the_chain_of_each(town: Town) -> None:
    tell(town[CA], TH)
    said = tell(town[CA], HK, TH)
    while town.deliver(CA, HK) or town.deliver(CA, TH):
        pass
    places = {
        node_id: [
            (one.body["message"], one.body["sequence"]) for one in town.events(node_id, "message.received")
        ]
        for node_id in (HK, TH)
    }
    assert places[HK] == [(said, 1)]
    assert places[TH][1] == (said, 2)
    assert len({one.wire for one in town.wires.carried if one.sender == CA}) == 2


# --- what holds a message back -------------------------------------------------------------------------


def test_what_must_be_witnessed_waits_without_an_attempt_and_so_does_what_follows(town: Town) -> None:
    with patch.object(sending, "_asks_for_witnesses", lambda _: True):
        first = tell(town[CA], HK)
        tell(town[CA], HK)
    tell(town[CA], TH)
    asked: list[int] = []

    def not_yet(_node: Node, _tx: Any, event: int) -> bool:
        asked.append(event)
        return False

    with patch("comity.node.post.deliver.witnessed", not_yet):
        for _ in range(3):
            assert not town.deliver(CA, HK)
        assert town.deliver(CA, TH)
    waiting = due(town, CA)
    assert next((one.message_id, one.attempts) for one in waiting) == (first, 0)
    assert len(waiting) == 2
    with town.looking(CA) as tx:
        events = dict(tx.events.after(0))
        assert events[asked[0]].body["message"] == first
        assert events[asked[0]].kind == "message.queued"
    assert town.deliver(CA, HK)
    assert states(town, CA) == {"accepted": 3}


def until_stale(town: Town) -> float:
    """Hours from now until nobody has confirmed the register for 30 hours."""
    return (town[CA].compact().fresh_at - town.clock() + timedelta(hours=30)) / timedelta(hours=1)


def test_a_register_that_is_too_old_lets_only_replies_through(town: Town) -> None:
    theirs = tell(town[TH], CA)
    assert town.deliver(TH, CA)
    town.wires.carried.clear()
    town.clock.advance(hours=until_stale(town))
    tell(town[CA], HK)
    assert not town.deliver(CA, HK)
    assert town.wires.carried == []
    (waiting,) = town_rows(town, CA, "SELECT state, last_error FROM outbox")
    assert waiting.state == "queued"
    assert "confirmed 30 h ago" in waiting.last_error
    town.clock.advance(minutes=10)
    tell(town[CA], TH, in_reply_to=theirs)
    assert town.deliver(CA, TH)


def test_a_receiver_with_an_old_register_is_asked_again(town: Town) -> None:
    town.clock.advance(hours=until_stale(town) - 10)
    town.clock.set_wrong(HK, hours=20)
    tell(town[CA], HK)
    assert not town.deliver(CA, HK)
    (waiting,) = town_rows(town, CA, "SELECT state, last_error FROM outbox")
    assert waiting.state == "queued"
    assert "register.stale" in waiting.last_error


@pytest.mark.parametrize("replied_to", ["", "nothing-of-theirs"])
def test_only_what_replies_to_a_message_of_ours_comes_in_under_an_old_register(
    town: Town, replied_to: str
) -> None:
    said = tell(town[CA], HK)
    assert town.deliver(CA, HK)
    town.clock.advance(hours=until_stale(town))
    hostile = Hostile(town, HK)
    refused = hostile.say(CA, NOTICE, {}, in_reply_to=replied_to)
    assert refused.status == 503
    assert hostile.say(CA, NOTICE, {}, in_reply_to=said).status == 202


def test_a_request_that_freezes_nothing_is_no_freeze_under_an_old_register(town: Town) -> None:
    town.clock.advance(hours=until_stale(town))
    hostile = Hostile(town, HK)
    assert hostile.say(CA, "trace_and_hold.request", {"asks": ["trace"]}).status == 503
    assert hostile.say(CA, "trace_and_hold.request", {"asks": ["trace", "hold"]}).status == 202


def test_what_may_not_go_costs_no_bytes_and_no_mailbox_hands_it_out(fetching: Town) -> None:
    """Neither for a member that fetches, nor behind a quorum that is not there, nor under an old register."""
    town = fetching
    tell(town[CA], HK)
    with patch.object(SqlOutbox, "with_wires", side_effect=AssertionError("the bytes were read")):
        assert not town.deliver(CA, HK)
    town.clock.advance(hours=until_stale(town))
    assert hand_out(town[CA], HK) == []
    with patch.object(sending, "_asks_for_witnesses", lambda _: True):
        tell(town[CA], TH)
    read: list[int] = []
    real = SqlOutbox.with_wires

    def with_wires(self: SqlOutbox, found: Any) -> Any:
        read.append(len(found))
        return real(self, found)

    with (
        patch.object(SqlOutbox, "with_wires", with_wires),
        patch("comity.node.post.deliver.witnessed", lambda *_: False),
    ):
        assert not town.deliver(CA, TH)
    assert read == [0]


def town_rows(town: Town, node_id: str, query: str) -> list[Any]:
    with town.looking(node_id) as tx:
        return list(tx.outbox._connection.exec_driver_sql(query))


# --- receipts ------------------------------------------------------------------------------------------


def test_outcomes_travel_together_and_are_never_answered(town: Town) -> None:
    for _ in range(5):
        tell(town[CA], HK)
    town.settle()
    assert states(town, CA) == {"handled": 5}
    (receipts,) = town.events(HK, "message.queued")
    assert receipts.body["type"] == "receipts"
    assert len(town.events(CA, "message.handled")) == 5
    assert town.events(CA, "message.queued")[5:] == []


def test_a_request_that_waits_for_an_officer_is_delivered_and_handled_with_the_answer(town: Town) -> None:
    town.law(HK, NO_ANSWER)
    town.report()
    town.settle()
    assert states(town, CA) == {"delivered": 1}
    (request,) = town.requests(HK)
    answer_by_hand(town[HK], request.id, person=town.person(HK, Role.SUPERVISOR))
    town.settle(down=[TH])
    with town.looking(CA) as tx:
        receipt = next(
            row.receipt
            for row in tx.outbox._connection.exec_driver_sql("SELECT receipt, peer FROM outbox")
            if row.peer == HK
        )
    said = verify_receipt(receipt, giver=HK, keys=town[CA].compact().keys_of(HK, town.clock()))
    assert said.status is Status.HANDLED


def test_what_expired_has_our_own_word_for_it(town: Town) -> None:
    tell(town[CA], HK)
    town.clock.advance(days=30)
    assert town.deliver(CA, HK)
    with town.looking(CA) as tx:
        (row,) = tx.outbox._connection.exec_driver_sql("SELECT state, receipt FROM outbox")
    said = verify_receipt(row.receipt, giver=CA, keys=town[CA].compact().keys_of(CA, town.clock()))
    assert (row.state, said.status, said.reason_code) == ("undelivered", Status.UNDELIVERED, "expired")
    assert town.wires.carried == []


def test_alarms_of_refused_messages_are_bounded(town: Town) -> None:
    hostile = Hostile(town, HK)
    for _ in range(60):
        assert hostile.say(CA, "nonsense", {}).status == 202
    while work(town[CA]):
        pass
    assert len(town.events(CA, "alarm.message-refused")) == 30
    with town.looking(CA) as tx:
        assert tx.inbox.counts() == {"handled": 60}


def test_what_a_member_is_to_know_waits_while_nobody_may_tell_it(town: Town) -> None:
    said = tell(town[HK], CA)
    town.deliver(HK, CA)
    work(town[CA])
    town.clock.advance(minutes=1)
    with patch("comity.node.post.tell.readers", lambda _: frozenset({(COMPACT, TH)})):
        assert tell_outcomes(town[CA]) == 0
    assert states(town, CA) == {}
    work(town[CA])
    town.clock.advance(minutes=1)
    work(town[CA])
    assert town.deliver(CA, HK)
    work(town[HK])
    (handled,) = town.events(HK, "message.handled")
    assert handled.body["message"] == said


def test_a_request_whose_reply_may_not_go_is_an_officers_and_not_refused(town: Town) -> None:
    """It stays filed: a refusal of the message would make the later answer one to a request that is over."""
    with patch("comity.node.answer._send_reply", side_effect=Forbidden("not that to them")):
        town.report()
        town.settle(down=[TH])
    (request,) = town.requests(HK)
    assert request.state == "acknowledged"
    (left,) = town.events(HK, "request.left-to-officer")
    assert left.body["reasons"] == ["not that to them"]
    (asked,) = town.requests(CA)
    assert asked.state == "sent"
    answer_by_hand(town[HK], request.id, person=town.person(HK, Role.SUPERVISOR))
    town.settle(down=[TH])
    assert town.events(CA, "alarm.message-refused") == []
    assert town.requests(CA)[0].state == "answered"


# --- what nobody can read, and who sends too much ------------------------------------------------------


class Speechless:
    """A courier to a peer, or something before it, that answers every batch in the same way."""

    def __init__(self, status: int) -> None:
        self.status = status

    def deliver(self, member: Member, wires: Sequence[bytes]) -> Answer:
        return Answer(status=self.status)


def answered(town: Town, status: int, *, times: int) -> None:
    for _ in range(times):
        town.clock.advance(minutes=5)
        deliver(town[CA], QUEUE, Speechless(status), random=0.5)


def test_a_message_that_is_neither_taken_nor_refused_is_told_of_then_given_up(town: Town) -> None:
    first, second = tell(town[CA], HK), tell(town[CA], HK)
    answered(town, 413, times=9)
    assert town.events(CA, "alarm.message-unread") == []
    answered(town, 413, times=1)
    (alarm,) = town.events(CA, "alarm.message-unread")
    assert (alarm.body["message"], alarm.body["given_up"]) == (first, False)
    answered(town, 413, times=20)
    assert states(town, CA) == {"undelivered": 1, "queued": 1}
    (ended,) = town.events(CA, "message.undelivered")
    assert ended.body["message"] == first
    assert town.events(CA, "alarm.message-unread")[-1].body["given_up"]
    assert town.deliver(CA, HK)
    assert [one.body["message"] for one in town.events(HK, "message.received")] == [second]


@pytest.mark.parametrize("status", [401, 429, 502, 503, 507])
def test_a_peer_that_is_only_away_loses_nothing(town: Town, status: int) -> None:
    tell(town[CA], HK)
    answered(town, status, times=60)
    assert states(town, CA) == {"queued": 1}
    assert town.events(CA, "alarm.message-unread") == []


def test_one_that_makes_us_stumble_is_refused_by_a_signed_receipt(town: Town) -> None:
    tell(town[CA], HK)
    with patch("comity.node.post.receive.unpack", side_effect=RecursionError("deep")):
        assert town.deliver(CA, HK)
    assert states(town, CA) == {"refused": 1}
    assert [one.body["code"] for one in town.events(HK, "alarm.message-rejected")] == ["quarantined"]


def test_no_sender_keeps_anothers_messages_waiting_behind_its_own(town: Town) -> None:
    flood = Hostile(town, HK)
    for _ in range(80):
        assert flood.say(CA, "nonsense", {}).status == 202
    said = tell(town[TH], CA)
    assert town.deliver(TH, CA)
    with town.looking(CA) as tx:
        waiting = tx.inbox.to_handle(limit=8, most_bytes=1)
        assert [one.sender for one in waiting] == [HK, TH]
        assert waiting[-1].id == said
        assert Counter(one.sender for one in tx.inbox.to_handle(limit=8)) == {HK: 4, TH: 1}
        assert tx.inbox.crowded(HK, 79)
        assert not tx.inbox.crowded(HK, 80)
        assert not tx.inbox.crowded(TH, 79)


# --- ticks ---------------------------------------------------------------------------------------------


def test_replies_leave_at_ticks_after_what_they_answer(town: Town) -> None:
    """However long the answer took, and whatever wakes the queue: it leaves at a multiple of the tick."""
    town.report()
    work(town[CA])
    town.deliver(CA, HK)
    (arrived,) = town.events(HK, "message.received")
    town.clock.advance(seconds=1.2)
    work(town[HK])
    with town.looking(HK) as tx:
        (row,) = tx.outbox._connection.exec_driver_sql("SELECT type, next_attempt_at FROM outbox")
        assert row.type == "trace_and_hold.answer"
    tick = timedelta(milliseconds=town[HK].settings.reply_tick_ms)
    assert due(town, HK, Queue(COMPACT, CA)) == []
    with town[HK].records.transaction() as tx:
        tx.outbox.wake(CA, town.clock())
    assert due(town, HK, Queue(COMPACT, CA)) == []
    town.clock.advance(seconds=0.5)
    (waiting,) = due(town, HK, Queue(COMPACT, CA))
    assert waiting.type == "trace_and_hold.answer"
    with town.looking(HK) as tx:
        taken = tx.inbox.arrived(COMPACT, CA, arrived.body["message"])
    assert taken is not None
    assert (waiting_since(town) - taken) % tick == timedelta()
    assert timedelta(seconds=1.2) < waiting_since(town) - taken <= timedelta(seconds=1.7)


def waiting_since(town: Town) -> Any:
    """When the reply may leave: its own row says so."""
    with town.looking(HK) as tx:
        (row,) = tx.outbox._connection.exec_driver_sql("SELECT queued_at FROM outbox")
    return time_value(row.queued_at)


# --- mailboxes -----------------------------------------------------------------------------------------


class FetchingWire:
    """A courier to a keeper in the same process: polls its mailbox, and may lose the answer or the receipts."""

    def __init__(self, town: Town, fetcher: str) -> None:
        self.town, self.fetcher, self.lose_answer = town, fetcher, False

    def fetch(self, member: Member, results: bytes) -> Answer:
        keeper = self.town[member.id]
        take_results(keeper, self.fetcher, results, random=0.5)
        batch = hand_out(keeper, self.fetcher)
        if self.lose_answer:
            return Answer(status=None, why="lost")
        if not batch:
            return Answer(status=204)
        return Answer(status=200, body=write_envelopes([one.wire for one in batch]))


@pytest.fixture
def fetching(town: Town) -> Iterator[Town]:
    """Hong Kong is a member that nobody connects to."""
    real = mailbox._as_member

    def as_member(node: Node, member_id: str) -> dict[str, Any]:
        return {name: pulling(one) for name, one in real(node, member_id).items()}

    with (
        patch.object(mailbox, "_as_member", as_member),
        patch("comity.node.post.deliver._member", lambda compact, one: pulling(compact.member(one))),
    ):
        yield town


def pulling(member: Member) -> Member:
    return replace(member, pull=member.id == HK)


def test_a_member_that_fetches_is_never_connected_to_and_gets_everything_once(fetching: Town) -> None:
    town = fetching
    said = [tell(town[CA], HK) for _ in range(70)]
    assert not town.deliver(CA, HK)
    assert town.wires.carried == []
    wire = FetchingWire(town, HK)
    box = Mailbox(town[HK], town[HK].compact().member(CA))
    assert box.collect(wire)  # type: ignore[arg-type] # stands in for PeerCourier
    box.results = ()  # it died before it told: it is handed the same again
    while box.collect(wire):  # type: ignore[arg-type]
        pass
    assert [one.body["message"] for one in town.events(HK, "message.received")] == said
    assert states(town, CA) == {"accepted": 70}
    assert [one for one in town.events(HK) if one.kind.startswith("alarm.")] == []


def test_a_mailbox_is_its_owners(fetching: Town) -> None:
    town = fetching
    tell(town[CA], HK)
    with pytest.raises(NotAFetcher):
        take_results(town[CA], TH, write_results([]), random=0.5)
    assert hand_out(town[CA], TH) == []
    (waiting,) = hand_out(town[CA], HK)
    results = receive(town[HK], [waiting.wire], connection=CA)
    tell(town[CA], TH)
    forged = Hostile(town, TH).packed(CA, "receipt", {}).jws
    take_results(town[CA], HK, write_results([Result(status=202, receipt=forged)]), random=0.5)
    assert states(town, CA) == {"queued": 2}
    take_results(town[CA], HK, write_results(results), random=0.5)
    assert states(town, CA) == {"queued": 1, "accepted": 1}
