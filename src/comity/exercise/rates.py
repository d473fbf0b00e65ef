"""Exchange rates that drift from day to day, as fixed-point integers so that conversions are exact.

Levels are near those of spring 2025. A conversion is floor(amount · rate): what the receiver is credited.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from comity.exercise.places import CURRENCIES
from comity.exercise.rhythm import BEGINS, DAY, Ints
from comity.model import digits_of

_PER_DOLLAR = {"CAD": 1.372, "HKD": 7.842, "THB": 32.6, "KHR": 4_012.0, "USD": 1.0, "USDT": 0.9994}
_DAILY_DRIFT = {"CAD": 0.0035, "HKD": 0.0003, "THB": 0.0045, "KHR": 0.0006, "USD": 0.0, "USDT": 0.0002}
_DAYS = 92
_FIXED_POINT = 10**6
_DIGITS = tuple(digits_of(currency) for currency in CURRENCIES)
RETAIL_SPREAD = 0.004


class Rates:
    """One walk per currency against the dollar, a step a day."""

    def __init__(self, rng: np.random.Generator) -> None:
        drift = np.array([_DAILY_DRIFT[currency] for currency in CURRENCIES])[:, None]
        level = np.array([_PER_DOLLAR[currency] for currency in CURRENCIES])[:, None]
        steps = np.clip(rng.standard_normal((len(CURRENCIES), _DAYS)), -3.0, 3.0) * drift
        self._per_dollar: npt.NDArray[np.float64] = level * np.exp(np.cumsum(steps, axis=1))

    def convert(self, amount: Any, *, source: int, target: int, at: Any) -> Ints:
        """Turn minor units of currency `source` (an index) into minor units of `target` at moments `at`.

        Exact for amounts up to about nine million dollars' worth: the product must fit 64 bits.
        """
        days = (np.asarray(at, dtype=np.int64) - BEGINS) // DAY
        cross = self._per_dollar[target, days] / self._per_dollar[source, days] * (1.0 - RETAIL_SPREAD)
        rate = np.rint(cross * _FIXED_POINT).astype(np.int64)
        more = 10 ** max(0, _DIGITS[target] - _DIGITS[source])
        fewer = 10 ** max(0, _DIGITS[source] - _DIGITS[target])
        return np.asarray(np.asarray(amount, dtype=np.int64) * rate * more // (_FIXED_POINT * fewer))
