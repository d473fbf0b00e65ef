"""One attachment per way to fail, and those that must be taken: the description, a line feed, the sealed bytes.

Written after spec/attachment.md §1 and §2, sharing no code with the product.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.vectors.envelope_cases import Case
from tests.vectors.forger import b64u, derived, encoded

CHUNK = 4096
KEY = derived("attachment key", 32)
PLAIN = (b"Statement of the victim, page %d.\n" * 400) % tuple(range(400))


def nonce(index: int, *, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def sealed(plain: bytes, *, key: bytes = KEY, associated: bytes = b"comity-attachment/1\n") -> list[bytes]:
    pieces = [plain[start : start + CHUNK] for start in range(0, len(plain), CHUNK)] or [b""]
    return [
        AESGCM(key).encrypt(nonce(index, last=index + 1 == len(pieces)), piece, associated)
        for index, piece in enumerate(pieces)
    ]


def described(plain: bytes, chunks: list[bytes], **changes: Any) -> bytes:
    return encoded(
        {
            "format": "comity-attachment/1", "id": hashlib.sha256(b"".join(chunks)).hexdigest(),
            "name": "statement.txt", "media_type": "text/plain", "size": len(plain), "chunk": CHUNK,
            "digest": hashlib.sha256(plain).hexdigest(), "key": b64u(KEY), **changes,
        }
    )  # fmt: skip


def _case(
    file: str,
    what: str,
    expect: str,
    /,
    *,
    plain: bytes = PLAIN,
    chunks: list[bytes] | None = None,
    **changes: Any,
) -> Case:
    carried = sealed(plain) if chunks is None else chunks
    wire = described(plain, carried, **changes) + b"\n" + b"".join(carried)
    return Case(name=file, what=what, expect=expect, wire=wire)


def cases() -> Iterable[Case]:
    good = sealed(PLAIN)
    yield _case("ok", "Several chunks, the last not full", "ok")
    yield _case("ok-empty", "Nothing at all: one empty chunk", "ok", plain=b"")
    yield _case("ok-one", "Less than a chunk", "ok", plain=b"short")
    yield _case("ok-full", "Exactly two chunks: no empty one follows", "ok", plain=PLAIN[: 2 * CHUNK])
    yield _case("ok-name", "A name that looks like a path is a label", "ok", name="../../etc/passwd")
    yield from _broken_chunks(good)
    yield from _broken_lengths(good)
    yield from _broken_digests(good)
    yield from _broken_descriptions()


def _broken_chunks(good: list[bytes]) -> Iterable[Case]:
    changed = [good[0], bytes([good[1][0] ^ 1]) + good[1][1:], *good[2:]]
    unmarked = [
        *good[:-1], AESGCM(KEY).encrypt(nonce(len(good) - 1, last=False), PLAIN[CHUNK * (len(good) - 1) :],
                                        b"comity-attachment/1\n"),
    ]  # fmt: skip
    for name, what, chunks in (
        ("changed", "One bit of the second chunk is another", changed),
        ("swapped", "The first two chunks have changed places", [good[1], good[0], *good[2:]]),
        ("repeated", "The first chunk again in place of the second", [good[0], good[0], *good[2:]]),
        ("zeros", "Zeros of the right length", [bytes(len(one)) for one in good]),
        ("last-unmarked", "The last chunk is sealed as if another followed", unmarked),
        ("other-key", "Sealed under another key", sealed(PLAIN, key=derived("another key", 32))),
        ("other-associated", "Sealed with other associated data", sealed(PLAIN, associated=b"")),
    ):
        yield _case(f"chunk-{name}", what, "attachment.chunk", chunks=chunks)
    longer = sealed(PLAIN[: 3 * CHUNK])
    yield _case(
        "chunk-cut", "Said and carried without its last chunk: the new last one is not marked so",
        "attachment.chunk", plain=PLAIN[: 2 * CHUNK], chunks=longer[:2],
    )  # fmt: skip


def _broken_lengths(good: list[bytes]) -> Iterable[Case]:
    yield _case("length-short", "The last chunk is missing", "attachment.length", chunks=good[:-1])
    yield _case(
        "length-long", "Something follows the last chunk", "attachment.length", chunks=[*good, b"more"]
    )
    yield _case("length-other", "Said to be one byte longer", "attachment.length", size=len(PLAIN) + 1)


def _broken_digests(good: list[bytes]) -> Iterable[Case]:
    other = hashlib.sha256(b"other").hexdigest()
    yield _case("digest-plain", "The digest of the plain bytes is another", "attachment.digest", digest=other)
    yield _case("digest-sealed", "The id is another", "attachment.digest", id=other)


def _broken_descriptions() -> Iterable[Case]:
    wrong: dict[str, dict[str, Any]] = {
        "format": {"format": "comity-attachment/2"},
        "id": {"id": "../" * 21 + "x"},
        "id-upper": {"id": "A" * 64},
        "name-empty": {"name": ""},
        "name-long": {"name": "x" * 201},
        "name-override": {"name": "gnp.\u202eexe"},
        "name-nul": {"name": "a\x00b"},
        "media-type": {"media_type": "text/html; charset=utf-8"},
        "size-negative": {"size": -1},
        "size-huge": {"size": 2**43 + 1},
        "size-text": {"size": "5"},
        "size-true": {"size": True},
        "chunk-small": {"chunk": 2048},
        "chunk-large": {"chunk": 8 * 1024 * 1024},
        "chunk-odd": {"chunk": 5000},
        "digest": {"digest": "0"},
        "key-short": {"key": b64u(bytes(31))},
        "key-padded": {"key": b64u(KEY) + "="},
    }
    for name, changes in wrong.items():
        yield _case(f"said-{name}", f"Malformed: {name}", "exchange.malformed", plain=b"", **changes)
