"""Batches of envelopes and answers to them: those that must be read, and one per way to fail.

Written by hand from spec/delivery.md: no code of the product takes part. What is in a frame does not matter here.
"""

from collections.abc import Iterator

from tests.vectors.envelope_cases import Case

MOST = 64
LARGEST = 16 * 1024 * 1024


def frame(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def result(status: int, receipt: bytes = b"") -> bytes:
    return status.to_bytes(2, "big") + frame(receipt)


def case(name: str, what: str, expect: str, wire: bytes) -> Case:
    return Case(name=name, what=what, expect=expect, wire=wire)


def envelopes_cases() -> Iterator[Case]:
    one, two = frame(b"first"), frame(b"second")
    yield case("ok-one", "A batch of one", "ok", b"\x01" + one)
    yield case("ok-two", "Two envelopes, in order", "ok", b"\x01" + one + two)
    yield case("ok-most", "As many as there may be", "ok", b"\x01" + one * MOST)
    yield case(
        "ok-version-inside",
        "What looks like a frame inside an envelope",
        "ok",
        b"\x01" + frame(b"\x01" + one),
    )
    yield case("empty", "No bytes", "batch.malformed", b"")
    yield case("none", "A version and no envelope", "batch.malformed", b"\x01")
    yield case("version-two", "Another version", "batch.malformed", b"\x02" + one)
    yield case(
        "no-version", "An envelope alone, without framing", "batch.malformed", b"eyJhbGciOiJFZDI1NTE5In0"
    )
    yield case("length-zero", "An envelope of no bytes", "batch.malformed", b"\x01" + frame(b""))
    yield case(
        "length-zero-among", "One of no bytes after a good one", "batch.malformed", b"\x01" + one + frame(b"")
    )
    yield case("cut-length", "Ends inside a length", "batch.malformed", b"\x01" + one + b"\0\0")
    yield case("cut-envelope", "Ends inside an envelope", "batch.malformed", b"\x01" + one + two[:-1])
    yield case(
        "length-huge", "A length beyond everything", "batch.malformed", b"\x01\xff\xff\xff\xff" + b"x" * 20
    )
    yield case("little-endian", "Lengths the wrong way round", "batch.malformed", b"\x01\x05\0\0\0first")
    yield case("trailing", "Bytes after the last envelope", "batch.malformed", b"\x01" + one + b"\0")
    yield case("too-many", "One more than there may be", "batch.oversize", b"\x01" + one * (MOST + 1))


def results_cases() -> Iterator[Case]:
    taken = result(202, b"eyJ.eyJ.sig")
    yield case("ok-none", "No results: the first poll of a mailbox", "ok", b"\x01")
    yield case("ok-one", "One taken", "ok", b"\x01" + taken)
    yield case("ok-all-kinds", "Taken, known, refused, not looked at", "ok",
               b"\x01" + taken + result(200, b"a.b.c") + result(403, b"d.e.f") + result(424))  # fmt: skip
    yield case("empty", "No bytes", "batch.malformed", b"")
    yield case("version-two", "Another version", "batch.malformed", b"\x02" + taken)
    yield case("status-low", "A status that is none", "batch.malformed", b"\x01" + result(99))
    yield case("status-high", "A status that is none", "batch.malformed", b"\x01" + result(600))
    yield case(
        "not-ascii", "A receipt with other bytes", "batch.malformed", b"\x01" + result(202, "é".encode())
    )
    yield case("cut", "Ends inside a receipt", "batch.malformed", b"\x01" + taken[:-1])
    yield case(
        "receipt-long", "A receipt longer than any", "batch.malformed", b"\x01" + result(202, b"x" * 8193)
    )
    yield case(
        "too-many",
        "One more than a batch has envelopes",
        "batch.malformed",
        b"\x01" + result(202) * (MOST + 1),
    )
