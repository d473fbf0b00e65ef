"""Run one fuzzer: only errors of our own tree may come out, soon, and without filling the memory."""

import random
import resource
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from comity.errors import ComityError
from tests.fuzz.mutate import mutated

SLOWEST_SECONDS = 3.0
"""Processor time for one input. The slowest is far below; this is where a bomb would be."""
MOST_MEMORY_KIB = 400 * 1024
MOST_KEPT = 2_000
MOST_KEPT_BYTES = 256 * 1024
MOST_BYTES = 4 * 1024 * 1024
"""Inputs longer than this are cut: what a reader does with its own limit is its own test's matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`read` is given bytes as they came; what it returns is not looked at. `samples` are valid."""

    name: str
    samples: Sequence[bytes]
    read: Callable[[bytes], object]
    weight: float = 1.0
    """Share of the inputs a second that others manage: below 1 for slow ones."""


@dataclass(slots=True)
class Crash:
    """An input that got another exception, or took too long."""

    target: str
    data: bytes
    problem: str

    def __str__(self) -> str:
        return f"{self.target}: {self.problem}\n  input ({len(self.data)} bytes): {self.data[:400]!r}"


@dataclass(slots=True)
class Run:
    """`answers`: each kind of answer and how often. An input with a new kind of answer is kept as a sample."""

    target: Target
    dice: random.Random
    inputs: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    crashes: list[Crash] = field(default_factory=list)
    slowest: float = 0.0
    slowest_input: bytes = b""
    _corpus: list[bytes] = field(default_factory=list)

    def samples(self) -> None:
        """The valid ones are accepted, or the fuzzer does not test what it says."""
        for sample in self.target.samples:
            self._corpus.append(sample)
            self.target.read(sample)

    def once(self) -> None:
        data = mutated(self.dice.choice(self._corpus), self._corpus, self.dice)[:MOST_BYTES]
        answer = self._try(data)
        if answer not in self.answers and len(self._corpus) < MOST_KEPT and len(data) < MOST_KEPT_BYTES:
            self._corpus.append(data)
        self.answers[answer] = self.answers.get(answer, 0) + 1
        self.inputs += 1

    def _try(self, data: bytes) -> str:
        began = time.process_time()
        try:
            answer = f"read {kind_of(self.target.read(data))}"
        except ComityError as error:
            answer = way_of(error)
        except Exception as error:  # noqa: BLE001 - what must not happen, whatever it is
            answer = f"crash {way_of(error)}"
            if answer not in self.answers:
                self._crash(data, f"{type(error).__name__}: {error}"[:400] + f" at {way_of(error)[-200:]}")
        took = time.process_time() - began
        if took > self.slowest:
            self.slowest, self.slowest_input = took, data
        if took > SLOWEST_SECONDS:
            self._crash(data, f"took {took:.1f} s")
        return answer

    def _crash(self, data: bytes, problem: str) -> None:
        self.crashes.append(Crash(target=self.target.name, data=data, problem=problem))


def way_of(error: BaseException) -> str:
    """Through which lines an error came, and its cause: what shows that an input got further than others."""
    frames = traceback.extract_tb(error.__traceback__)[1:][-6:]
    places = [f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in frames]
    cause = [way_of(error.__cause__)] if error.__cause__ is not None else []
    return " ".join([type(error).__name__, *places, *cause])


def kind_of(said: object) -> str:
    """A reader that answers in words, rather than by raising, says which of its answers it was."""
    return said if isinstance(said, str) else type(said).__name__


def fuzz(target: Target, *, seed: int, inputs: int | None = None, seconds: float | None = None) -> Run:
    """`inputs` mutations (the same every time), or as many as `seconds` allow."""
    run = Run(target=target, dice=random.Random(f"{seed} {target.name}"))
    run.samples()
    memory, ends = _memory_kib(), time.monotonic() + (seconds or 0.0)
    while run.inputs < inputs if inputs is not None else time.monotonic() < ends:
        run.once()
    grown = _memory_kib() - memory
    if grown > MOST_MEMORY_KIB:
        run.crashes.append(Crash(target=target.name, data=b"", problem=f"memory grew by {grown // 1024} MiB"))
    return run


def _memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
