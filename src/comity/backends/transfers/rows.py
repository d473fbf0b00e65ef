"""Check rows of transfers against the trace contract, whole columns at a time, and bring them to
`BOOK_SCHEMA`.

Every row that breaks the contract is told with the first reason found; a row is whole or refused, never
mended. An empty text and null are both "nothing".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.backends.transfers.amounts import (
    Mask,
    minor_from_decimals,
    minor_from_integers,
    minor_from_text,
    times_from_text,
    times_from_timestamps,
)
from comity.backends.transfers.columns import CODED, clean_codes, holds_nul, nothing
from comity.backends.transfers.csv import check_names
from comity.errors import InputError
from comity.model import digits_of
from comity.tracing import BOOK_SCHEMA
from comity.tracing.positions import Ints
from comity.tracing.times import EXPECTED as EXPECTED_TIME

NEEDED_TEXTS = ("transfer_id", "from_account", "to_account", "currency")
OTHER_TEXTS = (
    "to_currency", "from_institution", "to_institution", "from_country", "to_country", "channel", "reference",
)  # fmt: skip
REQUIRED = ("transfer_id", "booked_at", "from_account", "to_account", "currency")
AMOUNTS = (("amount", "amount_minor"), ("to_amount", "to_amount_minor"))
KNOWN = frozenset({*REQUIRED, *OTHER_TEXTS, *(name for pair in AMOUNTS for name in pair)})

Columns = Mapping[str, Any]
"""Column name → Arrow array. Texts are `string`; amounts `string`, integer or decimal; times `string` or
timestamp.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`good`: the rows kept, as places among the rows that came; `reasons`: why each other one is not."""

    table: Any
    good: Ints
    reasons: dict[int, str]


def check_columns(names: Sequence[str], where: str) -> None:
    """Raise unless the contract's columns are there, each once, with one kind of amount."""
    check_names(names, where, REQUIRED, KNOWN)
    there = set(names)
    for major, minor in AMOUNTS:
        if {major, minor} <= there:
            raise InputError.because(expected=f"{major} or {minor}", got="both", where=where)
    if not {"amount", "amount_minor"} & there:
        raise InputError.because(expected="the column amount or amount_minor", got="neither", where=where)


def check_rows(columns: Columns, assets: Mapping[str, int]) -> Checked:
    """Return the rows that keep the contract, as a table of `BOOK_SCHEMA`, and why the others do not."""
    sheet = _Sheet(columns, len(columns["transfer_id"]))
    made: dict[str, Any] = {name: sheet.needed_text(name) for name in NEEDED_TEXTS}
    made |= {name: sheet.text(name) for name in OTHER_TEXTS}
    made["booked_at"] = pa.array(sheet.times(), pa.int64()).cast(pa.timestamp("us", "UTC"))
    made["amount_minor"] = sheet.amounts(*AMOUNTS[0], made["currency"], assets)
    made["to_amount_minor"] = sheet.conversion(made["to_currency"], assets)
    good = np.flatnonzero(~sheet.bad)
    table = pa.table([made[name] for name in BOOK_SCHEMA.names], names=BOOK_SCHEMA.names)
    if len(good) < table.num_rows:
        table = table.take(pa.array(good))
    return Checked(table=_settled(table), good=good, reasons=sheet.reasons)


def _settled(table: Any) -> Any:
    """Bring the columns to `BOOK_SCHEMA`, but for those that are codes."""
    schema = BOOK_SCHEMA
    for at, name in enumerate(BOOK_SCHEMA.names):
        if pa.types.is_dictionary(table.schema.field(name).type):
            schema = schema.set(at, pa.field(name, table.schema.field(name).type, nullable=False))
    return table.cast(schema)


