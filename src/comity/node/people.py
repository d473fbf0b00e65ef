"""People of the node: add them, sign them in, end their access. A password is a long random one, shown once; Argon2id
is kept. One human may have several accounts, and four eyes counts humans (`comity.model.human_of`).
"""

import hashlib
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from comity.errors import Conflict, InputError
from comity.law import Action
from comity.model import Person, Role, human_of
from comity.model.authority import FOR
from comity.node.bootstrap import Node
from comity.node.deputies import as_deputy
from comity.node.policy import require_in_office

SESSION = timedelta(hours=8)
NOT_PEOPLE = frozenset({"node", "policy", "clock"})
"""What the node, its standing policies and deadlines are called in events: nobody may be mistaken for them."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_NOBODY = _HASHER.hash("nobody has this password")


def add_person(node: Node, name: str, role: Role, *, actor: str, human: str = "") -> str:
    """Add somebody; return the password to hand over. `Conflict` if the name is, or was, somebody's.

    `human`: their personnel number, the same for all their accounts; by default the name.
    """
    _refuse_name(name, "a name")
    if human:
        _refuse_name(human, "a personnel number")
    password = secrets.token_urlsafe(15)
    hashed = _HASHER.hash(password)
    with node.records.transaction() as tx:
        others = [one.id for one in tx.people.accounts_of(human or name)]
        tx.people.add(Person(id=name, role=role, human=human), hashed, node.clock())
        node.record(
            tx, "person.added", actor=actor, person=name, role=role.value, human=human or name, others=others
        )
    return password


def other_accounts(node: Node, name: str) -> list[Person]:
    """What other accounts the same human has."""
    with node.records.reading() as tx:
        person = tx.people.get(name)
        return [one for one in tx.people.accounts_of(human_of(person)) if one.id != name]


def remove_person(node: Node, name: str, *, person: Person) -> None:
    """End somebody's access now: password, sessions, tokens, and whoever is their deputy or has them as one.

    What they did stays recorded under their name, which nobody else gets. `Conflict` for the last administrator.
    """
    require_in_office(node, Action.MANAGE_PEOPLE, person)
    with node.records.transaction() as tx:
        gone = tx.people.get(name)
        administrators = [one for one, _ in tx.people.all() if one.role is Role.ADMINISTRATOR]
        if [one.id for one in administrators] == [name]:
            raise Conflict.because(
                expected="another administrator to remain", got=f"{name}, the only one",
                remedy="Add another first: comity person add DIR NAME --role administrator",
            )  # fmt: skip
        now = node.clock()
        tx.people.remove(name, now)
        ended = [one for one in tx.deputies.all() if name in (one.deputy, one.principal) and one.holds(now)]
        for one in ended:
            tx.deputies.end(one.id, person.id, now)
        node.record(
            tx, "person.removed", actor=person.id, person=name, role=gone.role.value, deputyships=len(ended)
        )


def check_password(node: Node, name: str, password: str) -> Person | None:
    """The person, or None; takes the same work for a name that does not exist.

    "mei for lok" is mei, acting as lok's deputy: `Forbidden`, after mei's password, if she is not that now.
    """
    account, _, principal = name.partition(FOR)
    with node.records.reading() as tx:
        found = tx.people.find(account)
    person, hashed = found if found is not None else (None, _NOBODY)
    try:
        _HASHER.verify(hashed, password)
    except VerificationError:
        return None
    return as_deputy(node, account, principal) if principal else person


def open_session(node: Node, person: Person) -> str:
    """Start a session; the token is the secret, only its hash is kept."""
    token = secrets.token_urlsafe(32)
    with node.records.transaction() as tx:
        tx.people.open_session(_hash(token), person.id, node.clock() + SESSION)
        node.record(tx, "person.signed-in", actor=person.id)
    return token


def in_session(node: Node, token: str) -> Person | None:
    with node.records.reading() as tx:
        return tx.people.in_session(_hash(token), node.clock())


def close_session(node: Node, token: str) -> None:
    with node.records.transaction() as tx:
        person = tx.people.in_session(_hash(token), node.clock())
        tx.people.close_session(_hash(token), node.clock())
        if person is not None:
            node.record(tx, "person.signed-out", actor=person.id)


def _refuse_name(name: str, what: str) -> None:
    if not (2 <= len(name) <= 60 and name.replace("-", "").replace(".", "").isalnum()):
        raise InputError.because(
            expected=f"{what} of 2 to 60 letters, digits, points and hyphens", got=repr(name)
        )
    if name in NOT_PEOPLE:
        raise InputError.because(
            expected=f"{what} that no machine signs events with", got=repr(name), remedy="Choose another."
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
