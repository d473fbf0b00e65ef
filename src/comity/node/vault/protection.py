"""What protects a person in the vault: reflection, no punishment, no interview without consent, a safe return only.

What stands here answers the officer who is asked "may we?"; it is decided from the vault and told as an answer, never
as a reason that names what is in the record.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.casework.deadline import REMIND
from comity.casework.victim import DEADLINE, Purpose, Reflection, ReturnAssessment, Victim
from comity.errors import Conflict, InputError
from comity.law import Action, safeguards
from comity.law.trafficking import Finding, may_return, non_punishment, reflection_days, rule
from comity.model import Role
from comity.node.bootstrap import Node
from comity.node.vault.acts import Vault, person_of, recorded_act

REFLECTION = "victim/1/reflection"
REMINDED = timedelta(days=7)
"""So long before the end officers are reminded: time to ask the person what they want."""
LONGEST_ASSESSMENT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """May it be done to the person? `yes` or `no`, with the reason; what is not known is no."""

    may: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Everything that others ask about the person before they act."""

    victim: str
    reflection_ends: datetime | None
    removal: Standing
    interview: Standing
    voluntary_return: Standing
    punishment: safeguards.Decision


def reflect(vault: Vault, pseudonym: str, *, days: int | None = None) -> Reflection:
    """Begin the reflection period, or make it longer: a row in the vault, and a deadline row of the node.

    `days` from now; never less than the law room's default, and never an earlier end than the one that stands.
    """
    node, now, length = vault.node, vault.node.clock(), reflection_days(days)
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.reflection-begun") as act:
        victim = person_of(act, pseudonym)
        began = victim.reflection.began_at if victim.reflection else now
        after = Reflection(
            began_at=began, ends_at=now + timedelta(days=length), source=rule().reflection_source
        )
        if victim.reflection is not None and after.ends_at <= victim.reflection.ends_at:
            raise Conflict.because(
                expected=f"an end later than {victim.reflection.ends_at:%Y-%m-%d %H:%M} UTC",
                got=f"{after.ends_at:%Y-%m-%d %H:%M} UTC",
                remedy="A reflection period can be made longer, never shorter.",
            )
        act.rows.put(replace(victim, reflection=after))
        act.beside.append(lambda tx: _set_deadline(node, tx, victim, after))
    return after


def protection(vault: Vault, pseudonym: str, *, compelled: str | None = None) -> Protection:
    """What may be done to the person now. `compelled`: were they made to do what they are accused of?

    Without it, it is taken from the screening: yes if the person said so, else unknown.
    """
    with recorded_act(vault, Action.READ_VICTIM, "victim.protection-read") as act:
        return _protection(person_of(act, pseudonym), vault.node.clock(), compelled)


def assess_return(
    vault: Vault, pseudonym: str, *, assessed: str, safe: str, voluntary: str, by: str, text: str
) -> safeguards.Decision:
    """Record a risk assessment of the person's return, and say what follows: only if clear may they return."""
    facts = {"assessed": assessed, "safe": safe, "voluntary": voluntary}
    decision = may_return(facts)
    if not 1 <= len(text.strip()) <= LONGEST_ASSESSMENT or not by.strip():
        raise InputError.because(
            expected=f"who assessed, and the assessment in 1 to {LONGEST_ASSESSMENT} characters",
            got=f"{len(text)}",
        )
    done = ReturnAssessment(
        at=vault.node.clock(), by=by.strip(), facts=facts, text=text.strip(), outcome=decision.outcome.value
    )
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.return-assessed") as act:
        victim = person_of(act, pseudonym)
        act.rows.put(replace(victim, returns=(*victim.returns, done)))
        act.purpose = Purpose.RETURN.value
    return decision


def _protection(victim: Victim, now: datetime, compelled: str | None) -> Protection:
    finding = victim.assessment().finding
    answer = {Finding.PRESUMED: "yes", Finding.NOT_FOUND: "no", Finding.UNKNOWN: "unknown"}[finding]
    said = "yes" if victim.answers().get("forced_to_offend") == "yes" else "unknown"
    return Protection(
        victim=victim.pseudonym,
        reflection_ends=victim.reflection.ends_at if victim.reflection else None,
        removal=_removal(victim, finding, now),
        interview=_interview(victim, now),
        voluntary_return=_return(victim),
        punishment=non_punishment(
            screened=victim.screened_independently(), victim=answer, compelled=compelled or said
        ),
    )


def _removal(victim: Victim, finding: Finding, now: datetime) -> Standing:
    if victim.reflecting(now):
        return Standing(may="no", reason="The reflection period runs: no removal")
    if finding is Finding.PRESUMED:
        return Standing(may="no", reason="Presumed a victim: only a safe and voluntary return")
    if finding is Finding.UNKNOWN or victim.screened_independently() != "yes":
        return Standing(
            may="no", reason="Not screened to the end by somebody independent: unknown is not absent"
        )
    if victim.protection_need() != "no":
        return Standing(may="no", reason="A need for protection is stated, or not ruled out")
    return Standing(
        may="yes", reason="Screened independently, and neither was found; the other safeguards remain"
    )


def _interview(victim: Victim, now: datetime) -> Standing:
    to = sorted(
        {one.recipient for one in victim.consents if one.purpose is Purpose.INTERVIEW and one.lives(now)}
    )
    if to:
        return Standing(
            may="yes", reason=f"The person consents to an interview by {', '.join(to)}, and by nobody else"
        )
    return Standing(may="no", reason="No interview by investigators without the person's consent")


def _return(victim: Victim) -> Standing:
    if not victim.returns:
        return Standing(may="no", reason="The risk of this very person's return was not assessed")
    newest = may_return(victim.returns[-1].facts)
    clear = newest.outcome is safeguards.Outcome.CLEAR
    return Standing(may="yes" if clear else "no", reason=newest.reason)


def _set_deadline(node: Node, tx: Transaction, victim: Victim, reflection: Reflection) -> None:
    """The end, and a reminder. They name a pseudonym; that the end passed is recorded, and what it means people say."""
    tx.deadlines.clear(DEADLINE, victim.pseudonym, [REFLECTION, f"{REFLECTION}{REMIND}"])
    for rule_, due in (
        (f"{REFLECTION}{REMIND}", reflection.ends_at - REMINDED),
        (REFLECTION, reflection.ends_at),
    ):
        tx.deadlines.add(
            Deadline(
                id=node.new_id("deadline"), subject=DEADLINE, subject_id=victim.pseudonym, rule=rule_, event="",
                kind="L", source=reflection.source, set_at=node.clock(), due_at=due, state="pending",
                escalate=Role.VICTIM_SUPPORT.value,
            )
        )  # fmt: skip
