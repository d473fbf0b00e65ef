"""Attachments over real TLS: cuts, restarts and full disks cost time and nothing else; a sender that lies, drags or
swaps gets nothing onto the disk that the message did not promise; and nobody fetches what is not theirs.
"""

import hashlib
import os
import random
import re
import resource
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from comity.backends import attachment_courier
from comity.backends.attachment_files import AttachmentFiles
from comity.backends.keys import server_context
from comity.backends.sql.attachments import CarriedAttachment
from comity.errors import StorageError
from comity.model import Role
from comity.node.attachments import fetch as fetch_module
from comity.node.attachments.attach import files_of
from comity.node.attachments.export import fetch_again, save_attachment
from comity.node.bootstrap import passphrase
from comity.proofs.chunks import ChunkCipher
from tests.nodes.attaching import attachments, fetch_all, fetching, states, tell_of, written
from tests.nodes.serving import answer_on, peer_surface, place_of, raw
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town

MIB = 1024 * 1024
SIZE = 5 * MIB + 12_345


@pytest.fixture
def told(town: Town) -> tuple[Town, bytes]:
    """Canada has told Hong Kong, and attached something of six chunks."""
    content = random.Random(7).randbytes(SIZE)
    tell_of(town, written(town, "exhibit.bin", content))
    town.settle()
    return town, content


def only(town: Town, node_id: str = HK) -> CarriedAttachment:
    (one,) = attachments(town, node_id)
    return one


def sealed_bytes(town: Town) -> bytes:
    return files_of(town[CA]).offered(only(town).attachment.id).read_bytes()


def part_of(town: Town) -> Path:
    whole = files_of(town[HK]).whole(CA, only(town).attachment.id)
    return whole.with_name(f"{whole.name}.part")


def kept(town: Town) -> list[str]:
    folder = town.folder / HK / "attachments" / "in"
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def assert_it_is_whole(town: Town, content: bytes) -> None:
    assert states(town, HK) == ["whole"]
    target = town.folder / "saved"
    save_attachment(town[HK], only(town).attachment.id, target, person=town.person(HK, Role.ANALYST))
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()
    town.settle()
    assert states(town, CA) == ["whole"]
    assert len(town.events(HK, "attachment.whole")) == 1


# --- a program at the sender's address -----------------------------------------------------------------


Says = Callable[[ssl.SSLSocket, int, int], None]


