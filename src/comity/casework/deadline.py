"""A deadline: a row with the rule that set it, frozen when it was set, claimed once by the sweeper."""

from dataclasses import dataclass
from datetime import datetime

REMIND = "/remind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When `due_at` passes, `event` happens to the subject, unless the deadline was cleared before.

    `subject` is `hold`, `request`, `item` or `matter`; `rule` names procedure, version and rule; `kind` is `L`
    (legal) or `T` (target: passing it is recorded, and changes nothing by itself unless the procedure has the
    event). `source` says where the term is from and, for working days, by which calendar it was counted. `escalate`
    is the role that is told once it has passed, or "". A reminder of a deadline is a row of its own: the same rule
    and `REMIND`, without event.
    """

    id: str
    subject: str
    subject_id: str
    rule: str
    event: str
    kind: str
    source: str
    set_at: datetime
    due_at: datetime
    state: str
    escalate: str = ""

    @property
    def name(self) -> str:
        """The rule's own name, for people: without procedure and version."""
        return self.rule.split("/", 2)[-1]

    @property
    def reminds_of(self) -> str:
        """The rule that this row reminds of, or ""."""
        return self.rule.removesuffix(REMIND) if self.rule.endswith(REMIND) else ""
