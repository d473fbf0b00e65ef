"""How far a trace depends on what the book does not show: for each pot the least and the most it can hold. Pure.

An account whose opening balance nobody gave may have held any clean sum before its first transfer, as long as it was
never overdrawn. Every choice for every such account is a possible world; a holding's bounds are what no world leaves.

`fifo`: clean money that was there first is spent first, so the more there was, the longer tainted money stays. The
least is what stays when the account began with just what it overdrew, and nothing comes from anywhere else: reached,
hence exact. The most is what was stolen straight into it, all still there, and the most that each payer can have sent:
exact where payers hold only what was stolen straight into them (`exact`), otherwise a sum of single maxima, which no
world exceeds. `prorata`, `libr`: sound, from the amounts alone. `lifo`: an opening balance is spent last, where it
stands for a shortfall that is clean anyhow; nothing depends on it. `poison`: what is exposed does not depend on it,
the exposed balance has no upper limit.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from comity.tracing.book import Book
from comity.tracing.engine import arrivals, follow_shares, search, stretches
from comity.tracing.follow import task_of
from comity.tracing.positions import Ints, Positions
from comity.tracing.rules import Rule

_MOST_SHIFTS = 2_000_000
"""Work spent on one payer's exact maximum; above it the sound one is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What one pot can hold of the reported money, in minor units. `most` None: no upper limit."""

    account: str
    currency: str
    least_minor: int
    most_minor: int | None
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The document that would narrow the bounds most: a statement of this account's opening balance."""

    account: str
    currency: str
    depends_minor: int
    """How much reported money may have gone through this pot and have left it, or not, depending on that balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    bounds: tuple[Bound, ...]
    """By the most falling, then account and currency; pots that hold nothing in any world are left out."""
    missing: Missing | None


def bounds_of(
    book: Book,
    *,
    rule: Rule,
    claims: Mapping[str, int | None],
    known: Collection[tuple[str, str]] = (),
) -> Bounds | None:
    """Bound every pot that the reported money can reach. `known`: pots whose opening balance was given.

    None where sums do not fit 64 bits. Events at any time count (there is no `until`).
    """
    if book.positions is None:
        return None
    reach = _Reach(book, book.positions, rule, claims, frozenset(known))
    return Bounds(bounds=reach.bounds(), missing=reach.missing())


class _Reach:
    """Every pot that the money can reach, with the most that can ever have come into each."""

    def __init__(
        self,
        book: Book,
        positions: Positions,
        rule: Rule,
        claims: Mapping[str, int | None],
        known: frozenset[tuple[str, str]],
    ) -> None:
        self._book, self._at, self._rule, self._known = book, positions, rule, known
        task, _ = task_of(book, claims)
        self._task = task
        self._dropped = frozenset(task.claimed)
        self._direct: dict[int, list[tuple[int, int]]] = {}
        for pot, start, stop in stretches(book, positions, task).tolist():
            self._direct.setdefault(pot, []).append((start, stop))
        seeds = arrivals(book, task)
        paid, pots, _ = follow_shares(book, positions, Rule.POISON, seeds, task)
        self._pots = pots.tolist()
        self._whole = int(seeds[:, 2].sum()) if len(seeds) else 0
        self._came: dict[int, int] = {}
        self._from: dict[int, set[int]] = {}
        self._left: dict[int, int] = {}
        self._spread(seeds, paid)

    def _spread(self, seeds: Ints, paid: Ints) -> None:
        """In order of events: a payment carries at most its amount, and at most what can have come in before."""
        book = self._book
        pairs: dict[tuple[int, int], int] = {}
        ahead = seeds.tolist()
        capped = not len(book.converted)
        for event in paid[:, 0].tolist():
            while ahead and ahead[0][0] < event:
                _, pot, part = ahead.pop(0)
                self._came[pot] = self._came.get(pot, 0) + part
            payer, payee, asked = int(book.sender[event]), int(book.receiver[event]), int(book.amount[event])
            part = min(asked, self._came.get(payer, 0))
            self._left[payer] = self._left.get(payer, 0) + asked
            if payee < 0 or not part or event in self._dropped:
                continue
            arrives = book.arrives(event)
            part = part if arrives == asked else arrives
            sent = pairs.get((payer, payee), 0)
            more = min(part, self._came[payer] - sent) if capped else part
            if more > 0:
                pairs[payer, payee] = sent + more
                came = self._came.get(payee, 0) + more
                self._came[payee] = min(came, self._whole) if capped else came
            self._from.setdefault(payee, set()).add(payer)
        for _, pot, part in ahead:
            self._came[pot] = self._came.get(pot, 0) + part

    def bounds(self) -> tuple[Bound, ...]:
        certain = self._rule in (Rule.LIFO, Rule.POISON)
        found = self._certain() if certain else [self._bound(pot) for pot in self._pots]
        shown = [bound for bound in found if bound.most_minor is None or bound.most_minor]
        return tuple(sorted(shown, key=lambda one: (-(one.most_minor or 0), one.account, one.currency)))

    def _certain(self) -> list[Bound]:
        """What no opening balance changes: all of it (lifo), or which accounts are exposed (poison)."""
        rests = search(self._book, self._at, self._rule, self._task).rests
        held = {pot: minor for pot, minor, _ in rests}
        found = []
        for pot in self._pots:
            account, currency = self._book.pot_name(pot)
            minor = held.get(pot, 0)
            most = None if self._rule is Rule.POISON else minor
            found.append(
                Bound(account=account, currency=currency, least_minor=minor, most_minor=most, exact=True)
            )
        return found

    def missing(self) -> Missing | None:
        """The account whose opening balance decides about most of the money."""
        depends = [
            (min(self._came.get(pot, 0), self._left.get(pot, 0)), pot)
            for pot in self._pots
            if self._book.pot_name(pot) not in self._known
        ]
        if self._rule in (Rule.LIFO, Rule.POISON) or not depends:
            return None
        minor, pot = max(depends, key=lambda one: (one[0], -one[1]))
        account, currency = self._book.pot_name(pot)
        return Missing(account=account, currency=currency, depends_minor=minor) if minor else None

    def _bound(self, pot: int) -> Bound:
        account, currency = self._book.pot_name(pot)
        direct = sum(stop - start for start, stop in self._direct.get(pot, ()))
        came = self._came.get(pot, 0)
        exact = False
        least, most = max(0, direct - self._left.get(pot, 0)), came
        if self._rule is Rule.FIFO and not self._known:
            out = int(self._at.out_end[pot])
            least = sum(max(0, stop - max(start, out)) for start, stop in self._direct.get(pot, ()))
            single = self._most_from_payers(pot)
            if single is not None:
                most, exact = min(most, direct + single), True
        return Bound(account=account, currency=currency, least_minor=least, most_minor=most, exact=exact)

    def _most_from_payers(self, pot: int) -> int | None:
        """The most that payers can have sent, each at its best opening balance; None if that is not simply known."""
        total = 0
        for payer in self._from.get(pot, ()):
            if self._from.get(payer):
                return None
            best = self._best(payer, pot)
            if best is None:
                return None
            total += best
        return total

    def _best(self, payer: int, payee: int) -> int | None:
        """Slide the payer's outflow along its inflow: each opening balance is a shift, the best is at an edge."""
        first, last = int(self._at.out_first[payer]), int(self._at.out_first[payer + 1])
        events = self._at.out_event[first:last].astype(np.int64)
        asked = self._book.amount[events]
        if float(asked.astype(np.float64).sum()) >= 2.0**62:
            return None
        starts = np.cumsum(asked) - asked
        overdrawn = int(asked.sum()) - int(self._at.out_end[payer])
        wanted = (self._book.receiver[events] == payee) & ~np.isin(events, list(self._dropped))
        if np.isin(events[wanted], self._book.converted).any():
            return None
        windows = np.stack([starts[wanted], starts[wanted] + asked[wanted]])
        edges = np.array(self._direct[payer], np.int64)
        if windows.size * edges.size * windows.shape[1] > _MOST_SHIFTS:
            return None
        shifts = (windows.reshape(-1, 1) - edges.reshape(1, -1)).ravel()
        shifts = np.unique(np.append(shifts[shifts > overdrawn], overdrawn))
        low, high = windows[0][:, None, None] - shifts[:, None], windows[1][:, None, None] - shifts[:, None]
        both = np.minimum(high, edges[:, 1]) - np.maximum(low, edges[:, 0])
        return int(np.maximum(both, 0).sum(axis=(0, 2)).max())
