"""A person's consents, and what leaves the vault under them: per purpose and recipient, until they end."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comity.casework.victim import (
    LONGEST_CONSENT,
    Consent,
    Disclosure,
    Purpose,
    check_fields,
    check_recipient,
    require_consent,
    withdrawn,
)
from comity.errors import InputError
from comity.law import Action
from comity.node.vault.acts import Vault, person_of, recorded_act
from comity.node.vault.people import towards

LONGEST_HOW = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """What one recipient gets: the person under that recipient's own pseudonym, and the consented fields."""

    person: str
    recipient: str
    purpose: Purpose
    record: dict[str, str]
    until: datetime
    """When the consent ends; what was given is to be used no longer."""


def consent(
    vault: Vault,
    pseudonym: str,
    *,
    purpose: Purpose,
    recipient: str,
    fields: tuple[str, ...],
    days: int,
    how: str,
) -> Consent:
    """Record that the person consented to `recipient` having these fields for this purpose, for so many days."""
    check_recipient(recipient)
    check_fields(fields)
    _check_terms(days, how)
    node, now = vault.node, vault.node.clock()
    given = Consent(
        id=node.new_id("consent"), purpose=purpose, recipient=recipient, fields=fields, how=how.strip(), given_at=now,
        expires_at=now + timedelta(days=days), recorded_by=vault.person.id,
    )  # fmt: skip
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.consented") as act:
        victim = person_of(act, pseudonym)
        _, after = towards(act, node, victim, recipient)
        act.rows.put(replace(after, consents=(*after.consents, given)))
        act.purpose = purpose.value
    return given


def withdraw(vault: Vault, pseudonym: str, consent_id: str) -> Consent:
    """Record that the person took a consent back: nothing leaves under it any more."""
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.consent-withdrawn") as act:
        victim = withdrawn(person_of(act, pseudonym), consent_id, vault.node.clock())
        gone = next(one for one in victim.consents if one.id == consent_id)
        _, after = towards(act, vault.node, victim, gone.recipient)
        act.rows.put(after)
        act.purpose = gone.purpose.value
    return gone


def disclose(vault: Vault, pseudonym: str, *, purpose: Purpose, recipient: str) -> Disclosed:
    """What `recipient` may have of the person for `purpose` now; `NoConsent` unless a consent lives."""
    check_recipient(recipient)
    if purpose is Purpose.SCREENING_STATEMENT:
        raise InputError.because(
            expected="a purpose for fields of the record", got=purpose.value,
            remedy="A screening's result is stated by: comity victim state",
        )  # fmt: skip
    node, now = vault.node, vault.node.clock()
    with recorded_act(vault, Action.DISCLOSE_VICTIM, "victim.disclosed") as act:
        victim = person_of(act, pseudonym)
        given = require_consent(victim, purpose, recipient, now)
        alias, after = towards(act, node, victim, recipient)
        shown = {field: victim.record[field] for field in given.fields if field in victim.record}
        done = Disclosure(
            at=now,
            by=vault.person.id,
            consent=given.id,
            purpose=purpose,
            recipient=recipient,
            fields=tuple(shown),
        )
        act.rows.put(replace(after, disclosures=(*after.disclosures, done)))
        act.purpose = purpose.value
    return Disclosed(
        person=alias.pseudonym, recipient=recipient, purpose=purpose, record=shown, until=given.expires_at
    )


def _check_terms(days: int, how: str) -> None:
    if not 1 <= days <= LONGEST_CONSENT.days:
        raise InputError.because(expected=f"1 to {LONGEST_CONSENT.days} days", got=str(days), where="days")
    if not 3 <= len(how.strip()) <= LONGEST_HOW:
        raise InputError.because(
            expected=f"how the person consented, in 3 to {LONGEST_HOW} characters",
            got=f"{len(how)}",
            where="how",
        )
