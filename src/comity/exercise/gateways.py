"""Clean traffic through Cambodia's payment agents and its crypto exchange, wallets included.

Coins go out to self-hosted wallets; none ever comes back from one, so that what leaves to a wallet has left.
"""

import numpy as np

from comity.exercise.accounts import AccountRegister, Accounts
from comity.exercise.batch import Batch, currency_index, draft, join
from comity.exercise.nation import Nation, sums
from comity.exercise.places import SELF_HOSTED
from comity.exercise.rates import Rates
from comity.exercise.rhythm import PRIVATE, SHOPPING, Ints, moments, soon
from comity.exercise.wording import channel, reference

Random = np.random.Generator


def gateway_traffic(nation: Nation, register: AccountRegister, rates: Rates, rng: Random) -> Batch:
    """Payment agents, on-ramp, off-ramp, trades among the customers, and withdrawals to wallets."""
    wallets = register.open(SELF_HOSTED, max(10, nation.traders.size // 4))
    return join(
        [
            _agents(nation, rng),
            _on_ramp(nation, wallets, rates, rng),
            _off_ramp(nation, rates, rng),
            _trades(nation, rng),
        ]
    )


def _agents(nation: Nation, rng: Random) -> Batch:
    """A person pays an agent, who passes the money on to somebody else within the hour."""
    count = max(10, nation.persons.size * 2 // 5)
    payers = rng.integers(0, nation.persons.size, count)
    payees = (payers + rng.integers(1, nation.persons.size, count)) % nation.persons.size
    agents = nation.agents[rng.integers(0, nation.agents.size, count)]
    amount = sums(rng, count, median=nation.place.prices.wage * 0.1, spread=0.7, step=5_00)
    paid = _moments(nation, rng, count, shops=True)
    dollar, how = currency_index("USD"), channel("instant")
    return join(
        [
            draft(rng, booked_at=paid, source=nation.persons[payers], target=agents, amount=amount,
                  currency=dollar, channel=how, reference=reference("agent pay-in")),
            draft(rng, booked_at=soon(rng, paid, within_minutes=50), source=agents,
                  target=nation.persons[payees], amount=amount * 99 // 100, currency=dollar, channel=how,
                  reference=reference("agent pay-out")),
        ]
    )  # fmt: skip


def _on_ramp(nation: Nation, wallets: Accounts, rates: Rates, rng: Random) -> Batch:
    """Dollars to the own account at the exchange, there into USDT, a third of it on to a wallet."""
    count = 4 * nation.traders.size
    trader = rng.integers(0, nation.traders.size, count)
    bank_accounts, accounts = nation.persons[trader], nation.traders[trader]
    dollar, coin = currency_index("USD"), currency_index("USDT")
    amount = sums(rng, count, median=nation.place.prices.wage * 0.2, spread=0.8, step=10_00)
    paid = _moments(nation, rng, count)
    bought = soon(rng, paid, within_minutes=20)
    coins = rates.convert(amount, source=dollar, target=coin, at=bought)
    leaving = np.flatnonzero(rng.random(count) < 0.33)
    return join(
        [
            draft(rng, booked_at=paid, source=bank_accounts, target=accounts, amount=amount, currency=dollar,
                  channel=channel("instant"), reference=reference("on-ramp")),
            draft(rng, booked_at=bought, source=accounts, target=accounts, amount=amount, currency=dollar,
                  to_amount=coins, to_currency=coin, channel=channel("conversion"),
                  reference=reference("trade")),
            draft(rng, booked_at=soon(rng, bought[leaving], within_minutes=60), source=accounts[leaving],
                  target=wallets[trader[leaving] % wallets.size], amount=coins[leaving] * 9 // 10,
                  currency=coin, channel=channel("on-chain"), reference=reference("withdrawal to wallet")),
        ]
    )  # fmt: skip


def _off_ramp(nation: Nation, rates: Rates, rng: Random) -> Batch:
    """USDT into dollars, and the dollars home to the bank."""
    count = 2 * nation.traders.size
    trader = rng.integers(0, nation.traders.size, count)
    dollar, coin = currency_index("USD"), currency_index("USDT")
    coins = sums(rng, count, median=nation.place.prices.wage * 0.15, spread=0.7, step=10_00) * 10**4
    sold = _moments(nation, rng, count)
    amount = rates.convert(coins, source=coin, target=dollar, at=sold)
    return join(
        [
            draft(rng, booked_at=sold, source=nation.traders[trader], target=nation.traders[trader],
                  amount=coins, currency=coin, to_amount=amount, to_currency=dollar,
                  channel=channel("conversion"), reference=reference("trade")),
            draft(rng, booked_at=soon(rng, sold, within_minutes=30), source=nation.traders[trader],
                  target=nation.persons[trader], amount=amount, currency=dollar, channel=channel("instant"),
                  reference=reference("off-ramp")),
        ]
    )  # fmt: skip


def _trades(nation: Nation, rng: Random) -> Batch:
    """Customers of the exchange pay one another in USDT."""
    count = 3 * nation.traders.size
    seller = rng.integers(0, nation.traders.size, count)
    buyer = (seller + rng.integers(1, nation.traders.size, count)) % nation.traders.size
    return draft(
        rng,
        booked_at=_moments(nation, rng, count),
        source=nation.traders[seller],
        target=nation.traders[buyer],
        amount=sums(rng, count, median=60, spread=1.0, step=50) * 10**4,
        currency=currency_index("USDT"),
        channel=channel("on-chain"),
        reference=reference("trade"),
    )


def _moments(nation: Nation, rng: Random, count: int, *, shops: bool = False) -> Ints:
    pattern = SHOPPING if shops else PRIVATE
    offset = nation.place.utc_offset_hours
    return moments(rng, count, pattern, utc_offset_hours=offset, spare_hours=3)
