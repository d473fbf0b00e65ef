"""Follow money one payment at a time, in integers of any size. Pure.

This is the long way, for books in which what a pot ever received does not fit 64 bits; `engine` finds the same by the
index. A pot is looked at from the moment tainted money first arrives in it until it holds none again.
"""

from heapq import heapify, heappop, heappush

from comity.tracing.book import Book
from comity.tracing.found import Found, Task
from comity.tracing.pots import Pots
from comity.tracing.rules import Part, Rule, law_of, scale


def walk(book: Book, rule: Rule, task: Task) -> Found:
    """Go through the events that a claim, an inflow or a pot with tainted money makes matter."""
    return _Walk(book, rule, task).run()


class _Walk:
    def __init__(self, book: Book, rule: Rule, task: Task) -> None:
        self._book, self._task = book, task
        self._pots = Pots(book, law_of(rule).pot)
        self._paid: list[tuple[int, int, int]] = []
        self._parts: dict[int, list[Part]] = {}

    def run(self) -> Found:
        ahead = [*self._task.claimed, *self._task.told]
        heapify(ahead)
        senders, receivers = self._book.sender.data, self._book.receiver.data
        last = -1
        while ahead and ahead[0] < self._task.end:
            event = heappop(ahead)
            if event == last:
                continue
            last = event
            sender, receiver = senders[event], receivers[event]
            arriving = self._debit(event, sender)
            coming = [self._pots.paid(sender)] if sender in self._pots.watched else []
            if receiver >= 0:
                coming.append(self._pots.credit(event, receiver, arriving))
            for payment in coming:
                if payment is not None:
                    heappush(ahead, payment)
        self._pots.settle(self._task.end)
        rests = [(code, pot.tainted, pot.balance) for code, pot in self._pots.watched.items() if pot.tainted]
        return Found(paid=self._paid, parts=self._parts, rests=rests)

    def _debit(self, event: int, sender: int) -> list[Part]:
        """Take the money from the sender, if it is one we watch, and return what arrives."""
        amount = int(self._book.amount[event])
        parts = [(amount, False)]
        pot = self._pots.payer(event, sender)
        if pot is not None:
            held = pot.balance
            parts = pot.leave(amount)
            tainted = sum(size for size, is_tainted in parts if is_tainted)
            if tainted:
                self._paid.append((event, tainted, held))
                if self._book.receiver[event] < 0:
                    self._parts[event] = parts
        if event in self._task.told:
            return self._task.told[event]
        if event in self._task.claimed:
            claim = self._task.claimed[event]
            parts = [(claim, True), (amount - claim, False)]
        return scale(parts, amount, self._book.arrives(event))
