"""Take a person into the vault, read, correct and erase them; and the pseudonyms by which others know them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from comity.backends.sql import Transaction
from comity.backends.vault_store import Erased
from comity.casework.victim import DEADLINE, Alias, Victim, check_recipient, check_record
from comity.errors import Conflict, InputError
from comity.law import Action
from comity.node.bootstrap import Node
from comity.node.vault.acts import Act, Vault, person_of, recorded_act

LONGEST_CASE = 100


class Ground(StrEnum):
    """Why a person is erased. A closed list: it goes into the log, and must name nobody."""

    PERSON_ASKED = "person-asked"
    RETENTION_ENDED = "retention-ended"
    ENTERED_BY_MISTAKE = "entered-by-mistake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """`told`: to whom something was disclosed, who are to be asked to erase it too."""

    victim: str
    told: tuple[str, ...]


def admit(vault: Vault, record: Mapping[str, object], *, case_id: str) -> Alias:
    """Take a person in; return what this node calls them in that case."""
    node, checked = vault.node, check_record(record)
    _check_case(node, case_id)
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.admitted") as act:
        alias = new_alias(node, case_id, node.id)
        act.rows.add(
            Victim(
                id=node.new_id("person"), admitted_at=node.clock(), admitted_by=vault.person.id, record=checked,
                aliases=(alias,),
            )
        )  # fmt: skip
        act.victim = alias.pseudonym
    return alias


def listed(vault: Vault) -> list[Victim]:
    """Everybody in the vault."""
    with recorded_act(vault, Action.READ_VICTIM, "victim.listed") as act:
        return act.rows.all()


def show(vault: Vault, pseudonym: str) -> Victim:
    """All that the vault has of a person, by any of their pseudonyms."""
    with recorded_act(vault, Action.READ_VICTIM, "victim.read") as act:
        return person_of(act, pseudonym)


def correct(vault: Vault, pseudonym: str, record: Mapping[str, object]) -> Victim:
    """Replace the fields that `record` names; nothing of what stood in them is kept."""
    checked = check_record(record)
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.corrected") as act:
        victim = person_of(act, pseudonym)
        after = replace(victim, record={**victim.record, **checked})
        act.rows.put(after)
    return after


def give_pseudonym(vault: Vault, pseudonym: str, *, case_id: str, recipient: str) -> Alias:
    """What `recipient` may call the person in that case (empty: the person's first); always the same for the two.

    The one thing that leaves without consent: it says that there is somebody, and joins to no other recipient's.
    """
    check_recipient(recipient)
    if case_id:
        _check_case(vault.node, case_id)
    with recorded_act(vault, Action.DISCLOSE_VICTIM, "victim.pseudonym-given") as act:
        victim = person_of(act, pseudonym)
        alias, after = aliased(vault.node, victim, case_id or victim.case_id, recipient)
        act.rows.put(after)
        act.victim = alias.pseudonym
    return alias


def erase(vault: Vault, pseudonym: str, *, ground: Ground) -> Erasure:
    """Destroy the person's data key and record, and write the vault's file anew. May be repeated."""
    told: tuple[str, ...] = ()
    try:
        with recorded_act(vault, Action.ERASE_VICTIM, "victim.erased") as act:
            victim = person_of(act, pseudonym)
            _refuse_erasing(victim, ground, vault.node)
            act.rows.shred(victim)
            act.more["ground"] = ground.value
            act.beside.append(lambda tx: _clear_deadlines(tx, victim))
            told = tuple(sorted({one.recipient for one in victim.disclosures}))
    except Erased:
        pass  # then only what bytes the file still has is left to remove
    vault.store.scrub()
    return Erasure(victim=pseudonym, told=told)


def aliased(node: Node, victim: Victim, case_id: str, recipient: str) -> tuple[Alias, Victim]:
    """The pseudonym for that recipient, and the person with it: a new random one the first time."""
    known = victim.alias(case_id, recipient)
    if known is not None:
        return known, victim
    alias = new_alias(node, case_id, recipient)
    return alias, replace(victim, aliases=(*victim.aliases, alias))


def new_alias(node: Node, case_id: str, recipient: str) -> Alias:
    return Alias(pseudonym=node.new_id("victim"), case_id=case_id, recipient=recipient, at=node.clock())


def towards(act: Act, node: Node, victim: Victim, recipient: str) -> tuple[Alias, Victim]:
    """As `aliased` in the person's own case; the act's event then names them as that recipient does, and only so."""
    alias, after = aliased(node, victim, victim.case_id, recipient)
    act.victim = alias.pseudonym
    return alias, after


def _refuse_erasing(victim: Victim, ground: Ground, node: Node) -> None:
    """Erasing must not be a way to end a protection that nobody may shorten."""
    if victim.reflecting(node.clock()) and ground is not Ground.PERSON_ASKED:
        raise Conflict.because(
            expected=f"the reflection period to be over, or the ground {Ground.PERSON_ASKED}",
            got=ground.value,
        )


def _clear_deadlines(tx: Transaction, victim: Victim) -> None:
    rules = [one.rule for one in tx.deadlines.of_subject(DEADLINE, victim.pseudonym)]
    tx.deadlines.clear(DEADLINE, victim.pseudonym, rules)


def _check_case(node: Node, case_id: str) -> None:
    if not 1 <= len(case_id) <= LONGEST_CASE or not case_id.isprintable():
        raise InputError.because(expected=f"a case's id of 1 to {LONGEST_CASE} characters", got="none")
    if case_id.startswith("case-"):
        with node.records.reading() as tx:
            tx.cases.get(case_id)
