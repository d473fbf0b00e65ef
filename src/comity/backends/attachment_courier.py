"""Fetch the chunks of an attachment from the peer that offers it: HTTPS, both sides pinned, ranges (RFC 9110 §14).

One request asks for a slice of whole chunks, so that a cut costs at most one of them. Whether a chunk is the right
one is the receiver's to verify; this only sees to lengths and time.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator

import httpx

from comity.backends.peer_client import open_client
from comity.errors import NetworkError, NotFound, TrustError
from comity.exchange import Member
from comity.exchange.attachment import Attachment

SLICE_BYTES = 64 * 1024 * 1024
CHUNK_SECONDS = 30.0
"""A whole chunk comes within this time, or the connection is given up: nobody holds us by trickling."""
MOST_ANSWER = 64
"""Bytes of the answer to a chunk that we brought: a number."""
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_RANGE = re.compile(r"bytes ([0-9]{1,16})-([0-9]{1,16})/([0-9]{1,16})", re.ASCII)


class NotOffered(NotFound):
    """The peer has nothing of that id for us (any more)."""

    code = "attachment.not-offered"
    remedy = "Ask the sender to send it again."


class NotWanted(NotFound):
    """The peer does not take this chunk: it has not heard of the attachment yet, or is done with it."""

    code = "attachment.not-wanted"


class OtherLength(TrustError):
    """What the peer offers is longer or shorter than its message said."""

    code = "attachment.length"
    remedy = "Ask the sender to send it again; what arrived was not kept."


class AttachmentCourier:
    """One connection to one peer at a time. `context` gives the TLS context in which only that peer is trusted."""

    def __init__(self, context: Callable[[Member], ssl.SSLContext]) -> None:
        self._context = context
        self._client: tuple[str, httpx.Client] | None = None

    def chunks(self, member: Member, attachment: Attachment, *, first: int) -> Iterator[bytes]:
        """The sealed chunks from `first` on, as many as a slice holds, each of its length.

        Raises `NetworkError` if it stops or drags, `NotOffered`, or `OtherLength`.
        """
        layout = attachment.layout
        start = layout.start(first)
        after = min(layout.count, first + max(1, SLICE_BYTES // layout.length(first)))
        end = layout.start(after)
        try:
            with self._client_of(member).stream(
                "GET", f"/peer/attachments/{attachment.id}",
                headers={"range": f"bytes={start}-{end - 1}", "accept-encoding": "identity"},
            ) as answer:  # fmt: skip
                _refuse_other(answer, member, start, end, layout.sealed_size)
                lengths = (layout.length(index) for index in range(first, after))
                yield from _cut(answer.iter_raw(), lengths, member)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            self.close()  # the next one looks the name up again
            problem = f"{member.id} at {member.endpoint}: {type(error).__name__}: {error}"
            raise NetworkError(problem) from error

    def push(self, member: Member, id_: str, index: int, sealed: bytes) -> int:
        """Bring one chunk to a peer that cannot fetch from us; the number of the chunk that it wants next.

        Raises `NotWanted` if it knows of no such attachment (yet) or takes it no more, `NetworkError` for the rest.
        """
        ends = time.monotonic() + CHUNK_SECONDS
        try:
            with self._client_of(member).stream(
                "PUT", f"/peer/attachments/{id_}", params={"chunk": index}, content=sealed,
                headers={"content-type": "application/octet-stream", "accept-encoding": "identity"},
            ) as answer:  # fmt: skip
                said = _short(answer, member, ends) if answer.status_code == 200 else b""
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            self.close()  # the next one looks the name up again
            problem = f"{member.id} at {member.endpoint}: {type(error).__name__}: {error}"
            raise NetworkError(problem) from error
        if answer.status_code in (403, 404):
            raise NotWanted(f"expected {member.id} to take it, got HTTP {answer.status_code}")
        if answer.status_code != 200 or not said.isdigit() or len(said) > 16:
            raise NetworkError(f"{member.id} answered HTTP {answer.status_code}")
        return int(said)

    def close(self) -> None:
        if self._client is not None:
            self._client[1].close()
            self._client = None

    def _client_of(self, member: Member) -> httpx.Client:
        pinned = member.tls_certificate + member.endpoint
        if self._client is None or self._client[0] != pinned:
            self.close()
            self._client = (pinned, open_client(member, self._context(member), timeout=_TIMEOUT))
        return self._client[1]


def _refuse_other(answer: httpx.Response, member: Member, start: int, end: int, total: int) -> None:
    """Only the very range that was asked for, of something of the very length that was said."""
    if answer.status_code in (404, 410):
        raise NotOffered(f"expected the attachment from {member.id}, got HTTP {answer.status_code}")
    said = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if answer.status_code == 416 or (said and int(said[3]) != total):
        raise OtherLength(f"expected {total} bytes, got {answer.headers.get('content-range', '')[:100]}")
    if answer.status_code != 206 or said is None or (int(said[1]), int(said[2])) != (start, end - 1):
        raise NetworkError(f"{member.id} answered HTTP {answer.status_code} without the range asked for")


def _short(answer: httpx.Response, member: Member, ends: float) -> bytes:
    """An answer of a few bytes, as they came: nothing is unpacked, and no more is read."""
    said = b""
    for part in answer.iter_raw():
        said += part
        if len(said) > MOST_ANSWER or time.monotonic() > ends:
            raise NetworkError(f"{member.id} answered more than {MOST_ANSWER} bytes, or dragged")
    return said.strip()


def _cut(parts: Iterator[bytes], lengths: Iterator[int], member: Member) -> Iterator[bytes]:
    """Whole chunks of these lengths; in memory are one chunk and what came with its end."""
    held, began = bytearray(), time.monotonic()
    for length in lengths:
        while len(held) < length:
            part = next(parts, None)
            if part is None:
                raise NetworkError(f"{member.id} stopped in the middle")
            held += part
            if time.monotonic() - began > CHUNK_SECONDS:
                raise NetworkError(f"{member.id} took more than {CHUNK_SECONDS:.0f} s for one chunk")
        yield bytes(held[:length])
        del held[:length]
        began = time.monotonic()
    if held or next(parts, None):
        raise OtherLength(f"expected the range asked for from {member.id}, got more")
