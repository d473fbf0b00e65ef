"""A sender that accepts no connections brings its attachments: chunk by chunk, over real TLS, as safely as fetched."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

import httpx
import pytest

from comity.backends.attachment_courier import NotWanted
from comity.errors import NetworkError
from comity.exchange import Compact, Member
from comity.model import Role
from comity.node.attachments.attach import files_of
from comity.node.attachments.export import save_attachment
from comity.node.attachments.push import Pushing
from tests.nodes.attaching import attachments, courier_for, fetch_all, states, tell_of, written
from tests.nodes.serving import context_of, peer_surface
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * (3 * 4096 + 7)  # 3 MiB and a little: four chunks


@pytest.fixture
def told(town: Town) -> Iterator[Town]:
    """Canada accepts no connections, says its card; Hong Kong has heard its notice."""
    real = Compact.member

    def pulling(compact: Compact, member_id: str) -> Member:
        return replace(real(compact, member_id), pull=member_id == CA)

    tell_of(town, written(town, "exhibit.bin", CONTENT))
    town.settle()
    with patch.object(Compact, "member", pulling):
        yield town


def id_of(town: Town) -> str:
    (one,) = attachments(town, HK)
    return one.attachment.id


def sealed_chunk(town: Town, index: int) -> bytes:
    (one,) = attachments(town, HK)
    layout, raw = one.attachment.layout, files_of(town[CA]).offered(one.attachment.id).read_bytes()
    return raw[layout.start(index) : layout.start(index + 1)]


def put(town: Town, sender: str, id_: str, chunk: object, body: bytes) -> tuple[int, str]:
    member = town[sender].compact().member(HK)
    with httpx.Client(
        base_url=member.endpoint, verify=context_of(town[sender], HK), trust_env=False
    ) as client:
        answer = client.put(f"/peer/attachments/{id_}", params={"chunk": str(chunk)}, content=body)
        return answer.status_code, answer.text


def push_all(town: Town) -> int:
    """Step until nothing is due; how many chunks went."""
    pushing, courier, count = Pushing(town[CA], HK), courier_for(town[CA]), 0
    while pushing.step(courier):
        count += 1
    courier.close()
    return count


def assert_whole(town: Town) -> None:
    assert states(town, HK) == ["whole"]
    save_attachment(town[HK], id_of(town), town.folder / "saved", person=town.person(HK, Role.ANALYST))
    assert (town.folder / "saved").read_bytes() == CONTENT
    town.settle()
    assert states(town, CA) == ["whole"]


def test_it_is_brought_and_nobody_fetches(told: Town) -> None:
    assert fetch_all(told) == 0
    with peer_surface(told[HK]):
        assert push_all(told) == 4
    assert_whole(told)


def test_both_sides_may_forget_where_they_were(told: Town) -> None:
    """A new process on either side: the receiver knows from its disk, and says it."""
    for _ in range(2):
        pushing, courier = Pushing(told[CA], HK), courier_for(told[CA])
        with peer_surface(told[HK]), closing(courier):
            assert pushing.step(courier)
        told.reopen(HK)
    with peer_surface(told[HK]):
        assert put(told, CA, id_of(told), 0, sealed_chunk(told, 0)) == (200, "1")
        assert put(told, CA, id_of(told), 3, sealed_chunk(told, 3)) == (200, "1")
        push_all(told)
        assert put(told, CA, id_of(told), 0, b"again") == (200, "4")
    assert_whole(told)


def test_nothing_is_brought_before_its_message_was_accepted(town: Town) -> None:
    """Whatever that has to wait for, a quorum of witnesses too, holds for what it brings."""
    tell_of(town, written(town, "exhibit.bin", CONTENT))
    pushing = Pushing(town[CA], HK)
    assert not pushing.due()
    assert town.deliver(CA, HK)
    assert pushing.due()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"1" * 65, {}),
        (b"1" * (1 << 20), {}),
        (gzip.compress(b"1" + b" " * 64), {"content-encoding": "gzip"}),
    ],
    ids=["long", "endless", "packed"],
)
def test_an_answer_that_is_more_than_a_number_is_none(
    told: Town, body: bytes, headers: dict[str, str]
) -> None:
    courier, read = courier_for(told[CA]), list[int]()

    def parts() -> Iterator[bytes]:
        for start in range(0, len(body), 50):
            read.append(start)
            yield body[start : start + 50]

    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=parts()))
    client = httpx.Client(transport=transport, base_url="https://peer.test")
    with patch.object(courier, "_client_of", lambda _: client), client, pytest.raises(NetworkError):
        courier.push(told[CA].compact().member(HK), id_of(told), 0, b"x")
    assert len(read) <= 3


def test_nobody_home_is_tried_again_later(told: Town) -> None:
    pushing, courier = Pushing(told[CA], HK), courier_for(told[CA])
    assert pushing.step(courier)
    assert not pushing.due()
    told.clock.advance(minutes=10)
    with peer_surface(told[HK]), closing(courier):
        while pushing.step(courier):
            pass
    assert_whole(told)


@pytest.mark.parametrize("body", [b"", b"x", bytes(MIB + 16), b"x" * (MIB + 16)], ids=len)
def test_a_wrong_chunk_ends_it(told: Town, body: bytes) -> None:
    with peer_surface(told[HK]):
        assert put(told, CA, id_of(told), 0, body)[0] == 403
        assert put(told, CA, id_of(told), 0, sealed_chunk(told, 0))[0] == 404
    assert states(told, HK) == ["failed"]
    assert [one for one in (told.folder / HK / "attachments").rglob("*") if one.is_file()] == []
    told.settle()
    assert states(told, CA) == ["failed"]


def test_only_what_was_announced_is_taken_and_only_from_its_sender(told: Town) -> None:
    first = sealed_chunk(told, 0)
    with peer_surface(told[HK]):
        for sender, id_ in ((TH, id_of(told)), (CA, "0" * 64), (CA, "..%2fx")):
            assert put(told, sender, id_, 0, first)[0] == 404
        for chunk in ("", "-1", "x", "9" * 20, "0.5"):
            assert put(told, CA, id_of(told), chunk, first)[0] == 400
        assert put(told, CA, id_of(told), 0, b"x" * (5 * MIB))[0] == 413
        with patch.object(
            Compact, "member", lambda compact, one: next(m for m in compact.members if m.id == one)
        ):
            assert put(told, CA, id_of(told), 0, first)[0] == 404  # it can be asked, so it is
    assert states(told, HK) == ["announced"]


def test_what_the_receiver_may_answer(told: Town) -> None:
    """Numbers out of range move nothing but itself; everything else is no answer."""
    courier = courier_for(told[CA])
    member = told[CA].compact().member(HK)
    with pytest.raises(NetworkError):
        courier.push(member, id_of(told), 0, b"x")
    with peer_surface(told[HK]), closing(courier), pytest.raises(NotWanted):
        courier.push(member, "0" * 64, 0, b"x")
