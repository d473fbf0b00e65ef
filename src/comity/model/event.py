"""An event: one thing the node did. Nothing happens that is not an event (design §1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`kind` is `subject.past-participle`, for example `hold.placed`. `actor` is a person, `policy` or `node`.

    `body` holds JSON values only (no floats): it is committed to the log as canonical bytes.
    """

    id: str
    at: datetime
    kind: str
    case_id: str
    actor: str
    body: Mapping[str, Any]
