"""The courier before a peer that is not what it should be: one answer, never more, never from anybody else."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from comity.backends.courier import PeerCourier
from comity.backends.keys import client_context, create_keys, server_context
from comity.backends.peer_client import checked_address
from comity.errors import NetworkError
from comity.exchange import Member, Queue, Receipt, Result, Status, make_receipt, write_results
from comity.exchange.batch import MAX_RESULTS
from comity.node.bootstrap import passphrase
from comity.node.post.deliver import deliver
from comity.node.run import work
from tests.nodes.serving import courier_of, place_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

QUEUE = Queue("test-compact", HK)
Says = Callable[[ssl.SSLSocket], None]


@contextmanager
def peer_that(town: Town, says: Says, context: ssl.SSLContext | None = None) -> Iterator[list[int]]:
    """Hong Kong's address, served by a program that answers each connection with `says`. Yields a count."""
    node = town[HK]
    context = context or server_context(
        node.home.keys, passphrase(node.home), [node.compact().member(CA).tls_certificate]
    )
    calls: list[int] = []
    with socket.create_server(place_of(node)) as listening:
        listening.settimeout(0.2)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    plain, _ = listening.accept()
                except TimeoutError:
                    continue
                calls.append(1)
                with plain:
                    plain.settimeout(5)
                    try:
                        with context.wrap_socket(plain, server_side=True) as sealed:
                            says(sealed)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield calls
        finally:
            done.set()
            thread.join()


def answering(raw: bytes, *, after_reading: bool = True) -> Says:
    def says(connection: ssl.SSLSocket) -> None:
        if after_reading:
            connection.recv(65_536)
        connection.sendall(raw)

    return says


def http(status: str, body: bytes = b"", more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{more}\r\n".encode() + body
    )


def member(town: Town) -> Member:
    return town[CA].compact().member(HK)


def test_an_answer_is_handed_on_unread(town: Town) -> None:
    with peer_that(town, answering(http("418 Teapot", b"short"))), courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), [b"wire"])
        assert (answer.status, answer.body) == (418, b"short")


def test_nobody_there_is_no_answer(town: Town) -> None:
    with courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), [b"wire"])
        assert (answer.status, answer.body) == (None, b"")
        assert HK in answer.why
        with pytest.raises(NetworkError):
            courier.add_checkpoint(member(town), b"x")


@pytest.mark.parametrize(
    "says",
    [
        answering(b""), answering(b"\0" * 100), answering(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort"),
        answering(http("200 OK", b"x" * (MAX_RESULTS + 1))), answering(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000),
        answering(b"", after_reading=False),
    ],
    ids=["nothing", "nuls", "cut short", "more than an answer", "endless head", "closed at once"],
)  # fmt: skip
def test_what_is_no_answer_is_none(town: Town, says: Says) -> None:
    with peer_that(town, says), courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), [b"wire"])
        assert answer.status is None
        assert answer.why


def test_no_redirect_is_followed(town: Town) -> None:
    elsewhere = "location: https://127.0.0.1:1/peer/messages\r\n"
    with (
        peer_that(town, answering(http("307 Over there", more=elsewhere))) as calls,
        courier_of(town[CA]) as courier,
    ):
        assert courier.deliver(member(town), [b"wire"]).status == 307
        assert len(calls) == 1


def test_another_certificate_is_not_talked_to(town: Town) -> None:
    """Somebody at Hong Kong's address with keys of the same name: nothing is sent to them."""
    folder = town.folder / "impostor"
    create_keys(folder, node_id=HK, host="127.0.0.1", passphrase=b"x", now=town.clock())
    mine = town[CA].compact().member(CA).tls_certificate
    heard: list[bytes] = []

    def listen(connection: ssl.SSLSocket) -> None:
        heard.append(connection.recv(100))

    with peer_that(town, listen, server_context(folder, b"x", [mine])), courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), [b"secret"])
        assert answer.status is None
        assert "certificate" in answer.why.lower()
    assert b"".join(heard) == b""


