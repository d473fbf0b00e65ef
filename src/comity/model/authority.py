"""Who acts: an authority of a jurisdiction, and the roles of the people in it (design §9)."""

from dataclasses import dataclass
from enum import StrEnum

FOR = " for "
"""Between a deputy and the person whose deputy they are; no name holds a space."""


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
    """Somebody signed in, with the one role they act in.

    `id` is what events call them: the name of their account, or "mei for lok" while mei acts as lok's deputy,
    in lok's role. `human` is the personnel number (empty: the account's name); `stands_for` that of the person
    whose deputy they are, or "".
    """

    id: str
    role: Role
    human: str = ""
    stands_for: str = ""

    @property
    def account(self) -> str:
        """The name they signed in with."""
        return self.id.partition(FOR)[0]

    @property
    def humans(self) -> frozenset[str]:
        """Whose acts these are: of the human, and of the one whose deputy they are."""
        return humans_in(human_of(self))


def human_of(person: Person) -> str:
    """Who is behind the account, as decisions record it: "P-12", or "P-12 for P-34" for a deputy.

    Four eyes compares these with `humans_in`, never accounts: one human may have several.
    """
    human = person.human or person.account
    return f"{human}{FOR}{person.stands_for}" if person.stands_for else human


def humans_in(recorded: str) -> frozenset[str]:
    """The humans whom `human_of` recorded; none for ""."""
    return frozenset(recorded.split(FOR)) if recorded else frozenset()
