"""Group commit: many writers, one durable step for all who wait. Threads only, no I/O of its own.

Whoever comes first runs the step for everybody who is waiting; who comes while it runs is in the next one, which
the first of them runs. So a writer whose work was handed in before `run` was called is covered by it, and the cost
of making things durable (a transaction, tiles, a signed checkpoint) is shared. If the step fails, every member of
its group gets the error; none is told that it succeeded.

With hundreds of writers, waking them is what costs. So a writer waits on a plain lock of its own, and the leader
wakes two, each of whom wakes the next on its way out: never more threads than can run contend for the interpreter
(`python -m benchmarks.log`: twice the rate of waking all at once).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


_WOKEN = 2
"""How many writers are woken at once, and so how many chains of waking there are."""


class _Place(Generic[Work, Outcome]):
    """One writer in the queue; its turn comes when its work is done, or when it is to lead the next group."""

    __slots__ = ("after", "error", "gone", "leads", "outcome", "turn", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.turn = threading.Lock()
        self.leads = False
        self.gone = False
        self.outcome: Outcome
        self.error: BaseException | None = None
        self.after: _Place[Work, Outcome] | None = None


class Sequencer(Generic[Work, Outcome]):
    """`run` receives the work of the group in the order it was handed in, at most `most` at once.

    `finish`, if given, is called with what `run` returned while the next group is already run: a second step
    that the group waits for as well, several of them at once in different threads. What it returns is the
    outcome.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Work]], Outcome],
        *,
        most: int = 4096,
        finish: Callable[[Outcome], Outcome] | None = None,
    ) -> None:
        self._run = run
        self._finish = finish
        self._most = most
        self._gate = threading.Lock()
        self._led = False
        self._waiting: list[_Place[Work, Outcome]] = []

    def submit(self, work: Work) -> Outcome:
        """Hand in `work` and return what the step that covered it returned, or raise what it raised."""
        mine = _Place[Work, Outcome](work)
        mine.turn.acquire()
        with self._gate:
            self._waiting.append(mine)
            mine.leads, self._led = not self._led, True
        if not mine.leads:
            try:
                self._wait(mine)
            except BaseException:
                self._leave(mine)
                raise
        if mine.leads:
            self._lead()
        else:
            self._call(mine.after)
        if mine.error is not None:
            raise mine.error
        return mine.outcome

    def _wait(self, mine: _Place[Work, Outcome]) -> None:
        mine.turn.acquire()

    def _lead(self) -> None:
        """Run the step for those in front, the leader first among them, then call the next leader and them."""
        with self._gate:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        passed_on = False
        try:
            outcome = self._run([place.work for place in group])
            if self._finish is not None:
                self._pass_on()
                passed_on = True
                outcome = self._finish(outcome)
        except BaseException as error:
            for place in group:
                place.error = error
            if not isinstance(error, Exception):
                raise
        else:
            for place in group:
                place.outcome = outcome
        finally:
            if not passed_on:
                self._pass_on()
            for place, after in zip(group[1:], group[1 + _WOKEN :], strict=False):
                place.after = after
            for place in group[1 : 1 + _WOKEN]:
                self._call(place)

    def _pass_on(self) -> None:
        with self._gate:
            self._led = bool(self._waiting)
            if not self._waiting:
                return
            following = self._waiting[0]
            following.leads = True
        self._call(following)

    def _call(self, place: _Place[Work, Outcome] | None) -> None:
        """It is this writer's turn; if it is gone, that of the one it would have woken."""
        while place is not None:
            with self._gate:
                place.turn.release()
                if not place.gone:
                    return
            place = place.after

    def _leave(self, mine: _Place[Work, Outcome]) -> None:
        """A writer that was interrupted takes its work back if no group has it yet, and leads nobody."""
        with self._gate:
            self._waiting = [place for place in self._waiting if place is not mine]
            mine.gone = True
            called = mine.turn.acquire(blocking=False)
        if mine.leads:
            self._pass_on()
        elif called:
            self._call(mine.after)
