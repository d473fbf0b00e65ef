"""The scheme's own bookkeeping: which money lies in which pot, oldest first.

Written for the few accounts a scheme touches and independent of `comity.tracing`, so that truth and trace can
disagree. A pot is (account, currency), both indexes; a lot is (minor units, stolen or not).
"""

from collections import deque
from collections.abc import Iterable, Mapping

from comity.errors import ComityError

Pot = tuple[int, int]
Lot = tuple[int, bool]


class OverspentError(ComityError):
    """The script of an exercise spends money that its account does not hold."""

    code = "exercise.overspent-script"
    remedy = "Report this with the seed and the number of transfers of the exercise."


class Purses:
    """Queues of lots. What a pot held before the scheme is one clean lot."""

    def __init__(self, clean: Mapping[Pot, int]) -> None:
        self._lots: dict[Pot, deque[Lot]] = {pot: deque([(amount, False)]) for pot, amount in clean.items()}

    def balance(self, pot: Pot) -> int:
        return sum(amount for amount, _ in self._lots.get(pot, ()))

    def put(self, pot: Pot, lots: Iterable[Lot]) -> None:
        self._lots.setdefault(pot, deque()).extend(lot for lot in lots if lot[0])

    def take(self, pot: Pot, amount: int) -> list[Lot]:
        """Remove the oldest `amount` and return it, oldest first."""
        if amount > self.balance(pot):
            raise OverspentError(f"pot {pot}: expected at least {amount}, got {self.balance(pot)}")
        taken: list[Lot] = []
        queue = self._lots[pot]
        while amount:
            size, stolen = queue.popleft()
            part = min(size, amount)
            taken.append((part, stolen))
            amount -= part
            if part < size:
                queue.appendleft((size - part, stolen))
        return taken

    def stolen(self) -> dict[Pot, int]:
        """Return the stolen money that rests in each pot that has any."""
        resting = {pot: stolen_part(lots) for pot, lots in self._lots.items()}
        return {pot: amount for pot, amount in resting.items() if amount}


def stolen_part(lots: Iterable[Lot]) -> int:
    return sum(amount for amount, stolen in lots if stolen)


def scaled(lots: Iterable[Lot], *, paid: int, received: int) -> list[Lot]:
    """Convert lots that sum to `paid` into lots that sum to `received`, rounding their running total down."""
    arrived: list[Lot] = []
    so_far = 0
    for amount, stolen in lots:
        before = so_far * received // paid
        so_far += amount
        arrived.append((so_far * received // paid - before, stolen))
    return arrived
