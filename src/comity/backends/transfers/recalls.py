"""What a file says of payments that somebody wants back: ISO 20022 camt.056 and camt.029; MT192, MT196 and MT199."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """One payment that somebody wants back, what became of that, or words about it.

    `original` is the payment's id as a transfer of a book would have it; `status` is empty for a request, else
    the answer's code (CNCL: cancelled as asked, PDCR: pending, RJCR: rejected, …). `amount` is in major units.
    """

    kind: Literal["request", "answer", "message"]
    id: str
    case: str
    asked_by: str
    asked_of: str
    created: str
    original: str
    amount: str
    currency: str
    status: str
    reasons: tuple[str, ...]
    text: str


Recalls = Iterator[Recall]
