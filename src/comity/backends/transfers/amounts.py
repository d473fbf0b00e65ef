"""Columns of amounts and times into integers, whole columns at a time. Exact: no float touches money.

Each function returns the integers and a mask of the values that are none; the caller words the refusal. What
is accepted is what `comity.model.parse_amount` and `comity.tracing.read_time` accept, one value at a time:
tests hold the two together.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import InputError
from comity.model import parse_amount
from comity.model.money import MAX_MINOR
from comity.tracing import read_time
from comity.tracing.book import EPOCH
from comity.tracing.positions import Ints
from comity.tracing.times import PATTERN

Mask = npt.NDArray[np.bool_]

_DECIMAL = r"\A[0-9]+(?:\.[0-9]+)?\z"
_TIME = rf"\A{PATTERN}\z"
_LONGEST = 40
"""Digits worth reading after leading zeros: any more cannot fit 64 bits."""
_FIRST_MICROSECOND, _LAST_MICROSECOND = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Years 1 to 9999, which is what Python's `datetime` holds."""


def minor_from_text(texts: Any, digits: Ints) -> tuple[Ints, Mask]:
    """Decimals in major units → minor units. `digits[i]` is what value i may have; null and below 0 are
    wrong.
    """
    known = np.maximum(digits, 0)
    dot = _numbers(pc.find_substring(texts, "."))
    fraction = np.where(dot >= 0, _numbers(pc.binary_length(texts)) - dot - 1, 0)
    fits = _mask(pc.match_substring_regex(texts, _DECIMAL)) & (digits >= 0) & (fraction <= known)
    bare = pc.ascii_ltrim(pc.replace_substring(texts, ".", ""), "0")
    short = fits & (_numbers(pc.binary_length(bare)) + known - fraction <= 18)
    plain = pc.if_else(pa.array(short & (_numbers(pc.binary_length(bare)) > 0)), bare, "0")
    whole = plain.cast(pa.int64()).to_numpy(zero_copy_only=False)
    minor = np.where(short, whole * 10 ** np.where(short, known - fraction, 0), 0)
    wrong = ~fits
    for place in np.flatnonzero(fits & ~short).tolist():
        exact = _long_amount(texts[place].as_py(), int(digits[place]))
        minor[place], wrong[place] = exact or 0, exact is None
    return minor, wrong


def _long_amount(text: str, digits: int) -> int | None:
    bare = text.lstrip("0")
    if len(bare) > _LONGEST:
        return None
    try:
        return parse_amount(bare if bare[:1].isdigit() else "0" + bare, digits)
    except InputError:
        return None


def minor_from_integers(values: Any) -> tuple[Ints, Mask]:
    """Integers that are minor units already."""
    if pa.types.is_uint64(values.type):
        too_big = _mask(pc.greater(values, pa.scalar(MAX_MINOR, pa.uint64())))
        values = pc.if_else(pa.array(too_big), pa.scalar(None, pa.uint64()), values)
    minor = _numbers(values)
    wrong = ~_mask(pc.is_valid(values)) | (minor < 0)
    return np.where(wrong, 0, minor), wrong


def minor_from_decimals(values: Any, digits: Ints) -> tuple[Ints, Mask]:
    """Arrow decimals in major units; digits beyond the currency's must be zeros (a column has one scale)."""
    minor = np.zeros(len(values), np.int64)
    wrong = np.ones(len(values), bool)
    valid = _mask(pc.is_valid(values))
    scale = values.type.scale
    for count in np.unique(digits[valid & (digits >= 0)]).tolist():
        places = np.flatnonzero(valid & (digits == count))
        some = values.take(pa.array(places))
        wide = some.cast(pa.decimal256(76, max(scale, count)))
        cut = wide.cast(pa.decimal256(76, count), safe=False)
        exact = _mask(pc.equal(cut.cast(pa.decimal256(76, max(scale, count))), wide))
        words = np.frombuffer(cut.buffers()[1], np.int64).reshape(-1, 4)
        words = words[cut.offset : cut.offset + len(cut)]
        fits = exact & (words[:, 0] >= 0) & ~words[:, 1:].any(axis=1)
        minor[places] = np.where(fits, words[:, 0], 0)
        wrong[places] = ~fits
    return minor, wrong


def times_from_text(texts: Any) -> tuple[Ints, Mask]:
    """ISO 8601 with offset → microseconds since the epoch."""
    shaped = _mask(pc.match_substring_regex(texts, _TIME))
    wanted = pc.if_else(pa.array(shaped), texts, "1970-01-01T00:00:00Z")
    try:
        micros = _numbers(wanted.cast(pa.timestamp("us", "UTC")))
    except pa.ArrowInvalid:
        return _times_one_by_one(wanted, shaped)
    return _in_years(micros, ~shaped)


def _times_one_by_one(texts: Any, shaped: Mask) -> tuple[Ints, Mask]:
    """For a block in which some value has the shape of a time but is none, or has a shape Arrow does not
    read.
    """
    micros, wrong = np.zeros(len(texts), np.int64), ~shaped
    for place, text in enumerate(texts.to_pylist()):
        try:
            span = read_time(text) - EPOCH
            micros[place] = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
        except InputError:
            wrong[place] = True
    return micros, wrong


def times_from_timestamps(values: Any) -> tuple[Ints, Mask]:
    """Arrow timestamps of any unit → microseconds; nanoseconds that are no whole microseconds are wrong."""
    count = _numbers(values)
    wrong = ~_mask(pc.is_valid(values))
    per = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[values.type.unit]
    if values.type.unit == "ns":
        wrong |= count % 1_000 != 0
        count = count // 1_000
    wrong |= (count < _FIRST_MICROSECOND // per) | (count > _LAST_MICROSECOND // per)
    return _in_years(np.where(wrong, 0, count) * per, wrong)


def _in_years(micros: Ints, wrong: Mask) -> tuple[Ints, Mask]:
    wrong = wrong | (micros < _FIRST_MICROSECOND) | (micros > _LAST_MICROSECOND)
    return np.where(wrong, 0, micros), wrong


def _numbers(array: Any) -> Ints:
    """Integers of an Arrow array; 0 for null."""
    return np.asarray(pc.fill_null(array.cast(pa.int64()), 0).to_numpy(zero_copy_only=False))


def _mask(array: Any) -> Mask:
    """Truths of an Arrow array; False for null."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False))
