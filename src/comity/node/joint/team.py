"""Joint investigation teams: agree, sign, share among the members, prolong, evaluate, leave (`casework.joint_team`)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comity.backends.sql import Transaction
from comity.casework.joint import Entry, Space, heads, missing
from comity.casework.joint_team import (
    AGREEMENT,
    EVALUATION,
    LEFT,
    PROLONGATION,
    SHARED,
    SIGNATURE,
    Standing,
    State,
    present,
    require_may_write,
    standing,
)
from comity.errors import Conflict, InputError
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.joint.space import (
    Rules,
    ShownEntry,
    entries_of,
    found_space,
    readable_entries,
    shown_entries,
    write,
)
from comity.node.joint.team_text import check, time_of
from comity.node.policy import require_with_joint

KIND = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team as this node knows it now. `heads`: of each author's chain, to be compared with other members."""

    space: Space
    standing: Standing
    heads: Mapping[str, tuple[int, str]]
    lacking: Mapping[str, int]
    entries: Sequence[ShownEntry]


def propose_team(node: Node, agreement: Mapping[str, Any], *, compact: str | None, person: Person) -> Space:
    """Put an agreement before its members; our own signature is given like theirs, with `sign_agreement`."""
    require_with_joint(node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=True)
    with node.records.transaction() as tx:
        name = node.compact(compact).name
        space, _ = found_space(node, tx, RULES, kind=KIND, compact=name, body=agreement, actor=person.id)
    return space


def sign_agreement(node: Node, team: str, *, digest: str, person: Person) -> Entry:
    """Sign the text of that digest (or what it begins with), which the person has read."""
    with node.records.transaction() as tx:
        space, one = _ours(node, tx, team, SIGNATURE, person)
        if len(digest) < 8 or not one.agreement.digest.startswith(digest):
            raise Conflict.because(
                expected=f"the digest of the agreement that is here, {one.agreement.digest[:16]}…", got=digest,
                remedy=f"Read it: comity team show DIR {team}",
            )  # fmt: skip
        if node.id not in one.unsigned:
            raise Conflict.because(expected="an agreement that we have not signed", got=f"{team}, signed")
        return write(node, tx, RULES, space, SIGNATURE, {"agreement": one.agreement.digest}, actor=person.id)


def prolong(node: Node, team: str, *, until: str, person: Person) -> Entry:
    """Agree that the team runs until then; it does once every member has agreed to the same time."""
    with node.records.transaction() as tx:
        space, one = _ours(node, tx, team, PROLONGATION, person)
        body = {"agreement": one.agreement.digest, "until": time_of(until, "until")}
        if body["until"] <= one.until.isoformat():
            raise InputError.because(expected=f"a time after {one.until:%Y-%m-%d}", got=until)
        return write(node, tx, RULES, space, PROLONGATION, body, actor=person.id)


def share(
    node: Node, team: str, *, title: str, text: str, files: Sequence[Path] = (), person: Person
) -> Entry:
    """Share information or evidence with the members, and nobody else; files are named by their digests."""
    evidence = [{"name": one.name, "sha256": _digest(one)} for one in files]
    with node.records.transaction() as tx:
        space, _ = _ours(node, tx, team, SHARED, person)
        return write(
            node,
            tx,
            RULES,
            space,
            SHARED,
            {"title": title, "text": text, "evidence": evidence},
            actor=person.id,
        )


def evaluate(node: Node, team: str, *, text: str, person: Person) -> Entry:
    """This member's evaluation, as the agreement provides."""
    with node.records.transaction() as tx:
        space, _ = _ours(node, tx, team, EVALUATION, person)
        return write(node, tx, RULES, space, EVALUATION, {"text": text}, actor=person.id)


def leave(node: Node, team: str, *, why: str, person: Person) -> Entry:
    """Leave the team: nothing more comes or goes. What was shared keeps its obligations."""
    with node.records.transaction() as tx:
        space, _ = _ours(node, tx, team, LEFT, person)
        return write(node, tx, RULES, space, LEFT, {"text": why}, actor=person.id)


def teams(node: Node, *, actor: str) -> list[Team]:
    with node.records.transaction() as tx:
        node.record(tx, "joint.listed", actor=actor, what=KIND)
        return [_look(node, tx, one) for one in tx.spaces.all(KIND)]


def team_named(node: Node, team: str, *, actor: str) -> Team:
    with node.records.transaction() as tx:
        space = tx.spaces.get(team, KIND)
        node.record(tx, "joint.read", actor=actor, space=space.id)
        return _look(node, tx, space)


def _ours(node: Node, tx: Transaction, team: str, kind: str, person: Person) -> tuple[Space, Standing]:
    """A team in which that can be written now, by a person who may commit this node to it."""
    space = tx.spaces.get(team, KIND)
    require_with_joint(node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=space.founder == node.id)
    one = _standing(node, tx, space)
    require_may_write(one, kind)
    return space, one


def _react(node: Node, tx: Transaction, space: Space, entry: Entry) -> None:
    """Say once that it came into force, and when somebody left."""
    one = _standing(node, tx, space)
    begun = entry.kind == SIGNATURE and not one.unsigned
    if begun or entry.kind in (LEFT, PROLONGATION) or one.state is State.DISPUTED:
        node.record(
            tx, "team.stands", actor=entry.author, space=space.id, agreement=one.agreement.digest,
            state=one.state.value, why=one.why, until=one.until.isoformat(), present=list(one.present),
        )  # fmt: skip


def _standing(node: Node, tx: Transaction, space: Space) -> Standing:
    return standing(readable_entries(node, tx, space), founder=space.founder, now=node.clock())


def _look(node: Node, tx: Transaction, space: Space) -> Team:
    known = entries_of(tx, space)
    return Team(
        space=space, standing=_standing(node, tx, space), heads=heads(known), lacking=missing(known),
        entries=shown_entries(node, tx, space),
    )  # fmt: skip


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(file)
        ) from error


def _present(space: Space, entries: Sequence[Entry]) -> tuple[str, ...]:
    return present(space.members, entries)


RULES = Rules(founding=AGREEMENT, check=check, present=_present, react=_react)
