"""Several envelopes in one request, and what became of each in one answer (spec/delivery.md §1, §2). Pure.

    envelopes = 0x01 ‖ (length: 4 bytes, big-endian ‖ envelope) …      application/vnd.comity.envelopes
    results   = 0x01 ‖ (status: 2 bytes ‖ length: 4 bytes ‖ receipt) …  application/vnd.comity.results

One envelope is a batch of one: there is no other form. Count and sizes are checked before anything is cut out;
what an envelope is, and whose, is `envelope`'s to say. A results answer is one a peer wrote: its receipts prove
nothing until they are verified.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from comity.errors import InputError
from comity.exchange.envelope import MAX_WIRE

ENVELOPES = "application/vnd.comity.envelopes"
RESULTS = "application/vnd.comity.results"
MOST_ENVELOPES = 64
MAX_BATCH = 1 + MAX_WIRE + 4 * MOST_ENVELOPES
"""One envelope of the largest size always fits."""
MAX_RECEIPT_LINE = 8 * 1024
MAX_RESULTS = 1 + MOST_ENVELOPES * (6 + MAX_RECEIPT_LINE)
_VERSION = b"\x01"
_LENGTH = struct.Struct(">I")
_RESULT = struct.Struct(">HI")


class MalformedBatch(InputError):
    """Not a batch of envelopes, or not an answer to one; nothing of it was used."""

    code = "batch.malformed"
    remedy = "Send what spec/delivery.md describes; nothing of it was taken."


class OversizeBatch(InputError):
    """More bytes or more envelopes than one request may have; nothing of it was parsed."""

    code = "batch.oversize"
    http_status = 413
    remedy = f"Send at most {MOST_ENVELOPES} envelopes and {MAX_BATCH} bytes in one request."


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one envelope: a status as in HTTP, and a receipt's JWS where one was given (else empty)."""

    status: int
    receipt: str = ""


def write_envelopes(wires: Sequence[bytes]) -> bytes:
    """Frame 1 to `MOST_ENVELOPES` envelopes; raises what `read_envelopes` would."""
    body = _VERSION + b"".join(part for wire in wires for part in (_LENGTH.pack(len(wire)), wire))
    read_envelopes(body)
    return body


def read_envelopes(body: bytes) -> list[bytes]:
    """Cut a batch into its envelopes, or raise `OversizeBatch` or `MalformedBatch`."""
    if len(body) > MAX_BATCH:
        raise OversizeBatch.because(expected=f"at most {MAX_BATCH} bytes", got=str(len(body)))
    places = list(_frames(body, _LENGTH))
    if len(places) > MOST_ENVELOPES:
        raise OversizeBatch.because(expected=f"at most {MOST_ENVELOPES} envelopes", got=str(len(places)))
    if not places or any(end == start for _, start, end in places):
        raise MalformedBatch.because(expected="envelopes of at least one byte", got="none")
    return [body[start:end] for _, start, end in places]


def write_results(results: Sequence[Result]) -> bytes:
    """Frame the answer to a batch: one result for each envelope, in its order."""
    lines = [(one.status, one.receipt.encode("ascii")) for one in results]
    return _VERSION + b"".join(_RESULT.pack(status, len(line)) + line for status, line in lines)


def read_results(body: bytes, *, count: int | None = None) -> list[Result]:
    """Cut an answer into results; `MalformedBatch` unless there are `count` of them, where that is given."""
    if len(body) > MAX_RESULTS:
        raise OversizeBatch.because(expected=f"at most {MAX_RESULTS} bytes of results", got=str(len(body)))
    results = [_result(status, body[start:end]) for status, start, end in _frames(body, _RESULT)]
    if len(results) > MOST_ENVELOPES or (count is not None and len(results) != count):
        raise MalformedBatch.because(
            expected=f"{count if count is not None else f'at most {MOST_ENVELOPES}'} results",
            got=str(len(results)),
        )
    return results


def _result(status: int, line: bytes) -> Result:
    if not 100 <= status <= 599 or len(line) > MAX_RECEIPT_LINE or not line.isascii():
        raise MalformedBatch.because(
            expected=f"a status and a receipt of at most {MAX_RECEIPT_LINE} ASCII bytes",
            got=f"{status} and {len(line)} bytes",
        )
    return Result(status=status, receipt=line.decode("ascii"))


def _frames(body: bytes, header: struct.Struct) -> Iterator[tuple[int, int, int]]:
    """(first field, start, end) of each frame; never more than one above what any batch may have."""
    if body[:1] != _VERSION:
        raise MalformedBatch.because(expected="version 1", got=repr(body[:1]))
    place, count = 1, 0
    while place < len(body) and count <= MOST_ENVELOPES:
        start = place + header.size
        if start > len(body):
            raise MalformedBatch.because(expected="a whole frame", got="its beginning")
        first, length = (
            header.unpack_from(body, place) if header is _RESULT else (0, *header.unpack_from(body, place))
        )
        if start + length > len(body):
            raise MalformedBatch.because(
                expected=f"a frame of {length} bytes", got=f"{len(body) - start} bytes"
            )
        yield first, start, start + length
        place, count = start + length, count + 1
