"""Which money leaves a pot: one small class for each legal rule. Pure, exact integers.

A pot is (account, currency). `leave` takes out what a transfer asks for and says which money it was, oldest
consequence first; where the pot holds less, the missing part is clean and comes last (spec/trace.md,
"Shortfall"). Nothing here knows of books, claims or countries.

Sources: `law_of`. These classes hold amounts of any size and follow one payment at a time; `engine` reaches the same
results for books that fit 64 bits by their index (tests hold the two, and the contract read aloud, together).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from comity.errors import InputError

Part = tuple[int, bool]
"""(amount in minor units, tainted?): a piece while it is being followed."""


class Rule(StrEnum):
    """The rules of the trace contract. `law_of` gives the law behind each."""

    FIFO = "fifo"
    LIFO = "lifo"
    PRORATA = "prorata"
    LIBR = "libr"
    POISON = "poison"

    @classmethod
    def named(cls, name: str) -> "Rule":
        """Return the rule called `name`; `InputError` if it is not built here."""
        if name not in cls._value2member_map_:
            raise InputError.because(
                expected=f"one of the tracing rules {', '.join(cls)}",
                got=repr(name)[:60],
                remedy="Name one of those; a result under another rule would not be what you asked for.",
            )
        return cls(name)


class Pot(Protocol):
    """One account's money in one currency, as one rule sees it. `tainted` never exceeds `balance`."""

    @property
    def balance(self) -> int: ...

    @property
    def tainted(self) -> int: ...

    @property
    def is_clean(self) -> bool:
        """Nothing tainted here and nothing to remember: the pot may be forgotten but for its balance."""

    def leave(self, amount: int) -> list[Part]:
        """Take `amount` out; return what left, in order. The parts sum to `amount`, shortfall included."""

    def arrive(self, parts: Iterable[Part]) -> None:
        """Put `parts` in, in order."""


class FifoPot:
    """A queue of pieces in order of arrival; the oldest money leaves first."""

    __slots__ = ("_queue", "balance", "tainted")

    def __init__(self, clean: int) -> None:
        self.balance = clean
        self.tainted = 0
        self._queue: deque[Part] = deque([(clean, False)] if clean else ())

    @property
    def is_clean(self) -> bool:
        return not self.tainted

    def leave(self, amount: int) -> list[Part]:
        queue, parts, wanted = self._queue, [], amount
        while wanted and queue:
            size, tainted = queue[0]
            if size <= wanted:
                queue.popleft()
                taken = size
            else:
                queue[0] = (size - wanted, tainted)
                taken = wanted
            wanted -= taken
            if tainted:
                self.tainted -= taken
            parts.append((taken, tainted))
        self.balance -= amount - wanted
        if wanted:
            parts.append((wanted, False))
        return parts

    def arrive(self, parts: Iterable[Part]) -> None:
        queue = self._queue
        for size, tainted in parts:
            if not size:
                continue
            self.balance += size
            if tainted:
                self.tainted += size
            if queue and queue[-1][1] is tainted:
                queue[-1] = (queue[-1][0] + size, tainted)
            else:
                queue.append((size, tainted))


class LifoPot(FifoPot):
    """A stack of pieces; the newest money leaves first, and newest first."""

    __slots__ = ()

    def leave(self, amount: int) -> list[Part]:
        stack, parts, wanted = self._queue, [], amount
        while wanted and stack:
            size, tainted = stack[-1]
            taken = min(size, wanted)
            if taken == size:
                stack.pop()
            else:
                stack[-1] = (size - taken, tainted)
            wanted -= taken
            if tainted:
                self.tainted -= taken
            parts.append((taken, tainted))
        self.balance -= amount - wanted
        if wanted:
            parts.append((wanted, False))
        return parts


