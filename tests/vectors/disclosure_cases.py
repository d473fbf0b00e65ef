"""Disclosures of one event that must be accepted, and one per way to fail; made with the standard library alone.

Each is checked against `ENTRY`, which commits to `EVENT` under `SALT` (spec/log.md §1).
"""

import hashlib
import json
from typing import Any

from tests.vectors.envelope_cases import Case

SALT = bytes(range(32))
FIELDS: dict[str, Any] = {
    "actor": "nadia",
    "at": "2025-06-20T09:30:00.000120Z",
    "body.account": "hk-778",
    "body.amount_minor": 1_250_000,
    "body.naïve": {"court": "x", "lines": [1, True, None]},
    "case": "case-1",
    "id": "event-1",
    "kind": "hold.placed",
}
_REFUSED = "ledger.entry-refused"
_MALFORMED = "input"


def _salts(salt: bytes) -> dict[str, bytes]:
    run = hashlib.shake_256(b"comity/salts/v2\n" + salt).digest(32 * len(FIELDS))
    return {name: run[32 * at : 32 * at + 32] for at, name in enumerate(sorted(FIELDS))}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _digest(name: str, salt: bytes, value: Any) -> bytes:
    return hashlib.sha256(b"comity/field/v2\n" + salt + _json([name, value])).digest()


DIGESTS = {name: _digest(name, _salts(SALT)[name], FIELDS[name]) for name in FIELDS}
ENTRY = hashlib.sha256(
    b"comity/event/v2\n" + len(FIELDS).to_bytes(4, "big") + b"".join(sorted(DIGESTS.values()))
).digest()


def _shown(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "salt": _salts(SALT)[name].hex(), "value": FIELDS[name], **changes}


def _hidden(*shown: str) -> list[str]:
    return sorted(DIGESTS[name].hex() for name in FIELDS if name not in shown)


def _wire(shown: list[dict[str, Any]], hidden: list[str], **members: Any) -> bytes:
    return _json({"format": "comity-disclosure/1", "hidden": hidden, "shown": shown, **members})


_ACCOUNT, _AMOUNT, _KIND = _shown("body.account"), _shown("body.amount_minor"), _shown("kind")
_THREE = [_ACCOUNT, _AMOUNT, _KIND]
_REST = _hidden("body.account", "body.amount_minor", "kind")
_ALL = [_shown(name) for name in sorted(FIELDS)]


def cases() -> list[Case]:
    """Read as a disclosure of the event whose entry is `log_entry` in reader.json."""
    moved = [{**_ACCOUNT, "salt": _AMOUNT["salt"]}, {**_AMOUNT, "salt": _ACCOUNT["salt"]}, _KIND]
    swapped = [{**_ACCOUNT, "value": _AMOUNT["value"]}, {**_AMOUNT, "value": _ACCOUNT["value"]}, _KIND]
    rows: list[tuple[str, str, str, bytes]] = [
        ("ok-some", "three of eight fields", "ok", _wire(_THREE, _REST)),
        ("ok-none", "no field at all", "ok", _wire([], _hidden())),
        ("ok-all", "every field", "ok", _wire(_ALL, [])),
        ("other-value", "another value", _REFUSED, _wire([{**_ACCOUNT, "value": "hk-1"}, _AMOUNT, _KIND], _REST)),
        ("text-for-number", "the same digits as text", _REFUSED,
         _wire([_ACCOUNT, {**_AMOUNT, "value": "1250000"}, _KIND], _REST)),
        ("renamed-field", "a field under another name", _REFUSED,
         _wire([{**_ACCOUNT, "name": "body.a"}, _AMOUNT, _KIND], _REST)),
        ("swapped-values", "two fields with each other's values", _REFUSED, _wire(swapped, _REST)),
        ("moved-salt", "two fields with each other's salts", _REFUSED, _wire(moved, _REST)),
        ("hidden-left-out", "a hidden field left out, to look absent", _REFUSED, _wire(_THREE, _REST[1:])),
        ("hidden-made-up", "a hidden field too many", _REFUSED, _wire(_THREE, sorted([*_REST, "11" * 32]))),
        ("shown-and-hidden", "a shown field hidden as well", _REFUSED,
         _wire(_THREE, sorted([*_REST, DIGESTS["kind"].hex()]))),
        ("name-twice", "one name twice", _MALFORMED, _wire([_ACCOUNT, *_THREE], _REST)),
        ("name-twice-two-values", "one name with two values", _MALFORMED,
         _wire([_ACCOUNT, {**_ACCOUNT, "value": "hk-1"}, _AMOUNT, _KIND], _REST)),
        ("names-unsorted", "names in another order", _MALFORMED, _wire(_THREE[::-1], _REST)),
        ("digests-unsorted", "digests in another order", _MALFORMED, _wire(_THREE, _REST[::-1])),
        ("digest-twice", "one digest twice", _MALFORMED, _wire(_THREE, [_REST[0], *_REST])),
        ("digest-upper-case", "a digest in capitals", _MALFORMED,
         _wire(_THREE, sorted([*_REST[:-1], _REST[-1].upper()]))),
        ("salt-short", "a salt of 31 bytes", _MALFORMED,
         _wire([{**_ACCOUNT, "salt": _ACCOUNT["salt"][2:]}, _AMOUNT, _KIND], _REST)),
        ("no-such-name", "a name that no field has", _MALFORMED,
         _wire([{**_ACCOUNT, "name": "account"}, _AMOUNT, _KIND], _REST)),
        ("number-as-kind", "a number where every event has text", _MALFORMED,
         _wire([_ACCOUNT, _AMOUNT, {**_KIND, "value": 1}], _REST)),
        ("too-few-fields", "fewer than every event has", _MALFORMED, _wire([_KIND], _REST[:3])),
        ("float", "a number with a point", _MALFORMED,
         _wire(_THREE, _REST).replace(b"1250000", b"1250000.0")),
        ("duplicate-member", "a member twice", _MALFORMED,
         _wire(_THREE, _REST).replace(b'"hidden":', b'"hidden":[],"hidden":', 1)),
        ("unknown-member", "a member too many", _MALFORMED, _wire(_THREE, _REST, note="x")),
        ("other-format", "a format nobody defined", _MALFORMED,
         _wire(_THREE, _REST, format="comity-disclosure/9")),
        ("not-json", "not JSON", _MALFORMED, b"shown"),
    ]  # fmt: skip
    return [Case(name=name, what=what, expect=expect, wire=wire) for name, what, expect, wire in rows]
