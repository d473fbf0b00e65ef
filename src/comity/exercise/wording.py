"""The words of the exercise's transfers: channels and references. Columns hold indexes into these tuples."""

CHANNELS = (
    "card", "qr", "instant", "batch", "standing-order", "cash", "conversion", "wire", "cross-border",
    "on-chain",
)  # fmt: skip

_PHRASES = (
    "", "purchase", "salary", "rent", "electricity and water", "cash withdrawal", "cash deposit",
    "dinner", "thank you", "family support", "tuition", "savings", "stock delivery", "currency exchange",
    "agent pay-in", "agent pay-out", "on-ramp", "off-ramp", "trade", "withdrawal to wallet",
    "completion funds", "client money", "consulting fee", "goods", "loan",
)  # fmt: skip
_INVOICES = 4_000

INVOICES = range(len(_PHRASES), len(_PHRASES) + _INVOICES)
"""Indexes of references that name an invoice."""

REFERENCES = _PHRASES + tuple(f"invoice {20_250_000 + number}" for number in range(_INVOICES))

_CHANNEL_INDEX = {name: index for index, name in enumerate(CHANNELS)}
_PHRASE_INDEX = {phrase: index for index, phrase in enumerate(_PHRASES)}


def channel(name: str) -> int:
    """Return the index of a channel."""
    return _CHANNEL_INDEX[name]


def reference(phrase: str) -> int:
    """Return the index of a fixed reference."""
    return _PHRASE_INDEX[phrase]
