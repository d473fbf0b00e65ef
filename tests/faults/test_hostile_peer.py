"""A member that sends bytes it should not, and strangers that send any: over the wire and over real TLS.

Nothing fails, nothing of it is taken, other messages still flow, an alarm is recorded, and a flood of them
does not fill the log.
"""

import random
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from comity.backends.keys import client_context, create_keys
from comity.backends.sql.schema import outbox
from comity.exchange import read_results, verify_receipt, write_envelopes
from comity.exchange.batch import MAX_BATCH
from comity.ledger import prove_growth, read_checkpoint, request_body
from comity.node.hear import hear
from comity.node.log.prove import cosign_peer, log_signer, publish_log
from comity.node.post.pace import ALARMS_A_MINUTE
from comity.node.post.receive import receive
from comity.proofs.note import KeySigner, SignedNote, sign_note, verifier_of
from tests.nodes.hostile import Hostile
from tests.nodes.serving import answer_on, context_of, courier_of, peer_surface, place_of, raw
from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import WATCH, Town
from tests.nodes.wires import Carried

FEW = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def taken(town: Town, node_id: str = CA) -> int:
    with town.looking(node_id) as tx:
        return sum(tx.inbox.counts().values())


def alarms(town: Town, node_id: str = CA) -> list[str]:
    return [
        str(event.body["code"])
        for event in town.events(node_id, "alarm.message-rejected", "alarm.message-order")
    ]


# --- bytes ---------------------------------------------------------------------------------------------


@FEW
@given(data=st.data())
def test_any_bytes_are_refused_with_a_receipt_and_an_alarm(town: Town, data: st.DataObject) -> None:
    """Garbage, half an envelope, an envelope with one byte changed: a signed refusal, and nothing is kept."""
    hostile = Hostile(town, HK)
    wire = hostile.packed(CA, "receipt", {"receipt": "x"}).wire
    how = data.draw(st.sampled_from(["garbage", "cut", "flip", "extend"]))
    if how == "garbage":
        wire = data.draw(st.binary(min_size=1, max_size=300))
    elif how == "cut":
        wire = wire[: data.draw(st.integers(1, len(wire) - 1))]
    elif how == "flip":
        place = data.draw(st.integers(0, len(wire) - 1))
        wire = wire[:place] + bytes([wire[place] ^ data.draw(st.integers(1, 255))]) + wire[place + 1 :]
    else:
        wire += data.draw(st.binary(min_size=1, max_size=10))
    town.clock.advance(minutes=5)
    before = len(alarms(town))
    done = hostile.bring(CA, wire)
    assert 400 <= done.status < 500
    receipt = verify_receipt(done.receipt, giver=CA, keys=town[HK].compact().keys_of(CA, town.clock()))
    assert (receipt.status.value, receipt.sender) == ("refused", HK)
    assert taken(town) == 0
    assert len(alarms(town)) == before + 1


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":1.5}', b'{"a":NaN}', b'{"a":9223372036854775808}',
        b'{"a":' + b"9" * 5_000 + b"}", b'{"a":"\\ud800"}', b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", b"\xff\xfe{}", b'{"a":1}garbage',
    ],
    ids=lambda value: value[:20].decode("latin-1"),
)  # fmt: skip
def test_an_authentic_payload_that_is_no_strict_json_is_refused(town: Town, payload: bytes) -> None:
    assert Hostile(town, HK).say(CA, "receipt", payload).status == 400
    assert alarms(town) == ["envelope.payload"]
    assert taken(town) == 0


def test_an_envelope_for_somebody_else(town: Town) -> None:
    assert Hostile(town, HK).say(CA, "receipt", {}, addressee=TH).status == 403
    assert alarms(town) == ["envelope.wrong-recipient"]


