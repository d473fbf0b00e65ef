"""Canonical bytes and strict parsing of JSON. Pure.

Writing: keys sorted, no white space, UTF-8, integers only: what RFC 8785 gives for values without floats and
with ASCII keys. Reading refuses what parsers disagree on: duplicate keys, NaN, floats, integers beyond 64
bits, deep nesting, lone surrogates. Signatures are over the bytes as received, never over a re-encoding.
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from comity.errors import InputError

MAX_DEPTH = 32
_INT64 = 2**63
_LONGEST_INT = len(str(-_INT64))


class _TooDeep(Exception):
    """There is no room for one more level."""


def canonical_bytes(value: Any, *, deepest: int = MAX_DEPTH) -> bytes:
    """Encode JSON values without floats, of at most `deepest` levels, to the one byte string that stands for them."""
    try:
        _check(value, deepest)
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise InputError.because(expected="text that UTF-8 can hold", got="a lone surrogate") from error
    except _TooDeep as error:
        raise InputError.because(expected=f"at most {deepest} levels of nesting", got="more") from error


def parse_strict(
    text: bytes | str, *, where: str = "", max_bytes: int = 64 * 1024 * 1024, deepest: int = MAX_DEPTH
) -> Any:
    """Decode JSON of at most `deepest` levels, or raise `InputError` that says what is wrong with it."""
    if len(text) > max_bytes:
        raise InputError.because(
            expected=f"at most {max_bytes} bytes of JSON", got=str(len(text)), where=where
        )
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        value = _DECODER.decode(text)
        if not _is_plain(text, deepest):
            _check(value, deepest)
    except InputError as error:
        raise InputError(error.problem, where=where) from error
    except _TooDeep as error:
        raise InputError.because(
            expected=f"at most {deepest} levels of nesting", got="more", where=where
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError.because(expected="JSON in UTF-8", got=str(error), where=where) from error
    return value


def _is_plain(text: str, deepest: int) -> bool:
    """Whether what is in `text` cannot nest too deeply, nor hold half a character: then reading has checked it all."""
    return "\\u" not in text and text.isascii() and text.count("{") + text.count("[") <= deepest


def _int64(text: str) -> int:
    value = int(text) if len(text) <= _LONGEST_INT else _INT64
    if not -_INT64 <= value < _INT64:
        raise InputError.because(expected="integers of at most 64 bits", got=text[:40])
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError.because(expected="each key once", got=f"{_twice(pairs)!r} twice")
    return found


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return ""


def _no_float(text: str) -> NoReturn:
    raise InputError.because(expected="integers, or decimals written as strings", got=text)


def _check(value: Any, room: int) -> None:
    """Raise `InputError` or `UnicodeEncodeError` for what is not ours to write or read, or nests deeper than `room`."""
    if isinstance(value, dict):
        _refuse_deep(room)
        for key in value:
            if not isinstance(key, str):
                raise InputError.because(expected="text keys", got=type(key).__name__)
            if not key.isascii():
                key.encode("utf-8")
        _check_all(value.values(), room - 1)
    elif isinstance(value, (list, tuple)):
        _refuse_deep(room)
        _check_all(value, room - 1)
    elif isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise InputError.because(expected="integers of at most 64 bits", got=str(value)[:40])
    elif value is not None:
        raise InputError.because(expected="JSON values without floats", got=type(value).__name__)


def _check_all(values: Iterable[Any], room: int) -> None:
    """`_check` for each, without a call for plain ASCII text, which most of them are."""
    for value in values:
        if type(value) is not str or not value.isascii():
            _check(value, room)


def _refuse_deep(room: int) -> None:
    if room <= 0:
        raise _TooDeep


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_int=_int64, parse_float=_no_float, parse_constant=_no_float
)
