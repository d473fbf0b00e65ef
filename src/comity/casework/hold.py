"""A hold on money that rests in an account. It lapses by itself unless an order confirms it in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`holder` is the member in whose book the account is; a peer's hold is a copy of what it told us.

    `lapses_at` is when it ends by itself. `facts` are what the procedure's gates were shown so far: the
    ground, the order, whether the holder was told.
    """

    id: str
    holder: str
    case_id: str
    request_id: str
    account: str
    institution: str
    currency: str
    amount_minor: int
    state: str
    placed_at: datetime
    lapses_at: datetime
    facts: Mapping[str, Any]
