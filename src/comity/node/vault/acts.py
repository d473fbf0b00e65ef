"""Open the vault, and do one act in it: everything is checked first, then recorded in the node's log, then done.

Vault and log are two databases: no transaction holds both. So an act goes in this order, under the vault's write lock:

1. it is checked, and written in the vault's transaction, not yet committed;
2. its event is committed in the node's log, naming the act by a random id (the intent);
3. the vault's transaction commits, the act's id with it; only then is anything handed out.

Killed, or refused by a disk, before 2: nothing happened. Between 2 and 3: the log tells an act that the vault does not
have, and nothing left the vault. The log may tell one act too many, never one too few. The next act finds that out
(`Unsettled`: its newest event's act is not in the vault), and so does a vault that was put back to an older copy, where
withdrawn consents would live again; nothing more is done until somebody has looked and said so (`settle`).

Events name nobody: the act, a pseudonym, a purpose of a closed list, the officer. No case, no recipient: those are
resolved in the vault only.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comity.backends.keys import KeysExist, KeysMissing, WrongPassphrase
from comity.backends.keys.sealed_files import open_index
from comity.backends.sql import Transaction
from comity.backends.vault_keys import create_vault_key, read_vault_key
from comity.backends.vault_store import DATABASE, KEY, VaultRows, VaultStore, create_vault_database
from comity.casework.victim import Victim
from comity.errors import Conflict, Forbidden, InputError, StorageError
from comity.law import Action
from comity.model import Person, human_of
from comity.node.bootstrap import Node

PASSPHRASE = "COMITY_VAULT_PASSPHRASE"  # noqa: S105 - the name of the variable, not a secret
ACTS = (
    "victim.vault-created", "victim.settled", "victim.admitted", "victim.listed", "victim.read", "victim.corrected",
    "victim.erased", "victim.screened", "victim.screening-stated", "victim.consented", "victim.consent-withdrawn",
    "victim.disclosed", "victim.pseudonym-given", "victim.reflection-begun", "victim.protection-read",
    "victim.return-assessed",
)  # fmt: skip
"""Every kind of event that names an act; `victim.denied` and `victim.act-missing` are none."""


class Unsettled(Conflict):
    """The log tells an act that the vault does not have."""

    code = "vault.unsettled"
    remedy = (
        "Find out whether the machine stopped in the middle of an act, or the vault was put back to an older copy "
        "(then restore the newest); if nothing newer is to be had: comity victim settle DIR --as NAME"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """An opened vault of a node, and the person who opened it."""

    node: Node
    store: VaultStore
    person: Person


@dataclass(slots=True, kw_only=True)
class Act:
    """One act under way. `victim` and `purpose` go into its event; `beside` into the same transaction of the log."""

    id: str
    rows: VaultRows
    victim: str = ""
    purpose: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    beside: list[Callable[[Transaction], None]] = field(default_factory=list)


def vault_folder(node: Node) -> Path:
    """Beside the node's database and keys, and in none of their backups."""
    return node.home.path / "vault"


def create_vault(node: Node, passphrase: bytes, *, person: Person) -> None:
    """Make the node's vault, with a key and a passphrase of its own. `KeysExist` if there is one."""
    require_victim(node, Action.WRITE_VICTIM, person)
    folder = vault_folder(node)
    if folder.exists():
        raise KeysExist.because(expected="a node without a victims' vault", got=str(folder))
    _refuse_node_passphrase(node, passphrase)
    draft = folder.with_name(f".vault.{secrets.token_hex(4)}.draft")
    try:
        draft.mkdir(mode=0o700)
        keys = create_vault_key(draft / KEY, passphrase)
        create_vault_database(draft, keys)
        draft.rename(folder)
    except OSError as error:
        raise StorageError(f"the disk refused: {error.strerror}", where=str(folder)) from error
    finally:
        _drop(draft)
    vault = Vault(node=node, store=VaultStore(folder, keys), person=person)
    try:
        with recorded_act(vault, Action.WRITE_VICTIM, "victim.vault-created", settling=True):
            pass
    finally:
        vault.store.close()


