"""The trace contract read aloud, as plainly as it can be: every event, in order, for every pot. No shared
code.

Written from the contract's text alone; it imports nothing of `comity`, so that the two can be wrong only
apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
"""transfer_id, booked_at, from_account, to_account, amount_minor, currency; to_amount_minor, to_currency or
None.
"""


@dataclass
class Outcome:
    holdings: list[tuple[str, str, int, int]]
    flows: list[tuple[str, int]] = field(default_factory=list)
    gaps: list[tuple[str, str, str, int]] = field(default_factory=list)
    reported: dict[str, int] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    arrivals: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    """What arrived with each transfer that took effect, piece by piece."""
    poisoned: set[tuple[str, str]] = field(default_factory=set)
    """Pots that ever received tainted money."""

    def totals(self) -> list[tuple[str, int, int, int]]:
        held: dict[str, int] = {}
        for _, currency, tainted, _ in self.holdings:
            held[currency] = held.get(currency, 0) + tainted
        lines = [
            (currency, self.reported.get(currency, 0), held.get(currency, 0), self.again.get(currency, 0))
            for currency in sorted({*self.reported, *held, *self.again})
        ]
        return [line for line in lines if any(line[1:])]


def trace_plainly(
    rows: Iterable[Row],
    *,
    rule: str,
    claims: Mapping[str, int | None],
    balances: Mapping[tuple[str, str], int] | None = None,
    until: Any = None,
) -> Outcome:
    pots: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for pot, minor in (balances or {}).items():
        pots[pot] = [(minor, False)]
    found = Outcome(holdings=[])
    for row in sorted(rows, key=lambda row: (row["booked_at"], row["transfer_id"].encode())):
        if until is None or row["booked_at"] <= until:
            _event(row, rule, claims, pots, found)
    for (account, currency), pieces in pots.items():
        tainted = sum(size for size, is_tainted in pieces if is_tainted)
        if tainted:
            found.holdings.append((account, currency, tainted, sum(size for size, _ in pieces)))
    found.holdings.sort(key=lambda held: (-held[2], held[0].encode(), held[1].encode()))
    return found


def _event(
    row: Row,
    rule: str,
    claims: Mapping[str, int | None],
    pots: dict[tuple[str, str], list[tuple[int, bool]]],
    found: Outcome,
) -> None:
    name, amount, currency = row["transfer_id"], row["amount_minor"], row["currency"]
    converted = row.get("to_amount_minor")
    a = (row["from_account"], currency)
    b = (row["to_account"], row["to_currency"] if converted is not None else currency)
    if amount == 0 or a == b:
        return
    pieces = pots.setdefault(a, [])
    balance = sum(size for size, _ in pieces)
    tainted_before = sum(size for size, is_tainted in pieces if is_tainted)
    if amount > balance and tainted_before > 0:
        found.gaps.append((name, a[0], a[1], amount - balance))
    if rule == "poison":
        leaving = [(amount, a in found.poisoned)]
        pots[a] = [(max(0, balance - amount), a in found.poisoned)]
    else:
        leaving, pots[a] = _LEAVE[rule](pieces, amount)
    if name in claims:
        claim = amount if claims[name] is None else claims[name]
        assert claim is not None
        dropped = 0 if rule == "poison" else sum(size for size, is_tainted in leaving if is_tainted)
        found.reported[currency] = found.reported.get(currency, 0) + claim
        found.again[currency] = found.again.get(currency, 0) + dropped
        leaving = [(claim, True), (amount - claim, False)]
    tainted = sum(size for size, is_tainted in leaving if is_tainted)
    if tainted:
        found.flows.append((name, tainted))
    arriving = leaving
    if converted is not None:
        sums = [0]
        for size, _ in leaving:
            sums.append(sums[-1] + size)
        arriving = [
            (sums[i + 1] * converted // amount - sums[i] * converted // amount, leaving[i][1])
            for i in range(len(leaving))
        ]
    found.arrivals[name] = arriving
    if any(size and is_tainted for size, is_tainted in arriving):
        found.poisoned.add(b)
    if rule in ("fifo", "lifo"):
        pots[b] = _joined(pots.get(b, []) + arriving)
    elif rule == "poison":
        pots[b] = [(sum(size for size, _ in pots.get(b, []) + arriving), b in found.poisoned)]
    else:
        both = pots.get(b, []) + arriving
        pots[b] = [
            (sum(size for size, is_tainted in both if is_tainted), True),
            (sum(size for size, is_tainted in both if not is_tainted), False),
        ]


def _joined(pieces: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    """Neighbours of one kind as one piece, which the contract allows; the public ledgers are slow without."""
    joined: list[tuple[int, bool]] = []
    for size, is_tainted in pieces:
        if joined and joined[-1][1] == is_tainted:
            joined[-1] = (joined[-1][0] + size, is_tainted)
        elif size:
            joined.append((size, is_tainted))
    return joined


def _fifo(
    pieces: list[tuple[int, bool]], amount: int
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    leaving, staying, wanted = [], [], amount
    for size, is_tainted in pieces:
        taken = min(size, wanted)
        if taken:
            leaving.append((taken, is_tainted))
        if size > taken:
            staying.append((size - taken, is_tainted))
        wanted -= taken
    if wanted:
        leaving.append((wanted, False))
    return leaving, staying


def _lifo(
    pieces: list[tuple[int, bool]], amount: int
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    leaving: list[tuple[int, bool]] = []
    staying: list[tuple[int, bool]] = []
    wanted = amount
    for size, is_tainted in reversed(pieces):
        taken = min(size, wanted)
        if taken:
            leaving.append((taken, is_tainted))
        if size > taken:
            staying.insert(0, (size - taken, is_tainted))
        wanted -= taken
    if wanted:
        leaving.append((wanted, False))
    return leaving, staying


def _libr(
    pieces: list[tuple[int, bool]], amount: int
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    b = sum(size for size, _ in pieces)
    x = sum(size for size, is_tainted in pieces if is_tainted)
    k = min(amount, b)
    t = max(0, k - (b - x))
    return [(t, True), (amount - t, False)], [(x - t, True), (b - k - (x - t), False)]


def _prorata(
    pieces: list[tuple[int, bool]], amount: int
) -> tuple[list[tuple[int, bool]], list[tuple[int, bool]]]:
    b = sum(size for size, _ in pieces)
    x = sum(size for size, is_tainted in pieces if is_tainted)
    k = min(amount, b)
    if k == b:
        t = x
    else:
        t = (2 * k * x + b) // (2 * b)
        t = max(t, x - (b - k))
        t = min(t, x, k)
    return [(t, True), (amount - t, False)], [(x - t, True), (b - k - (x - t), False)]


_LEAVE = {"fifo": _fifo, "lifo": _lifo, "libr": _libr, "prorata": _prorata}
