"""Build an exercise: four countries' books, a report and the truth, the same for the same seed.

No clock, no files, no network. The steps: rates, people, clean traffic, the lives of the scheme's accounts,
the scheme itself, opening balances, books.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from comity.errors import InputError
from comity.exercise.accounts import AccountRegister
from comity.exercise.batch import Batch, as_table, join, transfer_ids
from comity.exercise.cast import Cast, assemble
from comity.exercise.corridors import cross_border_traffic
from comity.exercise.gateways import gateway_traffic
from comity.exercise.home import clean_traffic, shopping
from comity.exercise.lives import live
from comity.exercise.lots import Pot, Purses
from comity.exercise.nation import Nation, settle
from comity.exercise.opening import opening_balances
from comity.exercise.places import CURRENCIES, PLACES
from comity.exercise.rates import Rates
from comity.exercise.rhythm import SCHEME_STARTS, WEEK, Ints
from comity.exercise.scheme import play
from comity.exercise.stage import Stage
from comity.exercise.statement import report_of
from comity.exercise.truth import NationalBook, Resting, Truth, World

FEWEST, MOST = 2_000, 5_000_000
_STREAMS = ("register", "rates", "corridors", "cast", "lives", "scheme", "opening", "CA", "HK", "TH", "KH")


def build_world(*, seed: int, transfers: int = 200_000) -> World:
    """Return the exercise of `seed`, with at least `transfers` rows in each country's book.

    `InputError` for a negative seed and for fewer than 2,000 or more than five million transfers.
    """
    if seed < 0:
        raise InputError.because(expected="a seed that is not negative", got=str(seed))
    if not FEWEST <= transfers <= MOST:
        raise InputError.because(expected=f"{FEWEST} to {MOST} transfers a book", got=str(transfers))
    streams = _streams(seed)
    register = AccountRegister(int(streams["register"].integers(1, 10**6)))
    rates = Rates(streams["rates"])
    nations = {
        place.code: settle(place, register, streams[place.code], transfers=transfers) for place in PLACES
    }
    cast = assemble(register, nations, streams["cast"])
    clean = _clean(nations, register, rates, streams, transfers=transfers)
    _keep_quiet(clean, cast.merchant)
    diary = live(cast, nations, rates, streams["lives"])
    purses = Purses(diary.balance)
    stage = Stage(purses, rates, streams["scheme"])
    play(stage, cast, machines={code: int(nation.atms[0]) for code, nation in nations.items()})
    payments, stolen, reported = stage.finish()
    everything = join([clean, diary.batch(streams["lives"]), payments])
    truth = _truth(cast, purses, payments, stolen, register, nations)
    return World(
        seed=seed,
        books=_books(everything, diary.opening, register, streams["opening"]),
        report=report_of(seed, transfer_ids(payments.ids[reported]).to_pylist(), cast, register),
        truth=truth,
    )


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """One independent stream of randomness for each step and country."""
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {
        name: np.random.Generator(np.random.PCG64(child))
        for name, child in zip(_STREAMS, children, strict=True)
    }


def _clean(
    nations: Mapping[str, Nation],
    register: AccountRegister,
    rates: Rates,
    streams: Mapping[str, np.random.Generator],
    *,
    transfers: int,
) -> Batch:
    """All clean traffic: across borders, at home, and as many purchases as fill each book."""
    batches = [cross_border_traffic(nations, rates, streams["corridors"], transfers=transfers)]
    countries = register.countries()
    for code, nation in nations.items():
        home = [clean_traffic(nation, rates, streams[code])]
        if nation.traders.size:
            home.append(gateway_traffic(nation, register, rates, streams[code]))
        abroad = (countries[batches[0].source] == code) | (countries[batches[0].target] == code)
        missing = transfers - sum(map(len, home)) - int(abroad.sum())
        batches += [*home, shopping(nation, streams[code], count=max(0, missing))]
    return join(batches)


def _keep_quiet(clean: Batch, merchant: int) -> None:
    """Move what the merchant would pay during the scheme a week back: stolen money must rest there."""
    during = (clean.source == merchant) & (clean.booked_at >= SCHEME_STARTS)
    clean.booked_at[during] -= WEEK


def _books(
    everything: Batch, declared: Mapping[Pot, int], register: AccountRegister, rng: np.random.Generator
) -> Mapping[str, NationalBook]:
    pots, held = opening_balances(everything, declared, rng)
    accounts, currencies = pots // len(CURRENCIES), pots % len(CURRENCIES)
    countries = register.countries()
    books = {}
    for place in PLACES:
        ours = countries == place.code
        inside = np.flatnonzero(ours[accounts])
        balances = {
            (register.number(account), CURRENCIES[currency]): amount
            for account, currency, amount in zip(
                accounts[inside].tolist(), currencies[inside].tolist(), held[inside].tolist(), strict=True
            )
        }
        rows = everything.rows(ours[everything.source] | ours[everything.target])
        books[place.code] = NationalBook(
            country=place.code, table=as_table(rows, register), balances=MappingProxyType(balances)
        )
    return MappingProxyType(books)


def _truth(
    cast: Cast,
    purses: Purses,
    payments: Batch,
    stolen: Ints,
    register: AccountRegister,
    nations: Mapping[str, Nation],
) -> Truth:
    carrying = np.flatnonzero(stolen)
    ids = transfer_ids(payments.ids[carrying]).to_pylist()
    resting = [
        Resting(
            account=register.number(account),
            country=register.country(account),
            currency=CURRENCIES[currency],
            amount_minor=amount,
        )
        for (account, currency), amount in purses.stolen().items()
    ]
    roles = {register.number(player.account): player.part.title for player in cast.everybody()}
    roles[register.number(cast.merchant)] = "shop where a mule spent stolen money"
    roles |= {register.number(int(nation.atms[0])): "cash machines of a bank" for nation in nations.values()}
    return Truth(
        scheme_transfers=tuple(ids),
        carried=MappingProxyType(dict(zip(ids, stolen[carrying].tolist(), strict=True))),
        resting=tuple(sorted(resting, key=lambda rest: (rest.country, rest.currency, rest.account))),
        mules=tuple(register.number(player.account) for player in cast.everybody() if player.part.mule),
        innocents=tuple(
            register.number(account)
            for account in (cast["hk_clients"][0], cast["kh_agent"][0], cast.merchant)
        ),
        roles=MappingProxyType(roles),
    )
