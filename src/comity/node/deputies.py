"""Deputies: somebody acts in the role of a person who is away, until a date, and everything says so.

A deputy signs in as themselves and says for whom ("mei for lok"): events then bear both names, and four eyes counts
both humans, so that neither approves what either drafted. A deputy has the role of that one person and no more:
nobody passes on a role that they have as a deputy. Only the roles of casework have deputies and are deputies: no
administrator comes to a case this way, and nobody comes to the people and keys of a node. A victim-support officer's
deputy is one too, and nothing else: nobody who investigates screens a person under another's name.
"""

from datetime import datetime, timedelta

from comity.backends.sql import Transaction
from comity.backends.sql.deputies import Deputyship
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.law import Action
from comity.model import Person, Role, human_of
from comity.node.bootstrap import Node
from comity.node.policy import require_in_office

CASEWORK = frozenset({
    Role.ANALYST, Role.SUPERVISOR, Role.CENTRAL_AUTHORITY, Role.PROSECUTOR, Role.BORDER_OFFICER,
    Role.VICTIM_SUPPORT,
})  # fmt: skip
"""Those who may have a deputy, and be one."""
LONGEST = timedelta(days=366)


def deputise(node: Node, name: str, *, principal: str, until: datetime, person: Person) -> Deputyship:
    """Let `name` act in the role of `principal` until then. `until` is a UTC time.

    Raises `Forbidden`, `NotFound`, `Conflict` (they are that already) or `InputError` (whom or how long it cannot be).
    """
    require_in_office(node, Action.MANAGE_DEPUTIES, person)
    now = node.clock()
    if until.tzinfo is None or not now < until <= now + LONGEST:
        raise InputError.because(
            expected=f"an end in UTC, after now and within {LONGEST.days} days", got=until.isoformat(),
            where="until",
        )  # fmt: skip
    with node.records.transaction() as tx:
        deputy, absent = tx.people.get(name), tx.people.get(principal)
        _refuse_pair(tx, deputy, absent, person)
        if tx.deputies.in_force(name, principal, now) is not None:
            raise Conflict.because(
                expected=f"{name} not to be the deputy of {principal} already", got="it is so",
                remedy="End that first: comity person end-deputy DIR NAME --for NAME --as ADMIN",
            )  # fmt: skip
        named = Deputyship(
            id=node.new_id("deputy"), deputy=name, principal=principal, until=until, named_by=person.id,
            named_at=now,
        )  # fmt: skip
        tx.deputies.add(named)
        node.record(
            tx, "deputy.named", actor=person.id, person=name, principal=principal, role=absent.role.value,
            until=until.isoformat(),
        )  # fmt: skip
    return named


def end_deputy(node: Node, name: str, *, principal: str, person: Person) -> None:
    """End it now, and every session under it. `NotFound` unless it holds."""
    require_in_office(node, Action.MANAGE_DEPUTIES, person)
    with node.records.transaction() as tx:
        found = tx.deputies.in_force(name, principal, node.clock())
        if found is None:
            raise NotFound.because(
                expected="a deputy of now", got=f"{name} for {principal}",
                remedy="List them: comity person list DIR",
            )  # fmt: skip
        tx.deputies.end(found.id, person.id, node.clock())
        node.record(tx, "deputy.ended", actor=person.id, person=name, principal=principal)


def as_deputy(node: Node, name: str, principal: str) -> Person:
    """`name` as the deputy of `principal`; `Forbidden` unless they are that now."""
    with node.records.reading() as tx:
        found = tx.people.deputy(name, principal, node.clock())
    if found is None:
        raise Forbidden(
            f"expected a deputy of {principal} now, got {name}",
            remedy="An administrator names them: comity person deputise DIR NAME --for NAME --until DATE --as ADMIN",
        )
    return found


def _refuse_pair(tx: Transaction, deputy: Person, absent: Person, by: Person) -> None:
    if human_of(deputy) == human_of(absent):
        raise InputError.because(
            expected="another human as the deputy", got=f"{deputy.id} and {absent.id}, accounts of one"
        )
    if by.humans & (deputy.humans | absent.humans):
        raise Forbidden(f"expected somebody else to name deputies of and for {by.id}, got themselves")
    theirs = tx.people.accounts_of(human_of(deputy))
    if absent.role is Role.VICTIM_SUPPORT and any(one.role is not Role.VICTIM_SUPPORT for one in theirs):
        raise InputError.because(
            expected=f"a deputy of {absent.id} who is a victim-support officer and nothing else: they screen people "
            "independently of those who investigate",
            got=", ".join(f"{one.id}, {one.role}" for one in theirs),
        )  # fmt: skip
    for one in (absent, *theirs):
        if one.role not in CASEWORK:
            raise InputError.because(
                expected=f"people of casework only ({', '.join(sorted(CASEWORK))})",
                got=f"{one.id}, {one.role}",
                remedy="Add a person in that role instead: comity person add DIR NAME --role ROLE",
            )
