"""Where the scheme is played: a payment is taken from the purses, written down, its stolen part remembered.

Payments take place in the order in which they are made; moments are dealt out at the end of the play.
"""

import numpy as np

from comity.exercise.batch import Batch, currency_index
from comity.exercise.diary import Diary
from comity.exercise.lots import Lot, Purses, scaled, stolen_part
from comity.exercise.rates import Rates
from comity.exercise.rhythm import MILLISECOND, MINUTE, SCHEME_STARTS, SECOND, Ints

_LASTS = 38 * MINUTE


class Stage:
    """Amounts are minor units. A payment may be given as a share of what the pot holds instead."""

    def __init__(self, purses: Purses, rates: Rates, rng: np.random.Generator) -> None:
        self.purses = purses
        self.rng = rng
        self._rates = rates
        self._diary = Diary()
        self._stolen: list[int] = []
        self._reported: list[int] = []

    def steal(self, source: int, target: int, amount: int, currency: str, *, into: str | None = None) -> None:
        """The victim pays, deceived: what arrives is stolen, whole."""
        self._reported.append(len(self._stolen))
        self._pay([(amount, True)], source, target, amount, currency, into, "wire", "completion funds")

    def pay(
        self,
        source: int,
        target: int,
        currency: str,
        *,
        amount: int = 0,
        per_mille: int = 0,
        step: int = 1,
        into: str | None = None,
        how: str = "instant",
        why: str = "",
    ) -> None:
        """Pay `amount`, or `per_mille` of the pot's balance rounded down to `step`."""
        pot = (source, currency_index(currency))
        amount = amount or self.purses.balance(pot) * per_mille // 1000 // step * step
        self._pay(self.purses.take(pot, amount), source, target, amount, currency, into, how, why)

    def earn(self, employer: int, target: int, amount: int, currency: str, *, why: str) -> None:
        """Clean money arrives in the middle of it all."""
        self._pay([(amount, False)], employer, target, amount, currency, None, "batch", why)

    def _pay(
        self, lots: list[Lot], source: int, target: int, amount: int, currency: str, into: str | None,
        how: str, why: str,
    ) -> None:  # fmt: skip
        paid, received = currency_index(currency), currency_index(into or currency)
        self._stolen.append(stolen_part(lots))
        converted = None
        if into:
            value = int(self._rates.convert(amount, source=paid, target=received, at=SCHEME_STARTS))
            converted, lots = (value, received), scaled(lots, paid=amount, received=value)
        self.purses.put((target, received), lots)
        self._diary.write(0, source, target, amount, paid, how=how, why=why, converted=converted)

    def finish(self) -> tuple[Batch, Ints, list[int]]:
        """Return the payments in order, the stolen part of each, and which ones the victim reports."""
        batch = self._diary.batch(self.rng)
        gaps = self.rng.integers(3 * SECOND, 40 * SECOND, len(batch))
        spread = np.cumsum(gaps) * (_LASTS // MILLISECOND) // int(gaps.sum()) * MILLISECOND
        batch.booked_at[:] = SCHEME_STARTS + spread
        return batch, np.array(self._stolen, dtype=np.int64), self._reported