class _Sheet:
    """The rows while they are checked: which are bad so far, and why."""

    def __init__(self, columns: Columns, size: int) -> None:
        self.bad = np.zeros(size, bool)
        self.reasons: dict[int, str] = {}
        self._columns, self._size = columns, size

    def _refuse(self, wrong: Mask, reason: Callable[[int], str]) -> None:
        for place in np.flatnonzero(wrong & ~self.bad).tolist():
            self.reasons[place] = reason(place)
        self.bad |= wrong

    def needed_text(self, name: str) -> Any:
        texts = self.text(name)
        self._refuse(_truths(pc.is_null(texts)), lambda _: f"{name}: expected text, got nothing")
        return texts

    def text(self, name: str) -> Any:
        if name not in self._columns:
            return nothing(self._size, pa.string())
        texts = self._columns[name]
        if clean_codes(texts):
            return texts if name in CODED else texts.cast(pa.string())
        texts = texts.cast(pa.string())
        if holds_nul(texts):
            nul = _truths(pc.match_substring(texts, "\0"))
            self._refuse(nul, lambda place: f"{name}: expected text, got a NUL in {_shown(texts, place)}")
        empty = pc.equal(pc.binary_length(texts), 0)
        return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts

    def times(self) -> Ints:
        values = self._columns["booked_at"]
        textual = pa.types.is_string(values.type)
        micros, wrong = times_from_text(values) if textual else times_from_timestamps(values)
        expected = EXPECTED_TIME if textual else "a time of whole microseconds in the years 1 to 9999"
        self._refuse(wrong, lambda place: f"booked_at: expected {expected}, got {_shown(values, place)}")
        return micros

    def amounts(self, major: str, minor: str, currency: Any, assets: Mapping[str, int]) -> Any:
        """Minor units, null where the column has nothing or nothing that will do."""
        name = minor if minor in self._columns else major
        if name not in self._columns:
            return nothing(self._size, pa.int64())
        values = self._columns[name]
        if pa.types.is_string(values.type):
            values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
        given = _truths(pc.is_valid(values))
        if name in AMOUNTS[0]:
            self._refuse(~given, lambda _: f"{name}: expected an amount, got nothing")
        digits = self._digits(currency, assets)
        numbers, wrong = _minor(values, np.zeros_like(digits) if name == minor else digits)
        self._refuse(
            wrong & given & (digits >= 0),
            lambda place: (
                f"{name}: {_expected_amount(name == minor, digits[place])}, got {_shown(values, place)}"
            ),
        )
        return pa.array(numbers, pa.int64(), mask=wrong | ~given)

    def conversion(self, to_currency: Any, assets: Mapping[str, int]) -> Any:
        """The converted amount, which goes with `to_currency`: both or neither."""
        there = [self._columns[name] for name in AMOUNTS[1] if name in self._columns]
        converted = pc.is_valid(to_currency)
        amount = pa.nulls(self._size, pa.string()) if not there else there[0]
        given = _truths(pc.is_valid(amount))
        if pa.types.is_string(amount.type):
            given &= _truths(pc.not_equal(amount, ""))
        self._refuse(
            given != _truths(converted),
            lambda _: "expected to_amount and to_currency, both or neither, got one",
        )
        return self.amounts(*AMOUNTS[1], to_currency, assets)

    def _digits(self, currency: Any, assets: Mapping[str, int]) -> Ints:
        """Digits of each row's currency; -1 where it has none, and the row is refused if the currency is
        unknown.
        """
        coded = currency.dictionary_encode()
        digits, problems = [], []
        for code in coded.dictionary.to_pylist():
            try:
                digits.append(digits_of(code, assets))
                problems.append("")
            except InputError as error:
                digits.append(-1)
                problems.append(error.problem)
        codes = np.asarray(pc.fill_null(coded.indices, len(digits)).to_numpy(zero_copy_only=False))
        found: Ints = np.array([*digits, -1], np.int64)[codes]
        unknown = (found < 0) & (codes < len(digits))
        self._refuse(unknown, lambda place: f"currency: {problems[codes[place]]}")
        return found


def _minor(values: Any, digits: Ints) -> tuple[Ints, Mask]:
    if pa.types.is_string(values.type):
        return minor_from_text(values, digits)
    if pa.types.is_decimal(values.type):
        return minor_from_decimals(values, digits)
    return minor_from_integers(values)


def _expected_amount(in_minor: bool, digits: int) -> str:
    if in_minor:
        return "expected whole minor units from 0 to 2^63 - 1"
    return f"expected a decimal such as 1000, not negative, of at most {digits} decimal digits and 64 bits"


def _shown(values: Any, place: int) -> str:
    """The value as a person may read it in a message: at most 60 characters, nothing unprintable."""
    scalar = values[place]
    if pa.types.is_timestamp(values.type):
        return f"{scalar.value} {values.type.unit} since 1970"
    value = scalar.as_py()
    return repr(value[:60]) if isinstance(value, str) else str(value)


def _truths(array: Any) -> Mask:
    return np.array(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)
