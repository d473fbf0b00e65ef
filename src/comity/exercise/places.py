"""The four countries of the exercise: banks, prices, clocks. Data only; every institution is invented.

Names and clearing numbers are invented; one that is somebody's is so by chance. Offsets from UTC hold for the
whole exercise (spring 2025, after the change to summer time in Vancouver).
"""

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """How an institution writes account numbers."""

    CANADA = "transit-institution-account"
    HONG_KONG = "bank-branch-account"
    THAILAND = "10 digits"
    CAMBODIA = "9 digits"
    CUSTOMER = "customer number of a crypto exchange"
    WALLET = "address on a chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """Somewhere an account is held. `number` is its clearing number where the country has one."""

    name: str
    country: str
    style: Style
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Medians in major units of the main currency; `coin` is the smallest step of a price, minor units."""

    wage: int
    rent: int
    bill: int
    purchase: float
    coin: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A country: what its people earn and spend, where, and when they are awake."""

    code: str
    currency: str
    foreign: str
    """What its licensed currency exchange sells against `currency`."""
    riel_share: float
    """Share of purchases paid in riel (Cambodia uses the dollar beside its own currency)."""
    utc_offset_hours: int
    payday: int
    prices: Prices
    banks: tuple[Institution, ...]
    exchange: Institution


def _banks(country: str, style: Style, names: dict[str, int]) -> tuple[Institution, ...]:
    return tuple(
        Institution(name=name, country=country, style=style, number=number) for name, number in names.items()
    )


def _exchange(country: str, style: Style, name: str, number: int) -> Institution:
    return Institution(name=name, country=country, style=style, number=number)


CANADA = Place(
    code="CA",
    currency="CAD",
    foreign="USD",
    riel_share=0.0,
    utc_offset_hours=-7,
    payday=30,
    prices=Prices(wage=4_800, rent=1_900, bill=95, purchase=26.0, coin=1),
    banks=_banks(
        "CA",
        Style.CANADA,
        {
            "Strait and Sound Bank": 971,
            "Northern Larch Bank": 972,
            "Burrard Shale Credit Union": 973,
            "Prairie Lantern Bank": 974,
        },
    ),
    exchange=_exchange("CA", Style.CANADA, "Gull Island Currency Exchange", 979),
)

HONG_KONG = Place(
    code="HK",
    currency="HKD",
    foreign="USD",
    riel_share=0.0,
    utc_offset_hours=8,
    payday=28,
    prices=Prices(wage=22_000, rent=12_000, bill=480, purchase=75.0, coin=10),
    banks=_banks(
        "HK",
        Style.HONG_KONG,
        {
            "Harbour Lantern Bank": 961,
            "Nine Junks Bank": 962,
            "Kestrel Pearl Bank": 963,
            "Fragrant Quay Bank": 964,
            "Peak Tramline Bank": 965,
        },
    ),
    exchange=_exchange("HK", Style.HONG_KONG, "Copper Carp Money Exchange", 969),
)

THAILAND = Place(
    code="TH",
    currency="THB",
    foreign="USD",
    riel_share=0.0,
    utc_offset_hours=7,
    payday=25,
    prices=Prices(wage=24_000, rent=8_000, bill=900, purchase=140.0, coin=25),
    banks=_banks(
        "TH",
        Style.THAILAND,
        {
            "Golden Naga Bank": 0,
            "River of Kites Bank": 0,
            "Lotus Causeway Bank": 0,
            "Banyan Delta Bank": 0,
        },
    ),
    exchange=_exchange("TH", Style.THAILAND, "Blue Elephant Road Exchange", 0),
)

CAMBODIA = Place(
    code="KH",
    currency="USD",
    foreign="KHR",
    riel_share=0.4,
    utc_offset_hours=7,
    payday=29,
    prices=Prices(wage=420, rent=180, bill=28, purchase=4.5, coin=5),
    banks=_banks(
        "KH",
        Style.CAMBODIA,
        {"Grey Heron Bank": 0, "Seven Stupas Bank": 0, "Pepper Coast Bank": 0},
    ),
    exchange=_exchange("KH", Style.CAMBODIA, "Lake Flood Money Changers", 0),
)

PLACES = (CANADA, HONG_KONG, THAILAND, CAMBODIA)

PAYMENT_AGENT = Institution(name="Sugar Palm Pay", country="KH", style=Style.CAMBODIA)
CRYPTO_EXCHANGE = Institution(name="Paper Kite Digital Exchange", country="KH", style=Style.CUSTOMER)
SELF_HOSTED = Institution(name="self-hosted wallet", country="ZZ", style=Style.WALLET)
"""ZZ is ISO 3166-1 user-assigned: outside the four countries, no node covers it."""

CURRENCIES = ("CAD", "HKD", "THB", "KHR", "USD", "USDT")
