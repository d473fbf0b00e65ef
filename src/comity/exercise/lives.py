"""What the accounts of the scheme did before it: mules shop and draw cash, gateways serve customers.

Each life leaves a small clean balance, so that clean and stolen money mix, and falls silent days before the
scheme, so that afterwards only the script moves money on these accounts.
"""

from collections.abc import Mapping

import numpy as np

from comity.exercise.accounts import Accounts
from comity.exercise.batch import currency_index
from comity.exercise.cast import Cast, Life
from comity.exercise.diary import Diary
from comity.exercise.nation import Nation
from comity.exercise.rates import Rates
from comity.exercise.rhythm import DAY, MINUTE, OFFICE, PRIVATE, SCHEME_STARTS, Pattern, moments

Random = np.random.Generator

_DOLLAR, _COIN = currency_index("USD"), currency_index("USDT")


def live(cast: Cast, nations: Mapping[str, Nation], rates: Rates, rng: Random) -> Diary:
    """Write the lives of all players."""
    diary = Diary()
    for player in cast.everybody():
        if player.part.life is Life.UNUSED:
            continue
        account, nation = player.account, nations[player.country]
        match player.part.life:
            case Life.PERSON:
                _person(account, nation, diary, rng)
            case Life.COMPANY:
                _company(account, nation, diary, rng)
            case Life.TRUST:
                _trust(account, nation, diary, rng)
            case Life.TRADER:
                _trader(account, nation, diary, rates, rng)
            case Life.AGENT:
                _agent(account, nation, diary, rng)
            case Life.EXCHANGE_CLIENTS:
                _exchange_clients(account, nation, diary, rates, rng)
    dollar_account = cast["hk_dollar"][0]
    diary.open((dollar_account, _DOLLAR), _minor(rng, 310, 890))
    return diary


def _minor(rng: Random, low: float, high: float) -> int:
    """An uneven sum between two amounts in major units of a currency with two digits."""
    return int(rng.integers(int(low * 100), int(high * 100)))


def _one(rng: Random, accounts: Accounts) -> int:
    return int(accounts[rng.integers(0, accounts.size)])


def _dates(rng: Random, nation: Nation, count: int, pattern: Pattern) -> list[int]:
    """Moments in order, all before the account falls silent two to nine days before the scheme."""
    silent = SCHEME_STARTS - int(rng.integers(2 * DAY, 9 * DAY))
    drawn = moments(rng, count, pattern, utc_offset_hours=nation.place.utc_offset_hours)
    return [int(moment) for moment in np.sort(drawn[drawn < silent])]


def _person(account: int, nation: Nation, diary: Diary, rng: Random) -> None:
    """Odd jobs and friends pay in, shops and cash machines take it out again."""
    currency, unit = currency_index(nation.place.currency), nation.place.prices.purchase
    pot = (account, currency)
    diary.open(pot, _minor(rng, 4 * unit, 30 * unit))
    for at in _dates(rng, nation, int(rng.integers(18, 50)), PRIVATE):
        balance = diary.balance[pot]
        if balance < 800 * unit or rng.random() < 0.25:
            amount = _minor(rng, 0.1 * unit, 0.6 * unit) // 10 * 10_00 + 10_00
            diary.write(
                at, _one(rng, nation.persons), account, amount, currency, how="instant", why="thank you"
            )
        elif balance > 4_000 * unit:
            _draw_cash(account, nation, diary, rng, at)
        else:
            amount = min(balance, _minor(rng, 0.3 * unit, 5 * unit))
            diary.write(at, account, _one(rng, nation.merchants), amount, currency, how="qr", why="purchase")
    if diary.balance[pot] > 1_200 * unit:
        _draw_cash(
            account, nation, diary, rng, SCHEME_STARTS - int(rng.integers(DAY, 2 * DAY)) // 1000 * 1000
        )


def _draw_cash(account: int, nation: Nation, diary: Diary, rng: Random, at: int) -> None:
    """Draw all but a few meals' worth, in whole notes."""
    currency = currency_index(nation.place.currency)
    left = int(nation.place.prices.purchase * rng.integers(150, 900))
    amount = (diary.balance[account, currency] - left) // 10_00 * 10_00
    diary.write(at, account, _one(rng, nation.atms), amount, currency, how="cash", why="cash withdrawal")


