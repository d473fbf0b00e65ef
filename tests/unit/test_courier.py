"""The courier before a peer that is not what it should be: one answer, never more, never from anybody else."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from comity.backends.courier import PeerCourier
from comity.backends.key_files import client_context, create_keys, server_context
from comity.errors import NetworkError
from comity.exchange import Member, Receipt, Status, make_receipt
from comity.node.bootstrap import passphrase
from comity.node.deliver import deliver
from comity.node.run import work
from tests.nodes.serving import courier_of, place_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

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
        answer = courier.deliver(member(town), b"wire")
        assert (answer.status, answer.body) == (418, b"short")


def test_nobody_there_is_no_answer(town: Town) -> None:
    with courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), b"wire")
        assert (answer.status, answer.body) == (None, b"")
        assert HK in answer.why
        with pytest.raises(NetworkError):
            courier.add_checkpoint(member(town), b"x")


@pytest.mark.parametrize(
    "says",
    [
        answering(b""), answering(b"\0" * 100), answering(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort"),
        answering(http("200 OK", b"x" * 70_000)), answering(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000),
        answering(b"", after_reading=False),
    ],
    ids=["nothing", "nuls", "cut short", "more than an answer", "endless head", "closed at once"],
)  # fmt: skip
def test_what_is_no_answer_is_none(town: Town, says: Says) -> None:
    with peer_that(town, says), courier_of(town[CA]) as courier:
        answer = courier.deliver(member(town), b"wire")
        assert answer.status is None
        assert answer.why


def test_no_redirect_is_followed(town: Town) -> None:
    elsewhere = "location: https://127.0.0.1:1/peer/messages\r\n"
    with (
        peer_that(town, answering(http("307 Over there", more=elsewhere))) as calls,
        courier_of(town[CA]) as courier,
    ):
        assert courier.deliver(member(town), b"wire").status == 307
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
        answer = courier.deliver(member(town), b"secret")
        assert answer.status is None
        assert "certificate" in answer.why.lower()
    assert b"".join(heard) == b""


def test_a_proxy_of_the_environment_is_not_used(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with peer_that(town, answering(http("202 Accepted"))), courier_of(town[CA]) as courier:
        assert courier.deliver(member(town), b"wire").status == 202


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
            courier.deliver(member(town), b"wire")
    assert asked == [HK]
    for _, client in courier._clients.values():
        client.close()


# --- what delivery makes of it -------------------------------------------------------------------------


def forged_receipts(town: Town) -> list[bytes]:
    """Receipts that prove nothing about the message that waits."""
    with town.looking(CA) as tx:
        (waiting,) = tx.outbox.due(town.clock(), receiver=HK)

    def receipt(key: str, **changes: str) -> bytes:
        fields = {
            "message_id": waiting.message_id, "envelope_digest": waiting.digest, "sender": CA, "receiver": HK,
        }  # fmt: skip
        made = Receipt(status=Status.ACCEPTED, at=town.clock(), **{**fields, **changes})
        return make_receipt(made, key=town[key].keys.signing).encode()

    return [
        b"", b"accepted", b"\xff\xfe", receipt(CA), receipt(HK, message_id="another"),
        receipt(HK, envelope_digest="0" * 64), receipt(HK, sender="th-office"),
    ]  # fmt: skip


def test_a_message_leaves_the_queue_only_by_a_receipt_for_it(town: Town) -> None:
    town.report()
    work(town[CA])
    for body in forged_receipts(town):
        with peer_that(town, answering(http("200 OK", body))), courier_of(town[CA]) as courier:
            town.clock.advance(minutes=10)
            deliver(town[CA], HK, courier, random=0.5)
        assert town.queued(CA) == 1
    assert town.requests(CA)[0].state == "sent"