class ProrataPot:
    """Two numbers; every payment takes the same share of tainted money, rounded half up, then kept
    possible.
    """

    __slots__ = ("balance", "tainted")

    def __init__(self, clean: int) -> None:
        self.balance = clean
        self.tainted = 0

    @property
    def is_clean(self) -> bool:
        return not self.tainted

    def leave(self, amount: int) -> list[Part]:
        held, tainted = self.balance, self.tainted
        paid = min(amount, held)
        if paid == held:
            share = tainted
        else:
            share = (2 * paid * tainted + held) // (2 * held)
            share = min(max(share, tainted - (held - paid)), tainted, paid)
        self.balance = held - paid
        self.tainted = tainted - share
        return [(share, True), (amount - share, False)]

    def arrive(self, parts: Iterable[Part]) -> None:
        for size, tainted in parts:
            self.balance += size
            if tainted:
                self.tainted += size


class LibrPot(ProrataPot):
    """Two numbers; the holder's own money is spent first, so that the claim never exceeds the lowest balance since."""

    __slots__ = ()

    def leave(self, amount: int) -> list[Part]:
        paid = min(amount, self.balance)
        share = max(0, paid - (self.balance - self.tainted))
        self.balance -= paid
        self.tainted -= share
        return [(share, True), (amount - share, False)]


class PoisonPot:
    """Once tainted money has come in, all that leaves is tainted, for ever: exposure, where nothing is conserved."""

    __slots__ = ("_poisoned", "balance")

    def __init__(self, clean: int) -> None:
        self.balance = clean
        self._poisoned = False

    @property
    def tainted(self) -> int:
        return self.balance if self._poisoned else 0

    @property
    def is_clean(self) -> bool:
        return not self._poisoned

    def leave(self, amount: int) -> list[Part]:
        self.balance -= min(amount, self.balance)
        return [(amount, self._poisoned)]

    def arrive(self, parts: Iterable[Part]) -> None:
        for size, tainted in parts:
            self.balance += size
            self._poisoned = self._poisoned or bool(tainted and size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What stands behind a rule: the authority a court would be shown, and the class that applies it.

    `pot` makes a pot of that class from a clean opening balance.
    """

    pot: Callable[[int], Pot]
    meaning: str
    citation: str


_LAW: Mapping[Rule, Law] = {
    Rule.FIFO: Law(
        pot=FifoPot,
        meaning="first in, first out",
        citation="Clayton's case, Devaynes v Noble (1816) 1 Mer 572",
    ),
    Rule.LIFO: Law(
        pot=LifoPot,
        meaning="last in, first out",
        citation="no leading case: the reverse of Clayton's case, for comparison or where a statute says so",
    ),
    Rule.PRORATA: Law(
        pot=ProrataPot,
        meaning="rateable sharing",
        citation="rateable sharing, as in Barlow Clowes International v Vaughan [1992] 4 All ER 22 (CA)",
    ),
    Rule.LIBR: Law(
        pot=LibrPot,
        meaning="the holder spends his own money first; lowest intermediate balance",
        citation="Re Hallett's Estate (1880) 13 Ch D 696; Roscoe v Winder [1915] 1 Ch 62",
    ),
    Rule.POISON: Law(
        pot=PoisonPot,
        meaning="exposure: everything that was ever mixed with it, nothing is conserved",
        citation="no proprietary rule: what was exposed to the money, not what anybody is entitled to",
    ),
}


def law_of(rule: Rule) -> Law:
    """Return the class and the citation for `rule`."""
    return _LAW[rule]


def scale(parts: Iterable[Part], amount: int, arriving: int) -> list[Part]:
    """Convert parts that sum to `amount` > 0 into parts that sum to `arriving`; order kept, no empty parts.

    Cumulative amounts are floored, so that no minor unit is lost or made (spec/trace.md, "Conversion").
    """
    scaled, total, before = [], 0, 0
    for size, tainted in parts:
        total += size
        upto = total * arriving // amount
        if upto > before:
            scaled.append((upto - before, tainted))
        before = upto
    return scaled


def merge(parts: Iterable[Part]) -> list[Part]:
    """Join neighbours of one kind and drop empty parts; changes no result."""
    merged: list[Part] = []
    for size, tainted in parts:
        if not size:
            continue
        if merged and merged[-1][1] is tainted:
            merged[-1] = (merged[-1][0] + size, tainted)
        else:
            merged.append((size, tainted))
    return merged
