"""Clean traffic inside one country: wages, rent, bills, shops, friends, cash, the currency exchange.

Every function returns one kind of traffic. `shopping` comes last and fills the book up to its size.
"""

import numpy as np

from comity.exercise.batch import Batch, currency_index, draft, join
from comity.exercise.nation import Nation, popular, sums
from comity.exercise.rates import Rates
from comity.exercise.rhythm import (
    HOUR,
    MILLISECOND,
    OFFICE,
    PRIVATE,
    SHOPPING,
    Ints,
    Pattern,
    moments,
    paydays,
    soon,
)
from comity.exercise.wording import INVOICES, channel, reference

Random = np.random.Generator


def clean_traffic(nation: Nation, rates: Rates, rng: Random) -> Batch:
    """Everything but shopping."""
    kinds = [
        _wages(nation, rng),
        _rent(nation, rng),
        _bills(nation, rng),
        _friends(nation, rng),
        _cash(nation, rng),
        _invoices(nation, rng),
        _currency_exchange(nation, rates, rng),
    ]
    if nation.place.riel_share:
        kinds.append(_riel_purses(nation, rates, rng))
    return join(kinds)


def shopping(nation: Nation, rng: Random, *, count: int) -> Batch:
    """Purchases by card and QR code; in Cambodia partly in riel."""
    prices, place = nation.place.prices, nation.place
    amount = sums(rng, count, median=prices.purchase, spread=0.9, step=prices.coin)
    in_riel = rng.random(count) < place.riel_share
    riel = sums(rng, count, median=prices.purchase * 4_000, spread=0.7, step=100_00)
    return draft(
        rng,
        booked_at=_moments(nation, rng, count, SHOPPING),
        source=popular(rng, nation.persons, count),
        target=popular(rng, nation.merchants, count),
        amount=np.where(in_riel, riel, amount),
        currency=np.where(in_riel, currency_index("KHR"), currency_index(place.currency)),
        channel=np.where(rng.random(count) < 0.55, channel("card"), channel("qr")),
        reference=reference("purchase"),
    )


def _moments(nation: Nation, rng: Random, count: int, pattern: Pattern, spare_hours: int = 0) -> Ints:
    offset = nation.place.utc_offset_hours
    return moments(rng, count, pattern, utc_offset_hours=offset, spare_hours=spare_hours)


def _some(nation: Nation, rng: Random, share: float) -> Ints:
    """Indexes of a share of the persons, in order."""
    return np.asarray(np.flatnonzero(rng.random(nation.persons.size) < share), dtype=np.int64)


