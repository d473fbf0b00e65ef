"""What an exercise consists of: books that nodes may see, a report, and truth that only the referee sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalBook:
    """All transfers that touch an account in `country`, and what its accounts held before the first of them.

    `table` has the columns of the trace contract in order of time; `balances` maps (account, currency) to
    minor units and covers this country's accounts only.
    """

    country: str
    table: pa.Table
    balances: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """Stolen money that lies in an account, at a cash desk or in a wallet when the report is made."""

    account: str
    country: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened, under first-in-first-out.

    `scheme_transfers` are the transfers that carried stolen money, in order of time, and `carried` how much
    each did (sender's currency). `mules` are accounts the thieves control, `innocents` accounts of others
    that received stolen money unawares (cash desks apart). `roles` says in a phrase what each account of
    the scheme is.
    """

    scheme_transfers: tuple[str, ...]
    carried: Mapping[str, int]
    resting: tuple[Resting, ...]
    mules: tuple[str, ...]
    innocents: tuple[str, ...]
    roles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An exercise. `books` by country; `report` as in the trace contract; `truth` must never reach a node."""

    seed: int
    books: Mapping[str, NationalBook]
    report: dict[str, Any]
    truth: Truth
