"""What each pot holds before the first transfer: enough that no account of the exercise ever goes short."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from comity.exercise.batch import Batch
from comity.exercise.lots import Pot
from comity.exercise.places import CURRENCIES
from comity.exercise.rhythm import BEGINS, MILLISECOND, Ints
from comity.model import digits_of

_USUAL = {"CAD": 2_500, "HKD": 15_000, "THB": 20_000, "KHR": 120_000, "USD": 300, "USDT": 40}
_WIDTH = len(CURRENCIES)


def opening_balances(
    batch: Batch, declared: Mapping[Pot, int], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return pots (account · number of currencies + currency, rising) and what each held, minor units.

    `declared` pots get what was declared. Others get a usual sum on top of the most they are ever short of.
    Between transfers of one millisecond, debits are assumed first: no order of them goes short.
    """
    pots, need = _greatest_need(batch)
    currencies = pots % _WIDTH
    usual = np.array([_USUAL[currency] * 10 ** digits_of(currency) for currency in CURRENCIES])[currencies]
    held = need + np.rint(usual * np.exp(0.6 * rng.standard_normal(pots.size))).astype(np.int64)
    for (account, currency), amount in declared.items():
        place = int(np.searchsorted(pots, account * _WIDTH + currency))
        if place < pots.size and pots[place] == account * _WIDTH + currency:
            held[place] = amount
    return pots, held


def _greatest_need(batch: Batch) -> tuple[Ints, Ints]:
    """Return each pot that occurs and how far below zero it would fall from nothing."""
    plain = batch.to_currency < 0
    received = np.where(plain, batch.currency, batch.to_currency)
    pots = np.concatenate([batch.source * _WIDTH + batch.currency, batch.target * _WIDTH + received])
    amounts = np.concatenate([-batch.amount, np.where(plain, batch.amount, batch.to_amount)])
    order = _by_pot_and_time(pots, batch.booked_at)
    pots, amounts = pots[order], amounts[order]
    starts = np.flatnonzero(np.diff(pots, prepend=-1))
    running = np.cumsum(amounts)
    before = np.concatenate([[0], running])[starts]
    lowest = np.minimum.reduceat(running, starts) - before
    return pots[starts], np.maximum(0, -lowest)


def _by_pot_and_time(pots: Ints, booked_at: Ints) -> npt.NDArray[Any]:
    """Order by pot, then time, then debits (the first half) before credits: one 64-bit key, one sort."""
    moments = (booked_at - BEGINS) // MILLISECOND * 2
    keys = (pots << 34) + np.concatenate([moments, moments + 1])
    return np.argsort(keys, kind="stable")
