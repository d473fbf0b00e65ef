"""Money: integer minor units of an ISO 4217 currency, or of a declared asset with its decimals.

Never a float. Minor digits of currencies come from ISO 4217's own table (package `iso4217`).
"""

import re
from collections.abc import Mapping

from iso4217 import Currency

from comity.errors import InputError

_AMOUNT = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)
MAX_MINOR = 2**63 - 1

CRYPTO_ASSETS: Mapping[str, int] = {"USDT": 6, "USDC": 6, "BTC": 8}
"""Assets every node knows: id → decimals, as their issuers or protocols define them. Others are declared."""


def digits_of(currency: str, assets: Mapping[str, int] = CRYPTO_ASSETS) -> int:
    """Return how many decimal digits `currency` has; `InputError` if it is neither ISO 4217 nor declared."""
    if currency in assets:
        return assets[currency]
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise InputError.because(
            expected="an ISO 4217 currency with minor units or a declared asset",
            got=repr(currency),
            remedy="Write the three-letter code in capitals, or declare the asset and its decimals.",
        )
    return int(exponent)


def parse_amount(text: str, digits: int) -> int:
    """Turn a decimal in major units ("1000.00") into minor units; no sign, no exponent, no rounding."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InputError.because(expected="a decimal amount such as 1000.00, not negative", got=repr(text))
    whole, fraction = found[1], found[2] or ""
    if len(fraction) > digits:
        raise InputError.because(expected=f"at most {digits} decimal digits", got=repr(text))
    minor = int(whole + fraction.ljust(digits, "0"))
    if minor > MAX_MINOR:
        raise InputError.because(expected="an amount that fits 64 bits in minor units", got=repr(text))
    return minor


def format_minor(minor: int, currency: str, assets: Mapping[str, int] = CRYPTO_ASSETS) -> str:
    """Write minor units for a person: `CAD 2,300,000.00`."""
    digits = digits_of(currency, assets)
    sign, size = ("-", -minor) if minor < 0 else ("", minor)
    whole, fraction = divmod(size, 10**digits)
    tail = f".{fraction:0{digits}d}" if digits else ""
    return f"{currency} {sign}{whole:,}{tail}"
