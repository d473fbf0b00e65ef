"""Change valid samples a little: bytes, lines, JSON values, and JSON values below a signature that is made anew."""

import json
import random
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from tests.nodes.mutations import paths

Dice = random.Random
BYTES = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\n\n",
    b" ",
    b'"',
    b"[",
    b"{",
    b"}",
    b",",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
]
BYTES += [
    b"-1",
    b"0",
    b"9" * 40,
    b"1e9",
    b"NaN",
    b"null",
    b"A" * 300,
    b"[" * 500,
    b"\\ud800",
    b"=",
    b"+",
    b".",
]
INTEGERS = [0, -1, 1, 2, 255, 256, 2**31, 2**53, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30]
TEXTS = [
    "",
    " ",
    "\0",
    "a\nb",
    "\u202e",
    "x" * 300,
    "x" * 70_000,
    "CA",
    "0",
    "-1",
    "1e3",
    "USD",
    "\U0001f600",
    "../..",
    "%2e%2e",
]
TEXTS += [
    "0001-01-01T00:00:00.000000Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-30T00:00:00.000000Z",
    "A" * 43,
    "=" * 4,
]
TEXTS += [
    "TLP:RED",
    "H3",
    "allow",
    "ask",
    "https://127.0.0.1/",
    "https://a@b/",
    "sha256:",
    "0" * 64,
    "f" * 64,
    "F" * 64,
]


def mutated(sample: bytes, others: list[bytes], dice: Dice) -> bytes:
    """One to four changes."""
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        sample = dice.choice(_KINDS)(sample, others, dice)
    return sample


def _place(sample: bytes, dice: Dice) -> int:
    return dice.randint(0, len(sample))


def _flip(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    if not sample:
        return b"\0"
    place = dice.randrange(len(sample))
    return sample[:place] + bytes([sample[place] ^ 1 << dice.randrange(8)]) + sample[place + 1 :]


def _insert(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    place = _place(sample, dice)
    return sample[:place] + dice.choice(BYTES) + sample[place:]


def _overwrite(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    place, new = _place(sample, dice), dice.choice(BYTES)
    return sample[:place] + new + sample[place + len(new) :]


def _cut(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    one, other = sorted((_place(sample, dice), _place(sample, dice)))
    return sample[:one] + sample[other:] if dice.random() < 0.7 else sample[:one]


def _repeat(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    one, other = sorted((_place(sample, dice), _place(sample, dice)))
    return (
        sample[:other] + sample[one:other] * dice.choice([1, 2, 50]) + sample[other:]
        if len(sample) < 100_000
        else sample
    )


def _splice(sample: bytes, others: list[bytes], dice: Dice) -> bytes:
    other = dice.choice(others)
    return sample[: _place(sample, dice)] + other[_place(other, dice) :]


def _lines(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    """Lines swapped, doubled or left out: what notes, proofs, policies and tables are made of."""
    lines = sample.split(b"\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    how = dice.randrange(3)
    if how == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif how == 1:
        lines.insert(other, lines[one])
    else:
        del lines[one]
    return b"\n".join(lines)


def _number(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    """A run of digits replaced."""
    places = [place for place, byte in enumerate(sample) if 48 <= byte <= 57]
    if not places:
        return sample
    start = end = dice.choice(places)
    while end < len(sample) and 48 <= sample[end] <= 57:
        end += 1
    return sample[:start] + str(dice.choice(INTEGERS)).encode() + sample[end:]


def _json(sample: bytes, _: list[bytes], dice: Dice) -> bytes:
    """If it is JSON: one value in it replaced, left out or doubled."""
    try:
        document = json.loads(sample)
    except (ValueError, RecursionError):
        return sample
    return json.dumps(document_mutated(document, dice), separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )


_KINDS: list[Callable[[bytes, list[bytes], Dice], bytes]] = [
    _flip, _flip, _insert, _overwrite, _cut, _repeat, _splice, _lines, _lines, _number, _json, _json, _json,
]  # fmt: skip


def document_mutated(document: Any, dice: Dice) -> Any:
    """A JSON value with one place changed."""
    places = paths(document)
    if not places:
        return _value(dice)
    path = dice.choice(places)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    how = dice.randrange(6)
    if how == 0:
        del parent[path[-1]]
    elif how == 1 and isinstance(parent, list):
        one = parent[path[-1]]
        parent += [one] * (1 if isinstance(one, str) and len(one) > 300 else dice.choice([1, 3, 2_000]))
    elif how == 2 and isinstance(parent, dict):
        parent[dice.choice(["surprise", "", "v", "\u202e", "id"])] = _value(dice)
    else:
        parent[path[-1]] = _value(dice)
    return document


def _value(dice: Dice) -> Any:
    return dice.choice(
        [None, True, False, 1.5, [], {}, [[[[[]]]]], dice.choice(INTEGERS), dice.choice(TEXTS), [dice.choice(TEXTS)],
         {"id": dice.choice(TEXTS)}, dice.choice(TEXTS), dice.choice(INTEGERS), nested(dice.choice([10, 31, 33, 60]))]
    )  # fmt: skip


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def payload(jws: str) -> bytes:
    """What a JWS signs."""
    text = jws.split(".")[1]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
