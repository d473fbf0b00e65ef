"""Mule rings: accounts that only pass money on, and that belong together.

Definition: a mule is an account that passes on at least `least_times` of the transfers it receives, and at least
`least_share` of all of them, and pays out, all in all, between `least_kept` and `most_kept` of what it receives;
passed on: within `window_days` it pays at least `least_kept` of the amount away. Mules belong together when one
pays another, or when they are fed by one account, or pay into one, that deals with at most `most_mules` of them. A
ring is at least `least_mules` mules that belong together.
Source: Europol, European Money Mule Action (EMMA) reports; FATF/Egmont/INTERPOL, "Illicit Financial Flows from
Cyber-Enabled Fraud" (2023), mule account networks.
Cost: one look a transfer and a union of sets: linear. An account that deals with everybody (a hub) joins nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from comity.tracing.kernels.compiled import kernel
from comity.tracing.typologies.alerts import MOST_TRANSFERS, Finding, Measures, beyond
from comity.tracing.typologies.columns import DAY, Columns, Flags, Ints
from comity.tracing.typologies.onward import onward


@dataclass(frozen=True, slots=True, kw_only=True)
class MuleRing:
    name: ClassVar[str] = "mule-ring"

    window_days: int = 3
    least_times: int = 1
    least_share: float = 0.8
    least_kept: float = 0.8
    most_kept: float = 1.05
    least_mules: int = 3
    most_mules: int = 50

    def find(self, columns: Columns) -> Iterator[Finding]:
        passed = self.passed_on(columns)
        mules = self._mules(columns, passed)
        ring = self._rings(columns, mules)
        members = np.flatnonzero(mules)
        order = members[np.argsort(ring[members], kind="stable")]
        cuts = np.flatnonzero(np.diff(ring[order])) + 1
        for some in np.split(order, cuts):
            if len(some) >= self.least_mules:
                yield self._finding(columns, some, passed)

    def passed_on(self, columns: Columns) -> Flags:
        """For each transfer, whether its receiver paid at least `least_kept` of it away within `window_days`."""
        return _passed_on(
            columns.paid.start, columns.paid.events, onward(columns), columns.sender, columns.receiver, columns.at,
            columns.amount, columns.arriving, columns.currency, columns.to_currency, self.window_days * DAY,
            self.least_kept,
        )  # fmt: skip

    def _mules(self, columns: Columns, passed: Flags) -> Flags:
        accounts = len(columns.accounts)
        moved = (columns.arriving > 0) & (columns.sender != columns.receiver)
        received = np.bincount(columns.receiver[moved], minlength=accounts)
        onto = np.bincount(columns.receiver[passed], minlength=accounts)
        often = (onto >= self.least_times) & (onto >= self.least_share * received)
        return often & ~self._keeps_or_adds(columns, moved)

    def _keeps_or_adds(self, columns: Columns, moved: Flags) -> Flags:
        """For each account, whether in some currency it paid less than it could pass on, or more than it received."""
        width = len(columns.currencies)
        pots, codes = np.unique(
            np.concatenate([
                (columns.receiver * width + columns.to_currency)[moved],
                (columns.sender * width + columns.currency)[moved],
            ]),
            return_inverse=True,
        )  # fmt: skip
        size = int(moved.sum())
        into = np.bincount(codes[:size], columns.arriving[moved], len(pots))
        out = np.bincount(codes[size:], columns.amount[moved], len(pots))
        wrong = (out < into * self.least_kept) | (out > into * self.most_kept)
        return np.asarray(np.bincount(pots // width, wrong, len(columns.accounts)) > 0)

    def _rings(self, columns: Columns, mules: Flags) -> Ints:
        """For each account, the smallest account of its ring."""
        sender, receiver = columns.sender, columns.receiver
        parent = np.arange(len(columns.accounts))
        direct = mules[sender] & mules[receiver]
        _join(parent, sender[direct], receiver[direct])
        for hub, mule in ((sender, receiver), (receiver, sender)):
            shared = mules[mule] & ~mules[hub]
            pairs = np.unique(np.column_stack([hub[shared], mule[shared]]), axis=0)
            few = np.bincount(pairs[:, 0], minlength=len(mules)) <= self.most_mules
            pairs = pairs[few[pairs[:, 0]]]
            same = pairs[1:, 0] == pairs[:-1, 0]
            _join(parent, np.ascontiguousarray(pairs[:-1, 1][same]), np.ascontiguousarray(pairs[1:, 1][same]))
        _flatten(parent)
        return parent

    def _finding(self, columns: Columns, ring: Ints, passed: Flags) -> Finding:
        events = _events_of(columns, ring)
        into = events[np.isin(columns.receiver[events], ring)]
        return Finding(
            accounts=tuple(np.sort(ring)[:MOST_TRANSFERS].tolist()),
            events=tuple(events[:MOST_TRANSFERS].tolist()),
            transfers_in_all=len(events),
            strength=beyond(len(ring), self.least_mules),
            measured={
                "mules": len(ring),
                "received": len(into),
                "passed_on": int(passed[into].sum()),
            },
        )

    def sentence(self, found: Measures) -> str:
        return (
            f"{found['mules']} accounts (at least {self.least_mules}) that pay one another or share a payer or "
            f"receiver passed on {found['passed_on']} of the {found['received']} transfers they received: at least "
            f"{self.least_kept:.0%} of the amount within {self.window_days} days."
        )


def _events_of(columns: Columns, accounts: Ints) -> Ints:
    """Transfers with an amount that these accounts paid or received, in order."""
    parts = [
        listing.events[listing.start[account] : listing.start[account + 1]]
        for listing in (columns.paid, columns.received)
        for account in accounts.tolist()
    ]
    events = np.unique(np.concatenate(parts))
    moved = (columns.sender[events] != columns.receiver[events]) & (columns.amount[events] > 0)
    return np.asarray(events[moved], np.int64)


@kernel
def _passed_on(
    out_start: Ints, out_events: Ints, after: Ints, sender: Ints, receiver: Ints, at: Ints, amount: Ints,
    arriving: Ints, currency: Ints, to_currency: Ints, window: int, least_kept: float,
) -> Flags:  # fmt: skip
    """Looks at most 64 payments ahead: somebody who splits an amount further is a business."""
    found = np.zeros(len(receiver), np.bool_)
    for event in range(len(receiver)):
        if arriving[event] == 0 or sender[event] == receiver[event]:
            continue
        paid = 0.0
        end = min(out_start[receiver[event] + 1], after[event] + 64)
        for place in range(after[event], end):
            onto = out_events[place]
            if at[onto] > at[event] + window:
                break
            if currency[onto] == to_currency[event] and receiver[onto] != receiver[event]:
                paid += amount[onto]
        found[event] = paid >= arriving[event] * least_kept
    return found


@kernel
def _join(parent: Ints, one: Ints, other: Ints) -> None:
    """Union by the smaller number, with path halving."""
    for pair in range(len(one)):
        first, second = _root(parent, one[pair]), _root(parent, other[pair])
        parent[max(first, second)] = min(first, second)


@kernel
def _root(parent: Ints, account: int) -> int:
    while parent[account] != account:
        parent[account] = parent[parent[account]]
        account = parent[account]
    return account


@kernel
def _flatten(parent: Ints) -> None:
    for account in range(len(parent)):
        parent[account] = _root(parent, account)