@contextmanager
def sender_that(town: Town, says: Says) -> Iterator[list[tuple[int, int]]]:
    """Canada's address and keys, in the hands of a program; it is told the range that was asked for."""
    node, asked = town[CA], list[tuple[int, int]]()
    context = server_context(
        node.home.keys, passphrase(node.home), [node.compact().member(HK).tls_certificate]
    )
    done = threading.Event()

    def serve(listening: socket.socket) -> None:
        while not done.is_set():
            try:
                plain, _ = listening.accept()
            except TimeoutError:
                continue
            with plain:
                plain.settimeout(20)
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        head = connection.recv(65_536)
                        found = re.search(rb"(?i)range: bytes=([0-9]+)-([0-9]+)", head)
                        assert found
                        asked.append((int(found[1]), int(found[2])))
                        says(connection, *asked[-1])
                except OSError:
                    pass

    with socket.create_server(place_of(node)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            done.set()
            thread.join()


def gives(
    body: bytes, *, first: int | None = None, total: int | None = None, length: int | None = None,
    status: str = "206 Partial Content",
) -> Says:  # fmt: skip
    """Answer with these bytes of it, whatever was asked for, under a head that fits or does not."""

    def says(connection: ssl.SSLSocket, start: int, last: int) -> None:
        piece = body[start : last + 1]
        at, of = start if first is None else first, len(body) if total is None else total
        connection.sendall(
            f"HTTP/1.1 {status}\r\ncontent-length: {len(piece) if length is None else length}\r\n"
            f"content-range: bytes {at}-{at + last - start}/{of}\r\nconnection: close\r\n\r\n".encode()
            + piece
        )

    return says


def chunks(sealed: bytes) -> list[bytes]:
    step = MIB + 16
    return [sealed[start : start + step] for start in range(0, len(sealed), step)]


def changed(sealed: bytes) -> bytes:
    raw = bytearray(sealed)
    raw[3 * MIB] ^= 1
    return bytes(raw)


def swapped(sealed: bytes) -> bytes:
    each = chunks(sealed)
    return b"".join([each[0], each[2], each[1], *each[3:]])


def repeated(sealed: bytes) -> bytes:
    each = chunks(sealed)
    return b"".join([each[0], each[1], each[1], *each[3:]])


LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a changed byte": (changed, "attachment.chunk"),
    "two chunks swapped": (swapped, "attachment.chunk"),
    "a chunk twice": (repeated, "attachment.chunk"),
    "zeros": (lambda sealed: bytes(len(sealed)), "attachment.chunk"),
    "longer": (lambda sealed: sealed + b"more", "attachment.length"),
    "shorter": (lambda sealed: sealed[:-1], "attachment.length"),
    "without its last chunk": (lambda sealed: b"".join(chunks(sealed)[:-1]), "attachment.length"),
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_lie_ends_the_fetch_and_nothing_of_it_is_kept(told: tuple[Town, bytes], lie: str) -> None:
    town, _ = told
    make, code = LIES[lie]
    with sender_that(town, gives(make(sealed_bytes(town)))) as asked, fetching(town) as (fetch, courier):
        while fetch.step(courier):
            pass
    assert len(asked) == 1
    assert states(town, HK) == ["failed"]
    assert only(town).reason.startswith(code)
    assert kept(town) == []
    town.settle()
    assert (states(town, CA), only(town, CA).reason) == (["failed"], only(town).reason)
    assert len(town.events(HK, "attachment.failed")) == 1


def test_another_attachment_under_this_key_is_not_this_one(told: tuple[Town, bytes]) -> None:
    """A sender that seals something else under the same key: every chunk opens, but it is not what was signed."""
    town, _ = told
    one = only(town).attachment
    cipher, layout = ChunkCipher(one.key), one.layout
    other = b"".join(
        cipher.seal(index, bytes(layout.length(index) - 16), last=index + 1 == layout.count)
        for index in range(layout.count)
    )
    with sender_that(town, gives(other)), fetching(town) as (fetch, courier):
        while fetch.step(courier):
            pass
    assert only(town).reason.startswith("attachment.digest")
    assert kept(town) == []


@pytest.mark.parametrize(
    "how",
    [
        {"first": 7}, {"status": "200 OK"}, {"status": "500 Trouble"}, {"status": "302 Found"}, {"status": "204 No"},
        {"length": 3 * MIB}, {"length": 0},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_is_none_is_tried_again_later(
    told: tuple[Town, bytes], how: dict[str, int | str]
) -> None:
    town, content = told
    with sender_that(town, gives(sealed_bytes(town), **how)), fetching(town) as (fetch, courier):  # type: ignore[arg-type] # one dictionary
        fetch.step(courier)
        assert states(town, HK) == ["fetching"]
    fetch_all(town)
    assert_it_is_whole(town, content)


def test_an_endless_trickle_is_given_up_and_keeps_only_itself_waiting(
    told: tuple[Town, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, content = told
    monkeypatch.setattr(attachment_courier, "CHUNK_SECONDS", 0.5)

    def trickle(connection: ssl.SSLSocket, start: int, last: int) -> None:
        gives(b"", total=len(sealed), length=last + 1 - start)(connection, start, last)
        for byte in sealed:
            connection.sendall(bytes([byte]))
            if stop.wait(0.05):
                return

    sealed, stop = sealed_bytes(town), threading.Event()
    with sender_that(town, trickle) as asked, fetching(town) as (fetch, courier):
        fetch.step(courier)
        assert len(asked) == 1
        assert states(town, HK) == ["fetching"]
        assert not fetch.due()
        stop.set()
    fetch_all(town)
    assert_it_is_whole(town, content)


def test_a_sender_that_goes_away_half_way_is_met_again_where_it_stood(told: tuple[Town, bytes]) -> None:
    town, content = told
    sealed = sealed_bytes(town)

    def half(connection: ssl.SSLSocket, start: int, last: int) -> None:
        length = last + 1 - start
        gives(sealed[: start + length // 2], total=len(sealed), length=length)(connection, start, last)

    with sender_that(town, half) as asked, fetching(town) as (fetch, courier):
        for _ in range(3):
            fetch.step(courier)
            town.clock.advance(minutes=10)
    starts = [start for start, _ in asked]
    assert starts[0] == 0
    assert sorted(set(starts)) == starts
    assert all(start % (MIB + 16) == 0 for start in starts)
    fetch_all(town)
    assert_it_is_whole(town, content)


def test_a_restart_goes_on_from_the_disk_and_from_nothing_else(told: tuple[Town, bytes]) -> None:
    """Whatever a kill left in the part, whole chunks are kept and the rest is fetched again."""
    town, content = told
    sealed = sealed_bytes(town)
    part_of(town).parent.mkdir(parents=True, exist_ok=True)
    part_of(town).write_bytes(sealed[: 2 * MIB])
    town.reopen(HK)
    with sender_that(town, gives(sealed)) as asked, fetching(town) as (fetch, courier):
        while fetch.step(courier):
            pass
    assert [start for start, _ in asked] == [MIB + 16]
    assert_it_is_whole(town, content)


def test_killed_between_the_last_chunk_and_the_row(
    told: tuple[Town, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has its name already, the row does not know: nothing is asked of the sender again."""
    town, content = told

    def die(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(fetch_module, "settle_fetched", die)
        with pytest.raises(KeyboardInterrupt):
            fetch_all(town)
    assert states(town, HK) == ["fetching"]
    town.reopen(HK)
    with fetching(town) as (fetch, courier):  # and nobody serves
        while fetch.step(courier):
            pass
    assert_it_is_whole(town, content)


def test_large_ones_come_in_slices_and_small_ones_go_first(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachment_courier, "SLICE_BYTES", 2 * MIB + 100)
    large, small = os.urandom(6 * MIB), b"small"
    tell_of(town, written(town, "large", large), written(town, "small", small))
    town.settle()
    with peer_surface(town[CA]), fetching(town) as (fetch, courier):
        assert fetch.step(courier)
        assert {one.attachment.name: one.state.value for one in attachments(town, HK)} == {
            "small": "whole", "large": "announced",
        }  # fmt: skip
        steps = 1
        while fetch.step(courier):
            steps += 1
    assert steps == 4
    assert states(town, HK) == ["whole", "whole"]


def test_the_same_file_twice_arrives_twice(town: Town) -> None:
    file = written(town, "same", os.urandom(100_000))
    tell_of(town, file, file)
    tell_of(town, file)
    town.settle()
    fetch_all(town)
    assert states(town, HK) == ["whole"] * 3
    assert len({one.attachment.id for one in attachments(town, HK)}) == 3
    assert len({one.attachment.digest for one in attachments(town, HK)}) == 1


# --- the disk ------------------------------------------------------------------------------------------


def test_no_room_is_said_before_a_byte_is_asked_for(told: tuple[Town, bytes]) -> None:
    town, content = told
    with sender_that(town, gives(b"")) as asked, fetching(town) as (fetch, courier):
        fetch._files = AttachmentFiles(town[HK].home.path / "attachments", free=lambda _: SIZE)
        while fetch.step(courier):
            pass
    assert asked == []
    town.settle()
    assert states(town, HK) == states(town, CA) == ["refused"]
    assert "no room" in only(town, CA).reason
    fetch_again(town[HK], only(town).attachment.id, person=town.person(HK, Role.ANALYST))
    fetch_all(town)
    assert_it_is_whole(town, content)


def test_a_disk_that_fills_up_half_way_stops_it_and_nothing_is_lost(told: tuple[Town, bytes]) -> None:
    town, content = told
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with peer_surface(town[CA]), fetching(town) as (fetch, courier):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB + 500_000, hard))
        try:
            with pytest.raises(StorageError):
                fetch.step(courier)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not fetch.step(courier) or states(town, HK) == ["whole"]
    assert part_of(town).stat().st_size >= 2 * (MIB + 16)
    town.clock.advance(minutes=10)
    fetch_all(town)
    assert_it_is_whole(town, content)


# --- who may fetch -------------------------------------------------------------------------------------


def ask(town: Town, member: str, path: str, wanted: str = "") -> bytes:
    more = f"range: {wanted}\r\n" if wanted else ""
    with raw(town[member], town[CA]) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n".encode())
        return answer_on(connection)


def test_others_learn_nothing(told: tuple[Town, bytes]) -> None:
    """What is another's, what is not there and what is no id at all are answered alike."""
    town, _ = told
    path = f"/peer/attachments/{only(town).attachment.id}"
    with peer_surface(town[CA]):
        known = ask(town, TH, path)
        assert known.startswith(b"HTTP/1.1 404")
        unknown = "/peer/attachments/" + "0" * 64
        assert ask(town, TH, unknown) == ask(town, WATCH, path) == ask(town, HK, unknown) == known
        assert ask(town, HK, "/peer/attachments/..%2f..%2fkeys%2fkeys.json").startswith(b"HTTP/1.1 404")
        assert ask(town, HK, path).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("wanted", "status", "length"),
    [
        ("bytes=0-0", 206, 1), ("bytes=10-19", 206, 10), ("bytes=0-", 206, -1), ("bytes=5-99999999", 206, -1),
        ("bytes=99999999-", 416, 0), ("bytes=-5", 416, 0), ("bytes=9-3", 416, 0), ("bytes=0-1,4-5", 416, 0),
        ("chunks=0-1", 416, 0), ("bytes=0-99999999999999999999", 416, 0), ("bytes=x-y", 416, 0),
    ],
)  # fmt: skip
def test_ranges(told: tuple[Town, bytes], wanted: str, status: int, length: int) -> None:
    town, _ = told
    sealed = sealed_bytes(town)
    with peer_surface(town[CA]):
        head, _, body = ask(town, HK, f"/peer/attachments/{only(town).attachment.id}", wanted).partition(
            b"\r\n\r\n"
        )
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    if status == 206:
        found = re.search(rb"(?i)content-range: bytes ([0-9]+)-([0-9]+)/([0-9]+)", head)
        assert found
        start, last, total = (int(each) for each in found.groups())
        assert total == len(sealed)
        assert body == sealed[start : last + 1]
        assert length in (-1, len(body))
    else:
        assert f"bytes */{len(sealed)}".encode() in head


def test_what_the_sender_has_lost_is_failed_and_can_be_asked_for_again(told: tuple[Town, bytes]) -> None:
    town, content = told
    file = files_of(town[CA]).offered(only(town).attachment.id)
    away = file.rename(town.folder / "away")
    fetch_all(town)
    assert states(town, HK) == ["failed"]
    away.rename(file)
    fetch_again(town[HK], only(town).attachment.id, person=town.person(HK, Role.ANALYST))
    fetch_all(town)
    assert_it_is_whole(town, content)


def test_a_recipient_that_does_not_read_takes_little(told: tuple[Town, bytes]) -> None:
    """It asks for all of it ten times over and reads nothing: what is asked for besides is served as before."""
    town, content = told
    path = f"/peer/attachments/{only(town).attachment.id}"
    with peer_surface(town[CA]), ExitStack() as stalled:
        for _ in range(10):
            connection = stalled.enter_context(raw(town[HK], town[CA]))
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        with fetching(town) as (fetch, courier):
            while fetch.step(courier):
                pass
    assert_it_is_whole(town, content)
