"""A graph of money: accounts, and what moved between them. Values, and how a trace becomes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.errors import InputError
from comity.model import format_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    minor: int
    currency: str

    def decimal(self, assets: Mapping[str, int]) -> str:
        """In major units, as `1234.50`; empty where the currency's digits are not known."""
        try:
            return (
                format_minor(self.minor, self.currency, assets)
                .removeprefix(f"{self.currency} ")
                .replace(",", "")
            )
        except InputError:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`id` is unique in the graph. `resting`: stolen money that is there; `held`: what of it is under a hold."""

    id: str
    kind: str
    institution: str = ""
    country: str = ""
    resting: tuple[Amount, ...] = ()
    held: tuple[Amount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """From one account to another: `whole` of the booking where it is known, and the stolen part of it."""

    id: str
    source: str
    target: str
    stolen: Amount
    whole: Amount | None = None
    at: datetime | None = None
    bookings: int = 1
    """How many bookings are put together in this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    accounts: tuple[Account, ...]
    movements: tuple[Movement, ...]
    assets: Mapping[str, int]


FindRows = Callable[[Sequence[str]], Iterable[Mapping[str, Any]]]
"""Transfer ids → the rows of those that there are."""


def graph_of_trace(trace: Mapping[str, Any], find: FindRows, assets: Mapping[str, int]) -> Graph:
    """From what `comity trace --json` prints and its transfers; `InputError` where one is missing."""
    flows = _list(trace, "flows", ("transfer_id",), ("tainted_minor",))
    holdings = _list(trace, "holdings", ("account", "currency"), ("tainted_minor",))
    known = {row["transfer_id"]: row for row in find([flow["transfer_id"] for flow in flows])}
    accounts: dict[str, dict[str, Any]] = {}
    movements = []
    for flow in flows:
        row = known.get(flow["transfer_id"])
        if row is None:
            raise InputError.because(
                expected="the transfers that were traced", got=f"none with the id {flow['transfer_id'][:60]!r}",
                remedy="Name the same files as for comity trace.",
            )  # fmt: skip
        for side in ("from", "to"):
            _place(accounts, row[f"{side}_account"], row[f"{side}_institution"], row[f"{side}_country"])
        movements.append(
            Movement(
                id=row["transfer_id"], source=row["from_account"], target=row["to_account"],
                stolen=Amount(minor=flow["tainted_minor"], currency=row["currency"]),
                whole=Amount(minor=row["amount_minor"], currency=row["currency"]), at=row["booked_at"],
            )
        )  # fmt: skip
    for one in holdings:
        resting = _place(accounts, one["account"], None, None)["resting"]
        resting.append(Amount(minor=one["tainted_minor"], currency=one["currency"]))
    return Graph(
        accounts=tuple(
            Account(id=name, kind="account", **{**said, "resting": tuple(said["resting"])})
            for name, said in accounts.items()
        ),
        movements=tuple(movements), assets=assets,
    )  # fmt: skip


def _place(
    accounts: dict[str, dict[str, Any]], name: str, institution: str | None, country: str | None
) -> Any:
    said = accounts.setdefault(name, {"institution": "", "country": "", "resting": []})
    said["institution"] = said["institution"] or institution or ""
    said["country"] = said["country"] or country or ""
    return said


def _list(
    trace: Mapping[str, Any], name: str, texts: Sequence[str], numbers: Sequence[str]
) -> list[Mapping[str, Any]]:
    found = trace.get(name)
    good = isinstance(found, list) and all(
        isinstance(one, Mapping)
        and all(isinstance(one.get(key), str) for key in texts)
        and all(isinstance(one.get(key), int) and not isinstance(one.get(key), bool) for key in numbers)
        for one in found
    )
    if not good or not isinstance(found, list):
        raise InputError.because(
            expected=f"a trace as comity trace --json prints it, with {name}",
            got=repr(found)[:80],
            where=name,
        )
    return found
