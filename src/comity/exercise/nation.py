"""The people, firms and counters of one country, sized to the number of transfers its book shall have."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from comity.exercise.accounts import AccountRegister, Accounts
from comity.exercise.places import CRYPTO_EXCHANGE, PAYMENT_AGENT, Institution, Place
from comity.exercise.rhythm import Ints

TRANSFERS_A_PERSON = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Nation:
    """Accounts by what their holders do; `bank_of` and `wage` (a month, minor units) go with `persons`.

    A bank has two cash accounts: `atms` only receive what customers draw, `tellers` only pay in what they
    bring. `agents` and `traders` (accounts at the crypto exchange, one for each of the first persons) exist
    in Cambodia.
    """

    place: Place
    persons: Accounts
    bank_of: Ints
    wage: Ints
    employer_of: Accounts
    merchants: Accounts
    firms: Accounts
    landlords: Accounts
    utilities: Accounts
    atms: Accounts
    tellers: Accounts
    exchange: Accounts
    agents: Accounts
    traders: Accounts


def settle(place: Place, register: AccountRegister, rng: np.random.Generator, *, transfers: int) -> Nation:
    """Open the accounts of a country whose book shall have `transfers` rows."""
    persons = max(60, transfers // TRANSFERS_A_PERSON)
    accounts, bank_of = _spread(place.banks, register, rng, persons)
    firms, _ = _spread(place.banks, register, rng, max(8, persons // 40))
    wage = place.prices.wage * np.exp(0.45 * rng.standard_normal(persons))
    cambodian = place.code == "KH"
    return Nation(
        place=place,
        persons=accounts,
        bank_of=bank_of,
        wage=np.rint(wage / 10).astype(np.int64) * 10_00,
        employer_of=popular(rng, firms, persons),
        merchants=_spread(place.banks, register, rng, max(12, persons // 25))[0],
        firms=firms,
        landlords=_spread(place.banks, register, rng, max(5, persons // 50))[0],
        utilities=_spread(place.banks, register, rng, 4)[0],
        atms=np.concatenate([register.open(bank, 1) for bank in place.banks]),
        tellers=np.concatenate([register.open(bank, 1) for bank in place.banks]),
        exchange=register.open(place.exchange, 1),
        agents=register.open(PAYMENT_AGENT, 25 if cambodian else 0),
        traders=register.open(CRYPTO_EXCHANGE, persons // 10 if cambodian else 0),
    )


def _spread(
    banks: tuple[Institution, ...], register: AccountRegister, rng: np.random.Generator, count: int
) -> tuple[Accounts, Ints]:
    """Open `count` accounts over the banks, earlier banks being larger, in mixed order."""
    sizes = np.array([1.0 / (2 + rank) for rank in range(len(banks))])
    bank_of = np.sort(rng.choice(len(banks), size=count, p=sizes / sizes.sum()))
    per_bank = np.bincount(bank_of, minlength=len(banks))
    accounts = np.concatenate(
        [register.open(bank, int(opened)) for bank, opened in zip(banks, per_bank, strict=True)]
    )
    order = rng.permutation(count)
    return accounts[order], bank_of[order].astype(np.int64)


def popular(rng: np.random.Generator, accounts: Accounts, count: int) -> Accounts:
    """Choose `count` times, the first accounts far more often than the last (weights 1 / rank^0.8)."""
    edges: npt.NDArray[np.float64] = np.cumsum(np.arange(1, accounts.size + 1) ** -0.8)
    chosen = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    return np.asarray(accounts[np.minimum(chosen, accounts.size - 1)])


def sums(rng: np.random.Generator, count: int, *, median: float, spread: float, step: int) -> Ints:
    """Draw log-normal amounts around `median` (major units, two digits) in steps of minor units."""
    minor = median * 100 * np.exp(spread * rng.standard_normal(count))
    return np.asarray(np.maximum(1, np.rint(minor / step)).astype(np.int64) * step)
