"""Decide, by the seed, what goes wrong when; and put everything right at the end."""

import heapq
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from comity.errors import StorageError
from tests.faults.harness.field import BAD_CLOCK, WEATHERED, Field
from tests.faults.harness.proxy import Link

BAD_LINKS = [link for link in Link if link is not Link.OPEN]
WORST_SKEW = 240
"""Seconds; within what nodes bear from one another (`exchange.MAX_SKEW`), so that nothing is refused for good."""
MOST_BROKEN_AT_ONCE = 6
Undo = Callable[[], None]


@dataclass(slots=True)
class Director:
    """`diary` says what was done when, in seconds since the start; `counts` how often each."""

    nodes: Field
    dice: random.Random
    diary: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _undo: list[tuple[float, int, Undo]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)
    _began: float = field(default_factory=time.monotonic)

    def storm(self, *, until: Callable[[], bool], most_seconds: float) -> None:
        """One fault after another, each put right after a while, until there is nothing left to be said."""
        while not until():
            if time.monotonic() - self._began > most_seconds:
                raise AssertionError(f"the writers had not finished after {most_seconds:.0f} s")
            self._refuse_deaths()
            self._put_right(time.monotonic())
            if len(self._undo) < MOST_BROKEN_AT_ONCE:
                self._break_something()
            time.sleep(self.dice.uniform(0.05, 0.5))

    def _refuse_deaths(self) -> None:
        """Nobody dies but by our hand; who finds no space may end, says so, and is started again."""
        for name, process in self.nodes.processes.items():
            status = process.poll()
            if status == StorageError.exit_status and name in self.nodes.starved:
                self.counts["ended for want of space"] += 1
                self._start(name)
            elif status not in (None, 0, -signal.SIGKILL):
                raise AssertionError(
                    f"{name} ended by itself with {status}; see {self.nodes.folder}/{name}.log"
                )

    def calm(self) -> None:
        """Put everything right at once, and start whoever is dead."""
        self._put_right(float("inf"))
        for name in self.nodes.homes:
            if not self.nodes.running(name):
                self.nodes.start(name)

    def _put_right(self, now: float) -> None:
        while self._undo and self._undo[0][0] <= now:
            heapq.heappop(self._undo)[2]()

    def _after(self, least: float, most: float, undo: Undo) -> None:
        due = time.monotonic() + self.dice.uniform(least, most)
        heapq.heappush(self._undo, (due, next(self._order), undo))

    def _note(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.diary.append(f"{time.monotonic() - self._began:7.2f} {kind}: {what}")

    def _break_something(self) -> None:
        deeds = [self._kill_node] * 4 + [self._kill_writer] * 2 + [self._break_link] * 5
        deeds += [self._fill_disk] * 2 + [self._skew_clock, self._bad_courier, self._bad_courier]
        self.dice.choice(deeds)()

    def _kill_node(self) -> None:
        name = self.dice.choice(sorted(self.nodes.homes))
        if self.nodes.running(name):
            self.nodes.kill(name)
            self._note("node killed", name)
            self._after(0.0, 1.5, lambda: self._start(name))

    def _start(self, name: str) -> None:
        if not self.nodes.running(name):
            self.nodes.start(name)

    def _kill_writer(self) -> None:
        name = f"writer-{self.dice.choice(sorted(self.nodes.homes))}"
        if self.nodes.running(name):
            self.nodes.kill(name)
            self._note("writer killed", name)
            self._after(0.0, 0.5, lambda: self._start(name))

    def _break_link(self) -> None:
        """Between one node and another, or one and all others; in one direction, or in both."""
        one, *others = self.dice.sample(
            sorted(self.nodes.homes), self.dice.choice([2, len(self.nodes.homes)])
        )
        link = self.dice.choice(BAD_LINKS)
        pairs = [(one, other) for other in others]
        if self.dice.random() < 0.7:
            pairs += [(other, one) for other in others]
        for pair in pairs:
            self.nodes.proxies.set(pair, link)
        self._note(f"link {link.value}", " and ".join(f"{a} to {b}" for a, b in pairs))

        def heal() -> None:
            for pair in pairs:
                self.nodes.proxies.set(pair, Link.OPEN)

        self._after(0.5, 6.0, heal)

    def _fill_disk(self) -> None:
        name = self.dice.choice(sorted(self.nodes.homes))
        self.nodes.fill_disk(name)
        self._note("disk full", name)
        self._after(0.3, 2.5, lambda: self.nodes.free_disk(name))

    def _skew_clock(self) -> None:
        seconds = self.dice.randint(-WORST_SKEW, WORST_SKEW)
        self._weather(BAD_CLOCK, skew_seconds=seconds)
        self._note("clock wrong", f"{BAD_CLOCK} by {seconds} s")

    def _bad_courier(self) -> None:
        name = self.dice.choice(WEATHERED)
        how = {
            kind: self.dice.choice([0.0, 0.1, 0.3]) for kind in ("twice", "late", "answer_lost", "corrupt")
        }
        self._weather(name, **how)
        self._note("bad courier", f"{name} {how}")

    def _weather(self, name: str, **weather: float) -> None:
        self.nodes.set_weather(name, **weather)
        self._after(1.0, 6.0, lambda: self.nodes.set_weather(name))