def test_an_envelope_that_has_run_out_or_comes_from_the_future(town: Town) -> None:
    hostile, now = Hostile(town, HK), town.clock()
    old, early = now - timedelta(hours=2), now + timedelta(minutes=6)
    assert hostile.say(CA, "receipt", {}, issued=old, expires=old + timedelta(hours=1)).status == 403
    assert hostile.say(CA, "receipt", {}, issued=early, expires=early + timedelta(hours=1)).status == 425
    assert alarms(town) == ["envelope.expired", "envelope.issued-in-future"]


def test_an_envelope_over_anothers_connection(town: Town) -> None:
    """Thailand brings what Hong Kong signed: perhaps stolen, certainly not from where it should come."""
    wire = Hostile(town, HK).packed(CA, "receipt", {}).wire
    done = town.wires.bring(Carried(sender=TH, receiver=CA, wire=wire))
    assert done.status == 403
    assert alarms(town) == ["exchange.not-the-sender"]


def test_an_old_envelope_again_changes_nothing(held: Town) -> None:
    before = (taken(held), len(held.events(CA)))
    with held.looking(HK) as tx:
        rows = tx.outbox._connection.execute(select(outbox.c.wire).where(outbox.c.peer == CA))
        wires = [bytes(row.wire) for row in rows]
    assert len(wires) > 3
    for wire in wires:
        done = held.wires.bring(Carried(sender=HK, receiver=CA, wire=wire))
        assert done.status == 200
    assert (taken(held), len(held.events(CA))) == before


def test_the_same_id_with_other_content(town: Town) -> None:
    hostile = Hostile(town, HK)
    assert hostile.say(CA, "receipt", {"receipt": "a"}, id="message-1").status == 202
    assert hostile.say(CA, "receipt", {"receipt": "b"}, id="message-1").status == 409
    assert alarms(town) == ["arrival.conflict"]
    assert taken(town) == 1


def test_a_place_in_the_sequence_twice(town: Town) -> None:
    hostile = Hostile(town, HK)
    for _ in range(3):
        assert hostile.say(CA, "receipt", {}).status == 202
    assert hostile.say(CA, "receipt", {}, sequence=2, previous="1" * 64).status == 409
    assert alarms(town) == ["arrival.replayed-sequence"]
    assert hostile.say(CA, "receipt", {}, sequence=4).status == 202


def test_a_gap_is_noted_and_a_broken_chain_refused(town: Town) -> None:
    hostile = Hostile(town, HK)
    hostile.say(CA, "receipt", {})
    assert hostile.say(CA, "receipt", {}, sequence=2, previous="1" * 64).status == 409
    assert hostile.say(CA, "receipt", {}, sequence=9).status == 202
    assert alarms(town) == ["arrival.broken-chain", "arrival.gap"]


def test_honest_messages_flow_beside_all_of_it(town: Town) -> None:
    hostile = Hostile(town, TH)
    dice = random.Random(7)
    case = town.report()
    for _ in range(12):
        town.round([CA, HK])
        town.clock.advance(seconds=1)
        hostile.bring(CA, dice.randbytes(500))
        hostile.say(HK, "trace_and_hold.answer", {"request": "request-x"})
    town.round([CA, HK])
    assert town.found(case.id)["hk-2", "USD"] == 550_000
    assert {hold.account for hold in town.holds(HK)} >= {"hk-1", "hk-2"}


# --- floods --------------------------------------------------------------------------------------------


def test_a_flood_of_garbage_does_not_fill_the_log_or_hide_another_alarm(town: Town) -> None:
    loud, other = Hostile(town, HK), Hostile(town, TH)
    for number in range(300):
        loud.bring(CA, b"garbage %d" % number)
    assert len(alarms(town)) == ALARMS_A_MINUTE
    other.bring(CA, b"garbage")
    assert len(alarms(town)) == ALARMS_A_MINUTE + 1
    town.clock.advance(minutes=2)
    loud.bring(CA, b"garbage later")
    assert len(alarms(town)) == ALARMS_A_MINUTE + 2


def test_a_flood_of_reused_places_does_not_fill_the_log(town: Town) -> None:
    hostile = Hostile(town, HK)
    hostile.say(CA, "receipt", {})
    for _ in range(100):
        assert hostile.say(CA, "receipt", {}, sequence=1, previous="0" * 64).status == 409
    assert len(alarms(town)) == ALARMS_A_MINUTE


