"""One contract for every store of a node (ports of casework, exchange and ledger), run on each database."""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from comity.backends.sql import Records, SqlEventStore, SqlWitnessStore, Transaction
from comity.backends.sql.account_marks import AccountMark
from comity.backends.sql.events import sealed
from comity.errors import Conflict, NotFound, StorageError
from comity.exchange import NO_PREVIOUS, Next, Outgoing, Queue, Receipt, Status
from comity.exchange.delivery import LONGEST_TICK, LONGEST_WAIT
from comity.ledger import Seen
from comity.ledger.entry import commit, event_bytes
from comity.model import ChokeKind
from tests.contract import stores as given
from tests.contract.postgres_server import Server
from tests.contract.stores import COMPACT, LATER, NOW, PEER, SOON
from tests.unit import exchange_world
from tests.vectors.forger import CANADA, HONG_KONG

Opener = Callable[[], Records]
"""Opens the same database every time."""


@pytest.fixture(params=["postgresql", "sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "sqlite":
        return lambda: Records(tmp_path / "node.db")
    server: Server = request.getfixturevalue("postgres")
    url = server.url(server.database())
    return lambda: Records(url)


@pytest.fixture
def records(opener: Opener) -> Iterator[Records]:
    records = opener()
    yield records
    records.close()


# --- transactions --------------------------------------------------------------------------------------


class Trouble(Exception):
    """Something went wrong inside a transaction."""


def test_an_error_keeps_nothing(records: Records) -> None:
    def write() -> None:
        with records.transaction() as tx:
            tx.cases.add(given.case())
            tx.requests.put(given.request())
            tx.holds.put(given.hold())
            tx.events.append(given.happening())
            tx.outbox.put(given.outgoing(), due=NOW)
            raise Trouble

    with pytest.raises(Trouble):
        write()
    with records.reading() as tx:
        assert (tx.cases.all(), tx.requests.all(), tx.holds.all(), list(tx.events.all())) == ([], [], [], [])
        assert tx.outbox.chain_end(COMPACT, PEER) == (0, NO_PREVIOUS)


def test_what_was_committed_is_there_after_a_restart(opener: Opener) -> None:
    records = opener()
    with records.transaction() as tx:
        tx.cases.add(given.case())
    records.close()
    again = opener()
    with again.reading() as tx:
        assert tx.cases.get("case-1") == given.case()
    again.close()


@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
def test_a_commit_that_fails_is_a_storage_error_whether_or_not_it_was_kept(
    records: Records, when: str, kept: int
) -> None:
    """ "Failed" and "failed but persisted": the caller cannot tell them apart and must be able to try again."""

    def refuse() -> Exception:
        return OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    with (
        given.failing(records._engine, when, refuse),
        pytest.raises(StorageError, match="disk I/O error"),
        records.transaction() as tx,
    ):
        tx.events.append(given.happening())
    with records.reading() as tx:
        assert len(list(tx.events.all())) == kept
    with records.transaction() as tx:
        tx.events.append(given.happening(2))


def test_a_full_disk_keeps_nothing_and_the_store_goes_on(records: Records) -> None:
    def write(*, events: int, room: int) -> None:
        with records.transaction() as tx:
            given.limit(tx.events._connection, room)
            for number in range(events):
                tx.events.append(given.happening(number, body={"much": secrets.token_hex(50_000)}))

    with pytest.raises(StorageError, match=r"full|too large"):
        write(events=300, room=1)
    with records.reading() as tx:
        assert list(tx.events.all()) == []
    write(events=1, room=200)


def test_a_reader_sees_one_state_and_blocks_no_writer(records: Records) -> None:
    with records.reading() as reading:
        assert reading.cases.all() == []
        with records.transaction() as tx:
            tx.cases.add(given.case())
        assert reading.cases.all() == []
    with records.reading() as reading:
        assert len(reading.cases.all()) == 1


def test_writers_wait_for_each_other_and_lose_nothing(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())

    def many() -> None:
        for _ in range(25):
            with records.transaction() as tx:
                wanted = tx.cases.get("case-1").pursuit_wanted
                tx.cases.want_pursuit("case-1")
                assert tx.cases.get("case-1").pursuit_wanted == wanted + 1

    writers = [threading.Thread(target=many) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with records.reading() as tx:
        assert tx.cases.get("case-1").pursuit_wanted == 101


# --- casework ------------------------------------------------------------------------------------------


def test_cases_come_back_as_they_were(records: Records) -> None:
    theirs = given.case(id="case-2", origin=PEER, origin_case="case-1", opened_at=LATER)
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.cases.add(theirs)
        assert tx.cases.get("case-1") == given.case()
        assert tx.cases.of_origin(PEER, "case-1") == theirs
        assert tx.cases.of_origin(PEER, "case-9") is None
        assert [tx.cases.opened_since(PEER, at) for at in (NOW, LATER, LATER + timedelta(seconds=1))] == [
            1,
            1,
            0,
        ]
        assert [one.id for one in tx.cases.all()] == ["case-2", "case-1"]
        with pytest.raises(NotFound):
            tx.cases.get("case-9")


def test_two_cases_of_one_origin_need_two_numbers(records: Records) -> None:
    def twice() -> None:
        with records.transaction() as tx:
            tx.cases.add(given.case())
            tx.cases.add(given.case(id="case-2"))

    with pytest.raises(Conflict):
        twice()
    with records.reading() as tx:
        assert tx.cases.all() == []


def test_a_case_that_is_not_there_can_have_nothing(records: Records) -> None:
    with pytest.raises(Conflict), records.transaction() as tx:
        tx.holds.put(given.hold())


def test_pursuit_is_counted_and_never_goes_back(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.cases.want_pursuit("case-1")
        tx.cases.pursued("case-1", 1)
        assert [one.pursuit_done for one in tx.cases.to_pursue()] == [1]
        tx.cases.pursued("case-1", 2)
        assert tx.cases.to_pursue() == []
        tx.cases.pursued("case-1", 1)
        assert tx.cases.get("case-1").pursuit_done == 2


def test_a_trace_replaces_the_one_of_its_source(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.cases.put_trace(given.trace())
        tx.cases.put_trace(given.trace(source="th-office"))
        newer = given.trace(at=LATER, inflows=())
        tx.cases.put_trace(newer)
        assert list(tx.cases.traces("case-1")) == [newer, given.trace(source="th-office")]


def test_account_marks_come_back_and_go(records: Records) -> None:
    mark = AccountMark(account="hk-1", kind=ChokeKind.OMNIBUS, reason="Client money", by="mei", at=NOW)
    with records.transaction() as tx:
        tx.account_marks.put(mark)
        again = replace(mark, kind=ChokeKind.MIXER, at=LATER)
        tx.account_marks.put(again)
        assert tx.account_marks.all() == [again]
        assert tx.account_marks.kinds() == {"hk-1": ChokeKind.MIXER}
        assert [tx.account_marks.drop("hk-1"), tx.account_marks.drop("hk-1")] == [True, False]


def test_requests_come_back_as_they_were(records: Records) -> None:
    theirs = given.request(id="request-2", direction="in", message_id="message-7", created_at=LATER)
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.requests.put(theirs)
        tx.requests.put(given.request())
        answered = given.request(
            state="answered", answer={"holdings": 1}, refusal={"ground": "x", "text": ""}
        )
        tx.requests.put(answered)
        assert tx.requests.get("request-1") == answered
        assert list(tx.requests.of_case("case-1")) == [answered, theirs] == list(tx.requests.all())
        assert tx.requests.by_message(PEER, "message-7") == theirs
        assert tx.requests.received_since("case-1", PEER, LATER) == 1  # ours to them is none
        assert tx.requests.received_since("case-1", "th-office", NOW) == 0
        other = given.request(id="request-3", direction="in", case_id="case-2", message_id="m", unmatched=7)
        tx.cases.add(given.case(id="case-2", origin_case="2"))
        tx.requests.put(other)
        assert tx.requests.get("request-3") == other
        assert tx.requests.received_of(PEER, NOW) == (2, 7)
        assert tx.requests.received_of(PEER, LATER) == (1, 0)
        assert tx.requests.received_of("th-office", NOW) == (0, 0)
        with pytest.raises(NotFound):
            tx.requests.get("request-9")


def test_a_peer_that_reuses_our_message_id_does_not_reach_our_request(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.requests.put(given.request())
        assert tx.requests.by_message(PEER, "message-1") is None


def test_holds_come_back_as_they_were(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())
        told = given.hold(holder=PEER, placed_at=LATER)
        tx.holds.put(given.hold())
        tx.holds.put(told)
        lapsed = given.hold(state="lapsed", amount_minor=0)
        tx.holds.put(lapsed)
        assert tx.holds.get("ca-centre", "hold-1") == lapsed
        assert tx.holds.find(PEER, "hold-1") == told
        assert tx.holds.find(PEER, "hold-9") is None
        assert list(tx.holds.of_case("case-1")) == [lapsed, told] == list(tx.holds.all())
        with pytest.raises(NotFound):
            tx.holds.get(PEER, "hold-9")


def test_a_deadline_comes_due_at_its_microsecond_in_order_and_is_claimed_once(records: Records) -> None:
    tick = timedelta(microseconds=1)
    with records.transaction() as tx:
        tx.deadlines.add(given.deadline(id="deadline-2", due_at=LATER + tick))
        tx.deadlines.add(given.deadline())
        assert tx.deadlines.due(LATER - tick) == []
        assert [one.id for one in tx.deadlines.due(LATER)] == ["deadline-1"]
        assert [one.id for one in tx.deadlines.due(LATER + tick)] == ["deadline-1", "deadline-2"]
        assert tx.deadlines.finish("deadline-1") is True
        assert tx.deadlines.finish("deadline-1") is False
        assert tx.deadlines.finish("deadline-9") is False
        assert [one.state for one in tx.deadlines.of_subject("hold", "hold-1")] == ["passed", "pending"]


def test_the_next_deadline_is_the_first_by_time_and_of_two_at_once_always_the_same(records: Records) -> None:
    with records.transaction() as tx:
        for number, due_at in ((3, LATER), (1, LATER), (2, NOW)):
            tx.deadlines.add(given.deadline(id=f"deadline-{number}", due_at=due_at, escalate="supervisor"))
        assert tx.deadlines.next_due(NOW - timedelta(microseconds=1)) is None
        in_order = []
        while (one := tx.deadlines.next_due(LATER)) is not None:
            in_order.append(one.id)
            assert one.escalate == "supervisor"
            assert tx.deadlines.pending()[0].id == one.id
            assert tx.deadlines.finish(one.id)
        assert in_order == ["deadline-2", "deadline-1", "deadline-3"]
        assert tx.deadlines.pending() == []
        assert [one.id for one in tx.deadlines.all()] == in_order


def test_a_cleared_deadline_does_not_come_due(records: Records) -> None:
    rule = given.deadline().rule
    with records.transaction() as tx:
        tx.deadlines.add(given.deadline())
        tx.deadlines.add(given.deadline(id="deadline-2", subject_id="hold-2"))
        tx.deadlines.add(given.deadline(id="deadline-3", rule="urgent_freeze/1/order-reminder"))
        tx.deadlines.clear("hold", "hold-1", [rule])
        tx.deadlines.clear("hold", "hold-1", [])
        assert [one.id for one in tx.deadlines.due(LATER)] == ["deadline-2", "deadline-3"]
        assert tx.deadlines.finish("deadline-1") is False


def test_a_claim_that_is_rolled_back_can_be_made_again(records: Records) -> None:
    with records.transaction() as tx:
        tx.deadlines.add(given.deadline())

    def claim() -> None:
        with records.transaction() as tx:
            assert tx.deadlines.finish("deadline-1")
            raise Trouble

    with pytest.raises(Trouble):
        claim()
    with records.transaction() as tx:
        assert tx.deadlines.finish("deadline-1")


# --- exchange: outbox ----------------------------------------------------------------------------------


def due(tx: Transaction, now: datetime, receiver: str = PEER, compact: str = COMPACT) -> list[Outgoing]:
    found = tx.outbox.due(now, Queue(compact, receiver), most=10, most_bytes=10_000)
    return tx.outbox.with_wires(found)


def test_a_sequence_is_the_chains_next_or_refused(records: Records) -> None:
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        assert tx.outbox.chain_end(COMPACT, PEER) == (1, given.outgoing(1).digest)
        for wrong in (1, 3):
            with pytest.raises(Conflict):
                tx.outbox.put(given.outgoing(wrong), due=NOW)
        tx.outbox.put(given.outgoing(1, receiver="th-office", message_id="other"), due=NOW)
        assert tx.outbox.chain_end(COMPACT, "th-office")[0] == 1


def test_each_compact_has_a_chain_and_a_queue_of_its_own(records: Records) -> None:
    other = given.outgoing(1, compact="another", message_id="other")
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        tx.outbox.put(other, due=SOON)
        assert tx.outbox.chain_end("another", PEER) == (1, other.digest)
        assert tx.outbox.chain_end("third", PEER) == (0, NO_PREVIOUS)
        assert list(tx.outbox.queues(NOW)) == [Queue(COMPACT, PEER)]
        assert sorted(tx.outbox.queues(SOON)) == [Queue("another", PEER), Queue(COMPACT, PEER)]
        assert due(tx, SOON, compact="another") == [other]


def test_due_are_the_oldest_for_a_receiver_when_their_time_has_come(records: Records) -> None:
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        tx.outbox.put(given.outgoing(2), due=NOW)
        tx.outbox.put(given.outgoing(1, receiver="th-office", message_id="t-1"), due=NOW)
        assert due(tx, NOW) == [given.outgoing(1), given.outgoing(2)]
        assert [one.message_id for one in due(tx, NOW, "th-office")] == ["t-1"]
        assert due(tx, NOW, "nobody") == []
        tx.outbox.postpone(given.outgoing(1), until=SOON, why="down")
        assert due(tx, SOON - timedelta(microseconds=1)) == []
        assert due(tx, SOON) == [replace(given.outgoing(1), attempts=1), given.outgoing(2)]
        tx.outbox.wake(PEER, NOW)
        assert [one.sequence for one in due(tx, NOW)] == [1, 2]


def test_what_waits_longer_than_anything_does_was_dated_by_a_wrong_clock_and_waits_no_more(
    records: Records,
) -> None:
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW + 4 * LONGEST_TICK)
        assert due(tx, NOW) == [given.outgoing(1)]
        assert list(tx.outbox.queues(NOW)) == [Queue(COMPACT, PEER)]
        tx.outbox.postpone(given.outgoing(1), until=NOW + LONGEST_WAIT, why="down")
        assert (due(tx, NOW), list(tx.outbox.queues(NOW))) == ([], [])
        back = NOW - timedelta(microseconds=1)
        assert [one.sequence for one in due(tx, back)] == [1]
        assert list(tx.outbox.queues(back)) == [Queue(COMPACT, PEER)]


def test_a_batch_is_as_long_as_it_may_be_and_never_nothing(records: Records) -> None:
    with records.transaction() as tx:
        for number in range(1, 6):
            tx.outbox.put(given.outgoing(number, wire=b"\xff" * 100), due=NOW)
        queue = Queue(COMPACT, PEER)
        for most, most_bytes, sequences in ((3, 10_000, 3), (10, 250, 2), (10, 1, 1)):
            found = tx.outbox.due(NOW, queue, most=most, most_bytes=most_bytes)
            assert [one.sequence for one in found] == list(range(1, sequences + 1))


def test_a_message_is_settled_once(records: Records) -> None:
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        tx.outbox.put(given.outgoing(2), due=NOW)
        assert tx.outbox.settle(given.outgoing(1), how=Next.ACCEPTED, receipt="jws", why="") is True
        assert tx.outbox.settle(given.outgoing(1), how=Next.REFUSED, receipt=None, why="late") is False
        tx.outbox.postpone(given.outgoing(1), until=LATER, why="late")
        assert [one.sequence for one in due(tx, LATER)] == [2]
        assert tx.outbox.counts() == {"accepted": 1, "queued": 1}


def test_a_final_receipt_ends_what_is_open_and_only_that(records: Records) -> None:
    receipt = Receipt(
        status=Status.HANDLED, message_id="message-1", envelope_digest=given.outgoing(1).digest,
        sender="ca-centre", receiver=PEER, at=NOW,
    )  # fmt: skip
    with records.transaction() as tx:
        tx.outbox.put(given.outgoing(1), due=NOW)
        assert tx.outbox.of_receipt(receipt) == given.outgoing(1)
        for other in ({"message_id": "message-2"}, {"receiver": "th-office"}, {"envelope_digest": "0" * 64}):
            assert tx.outbox.of_receipt(replace(receipt, **other)) is None  # type: ignore[arg-type] # texts
        assert tx.outbox.note_receipt(given.outgoing(1), status=Status.HANDLED, receipt="jws", why="")
        assert not tx.outbox.note_receipt(given.outgoing(1), status=Status.ACCEPTED, receipt="jws", why="")
        assert tx.outbox.counts() == {"handled": 1}
        assert due(tx, LATER) == []


# --- exchange: inbox -----------------------------------------------------------------------------------


JOINED = exchange_world.compact().name


def arrived(sequence: int, previous: str = NO_PREVIOUS, **changes: Any) -> Any:
    """An envelope from Canada to Hong Kong, opened."""
    said = exchange_world.message(id=f"message-{sequence}", **changes)
    packed = exchange_world.packed(said, HONG_KONG, sequence=sequence, previous=previous)
    return exchange_world.opened_by(HONG_KONG, packed.wire)


def test_what_was_taken_is_known_and_ends_the_chain(records: Records) -> None:
    first = arrived(1)
    second = arrived(2, previous=first.digest)
    with records.transaction() as tx:
        assert tx.inbox.known(JOINED, CANADA.id, "message-1").digest_of_same_id is None
        tx.inbox.take(first, receipt="receipt one", now=NOW)
        tx.inbox.take(second, receipt="receipt two", now=NOW)
        known = tx.inbox.known(JOINED, CANADA.id, "message-1")
        assert (known.digest_of_same_id, known.last_sequence, known.last_digest) == (
            first.digest,
            2,
            second.digest,
        )
        assert tx.inbox.receipt_for(JOINED, CANADA.id, "message-1") == "receipt one"
        assert tx.inbox.known(JOINED, "somebody-else", "message-1").last_sequence == 0
        assert tx.inbox.known("another", CANADA.id, "message-1").last_sequence == 0


def test_a_message_is_taken_once(records: Records) -> None:
    with records.transaction() as tx:
        tx.inbox.take(arrived(1), receipt="", now=NOW)
    with pytest.raises(Conflict), records.transaction() as tx:
        tx.inbox.take(arrived(1), receipt="", now=NOW)


def test_messages_wait_in_the_order_of_arrival_and_are_settled_once(records: Records) -> None:
    first = arrived(1)
    second = arrived(2, previous=first.digest)
    with records.transaction() as tx:
        tx.inbox.take(first, receipt="", now=NOW)
        tx.inbox.take(second, receipt="", now=NOW + timedelta(microseconds=1))
        waiting = tx.inbox.to_handle()
        assert [one.sequence for one in waiting] == [1, 2]
        assert waiting[0].payload == dict(first.message.payload)
        assert tx.inbox.to_handle(limit=1) == waiting[:1]
        assert tx.inbox.settle(waiting[0], state="handled") is True
        assert tx.inbox.settle(waiting[0], state="quarantined") is False
        assert [one.sequence for one in tx.inbox.to_handle()] == [2]
        assert tx.inbox.counts() == {"handled": 1, "received": 1}
        assert tx.inbox.last_heard(CANADA.id) == NOW + timedelta(microseconds=1)
        assert tx.inbox.last_heard("nobody") is None


# --- ledger --------------------------------------------------------------------------------------------


def test_events_have_their_place_when_they_are_committed(records: Records) -> None:
    store = SqlEventStore(records)
    assert store.size() == 0
    with records.transaction() as tx:
        for number in range(3):
            tx.events.append(given.happening(number))
    assert store.append_all([sealed(given.happening(number)) for number in (3, 4)]) == 5 == store.size()
    assert store.append_all([]) == 5
    assert len(store.entries(0, 5)) == 5
    assert store.entries(1, 3) == store.entries(0, 5)[1:3]
    with records.reading() as tx:
        assert [index for _, index in tx.events.of_case("case-1")] == [0, 1, 2, 3, 4]
        assert tx.events.recomputed_entries(0, 5) == store.entries(0, 5)
        assert [event.id for event in tx.events.all()] == [f"event-{number}" for number in range(5)]
        *_, (number, newest) = tx.events.after(0)
        assert newest.id == "event-4"
        assert tx.events.after(number) == []


def test_a_transaction_that_failed_leaves_no_gap_in_the_log(records: Records) -> None:
    def fail() -> None:
        with records.transaction() as tx:
            tx.events.append(given.happening(1))
            raise Trouble

    with pytest.raises(Trouble):
        fail()
    with records.transaction() as tx:
        tx.events.append(given.happening(2))
    with records.reading() as tx:
        assert [(event.id, index) for event, index in tx.events.of_case("case-1")] == [("event-2", 0)]


def test_an_entry_is_a_salted_commitment_to_the_event(records: Records) -> None:
    with records.transaction() as tx:
        tx.events.append(given.happening(1))
        tx.events.append(given.happening(2, body={"n": 1}))
        one, other = tx.events.opening("event-1"), tx.events.opening("event-2")
        assert one is not None
        assert other is not None
        assert one.entry == commit(event_bytes(given.happening(1)), one.salt)
        assert (len(one.salt), one.salt == other.salt) == (32, False)
        assert tx.events.opening("event-9") is None


def test_places_given_by_many_at_once_are_given_once(records: Records) -> None:
    def append(writer: int) -> None:
        for number in range(10):
            with records.transaction() as tx:
                tx.events.append(given.happening(100 * writer + number))

    writers = [threading.Thread(target=append, args=(writer,)) for writer in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with records.reading() as tx:
        places = [index for _, index in tx.events.of_case("case-1")]
    assert places == list(range(80))


def test_what_was_witnessed_is_replaced_only_from_what_was_known(records: Records) -> None:
    store = SqlWitnessStore(records)
    one, two = (Seen(size=size, root=bytes([size]) * 32, note=b"note") for size in (1, 2))
    assert store.newest("log") is None
    assert store.replace("log", None, one) is True
    assert store.replace("log", None, two) is False
    assert store.replace("log", two, one) is False
    assert store.replace("log", replace(one, root=b"\0" * 32), two) is False
    assert store.newest("log") == one
    assert store.replace("log", one, two) is True
    assert store.newest("log") == two


def test_nothing_from_outside_is_read_as_sql(records: Records) -> None:
    with records.transaction() as tx:
        tx.cases.add(given.case())
        tx.holds.put(given.hold(account="'; DROP TABLE holds; --", state='held" OR 1=1'))
        assert len(tx.holds.all()) == 1
        with pytest.raises(NotFound):
            tx.cases.get("' OR '1'='1")
