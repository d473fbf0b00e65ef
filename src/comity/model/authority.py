"""Who acts: an authority of a jurisdiction, and the roles of the people in it (design §9)."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of people on a node. An administrator sees no case."""

    ANALYST = "analyst"
    SUPERVISOR = "supervisor"
    CENTRAL_AUTHORITY = "central-authority"
    PROSECUTOR = "prosecutor"
    BORDER_OFFICER = "border-officer"
    VICTIM_SUPPORT = "victim-support-officer"
    OVERSIGHT = "oversight"
    DEFENCE = "defence-counsel"
    TRAINING = "training"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A node's authority. `jurisdiction` is ISO 3166-1 alpha-2 (HK and MO have codes of their own)."""

    id: str
    name: str
    jurisdiction: str
    oversight: bool = False
    """True for a body that only witnesses: it holds no book and is never asked for data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody signed in, or a machine acting under a standing policy (`role` is then the policy's)."""

    id: str
    role: Role