def _monthly(
    nation: Nation, rng: Random, *, source: Ints, target: Ints, amount: Ints, day: int, name: str, how: str
) -> Batch:
    """The same payments on the same day of each month, within two hours of eight in the morning."""
    days = paydays(day, utc_offset_hours=nation.place.utc_offset_hours)
    count = len(days) * source.size
    within = rng.integers(0, 2 * HOUR // MILLISECOND, size=count) * MILLISECOND
    return draft(
        rng,
        booked_at=np.repeat(np.array(days, dtype=np.int64), source.size) + within,
        source=np.tile(source, len(days)),
        target=np.tile(target, len(days)),
        amount=np.tile(amount, len(days)),
        currency=currency_index(nation.place.currency),
        channel=channel(how),
        reference=reference(name),
    )


def _wages(nation: Nation, rng: Random) -> Batch:
    return _monthly(
        nation,
        rng,
        source=nation.employer_of,
        target=nation.persons,
        amount=nation.wage,
        day=nation.place.payday,
        name="salary",
        how="batch",
    )


def _rent(nation: Nation, rng: Random) -> Batch:
    tenants = _some(nation, rng, 0.4)
    rent = sums(rng, tenants.size, median=nation.place.prices.rent, spread=0.3, step=10_00)
    return _monthly(
        nation,
        rng,
        source=nation.persons[tenants],
        target=popular(rng, nation.landlords, tenants.size),
        amount=np.minimum(rent, nation.wage[tenants] // 20_00 * 10_00),
        day=1,
        name="rent",
        how="standing-order",
    )


def _bills(nation: Nation, rng: Random) -> Batch:
    payers = _some(nation, rng, 0.6)
    return _monthly(
        nation,
        rng,
        source=nation.persons[payers],
        target=nation.utilities[rng.integers(0, nation.utilities.size, payers.size)],
        amount=sums(rng, payers.size, median=nation.place.prices.bill, spread=0.4, step=1),
        day=12,
        name="electricity and water",
        how="standing-order",
    )


def _friends(nation: Nation, rng: Random) -> Batch:
    """Round sums between persons."""
    count = 2 * nation.persons.size
    payers = rng.integers(0, nation.persons.size, count)
    payees = (payers + rng.integers(1, nation.persons.size, count)) % nation.persons.size
    step = 500 if nation.place.currency == "USD" else 50_00
    words = np.array(
        [reference(word) for word in ("", "dinner", "thank you", "family support", "savings", "loan")]
    )
    return draft(
        rng,
        booked_at=_moments(nation, rng, count, PRIVATE),
        source=nation.persons[payers],
        target=nation.persons[payees],
        amount=sums(rng, count, median=nation.place.prices.purchase * 4, spread=0.8, step=step),
        currency=currency_index(nation.place.currency),
        channel=channel("instant"),
        reference=words[rng.integers(0, words.size, count)],
    )


def _cash(nation: Nation, rng: Random) -> Batch:
    """Cash drawn at the own bank's machines, and cash brought to its counters."""
    drawn, brought = nation.persons.size * 3 // 2, nation.persons.size // 4
    count = drawn + brought
    person = rng.integers(0, nation.persons.size, count)
    bank, out = nation.bank_of[person], np.arange(count) < drawn
    step = 10_00 if nation.place.currency == "USD" else 100_00
    if nation.place.currency == "CAD":
        step = 20_00
    return draft(
        rng,
        booked_at=_moments(nation, rng, count, SHOPPING),
        source=np.where(out, nation.persons[person], nation.tellers[bank]),
        target=np.where(out, nation.atms[bank], nation.persons[person]),
        amount=sums(rng, count, median=nation.place.prices.wage * 0.03, spread=0.6, step=step),
        currency=currency_index(nation.place.currency),
        channel=channel("cash"),
        reference=np.where(out, reference("cash withdrawal"), reference("cash deposit")),
    )


def _invoices(nation: Nation, rng: Random) -> Batch:
    """Merchants and firms pay firms."""
    payers = np.concatenate([nation.merchants, nation.firms])
    count = 12 * payers.size
    numbered = rng.integers(INVOICES.start, INVOICES.stop, count)
    words = np.array([reference(word) for word in ("goods", "consulting fee", "stock delivery", "loan")])
    return draft(
        rng,
        booked_at=_moments(nation, rng, count, OFFICE),
        source=payers[rng.integers(0, payers.size, count)],
        target=popular(rng, nation.firms, count),
        amount=sums(rng, count, median=nation.place.prices.wage * 0.4, spread=1.0, step=1),
        currency=currency_index(nation.place.currency),
        channel=channel("wire"),
        reference=np.where(rng.random(count) < 0.7, numbered, words[rng.integers(0, words.size, count)]),
    )


def _currency_exchange(nation: Nation, rates: Rates, rng: Random) -> Batch:
    """A customer pays the licensed exchange, which pays out the other currency minutes later."""
    count = max(10, nation.persons.size * 3 // 20)
    sold, bought = currency_index(nation.place.currency), currency_index(nation.place.foreign)
    customers, house = nation.persons[rng.integers(0, nation.persons.size, count)], nation.exchange[0]
    amount = sums(rng, count, median=nation.place.prices.wage * 0.1, spread=0.9, step=10_00)
    paid = _moments(nation, rng, count, OFFICE, spare_hours=2)
    handed_over = soon(rng, paid, within_minutes=15)
    how, why = channel("instant"), reference("currency exchange")
    payout = rates.convert(amount, source=sold, target=bought, at=handed_over)
    return join(
        [
            draft(rng, booked_at=paid, source=customers, target=house, amount=amount, currency=sold,
                  channel=how, reference=why),
            draft(rng, booked_at=handed_over, source=house, target=customers, amount=payout, currency=bought,
                  channel=how, reference=why),
        ]
    )  # fmt: skip


def _riel_purses(nation: Nation, rates: Rates, rng: Random) -> Batch:
    """Half of the people turn dollars into riel in their own account, some times a month."""
    owners = nation.persons[np.repeat(_some(nation, rng, 0.5), 4)]
    booked_at = _moments(nation, rng, owners.size, PRIVATE)
    amount = sums(rng, owners.size, median=nation.place.prices.wage * 0.08, spread=0.5, step=5_00)
    dollar, riel = currency_index("USD"), currency_index("KHR")
    return draft(
        rng,
        booked_at=booked_at,
        source=owners,
        target=owners,
        amount=amount,
        currency=dollar,
        to_amount=rates.convert(amount, source=dollar, target=riel, at=booked_at),
        to_currency=riel,
        channel=channel("conversion"),
        reference=reference("currency exchange"),
    )
