"""Read the fields of signed JSON, strictly, and write instants. Pure.

Every reader names the field it refuses. Text that could deceive a person who reads it on a screen (control
characters, bidirectional overrides) is refused; fields nobody asked for are left alone, so that a newer peer
can add some.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from comity.errors import InputError
from comity.proofs.canonical import parse_strict
from comity.proofs.signatures import MalformedSignature, decode

ID = re.compile(r"[a-z0-9][a-z0-9-]{2,39}", re.ASCII)
"""An authority, hence a member, or a compact."""
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII)
"""A message, a case, a type, a code."""
KEY_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Malformed(InputError):
    """A card, compact, envelope or receipt is not of the form its spec page gives."""

    code = "exchange.malformed"
    remedy = "Refuse it and tell the sender which field is wrong; its software may be older or broken."


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object somebody sent, and what it is (`where`) for the error text."""

    values: Mapping[str, Any]
    where: str

    def text(self, name: str, *, longest: int = 200, form: re.Pattern[str] | None = None) -> str:
        """Text of 1 to `longest` characters, matching `form` whole if given."""
        value = self._get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            raise self.wrong(name, f"text of 1 to {longest} characters", value)
        if _DECEIVING.search(value):
            raise self.wrong(name, "no control characters or direction overrides", value)
        if form is not None and form.fullmatch(value) is None:
            raise self.wrong(name, f"text matching {form.pattern}", value)
        return value

    def text_or_empty(self, name: str, *, longest: int = 500, form: re.Pattern[str] | None = None) -> str:
        return "" if self._get(name) == "" else self.text(name, longest=longest, form=form)

    def integer(self, name: str, *, least: int, most: int) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, f"an integer from {least} to {most}", value)
        return value

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return value

    def instant(self, name: str) -> datetime:
        """A UTC time in the one form `write_instant` gives."""
        value = self._get(name)
        try:
            if isinstance(value, str) and _INSTANT.fullmatch(value):
                return datetime.fromisoformat(value[:-1]).replace(tzinfo=UTC)
        except ValueError:
            pass  # an impossible date such as 30 February: refused below, like any other text
        raise self.wrong(name, "a UTC time such as 2025-06-03T10:15:30.000000Z", value)

    def binary(self, name: str, *, length: int) -> bytes:
        """Canonical base64url of exactly `length` bytes."""
        value = self._get(name)
        try:
            raw = decode(value) if isinstance(value, str) and len(value) <= 2 * length else b""
        except MalformedSignature as error:
            raise self.wrong(name, "canonical base64url", value) from error
        if len(raw) != length:
            raise self.wrong(name, f"{length} bytes in base64url", value)
        return raw

    def texts(
        self, name: str, *, most: int, longest: int = 200, form: re.Pattern[str] | None = None
    ) -> tuple[str, ...]:
        """A list of distinct texts."""
        found = tuple(
            Fields({name: item}, self.where).text(name, longest=longest, form=form)
            for item in self._list(name, most=most)
        )
        if len(set(found)) != len(found):
            raise self.wrong(name, "each entry once", found)
        return found

    def nested(self, name: str) -> "Fields":
        return self._as_object(name, self._get(name))

    def objects(self, name: str, *, least: int, most: int) -> "tuple[Fields, ...]":
        found = self._list(name, most=most)
        if len(found) < least:
            raise self.wrong(name, f"at least {least} entries", found)
        return tuple(self._as_object(name, item) for item in found)

    def beyond(self, known: Collection[str]) -> dict[str, Any]:
        """The fields this version does not know."""
        return {name: value for name, value in self.values.items() if name not in known}

    def wrong(self, name: str, expected: str, got: object) -> Malformed:
        return Malformed(f"{name}: expected {expected}, got {got!r:.80}", where=self.where)

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise Malformed(f"{name}: expected this field, got none", where=self.where)
        return self.values[name]

    def _list(self, name: str, *, most: int) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name, f"a list of at most {most}", value)
        return value

    def _as_object(self, name: str, value: object) -> "Fields":
        if not isinstance(value, dict):
            raise self.wrong(name, "an object", value)
        return Fields(value, f"{self.where} {name}")


def read_object(text: bytes, *, where: str, max_bytes: int) -> Fields:
    """Parse one JSON object strictly (design §11: no duplicate keys, floats, big integers, deep nesting)."""
    try:
        value = parse_strict(text, max_bytes=max_bytes)
    except InputError as error:
        raise Malformed(error.problem, where=where) from error
    if not isinstance(value, dict):
        raise Malformed(f"expected a JSON object, got {type(value).__name__}", where=where)
    return Fields(value, where)


def write_instant(instant: datetime) -> str:
    """UTC with microseconds, 27 characters; a time without zone is a mistake in our own code."""
    if instant.utcoffset() is None:
        raise ValueError(f"expected a time with a zone, got {instant!r}")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
