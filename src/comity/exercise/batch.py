"""Transfers as columns of integers, and the Arrow table they become (columns of the trace contract).

Accounts, currencies, channels and references are indexes; -1 in `to_amount` and `to_currency` means no
conversion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from comity.exercise.accounts import AccountRegister
from comity.exercise.places import CURRENCIES
from comity.exercise.rhythm import Ints
from comity.exercise.wording import CHANNELS, REFERENCES

SCHEMA = pa.schema(
    [
        ("transfer_id", pa.string()),
        ("booked_at", pa.timestamp("us", "UTC")),
        ("from_account", pa.string()),
        ("to_account", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("to_amount_minor", pa.int64()),
        ("to_currency", pa.string()),
        ("from_institution", pa.string()),
        ("to_institution", pa.string()),
        ("from_country", pa.string()),
        ("to_country", pa.string()),
        ("channel", pa.string()),
        ("reference", pa.string()),
    ]
)

_CURRENCY_INDEX = {name: index for index, name in enumerate(CURRENCIES)}
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_HEX_PLACES = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])


def currency_index(name: str) -> int:
    return _CURRENCY_INDEX[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Equal-length columns; `ids` has 16 bytes a row."""

    ids: npt.NDArray[np.uint8]
    booked_at: Ints
    source: Ints
    target: Ints
    amount: Ints
    currency: Ints
    to_amount: Ints
    to_currency: Ints
    channel: Ints
    reference: Ints

    def __len__(self) -> int:
        return int(self.booked_at.size)

    def rows(self, chosen: npt.NDArray[Any]) -> "Batch":
        """Return the rows that an index or a mask chooses."""
        return Batch(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def draft(
    rng: np.random.Generator,
    *,
    booked_at: Any,
    source: Any,
    target: Any,
    amount: Any,
    currency: Any,
    channel: Any,
    reference: Any,
    to_amount: Any = -1,
    to_currency: Any = -1,
) -> Batch:
    """Make a batch from columns and scalars, with fresh ids. `booked_at` is a column and gives the length."""
    count = np.asarray(booked_at).size

    def column(value: Any) -> Ints:
        return np.array(np.broadcast_to(np.asarray(value, dtype=np.int64), (count,)))

    return Batch(
        ids=rng.integers(0, 256, size=(count, 16), dtype=np.uint8),
        booked_at=column(booked_at),
        source=column(source),
        target=column(target),
        amount=column(amount),
        currency=column(currency),
        to_amount=column(to_amount),
        to_currency=column(to_currency),
        channel=column(channel),
        reference=column(reference),
    )


def join(batches: Sequence[Batch]) -> Batch:
    """Put batches one after another."""
    return Batch(
        **{
            field.name: np.concatenate([getattr(batch, field.name) for batch in batches])
            for field in fields(Batch)
        }
    )


def transfer_ids(ids: npt.NDArray[np.uint8]) -> pa.Array:
    """Write 16 random bytes a row as UUIDs, version 4 (RFC 9562 §5.4), as a UETR is written."""
    octets = ids.copy()
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    digits = np.stack([octets >> 4, octets & 0x0F], axis=2).reshape(len(ids), 32)
    text = np.full((len(ids), 36), ord("-"), dtype=np.uint8)
    text[:, _HEX_PLACES] = _HEX[digits]
    ends = np.arange(0, 36 * len(ids) + 1, 36, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(ids), [None, pa.py_buffer(ends), pa.py_buffer(text)])


def as_table(batch: Batch, register: AccountRegister) -> pa.Table:
    """Write a batch as the transfers of one book, in order of time."""
    batch = batch.rows(np.argsort(batch.booked_at, kind="stable"))
    numbers, institutions, countries = register.columns()
    source, target = pa.array(batch.source), pa.array(batch.target)
    plain = batch.to_currency < 0
    currencies = pa.array(CURRENCIES, pa.string())
    return pa.Table.from_arrays(
        [
            transfer_ids(batch.ids),
            pa.array(batch.booked_at).cast(pa.timestamp("us", "UTC")),
            numbers.take(source),
            numbers.take(target),
            pa.array(batch.amount),
            currencies.take(pa.array(batch.currency)),
            pa.array(batch.to_amount, mask=plain),
            currencies.take(pa.array(batch.to_currency, mask=plain)),
            institutions.take(source),
            institutions.take(target),
            countries.take(source),
            countries.take(target),
            pa.array(CHANNELS, pa.string()).take(pa.array(batch.channel)),
            pa.array(REFERENCES, pa.string()).take(pa.array(batch.reference)),
        ],
        schema=SCHEMA,
    )