def test_a_proxy_of_the_environment_is_not_used(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with peer_that(town, answering(http("202 Accepted"))), courier_of(town[CA]) as courier:
        assert courier.deliver(member(town), [b"wire"]).status == 202


def test_a_renewed_certificate_opens_a_new_connection(town: Town) -> None:
    """The client is kept for a certificate and an address, and not beyond them."""
    asked: list[str] = []
    secret = passphrase(town[CA].home)

    def context(one: Member) -> ssl.SSLContext:
        asked.append(one.id)
        return client_context(town[CA].home.keys, secret, one.tls_certificate)

    courier = PeerCourier(context)
    with peer_that(town, answering(http("202 Accepted"))):
        for _ in range(2):
            courier.deliver(member(town), [b"wire"])
    assert asked == [HK]
    courier.close()


# --- what delivery makes of it -------------------------------------------------------------------------


def forged_answers(town: Town) -> list[bytes]:
    """Answers that prove nothing about the message that waits."""
    with town.looking(CA) as tx:
        (waiting,) = tx.outbox.due(town.clock(), QUEUE, most=9, most_bytes=MAX_RESULTS)

    def receipt(key: str, **changes: str) -> str:
        fields = {
            "message_id": waiting.message_id, "envelope_digest": waiting.digest, "sender": CA, "receiver": HK,
        }  # fmt: skip
        made = Receipt(status=Status.ACCEPTED, at=town.clock(), **{**fields, **changes})
        return make_receipt(made, key=town[key].keys.signing)

    def results(text: str, status: int = 202) -> bytes:
        return write_results([Result(status=status, receipt=text)])

    good = receipt(HK)
    return [
        b"", b"accepted", b"\xff\xfe", good.encode(), results(""), results("accepted"), results(receipt(CA)),
        results(receipt(HK, message_id="another")), results(receipt(HK, envelope_digest="0" * 64)),
        results(receipt(HK, sender="th-office")), results(good, 500), results(good, 403), results("", 403),
        results(good) * 2, results(good) + results(good)[1:], results(good)[:-1], b"\x02" + results(good)[1:],
    ]  # fmt: skip


def test_a_message_leaves_the_queue_only_by_a_receipt_for_it(town: Town) -> None:
    town.report()
    work(town[CA])
    for body in forged_answers(town):
        with peer_that(town, answering(http("200 OK", body))), courier_of(town[CA]) as courier:
            town.clock.advance(minutes=10)
            deliver(town[CA], QUEUE, courier, random=0.5)
        assert town.queued(CA) == 1
    assert town.requests(CA)[0].state == "sent"


def test_a_peer_that_asks_for_patience_gets_it(town: Town) -> None:
    town.report()
    work(town[CA])
    busy = answering(http("429 Too Many Requests", more="retry-after: 40\r\n"))
    with peer_that(town, busy), courier_of(town[CA]) as courier:
        deliver(town[CA], QUEUE, courier, random=0.0)
    for seconds, queues in ((39, []), (2, [QUEUE])):
        town.clock.advance(seconds=seconds)
        with town.looking(CA) as tx:
            assert tx.outbox.queues(town.clock()) == queues


# --- where it connects to ------------------------------------------------------------------------------

PUBLIC, PRIVATE = "93.184.215.14", "127.0.0.1"


def elsewhere(town: Town, host: str, **changes: Any) -> Member:
    """Hong Kong's card with another host on it, as its register might say."""
    own = member(town)
    port = urlsplit(own.endpoint).port
    return replace(own, endpoint=f"https://{host}:{port}", **changes)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "0.0.0.0",  # noqa: S104 - refused, not bound
     "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1"],
)  # fmt: skip
def test_a_name_that_leads_into_our_own_network_is_not_followed(town: Town, address: str) -> None:
    named = elsewhere(town, "hk.example", private_network=False)
    with courier_of(town[CA], resolver=lambda host, port: [address]) as courier:
        answer = courier.deliver(named, [b"wire"])
    assert answer.status is None
    assert "expected a public address" in answer.why


def test_of_several_addresses_only_a_public_one_is_used(town: Town) -> None:
    named = elsewhere(town, "hk.example", private_network=False)
    assert checked_address(named, resolver=lambda host, port: [PRIVATE, "::1", PUBLIC]) == PUBLIC
    assert checked_address(replace(named, private_network=True), resolver=lambda *_: [PRIVATE]) == PRIVATE


def test_the_connection_goes_to_the_address_that_was_checked(town: Town) -> None:
    """A name that answers with a good address first, and with another to whoever asks again: nobody does."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PRIVATE] if len(asked) == 1 else ["203.0.113.1"]

    named = elsewhere(town, "localhost", private_network=True)
    with (
        peer_that(town, answering(http("404 Not Found"))) as calls,
        courier_of(town[CA], resolver=rebinding) as courier,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(socket, "getaddrinfo", only_numbers(socket.getaddrinfo))
        for _ in range(3):
            assert courier.deliver(named, [b"wire"]).status == 404
        assert len(calls) == 3
    assert asked == ["localhost"]


def only_numbers(real: Callable[..., Any]) -> Callable[..., Any]:
    """The system's resolver, which no name may reach once the address was checked."""

    def getaddrinfo(host: Any, *more: Any, **options: Any) -> Any:
        ipaddress.ip_address(host)
        return real(host, *more, **options)

    return getaddrinfo


def test_a_member_may_move_after_a_failure(town: Town) -> None:
    answers = iter([["127.0.0.2"], [PRIVATE]])
    named = elsewhere(town, "localhost")
    with (
        peer_that(town, answering(http("404 Not Found"))),
        courier_of(town[CA], resolver=lambda *_: next(answers)) as courier,
    ):
        assert courier.deliver(named, [b"wire"]).status is None
        assert courier.deliver(named, [b"wire"]).status == 404


def test_the_certificate_must_be_for_the_name_not_for_the_address(town: Town) -> None:
    """TLS is as if the name had been connected to: a certificate for the address alone is not enough."""
    named = elsewhere(town, "hk.example")
    with (
        peer_that(town, answering(http("404 Not Found"))) as calls,
        courier_of(town[CA], resolver=lambda *_: [PRIVATE]) as courier,
    ):
        answer = courier.deliver(named, [b"wire"])
        assert answer.status is None
        assert "hk.example" in answer.why
        assert "certificate" in answer.why.lower()
        assert len(calls) == 1
