"""A victim as the vault keeps them: the record, pseudonyms, screenings, consents, reflection. Pure.

What may leave and what may happen to the person is decided here, from these values and the time. Nothing here is ever
written outside the vault; what the node's own log says of it is in `comity.node.vault.acts`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.law.trafficking import Assessment, Finding, assess, protection_need, together

FIELDS = (
    "name", "other_names", "born", "sex", "nationality", "languages", "contact", "documents", "whereabouts",
    "family", "health", "needs", "account", "wishes", "notes",
)  # fmt: skip
"""What a record may hold, each a text. Which of them leave is for each consent to say."""
DEADLINE = "victim"
"""The subject of deadline rows about a person; the subject's id is the pseudonym that the node itself uses."""
LONGEST_TEXT = 20_000
LONGEST_CONSENT = timedelta(days=366)
"""A consent is asked for again after a year at the latest: people's situations change."""
PSEUDONYM = re.compile(r"victim-[0-9a-f]{16,64}")
_RECIPIENT = re.compile(r"[a-z0-9][a-z0-9.-]{1,59}")


class Purpose(StrEnum):
    """What something may leave the vault for. A closed list: the log says the purpose, and must name nobody."""

    SCREENING_STATEMENT = "screening-statement"
    ASSISTANCE = "assistance"
    SHELTER = "shelter"
    MEDICAL_CARE = "medical-care"
    LEGAL_AID = "legal-aid"
    INTERVIEW = "interview"
    """By investigators."""
    TESTIMONY = "testimony"
    COMPENSATION = "compensation"
    RESIDENCE = "residence"
    FAMILY_TRACING = "family-tracing"
    CONSULAR_HELP = "consular-help"
    RETURN = "return"