# --- lies about the log --------------------------------------------------------------------------------


def lies(town: Town) -> list[bytes]:
    """Requests to cosign that say something false about Hong Kong's log, signed with its own key."""
    node = town[HK]
    published = publish_log(node)
    assert published is not None
    found = read_checkpoint(node.log, verifier_of(log_signer(node)))
    assert found is not None
    checkpoint, note = found
    size, root = checkpoint.size, checkpoint.root
    grown = prove_growth(node.log, size - 1, size)

    def signed(text: str, key: KeySigner | None = None) -> bytes:
        return SignedNote(text=text, signatures=(sign_note(text, key or log_signer(node)),)).encode()

    def said(size: int | str, root: bytes, origin: str = f"{HK}/log") -> str:
        return f"{origin}\n{size}\n{b64encode(root).decode()}\n"

    return [
        request_body(0, (), signed(said(size + 10**6, root))),
        request_body(size, (), signed(said(size, b"\1" * 32))),
        request_body(size, (), signed(said(size + 5, b"\1" * 32))),
        request_body(size, grown, signed(said(size + 1, root))),
        request_body(size, tuple(b"\2" * 32 for _ in range(60)), signed(said(size + 60, root))),
        request_body(size + 1, (), signed(said(size, root))),
        request_body(0, (), signed(said(0, root))),
        request_body(0, (), signed(said(2**63, root))),
        request_body(0, (), signed(said("-1", root))),
        request_body(0, (), signed(said(size, root, origin="nobody/log"))),
        request_body(0, (), signed(said(size, root, origin=f"{TH}/log"))),
        request_body(0, (), note.encode().replace(b"\n", b"\r\n")),
        b"", b"old 1\n\n", b"\xff" * 1_000, b"old " + b"9" * 10_000 + b"\n\n",
    ]  # fmt: skip


def test_lies_about_a_logs_size_are_not_cosigned(town: Town) -> None:
    """A first, true checkpoint is cosigned; no lie after it is, and the two signed stories are kept as proof."""
    node = town[HK]
    publish_log(node)
    found = read_checkpoint(node.log, verifier_of(log_signer(node)))
    assert found is not None
    true = request_body(0, (), found[1].encode())
    assert cosign_peer(town[CA], true, connection=HK).status == 200
    for lie in lies(town):
        answer = cosign_peer(town[CA], lie, connection=HK)
        assert answer.status in (400, 403, 404, 409, 422), lie[:80]
        assert answer.checkpoint is None
    (*_, event) = town.events(CA, "alarm.log-two-stories")
    assert event.body["origin"] == f"{HK}/log"
    with town.looking(CA) as tx:
        seen = tx.witnessed.newest(f"{HK}/log")
    assert seen is not None
    assert seen.size == found[0].size


def test_a_flood_of_lies_does_not_fill_the_log(town: Town) -> None:
    every = lies(town)
    cosign_peer(town[CA], request_body(0, (), _note(town)), connection=HK)
    for _ in range(60):
        for lie in every[:4]:
            cosign_peer(town[CA], lie, connection=HK)
    told = [(one.body["trusted"], one.body["offered"]) for one in town.events(CA, "alarm.log-two-stories")]
    assert 0 < len(told) == len(set(told))


def test_no_junk_keeps_a_proof_of_two_stories_out(town: Town) -> None:
    """What is merely wrong uses up a budget of its own; so do messages that contradict each other."""
    hostile, every = Hostile(town, HK), lies(town)
    cosign_peer(town[CA], request_body(0, (), _note(town)), connection=HK)
    for number in range(2 * ALARMS_A_MINUTE):
        receive(town[CA], [b"junk %d" % number], connection=HK)
    for lie in every:
        cosign_peer(town[CA], lie, connection=HK)
    assert town.events(CA, "alarm.log-two-stories")
    first, other = (hostile.packed(CA, "receipt", {"number": one}, id="message-1") for one in (1, 2))
    hostile.bring(CA, first.wire)
    for _ in range(3):
        assert hostile.bring(CA, other.wire).status == 409
    (conflict,) = town.events(CA, "alarm.message-order")
    assert (conflict.body["code"], conflict.body["digest"]) == ("arrival.conflict", other.digest)


