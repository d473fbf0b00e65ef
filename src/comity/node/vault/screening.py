"""Screen a person for trafficking and for a need for protection, and state the result to whoever must know it.

A hand-over can be fed from here only: each of its two screenings must be a statement of this vault (`require_stated`),
which leaves with the person's consent, under the recipient's pseudonym, and is withdrawn when a later screening finds
something else. Who the person is, and of what nationality, goes into neither.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from comity.backends.sql import Transaction
from comity.casework.victim import Purpose, Screening, Statement, Victim, check_recipient, require_consent
from comity.casework.victim import screened as with_screening
from comity.errors import Conflict, Forbidden, InputError
from comity.law import Action
from comity.law.safeguards import ANSWERS
from comity.law.trafficking import Assessment, Finding
from comity.model import Person, human_of
from comity.node.bootstrap import Node
from comity.node.vault.acts import ACTS, Vault, person_of, recorded_act
from comity.node.vault.people import towards
from comity.proofs.canonical import canonical_bytes
from comity.tracing import time_text

LONGEST_NAME = 200
STATED = ("screening_victim", "screening_protection")
"""The facts of a hand-over that are statements of a vault (`law/data/procedures/handover.yaml`)."""


class NotStated(Forbidden):
    """A screening that no victims' vault of this node states."""

    code = "victim.not-stated"
    remedy = "A victim-support officer states it from the vault: comity victim state DIR VICTIM --recipient R --as NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How a screening was held, each answered yes, no or unknown."""

    independent_of_origin: str = "unknown"
    independent_of_receiver: str = "unknown"
    in_person: str = "unknown"
    interpreter: str = "unknown"
    """Yes also where none was needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What all screenings of the person found together."""

    victim: str
    assessment: Assessment
    protection_need: str
    independent: str


def screen(
    vault: Vault,
    pseudonym: str,
    *,
    by: str,
    held: Held,
    answers: Mapping[str, str],
    protection: Mapping[str, str],
) -> Screened:
    """Record one screening. What it finds adds to what others found; it takes no presumption away."""
    _check_held(by, held)
    node = vault.node
    screening = Screening(
        at=node.clock(), by=by.strip(), recorded_by=human_of(vault.person), answers=dict(answers),
        protection=dict(protection), independent_of_origin=held.independent_of_origin,
        independent_of_receiver=held.independent_of_receiver, in_person=held.in_person, interpreter=held.interpreter,
    )  # fmt: skip
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.screened") as act:
        before = person_of(act, pseudonym)
        after = with_screening(before, screening)
        if before.statements and _found(before) != _found(after):
            act.beside.append(lambda tx: _withdraw_statements(node, tx, before, vault.person))
            after = replace(after, statements=())
        act.rows.put(after)
        return outcome_of(after)


def outcome_of(victim: Victim) -> Screened:
    return Screened(
        victim=victim.pseudonym, assessment=victim.assessment(), protection_need=victim.protection_need(),
        independent=victim.screened_independently(),
    )  # fmt: skip


def state(vault: Vault, pseudonym: str, *, recipient: str, known_as: str = "") -> dict[str, Any]:
    """The facts that a hand-over's screenings need, for one recipient: `person.id` and one object for each screening.

    `known_as` is what the matter calls the person, where the other side named them first: the officer says that it is
    this very person. What is unknown is left out, so that no guard takes it for absent. Raises `NoConsent`, or
    `Conflict` unless this officer screened this very person independently of both sides.
    """
    check_recipient(recipient)
    if len(known_as) > LONGEST_NAME:
        raise InputError.because(
            expected=f"at most {LONGEST_NAME} characters", got=str(len(known_as)), where="known as"
        )
    node = vault.node
    with recorded_act(vault, Action.DISCLOSE_VICTIM, "victim.screening-stated") as act:
        victim = person_of(act, pseudonym)
        require_consent(victim, Purpose.SCREENING_STATEMENT, recipient, node.clock())
        alias, after = towards(act, node, victim, recipient)
        person = known_as or alias.pseudonym
        said = _statements(vault, victim, person)
        digests = tuple(digest_of(one) for one in said.values())
        act.purpose, act.more["statements"] = Purpose.SCREENING_STATEMENT.value, list(digests)
        kept = Statement(digests=digests, recipient=recipient, at=node.clock())
        act.rows.put(replace(after, statements=(*after.statements, kept)))
        return {"person": {"id": person}, **said}


