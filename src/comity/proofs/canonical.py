"""Canonical bytes and strict parsing of JSON. Pure.

Writing: keys sorted, no white space, UTF-8, integers only: what RFC 8785 gives for values without floats and
with ASCII keys. Reading refuses what parsers disagree on: duplicate keys, NaN, floats, integers beyond 64
bits, deep nesting, lone surrogates. Signatures are over the bytes as received, never over a re-encoding.
"""

import json
from typing import Any, NoReturn

from comity.errors import InputError

MAX_DEPTH = 32
_INT64 = 2**63


def canonical_bytes(value: Any) -> bytes:
    """Encode JSON values without floats to the one byte string that stands for them."""
    try:
        return json.dumps(
            _checked(value, 1), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except UnicodeEncodeError as error:
        raise InputError.because(expected="text that UTF-8 can hold", got="a lone surrogate") from error


def parse_strict(text: bytes | str, *, where: str = "", max_bytes: int = 64 * 1024 * 1024) -> Any:
    """Decode JSON, or raise `InputError` that says what is wrong with it."""
    if len(text) > max_bytes:
        raise InputError.because(
            expected=f"at most {max_bytes} bytes of JSON", got=str(len(text)), where=where
        )
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_float=_no_float, parse_constant=_no_float
        )
        return _checked(value, 1)
    except InputError as error:
        raise InputError(error.problem, where=where) from error
    except (ValueError, RecursionError) as error:
        raise InputError.because(expected="JSON in UTF-8", got=str(error), where=where) from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError.because(expected="each key once", got=f"{key!r} twice")
        found[key] = value
    return found


def _no_float(text: str) -> NoReturn:
    raise InputError.because(expected="integers, or decimals written as strings", got=text)


def _checked(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise InputError.because(expected="integers of at most 64 bits", got=str(value)[:40])
        return value
    if isinstance(value, str):
        value.encode("utf-8")
        return value
    if depth > MAX_DEPTH:
        raise InputError.because(expected=f"at most {MAX_DEPTH} levels of nesting", got="more")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InputError.because(expected="text keys", got=type(key).__name__)
            key.encode("utf-8")
        return {key: _checked(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_checked(item, depth + 1) for item in value]
    raise InputError.because(expected="JSON values without floats", got=type(value).__name__)