@contextmanager
def opened(node: Node, passphrase: bytes, *, person: Person) -> Iterator[Vault]:
    """The vault, for somebody who may read it. `Forbidden`, `KeysMissing`, `WrongPassphrase` or `TrustError`.

    Whether the person may is asked first: nobody else learns whether there is a vault, or tries passphrases here.
    """
    require_victim(node, Action.READ_VICTIM, person)
    folder = vault_folder(node)
    if not (folder / KEY).is_file():
        raise KeysMissing(
            "expected the victims' vault, found none", where=str(folder),
            remedy="Create it: comity victim init DIR --as NAME; or restore the folder from the vault's own backup.",
        )  # fmt: skip
    store = VaultStore(folder, read_vault_key(folder / KEY, passphrase))
    try:
        yield Vault(node=node, store=store, person=person)
    finally:
        store.close()


@contextmanager
def recorded_act(vault: Vault, action: Action, kind: str, *, settling: bool = False) -> Iterator[Act]:
    """One act, in the order of this module's docstring. What the block raises undoes it, unrecorded.

    What the vault holds is handed out only once the block has ended without one (a `return` within it waits for that).
    """
    node = vault.node
    require_victim(node, action, vault.person)
    with vault.store.using() as rows:
        if not settling:
            _refuse_unsettled(node, rows)
        act = Act(id=node.new_id("act"), rows=rows)
        yield act
        rows.keep_act(act.id)
        with node.records.transaction() as tx:
            for step in act.beside:
                step(tx)
            node.record(
                tx,
                kind,
                actor=vault.person.id,
                act=act.id,
                victim=act.victim,
                purpose=act.purpose,
                **act.more,
            )


def settle(vault: Vault) -> list[str]:
    """Record every act that the log tells and the vault does not have as missing; return their ids."""
    node = vault.node
    with recorded_act(vault, Action.WRITE_VICTIM, "victim.settled", settling=True) as act:
        with node.records.reading() as tx:
            said = [one.body["act"] for one in tx.events.of_kinds(ACTS)]
            before = {one.body["act"] for one in tx.events.of_kinds(["victim.act-missing"])}
        missing = [one for one in said if one not in before and not act.rows.has_act(one)]

        def tell(tx: Transaction) -> None:
            for one in missing:
                node.record(tx, "victim.act-missing", actor=vault.person.id, act=one)

        act.beside.append(tell)
    return missing


def require_victim(node: Node, action: Action, person: Person) -> None:
    """Raise `Forbidden`, and record the attempt, unless `person` may do this in the vault.

    Besides the policies: nobody as a deputy, and nobody who has an account in another role, under whatever name.
    """
    decision = node.policies.decide(action, {}, person=person)
    why = "" if decision.allowed else "; ".join(decision.reasons)
    if not why and person.stands_for:
        why = "Nobody is at the victims' vault as somebody else's deputy"
    if not why and _other_roles(node, person):
        why = "Whoever keeps the victims' vault has no account in another role on this node"
    if why:
        node.append_event("victim.denied", actor=person.id, action=action.value)
        error = Forbidden(why, where=action.value)
        error.policies = decision.policies
        raise error


def _other_roles(node: Node, person: Person) -> bool:
    with node.records.reading() as tx:
        return any(one.role is not person.role for one in tx.people.accounts_of(human_of(person)))


def _refuse_unsettled(node: Node, rows: VaultRows) -> None:
    """The newest act in the log must be in the vault: then so are all before it, which were asked the same."""
    with node.records.reading() as tx:
        newest = tx.events.newest_of(ACTS)
    if newest is not None and not rows.has_act(newest.body["act"]):
        raise Unsettled(
            f"expected the act {newest.body['act']} of {newest.at:%Y-%m-%d %H:%M} UTC in the vault, got none"
        )


def _refuse_node_passphrase(node: Node, passphrase: bytes) -> None:
    """Whoever runs the node must not be able to open the vault."""
    try:
        open_index(node.home.keys, passphrase)
    except (WrongPassphrase, KeysMissing):
        return
    raise InputError.because(
        expected="a passphrase of the vault's own", got="the one that opens the node's keys",
        remedy=f"Choose another, known to victim-support officers only, and give it in {PASSPHRASE}.",
    )  # fmt: skip


def _drop(draft: Path) -> None:
    if draft.is_dir():
        for file in (*draft.glob(f"{DATABASE}*"), *draft.glob(f"*{KEY}*")):
            file.unlink(missing_ok=True)
        draft.rmdir()


def person_of(act: Act, pseudonym: str) -> Victim:
    """Whom the pseudonym stands for; the act is about them from now on, under what the node itself calls them."""
    victim = act.rows.get(pseudonym)
    act.victim = victim.pseudonym
    return victim
