"""A deadline: a row with the rule that set it, frozen when it was set, claimed once by the sweeper."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When `due_at` passes, `event` happens to the subject, unless the deadline was cleared before.

    `subject` is `hold` or `request`; `rule` names procedure, version and rule; `kind` is `L` (legal) or
    `T` (target: passing it is recorded, and changes nothing by itself unless the procedure has the event).
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