def _note(town: Town) -> bytes:
    found = read_checkpoint(town[HK].log, verifier_of(log_signer(town[HK])))
    assert found is not None
    return found[1].encode()


# --- the wire itself -----------------------------------------------------------------------------------


@pytest.fixture
def served(town: Town) -> Iterator[Town]:
    """Canada listens as it does in production, also for time: real TLS looks at the real clock."""
    with peer_surface(town[CA]):
        yield town


def still_serves(town: Town) -> None:
    """An honest message from Thailand gets through at once."""
    member = town[TH].compact().member(CA)
    wire = Hostile(town, TH).packed(CA, "receipt", {"receipt": "x"}).wire
    with courier_of(town[TH]) as courier:
        answer = courier.deliver(member, [wire])
    assert [one.status for one in read_results(answer.body)] == [202], answer


def post(length: int | str, body: bytes = b"", path: str = "/peer/messages", more: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{more}\r\n"
    return head.encode() + body


def test_a_member_is_heard(served: Town) -> None:
    still_serves(served)
    assert hear(served[CA]) == 1


def test_a_stranger_does_not_get_past_the_handshake(served: Town) -> None:
    """Another key, no certificate, or a member's certificate without its key."""
    host, port = place_of(served[CA])
    folder = served.folder / "stranger"
    create_keys(folder, node_id=HK, host=host, passphrase=b"x", now=served.clock())
    member = served[HK].compact().member(CA)
    stranger = client_context(folder, b"x", member.tls_certificate)
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    for context in (stranger, nobody):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            knock(context, host, port)
    assert taken(served) == 0
    still_serves(served)


def knock(context: ssl.SSLContext, host: str, port: int) -> None:
    """Under TLS 1.3 a client learns only with its first read that it is not wanted."""
    with (
        socket.create_connection((host, port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as sealed,
    ):
        sealed.sendall(post(2, b"{}"))
        if not sealed.recv(100):
            raise ConnectionError("closed without an answer")


def test_old_tls_is_not_spoken(served: Town) -> None:
    host, port = place_of(served[CA])
    context = context_of(served[HK], CA)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        knock(context, host, port)
    still_serves(served)


@pytest.mark.parametrize(
    "said", [post(2, b"{}"), b"\0" * 1_000, b"\x16\x03\x01" + b"\xff" * 500], ids=["http", "nuls", "tls"]
)
def test_plain_bytes_on_the_tls_port_get_nothing(served: Town, said: bytes) -> None:
    with socket.create_connection(place_of(served[CA])) as plain:
        plain.sendall(said)
        assert b"HTTP/1.1 2" not in answer_on(plain)
    still_serves(served)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (post(MAX_BATCH + 1), b"413"),
        (post(10**15), b"413"),
        (post("-1"), b"400"),
        (post("1e3"), b"400"),
        (post("5, 6"), b"400"),
        (post(2, b"3\r\nabc\r\n0\r\n\r\n", more="transfer-encoding: chunked\r\n"), b"400"),
        (post(2, b"{}", path="/"), b"404"),
        (post(2, b"{}", path="/peer/../cases"), b"404"),
        (b"GET /peer/messages HTTP/1.1\r\nhost: x\r\n\r\n", b"405"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", b"4"),
        (b"nonsense\r\n\r\n", b"400"),
        (post(3, b"abc"), b"400"),
        (post(1, b"\x01"), b"400"),
        (post(9, b"\x01\xff\xff\xff\xffabcd"), b"400"),
        (post(6 + 5 * 70, b"\x01" + b"\0\0\0\x01x" * 71), b"413"),
        (post(2, b"{}", path="/peer/mailbox"), b"403"),
    ],
    ids=lambda value: value[:60].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_requests_that_are_none(served: Town, said: bytes, status: bytes) -> None:
    with raw(served[HK], served[CA]) as connection:
        connection.sendall(said)
        assert answer_on(connection).startswith(b"HTTP/1.1 " + status)
    assert taken(served) == 0
    still_serves(served)


def test_a_length_that_lies(served: Town) -> None:
    """More announced than sent, then gone: nothing is taken and nobody waits."""
    body = write_envelopes([Hostile(served, HK).packed(CA, "receipt", {}).wire])
    with raw(served[HK], served[CA]) as connection:
        connection.sendall(post(len(body) + 100, body))
    with raw(served[HK], served[CA]) as connection:
        connection.sendall(post(len(body) - 10, body))
        assert b"batch.malformed" in answer_on(connection)
    assert alarms(served) == []
    assert taken(served) == 0
    still_serves(served)


def test_more_than_16_mib_in_pieces_is_cut_off(served: Town) -> None:
    """No length given, and it does not end."""
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    sent = 0
    with raw(served[HK], served[CA]) as connection:
        connection.sendall(post(0).replace(b"content-length: 0", b"transfer-encoding: chunked"))
        try:
            while sent < 4 * MAX_BATCH:
                connection.sendall(piece)
                sent += len(piece)
        except (ConnectionError, ssl.SSLError):
            pass
        said = answer_on(connection)
    assert b" 413 " in said or sent < 4 * MAX_BATCH
    assert taken(served) == 0
    still_serves(served)


def test_slow_members_hold_up_nobody(served: Town) -> None:
    """Thirty connections that send a byte and think about it."""
    with ExitStack() as open_ones:
        for _ in range(30):
            open_ones.enter_context(raw(served[HK], served[CA])).sendall(post(1_000)[:20])
        started = time.monotonic()
        still_serves(served)
        assert time.monotonic() - started < 8


def test_a_member_that_left_is_out_with_its_next_request(served: Town) -> None:
    """The certificate passes the handshake until the node starts again; the message does not."""
    compact = served[CA].compact()
    without = replace(compact, members=tuple(one for one in compact.members if one.id != HK))
    served[CA]._compacts = {compact.name: (served[CA]._compacts[compact.name][0], without)}
    with raw(served[HK], served[CA]) as connection:
        connection.sendall(post(2, b"{}"))
        said = answer_on(connection)
    assert said.startswith(b"HTTP/1.1 401")
    assert b"exchange.unknown-peer" in said
    assert taken(served) == 0


def test_what_is_wrong_with_the_disk_is_not_for_peers(served: Town) -> None:
    served[CA].records.close()
    for file in served[CA].home.path.glob("node.db*"):
        file.rename(file.with_name(f"gone-{file.name}"))
    served[CA].home.path.joinpath("node.db").mkdir()
    wire = Hostile(served, TH).packed(CA, "receipt", {}).wire
    with courier_of(served[TH]) as courier:
        answer = courier.deliver(served[TH].compact().member(CA), [wire])
    assert answer.status == 507
    assert b"storage is not available" in answer.body
    assert str(served.folder).encode() not in answer.body


def test_the_whole_story_over_real_tls(town: Town) -> None:
    """Canada and Hong Kong over sockets, with a hostile third beside them all the time."""
    with ExitStack() as open_ones:
        for node_id in (CA, HK, TH):
            open_ones.enter_context(peer_surface(town[node_id]))
        couriers = {one: open_ones.enter_context(courier_of(town[one])) for one in (CA, HK, TH)}
        town.wires.of = couriers.__getitem__  # type: ignore[assignment, method-assign] # real wires
        case = town.report()
        for _ in range(6):
            with raw(town[TH], town[CA]) as connection:
                connection.sendall(post(10, b"\x01\0\0\0\x05x\nabc"))
                answer_on(connection)
            town.round([CA, HK, TH])
        town.settle(down=[WATCH])
        assert town.found(case.id) == pooled()