def require_stated(node: Node, tx: Transaction, facts: Mapping[str, Any]) -> None:
    """Raise `NotStated` if a screening among these facts is not, to the letter, one that this node's vault states.

    From when a node has had a vault; without one its procedures' own gates stand alone. Needs neither the vault nor its
    keys: the log has the digest of each statement, salted by its random id.
    """
    named = [name for name in STATED if name in facts]
    if not named or tx.events.newest_of(ACTS) is None:
        return
    for name in named:
        if not is_stated(tx, facts[name]):
            raise NotStated.because(
                expected="a screening as this node's victims' vault states it, not withdrawn since", got="another",
                where=f"{node.id}, {name}",
            )  # fmt: skip


def is_stated(tx: Transaction, screening: Any) -> bool:
    """Whether the vault stated exactly this, and has not withdrawn it."""
    if not isinstance(screening, Mapping):
        return False
    digest = digest_of(screening)
    undone = {one.body["act"] for one in tx.events.of_kinds(["victim.act-missing"])}
    said = [
        one for one in tx.events.of_kinds(["victim.screening-stated"])
        if digest in one.body["statements"] and one.body["act"] not in undone
    ]  # fmt: skip
    gone = {
        each for one in tx.events.of_kinds(["victim.statement-withdrawn"]) for each in one.body["statements"]
    }
    return bool(said) and digest not in gone


def digest_of(screening: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_bytes(dict(screening))).hexdigest()


def _statements(vault: Vault, victim: Victim, pseudonym: str) -> dict[str, dict[str, Any]]:
    me = human_of(vault.person)
    mine = [one for one in victim.screenings if one.independent and one.recorded_by == me]
    if not mine:
        raise Conflict.because(
            expected="a screening of this very person by you, independent of the state of origin and of the receiver",
            got="none", remedy="Screen the person, whatever the nationality: comity victim screen",
        )  # fmt: skip
    newest, (finding, need) = mine[-1], _found(victim)
    common: dict[str, Any] = {
        "person": pseudonym, "by": me, "at": time_text(newest.at), "independent_of_origin": True,
        "independent_of_receiver": True,
    }  # fmt: skip
    common |= {
        name: answer == "yes"
        for name, answer in (("in_person", newest.in_person), ("interpreter", newest.interpreter))
        if answer != "unknown"
    }
    presumed = {} if finding is Finding.UNKNOWN else {"presumed": finding is Finding.PRESUMED}
    needed = {} if need == "unknown" else {"need": need == "yes"}
    return {
        name: {"statement": vault.node.new_id("statement"), **common, **found}
        for name, found in zip(STATED, (presumed, needed), strict=True)
    }


def _found(victim: Victim) -> tuple[Finding, str]:
    return victim.assessment().finding, victim.protection_need()


def _withdraw_statements(node: Node, tx: Transaction, victim: Victim, person: Person) -> None:
    for one in victim.statements:
        node.record(tx, "victim.statement-withdrawn", actor=person.id, statements=list(one.digests))


def _check_held(by: str, held: Held) -> None:
    if not 2 <= len(by.strip()) <= LONGEST_NAME:
        raise InputError.because(
            expected=f"who screened, in 2 to {LONGEST_NAME} characters", got=f"{len(by.strip())}", where="by"
        )
    for answer in (
        held.independent_of_origin,
        held.independent_of_receiver,
        held.in_person,
        held.interpreter,
    ):
        if answer not in ANSWERS:
            raise InputError.because(expected=f"one of {', '.join(ANSWERS)}", got=repr(answer[:20]))
