"""Transfers written down one by one, for the few accounts whose life is scripted, with a running balance."""

import numpy as np

from comity.exercise.batch import Batch, draft
from comity.exercise.lots import OverspentError, Pot
from comity.exercise.wording import channel, reference


class Diary:
    """Transfers in the order in which they were written. Pots that were `opened` may not go short."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, ...]] = []
        self.opening: dict[Pot, int] = {}
        self.balance: dict[Pot, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def open(self, pot: Pot, amount: int) -> None:
        self.opening[pot] = self.balance[pot] = amount

    def write(
        self,
        at: int,
        source: int,
        target: int,
        amount: int,
        currency: int,
        *,
        how: str,
        why: str,
        converted: tuple[int, int] | None = None,
    ) -> None:
        """Write one transfer. `converted` is (minor units, currency) on the receiver's side."""
        received, into = converted if converted else (amount, currency)
        if (source, currency) in self.balance:
            self.balance[source, currency] -= amount
            if self.balance[source, currency] < 0:
                raise OverspentError(
                    f"pot {(source, currency)}: {-self.balance[source, currency]} too little"
                )
        if (target, into) in self.balance:
            self.balance[target, into] += received
        to_amount, to_currency = converted if converted else (-1, -1)
        self._rows.append(
            (at, source, target, amount, currency, to_amount, to_currency, channel(how), reference(why))
        )

    def batch(self, rng: np.random.Generator) -> Batch:
        """Return the rows as a batch, in the order written."""
        columns = np.array(self._rows, dtype=np.int64).reshape(-1, 9).T
        at, source, target, amount, currency, to_amount, to_currency, how, why = columns
        return draft(
            rng, booked_at=at, source=source, target=target, amount=amount, currency=currency,
            to_amount=to_amount, to_currency=to_currency, channel=how, reference=why,
        )  # fmt: skip
