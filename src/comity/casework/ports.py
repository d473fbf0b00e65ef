"""What casework needs from a database. Every method runs in the transaction its store belongs to.

All or nothing: when the transaction ends in an error or the process dies, nothing of it is visible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from comity.casework.case import Case, CaseTrace
from comity.casework.deadline import Deadline
from comity.casework.hold import Hold
from comity.casework.joint_rounds import Found, Hit, Listed, Round, Setting, Target
from comity.casework.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to send, and what to keep for the next step (`Matching`)."""

    document: Mapping[str, Any]
    secret: Mapping[str, Any]


class CaseStore(Protocol):
    def add(self, case: Case) -> None: ...

    def get(self, case_id: str) -> Case:
        """Raise `NotFound` when there is none."""

    def find(self, case_id: str) -> Case | None: ...

    def of_origin(self, origin: str, origin_case: str) -> Case | None: ...

    def opened_since(self, origin: str, since: datetime) -> int:
        """How many cases of `origin` were opened here since then."""

    def all(self) -> Sequence[Case]:
        """Newest first."""

    def to_pursue(self) -> Sequence[Case]:
        """Cases with `pursuit_done < pursuit_wanted`, oldest first."""

    def want_pursuit(self, case_id: str) -> None: ...

    def pursued(self, case_id: str, upto: int) -> None: ...

    def put_trace(self, trace: CaseTrace) -> None:
        """Replace the trace of this case and source."""

    def drop_trace(self, case_id: str, source: str) -> None: ...

    def traces(self, case_id: str) -> Sequence[CaseTrace]: ...


class RequestStore(Protocol):
    def put(self, request: Request) -> None:
        """Insert, or replace the request with this id."""

    def get(self, request_id: str) -> Request: ...

    def by_message(self, peer: str, message_id: str) -> Request | None:
        """The request that arrived from `peer` in this message."""

    def of_case(self, case_id: str) -> Sequence[Request]:
        """In the order in which they were made."""

    def received_since(self, case_id: str, peer: str, since: datetime) -> int:
        """How many requests of `peer` in this case arrived since then."""

    def received_of(self, peer: str, since: datetime) -> tuple[int, int]:
        """How many requests of `peer` arrived since then, in all its cases, and the `unmatched` of them together."""

    def all(self) -> Sequence[Request]: ...


class HoldStore(Protocol):
    def put(self, hold: Hold) -> None: ...

    def get(self, holder: str, hold_id: str) -> Hold:
        """Raise `NotFound` when there is none."""

    def find(self, holder: str, hold_id: str) -> Hold | None: ...

    def of_case(self, case_id: str) -> Sequence[Hold]: ...

    def all(self) -> Sequence[Hold]: ...


class DeadlineStore(Protocol):
    def add(self, deadline: Deadline) -> None: ...

    def clear(self, subject: str, subject_id: str, rules: Sequence[str]) -> None:
        """Pending deadlines of these rules will not come due any more."""

    def due(self, now: datetime) -> Sequence[Deadline]:
        """Pending ones whose time has come, in order of their time."""

    def next_due(self, now: datetime) -> Deadline | None:
        """The first of these: whoever asks in a writing transaction claims in the order in which they fall due."""

    def pending(self) -> Sequence[Deadline]:
        """All that may still come due, in order of their time."""

    def all(self) -> Sequence[Deadline]: ...

    def finish(self, deadline_id: str) -> bool:
        """Claim it: True for exactly one caller, ever."""

    def of_subject(self, subject: str, subject_id: str) -> Sequence[Deadline]: ...


class Matching(Protocol):
    """How two nodes find out which targets both of them list, in four messages; what is in them is its own affair.

    Each step takes what the other side sent and what we kept (`secret`), and gives what to send and what to keep: JSON
    values. It raises `InputError` for what the other side may not send. Nobody may be able to find a target in the
    answer that was not among those committed to before the question was seen.
    """

    name: str
    """Both sides must use the same."""

    def open(self) -> Step:
        """The asker begins; nothing of its targets is in it."""

    def commit(self, setting: Setting, opened: Mapping[str, Any], listed: Sequence[Listed]) -> Step:
        """The answerer binds itself to all that it lists."""

    def ask(
        self,
        setting: Setting,
        secret: Mapping[str, Any],
        committed: Mapping[str, Any],
        wanted: Sequence[Listed],
    ) -> Step:
        """The asker names what it asks about; it has seen nothing of the answerer's targets."""

    def answer(
        self, setting: Setting, secret: Mapping[str, Any], asked: Mapping[str, Any], listed: Sequence[Listed]
    ) -> tuple[Step, Sequence[Found]]: ...

    def conclude(
        self,
        setting: Setting,
        secret: Mapping[str, Any],
        answered: Mapping[str, Any],
        wanted: Sequence[Listed],
    ) -> Sequence[Found]: ...


class TargetStore(Protocol):
    """Targets, rounds and hits of deconfliction."""

    def list_target(self, target: Target) -> None: ...

    def listed(self, compact: str, now: datetime) -> Sequence[Target]:
        """What is listed now in that compact, the oldest first."""

    def put_round(self, one: Round) -> None:
        """Insert, or replace the round of this direction, peer and id."""

    def round(self, direction: str, peer: str, round_id: str) -> Round | None: ...

    def rounds_since(self, direction: str, peer: str, since: datetime) -> int: ...

    def put_hit(self, hit: Hit) -> None: ...

    def hit(self, peer: str, reference: str) -> Hit | None: ...
