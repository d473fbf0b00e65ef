"""Clean traffic between the four countries: families, tuition, trade. It stands in both countries' books."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from comity.exercise.batch import Batch, currency_index, draft, join
from comity.exercise.nation import Nation, popular, sums
from comity.exercise.rates import Rates
from comity.exercise.rhythm import OFFICE, PRIVATE, moments
from comity.exercise.wording import INVOICES, channel, reference

Random = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """Payments one way. `weight`: transfers per hundred thousand in a book. `median`: major units sent."""

    origin: str
    destination: str
    weight: int
    median: float
    currency: str
    to_currency: str
    phrase: str = ""
    """Why persons send money; empty for trade between firms."""


def _family(origin: str, destination: str, weight: int, median: float, currencies: str) -> Corridor:
    paid, received = currencies.split(">")
    return Corridor(
        origin=origin, destination=destination, weight=weight, median=median, currency=paid,
        to_currency=received, phrase="tuition" if median > 5_000 else "family support",
    )  # fmt: skip


def _trade(origin: str, destination: str, weight: int, median: float, currencies: str) -> Corridor:
    paid, received = currencies.split(">")
    return Corridor(
        origin=origin,
        destination=destination,
        weight=weight,
        median=median,
        currency=paid,
        to_currency=received,
    )


CORRIDORS = (
    _family("CA", "HK", 500, 800, "CAD>HKD"),
    _family("HK", "CA", 350, 24_000, "HKD>CAD"),
    _trade("CA", "HK", 450, 9_000, "CAD>HKD"),
    _trade("HK", "CA", 300, 60_000, "HKD>CAD"),
    _family("CA", "TH", 250, 400, "CAD>THB"),
    _trade("TH", "CA", 150, 180_000, "THB>CAD"),
    _family("CA", "KH", 200, 250, "CAD>USD"),
    _family("HK", "TH", 700, 2_500, "HKD>THB"),
    _trade("HK", "TH", 450, 55_000, "HKD>THB"),
    _trade("TH", "HK", 450, 210_000, "THB>HKD"),
    _trade("HK", "KH", 200, 30_000, "HKD>USD"),
    _trade("KH", "HK", 200, 4_000, "USD>HKD"),
    _family("TH", "KH", 1_300, 3_500, "THB>USD"),
    _family("TH", "KH", 500, 2_500, "THB>KHR"),
    _trade("KH", "TH", 500, 2_200, "USD>THB"),
)


def cross_border_traffic(
    nations: Mapping[str, Nation], rates: Rates, rng: Random, *, transfers: int
) -> Batch:
    """Return the clean transfers of all corridors, in proportion to the size of the books."""
    return join(
        [
            _along(corridor, nations, rates, rng, max(4, corridor.weight * transfers // 100_000))
            for corridor in CORRIDORS
        ]
    )


def _along(corridor: Corridor, nations: Mapping[str, Nation], rates: Rates, rng: Random, count: int) -> Batch:
    origin, destination = nations[corridor.origin], nations[corridor.destination]
    booked_at = moments(
        rng,
        count,
        PRIVATE if corridor.phrase else OFFICE,
        utc_offset_hours=origin.place.utc_offset_hours,
    )
    if corridor.phrase:
        source = origin.persons[rng.integers(0, origin.persons.size, count)]
        target = destination.persons[rng.integers(0, destination.persons.size, count)]
        words, step = np.full(count, reference(corridor.phrase)), 10_00
    else:
        source, target = popular(rng, origin.firms, count), popular(rng, destination.firms, count)
        words, step = rng.integers(INVOICES.start, INVOICES.stop, count), 1
    amount = sums(rng, count, median=corridor.median, spread=0.7, step=step)
    paid, received = currency_index(corridor.currency), currency_index(corridor.to_currency)
    return draft(
        rng,
        booked_at=booked_at,
        source=source,
        target=target,
        amount=amount,
        currency=paid,
        to_amount=rates.convert(amount, source=paid, target=received, at=booked_at),
        to_currency=received,
        channel=channel("cross-border"),
        reference=words,
    )
