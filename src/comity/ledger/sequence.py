"""Group commit: many writers, one durable step for all who wait. Threads only, no I/O of its own.

Whoever comes first runs the step for everybody who is waiting; who comes while it runs is in the next one, which
the first of them runs. So a writer whose work was handed in before `run` was called is covered by it, and the cost
of making things durable (a transaction, a sequence, tiles, a signed checkpoint) is shared. If the step fails,
every member of its group gets the error; none is told that it succeeded.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


class _Place(Generic[Work, Outcome]):
    """One writer in the queue; called when its work is done, or when it is to lead the next group."""

    __slots__ = ("called", "error", "leads", "outcome", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.called = threading.Event()
        self.leads = False
        self.outcome: Outcome
        self.error: BaseException | None = None


class Sequencer(Generic[Work, Outcome]):
    """`run` receives the work of the group in the order it was handed in, at most `most` at once."""

    def __init__(self, run: Callable[[Sequence[Work]], Outcome], *, most: int = 4096) -> None:
        self._run = run
        self._most = most
        self._gate = threading.Lock()
        self._led = False
        self._waiting: list[_Place[Work, Outcome]] = []

    def submit(self, work: Work) -> Outcome:
        """Hand in `work` and return what the step that covered it returned, or raise what it raised."""
        mine = _Place[Work, Outcome](work)
        with self._gate:
            self._waiting.append(mine)
            mine.leads, self._led = not self._led, True
        if not mine.leads:
            try:
                mine.called.wait()
            except BaseException:
                self._leave(mine)
                raise
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.outcome

    def _lead(self) -> None:
        """Run the step for those in front, the leader first among them, then call the next leader and them."""
        with self._gate:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            outcome = self._run([place.work for place in group])
        except BaseException as error:
            for place in group:
                place.error = error
            if not isinstance(error, Exception):
                raise
        else:
            for place in group:
                place.outcome = outcome
        finally:
            self._pass_on()
            for place in group:
                place.called.set()

    def _pass_on(self) -> None:
        with self._gate:
            self._led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].called.set()

    def _leave(self, mine: _Place[Work, Outcome]) -> None:
        """A writer that was interrupted takes its work back if no group has it yet, and leads nobody."""
        with self._gate:
            self._waiting = [place for place in self._waiting if place is not mine]
        if mine.leads:
            self._pass_on()
