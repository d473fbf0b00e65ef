"""People of the node: add them, sign them in. A password is a long random one, shown once; Argon2id is kept."""

import hashlib
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from comity.errors import InputError
from comity.model import Person, Role
from comity.node.bootstrap import Node

SESSION = timedelta(hours=8)
NOT_PEOPLE = frozenset({"node", "policy"})
"""What the node and its standing policies are called in events: nobody may be mistaken for them."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_NOBODY = _HASHER.hash("nobody has this password")


def add_person(node: Node, name: str, role: Role, *, actor: str) -> str:
    """Add somebody; return the password to hand over. `Conflict` if the name is taken."""
    if not (2 <= len(name) <= 60 and name.replace("-", "").replace(".", "").isalnum()):
        raise InputError.because(
            expected="a name of 2 to 60 letters, digits, points and hyphens", got=repr(name)
        )
    if name in NOT_PEOPLE:
        raise InputError.because(
            expected="a name that no machine signs events with", got=repr(name), remedy="Choose another name."
        )
    password = secrets.token_urlsafe(15)
    hashed = _HASHER.hash(password)
    with node.records.transaction() as tx:
        tx.people.add(Person(id=name, role=role), hashed, node.clock())
        node.record(tx, "person.added", actor=actor, person=name, role=role.value)
    return password


def check_password(node: Node, name: str, password: str) -> Person | None:
    """The person, or None; takes the same work for a name that does not exist."""
    with node.records.reading() as tx:
        found = tx.people.find(name)
    person, hashed = found if found is not None else (None, _NOBODY)
    try:
        _HASHER.verify(hashed, password)
    except VerificationError:
        return None
    return person


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


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