class NoConsent(Forbidden):
    """The person has not consented to this purpose and recipient, or not any more."""

    code = "victim.no-consent"
    remedy = "Ask the person. Without consent nothing leaves the vault but a pseudonym."


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """What the person is called in one case towards one recipient, and nowhere else."""

    pseudonym: str
    case_id: str
    recipient: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """One conversation with the person. How it was held is answered yes, no or unknown; `recorded_by` is a human."""

    at: datetime
    by: str
    """Who asked: the office or organisation, in words."""
    recorded_by: str
    independent_of_origin: str
    independent_of_receiver: str
    in_person: str
    interpreter: str
    answers: Mapping[str, str]
    protection: Mapping[str, str]

    @property
    def independent(self) -> bool:
        return self.independent_of_origin == self.independent_of_receiver == "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The person's word: these fields, to this recipient, for this purpose, until then or until withdrawn."""

    id: str
    purpose: Purpose
    recipient: str
    fields: tuple[str, ...]
    how: str
    given_at: datetime
    expires_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        return self.withdrawn_at is None and self.given_at <= now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflection:
    """`source`: what the length was taken from."""

    began_at: datetime
    ends_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAssessment:
    """`outcome` as the table on safe return says; `text` is the assessment itself."""

    at: datetime
    by: str
    facts: Mapping[str, str]
    text: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What left, to whom, under which consent."""

    at: datetime
    by: str
    consent: str
    purpose: Purpose
    recipient: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """That a screening's result was stated to a recipient: the digests of what was said."""

    digests: tuple[str, ...]
    recipient: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """One person. The first alias is the node's own: what this node calls the person in the case."""

    id: str
    admitted_at: datetime
    admitted_by: str
    record: Mapping[str, str]
    aliases: tuple[Alias, ...]
    screenings: tuple[Screening, ...] = ()
    consents: tuple[Consent, ...] = ()
    reflection: Reflection | None = None
    returns: tuple[ReturnAssessment, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    statements: tuple[Statement, ...] = ()
    presumed_at: datetime | None = None
    """Set by the first screening that presumes, and never taken back by a later one."""

    @property
    def pseudonym(self) -> str:
        return self.aliases[0].pseudonym

    @property
    def case_id(self) -> str:
        return self.aliases[0].case_id

    def answers(self) -> dict[str, str]:
        """What all screenings found together: once yes stays yes."""
        said: dict[str, str] = {}
        for one in self.screenings:
            said = together(said, one.answers)
        return said

    def assessment(self) -> Assessment:
        """The finding over all screenings; a presumption, once made, stands whatever was answered later."""
        found = assess(self.answers())
        return replace(found, finding=Finding.PRESUMED) if self.presumed_at is not None else found

    def protection_need(self) -> str:
        """`yes`, `no` or `unknown` over all screenings."""
        said: dict[str, str] = {}
        for one in self.screenings:
            said = together(said, one.protection)
        return protection_need(said)

    def screened_independently(self) -> str:
        """`yes` if somebody independent of both sides screened this very person."""
        return "yes" if any(one.independent for one in self.screenings) else "no"

    def reflecting(self, now: datetime) -> bool:
        return self.reflection is not None and now < self.reflection.ends_at

    def alias(self, case_id: str, recipient: str) -> Alias | None:
        return next(
            (one for one in self.aliases if (one.case_id, one.recipient) == (case_id, recipient)), None
        )

    def live_consent(self, purpose: Purpose, recipient: str, now: datetime) -> Consent | None:
        """The newest one that covers this purpose and this recipient now."""
        live = [
            one for one in self.consents
            if one.purpose is purpose and one.recipient == recipient and one.lives(now)
        ]  # fmt: skip
        return live[-1] if live else None


def require_consent(victim: Victim, purpose: Purpose, recipient: str, now: datetime) -> Consent:
    """The live consent for this, or `NoConsent`, which names nobody."""
    found = victim.live_consent(purpose, recipient, now)
    if found is None:
        raise NoConsent(f"expected a live consent to {purpose} for {recipient}, got none")
    return found


def screened(victim: Victim, screening: Screening) -> Victim:
    """With one more screening. What it adds may presume; nothing of it takes a presumption away."""
    assess(screening.answers)
    protection_need(screening.protection)
    after = replace(victim, screenings=(*victim.screenings, screening))
    if after.presumed_at is None and assess(after.answers()).finding is Finding.PRESUMED:
        return replace(after, presumed_at=screening.at)
    return after


def withdrawn(victim: Victim, consent_id: str, at: datetime) -> Victim:
    """With that consent withdrawn. `NotFound` or `Conflict`."""
    found = next((one for one in victim.consents if one.id == consent_id), None)
    if found is None:
        raise NotFound.because(expected="a consent of this person", got=repr(consent_id[:60]))
    if found.withdrawn_at is not None:
        raise Conflict.because(expected="a consent that stands", got="one withdrawn before")
    gone = replace(found, withdrawn_at=at)
    return replace(victim, consents=tuple(gone if one is found else one for one in victim.consents))


def check_record(record: Mapping[str, object]) -> dict[str, str]:
    """A record in its form. What is wrong is said by field, never by what stands in it."""
    for field, text in record.items():
        if field not in FIELDS:
            raise InputError.because(expected=f"fields among {', '.join(FIELDS)}", got="another one")
        if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
            raise InputError.because(
                expected=f"a text of 1 to {LONGEST_TEXT} characters", got="none", where=field
            )
    if not record:
        raise InputError.because(expected="at least one field of a record", got="none")
    return {field: str(text) for field, text in record.items()}


def check_recipient(text: str) -> str:
    """Recipients are compared letter by letter, so they have one form: `th-dsi`, `shelter-mae-sot`."""
    if not _RECIPIENT.fullmatch(text):
        raise InputError.because(
            expected="a recipient's id: 2 to 60 small letters, digits, points and hyphens", got="another form"
        )
    return text


def check_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Fields of a record that a consent names, each once; none: a pseudonym and what the purpose itself says."""
    unknown = [one for one in fields if one not in FIELDS]
    if unknown or len(set(fields)) != len(fields):
        raise InputError.because(
            expected=f"fields, each once, among {', '.join(FIELDS)}", got=", ".join(unknown) or "one twice"
        )
    return fields