def _company(account: int, nation: Nation, diary: Diary, rng: Random) -> None:
    """A shell with little business: firms pay it, it pays firms, and keeps little."""
    currency, unit = currency_index(nation.place.currency), nation.place.prices.wage * 0.2
    pot = (account, currency)
    diary.open(pot, _minor(rng, 0.5 * unit, 2 * unit))
    for at in _dates(rng, nation, int(rng.integers(12, 30)), OFFICE):
        if diary.balance[pot] < 100 * unit:
            amount = _minor(rng, unit, 4 * unit)
            diary.write(at, _one(rng, nation.firms), account, amount, currency, how="wire", why="goods")
        else:
            amount = diary.balance[pot] * int(rng.integers(50, 95)) // 100
            diary.write(
                at, account, _one(rng, nation.firms), amount, currency, how="wire", why="consulting fee"
            )
    left = _minor(rng, 0.05 * unit, 0.4 * unit)
    if diary.balance[pot] > left:
        at = SCHEME_STARTS - int(rng.integers(DAY, 2 * DAY)) // 1000 * 1000
        amount = diary.balance[pot] - left
        diary.write(at, account, _one(rng, nation.firms), amount, currency, how="wire", why="loan")


def _trust(account: int, nation: Nation, diary: Diary, rng: Random) -> None:
    """Clients' money for house purchases: always millions in the account."""
    currency, floor = currency_index(nation.place.currency), 3_000_000_00
    diary.open((account, currency), _minor(rng, 4_000_000, 5_000_000))
    for at in _dates(rng, nation, 40, OFFICE):
        amount = _minor(rng, 20_000, 700_000)
        if diary.balance[account, currency] - amount < floor:
            diary.write(
                at, _one(rng, nation.persons), account, amount, currency, how="wire", why="client money"
            )
        else:
            diary.write(
                at, account, _one(rng, nation.firms), amount, currency, how="wire", why="completion funds"
            )


def _trader(account: int, nation: Nation, diary: Diary, rates: Rates, rng: Random) -> None:
    """A few small purchases of coins, most of them paid on to other customers."""
    diary.open((account, _DOLLAR), _minor(rng, 3, 40))
    diary.open((account, _COIN), _minor(rng, 10, 90) * 10**4)
    for at in _dates(rng, nation, 5, PRIVATE):
        amount = _minor(rng, 2, 9) // 10 * 10_00 + 20_00
        coins = int(rates.convert(amount, source=_DOLLAR, target=_COIN, at=at + 5 * MINUTE))
        payer, friend = _one(rng, nation.persons), _one(rng, nation.traders)
        diary.write(at, payer, account, amount, _DOLLAR, how="instant", why="on-ramp")
        diary.write(
            at + 5 * MINUTE, account, account, amount, _DOLLAR, how="conversion", why="trade",
            converted=(coins, _COIN),
        )  # fmt: skip
        diary.write(at + 20 * MINUTE, account, friend, coins * 9 // 10, _COIN, how="on-chain", why="trade")


def _agent(account: int, nation: Nation, diary: Diary, rng: Random) -> None:
    """What one customer pays in goes out to another within the hour; a small float stays."""
    diary.open((account, _DOLLAR), _minor(rng, 900, 2_500))
    for at in _dates(rng, nation, 60, OFFICE):
        amount = _minor(rng, 0.2, 3.0) * 5_00
        payer, payee = _one(rng, nation.persons), _one(rng, nation.persons)
        later = at + int(rng.integers(1, 50)) * MINUTE
        diary.write(at, payer, account, amount, _DOLLAR, how="instant", why="agent pay-in")
        diary.write(later, account, payee, amount, _DOLLAR, how="instant", why="agent pay-out")


def _exchange_clients(account: int, nation: Nation, diary: Diary, rates: Rates, rng: Random) -> None:
    """Clients' Hong Kong dollars become US dollars in the same account and go back to the client."""
    local = currency_index(nation.place.currency)
    diary.open((account, local), _minor(rng, 5_000, 20_000))
    diary.open((account, _DOLLAR), _minor(rng, 400, 2_000))
    for at in _dates(rng, nation, 40, OFFICE):
        amount, client = _minor(rng, 10, 400) * 10_00, _one(rng, nation.persons)
        dollars = int(rates.convert(amount, source=local, target=_DOLLAR, at=at))
        diary.write(at, client, account, amount, local, how="instant", why="currency exchange")
        diary.write(
            at + 4 * MINUTE, account, account, amount, local, how="conversion", why="currency exchange",
            converted=(dollars, _DOLLAR),
        )  # fmt: skip
        diary.write(
            at + 9 * MINUTE, account, client, dollars, _DOLLAR, how="instant", why="currency exchange"
        )
