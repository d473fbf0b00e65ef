"""The accounts of the exercise: numbers in the style of their country, each opened at one institution.

Everywhere else in this room an account is its index in the register; numbers appear only in the tables.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from comity.exercise.places import Institution, Style

Accounts = npt.NDArray[np.int64]

_STRIDE = 6_180_339_887
"""Odd and no multiple of five: multiplying by it permutes the numbers below any power of ten."""
_BETWEEN_STYLES = 1_299_709
_STYLES = tuple(Style)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _canada(number: int, serial: int) -> str:
    return f"{10_000 + 37 * (serial % 23):05d}-{number:03d}-{serial % 10**7:07d}"


def _hong_kong(number: int, serial: int) -> str:
    digits = f"{serial % 10**9:09d}"
    return f"{number:03d}-{digits[:3]}-{digits[3:]}"


def _thailand(number: int, serial: int) -> str:
    digits = f"{serial % 10**10:010d}"
    return f"{digits[:3]}-{digits[3]}-{digits[4:9]}-{digits[9]}"


def _cambodia(number: int, serial: int) -> str:
    return f"{serial % 10**9:09d}"


def _customer(number: int, serial: int) -> str:
    return f"PKX-{serial % 10**8:08d}"


def _wallet(number: int, serial: int) -> str:
    text, rest = [], serial % 10**10 * 0x9E3779B97F4A7C15**3
    for _ in range(33):
        rest, digit = divmod(rest, 58)
        text.append(_BASE58[digit])
    return "T" + "".join(text)


_WRITE: dict[Style, Callable[[int, int], str]] = {
    Style.CANADA: _canada,
    Style.HONG_KONG: _hong_kong,
    Style.THAILAND: _thailand,
    Style.CAMBODIA: _cambodia,
    Style.CUSTOMER: _customer,
    Style.WALLET: _wallet,
}


class AccountRegister:
    """Opens accounts and remembers where each is held. The offset makes the numbers differ between seeds."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._opened: dict[Style, int] = {}
        self._numbers: list[str] = []
        self._institutions: list[Institution] = []
        self._institution_index: dict[Institution, int] = {}
        self._held_at: list[int] = []

    def open(self, institution: Institution, count: int) -> Accounts:
        """Open `count` accounts at one institution and return their indexes."""
        opened = self._opened.get(institution.style, 0)
        self._opened[institution.style] = opened + count
        write, first = _WRITE[institution.style], len(self._numbers)
        start = opened + self._offset + _BETWEEN_STYLES * _STYLES.index(institution.style)
        for serial in range(start, start + count):
            self._numbers.append(write(institution.number, serial * _STRIDE))
        if institution not in self._institution_index:
            self._institution_index[institution] = len(self._institutions)
            self._institutions.append(institution)
        self._held_at.extend([self._institution_index[institution]] * count)
        return np.arange(first, first + count, dtype=np.int64)

    def number(self, account: int) -> str:
        return self._numbers[account]

    def country(self, account: int) -> str:
        return self._institutions[self._held_at[account]].country

    def countries(self) -> npt.NDArray[np.str_]:
        """Return the country of every account, by index."""
        by_institution = np.array([institution.country for institution in self._institutions])
        return np.asarray(by_institution[self._held_at])

    def columns(self) -> tuple[pa.Array, pa.Array, pa.Array]:
        """Return numbers, institution names and countries of all accounts, by index."""
        held_at = pa.array(np.array(self._held_at, dtype=np.int32))
        names = pa.array([institution.name for institution in self._institutions], pa.string())
        countries = pa.array([institution.country for institution in self._institutions], pa.string())
        return pa.array(self._numbers, pa.string()), names.take(held_at), countries.take(held_at)
