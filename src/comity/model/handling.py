"""What a receiver may do with what it was sent: obligations, not a colour (design §4)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


ACTIONS = (
    "read", "search", "link", "derive", "disclose_onward", "judicial_use", "contact_subject", "automated_match",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Set by the originator; only the originator relaxes it. An action not named means `ask`."""

    originator: str
    audience: tuple[str, ...]
    purposes: tuple[str, ...]
    actions: dict[str, Permission] = field(default_factory=dict)
    retention_days: int = 90
    caveat: str = ""

    def may(self, action: str) -> Permission:
        return self.actions.get(action, Permission.ASK)
