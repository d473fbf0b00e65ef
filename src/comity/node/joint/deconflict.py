"""Deconfliction, our side: list targets of a case, ask peers whether they work them too, agree to say who we are.

Nothing is listed without a case and a purpose. A hit tells both only that there is the same target; the case and whom
to contact go when an officer on each side has agreed. What peers told us is compared only as their obligations allow.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from comity.backends.salted_matching import SaltedMatching
from comity.backends.sql import Transaction
from comity.backends.sql.items import Item
from comity.casework.joint_identifiers import Identifier, bare, identifier
from comity.casework.joint_rounds import (
    HIT_LASTS,
    MOST_ASKED,
    MOST_DAYS,
    MOST_LISTED,
    ROUND_LASTS,
    Found,
    Hit,
    Listed,
    Round,
    Setting,
    Target,
)
from comity.casework.ports import Matching
from comity.errors import Conflict, Forbidden, InputError
from comity.exchange.deconflict import (
    LONGEST_PURPOSE,
    OPEN,
    PURPOSE,
    Opening,
    write_opening,
)
from comity.exchange.fields import Fields
from comity.law import Action
from comity.model import Handling, Permission, Person
from comity.node.bootstrap import Node
from comity.node.handling.gate import Barred, HandlingForbids, barred, recording
from comity.node.handling.items import USUAL
from comity.node.policy import require_with_joint
from comity.node.post.send import Letter, send
from comity.proofs.canonical import canonical_bytes

MATCHING: Matching = SaltedMatching(os.urandom)
KIND = "deconfliction"
DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What to list, for which case, and whom to ask. No peer: it is listed only, so that who asks us finds it."""

    case_id: str
    identifiers: Sequence[str]
    purpose: str
    peers: Sequence[str] = ()
    compact: str | None = None
    days: int = DAYS


def check(node: Node, wanted: Check, *, person: Person) -> list[Round]:
    """List the identifiers as targets of a case, and open a round with each peer; all of it or nothing."""
    require_with_joint(node, Action.ASK_DECONFLICTION, kind=KIND, person=person, leads=True)
    found = _identifiers(wanted)
    with recording(node, wanted.case_id, actor=person.id), node.records.transaction() as tx:
        case = tx.cases.get(wanted.case_id)
        compact = node.compact(wanted.compact or case.compact or None).name
        if case.compact not in ("", compact):
            raise InputError.because(
                expected=f"compact {case.compact}, to which {case.id} belongs", got=compact
            )
        _require_peers(node, tx, compact, wanted.peers)
        _require_allowed(node, tx, case.id, found, wanted.peers, compact)
        targets = _list(node, tx, compact, found, wanted, person)
        return [_open(node, tx, compact, peer, targets, wanted.purpose, person) for peer in wanted.peers]


def _identifiers(wanted: Check) -> list[Identifier]:
    found = list(dict.fromkeys(identifier(text) for text in wanted.identifiers))
    if not 1 <= len(found) <= MOST_ASKED:
        raise InputError.because(expected=f"1 to {MOST_ASKED} identifiers", got=str(len(found)))
    Fields({"purpose": wanted.purpose}, "deconfliction").text("purpose", longest=LONGEST_PURPOSE)
    if not 1 <= wanted.days <= MOST_DAYS:
        raise InputError.because(expected=f"1 to {MOST_DAYS} days", got=str(wanted.days))
    return found


def _require_peers(node: Node, tx: Transaction, compact: str, peers: Sequence[str]) -> None:
    """Members that keep cases, each once, and none asked more often than this node's own limit says."""
    if peers:
        node.compact(compact).refuse_stale(node.clock(), OPEN)
    strangers = [peer for peer in peers if peer == node.id or not node.knows(peer, compact)]
    watching = [
        peer
        for peer in peers
        if peer not in strangers and node.compact(compact).member(peer).authority.oversight
    ]
    if strangers or watching or len(set(peers)) != len(peers):
        raise InputError.because(
            expected=f"members of {compact} that work on cases, each once", got=", ".join(peers),
            remedy="See who the members are: comity compact show DIR",
        )  # fmt: skip
    since, most = node.clock() - timedelta(days=1), node.settings.deconfliction_rounds
    for peer in peers:
        if tx.targets.rounds_since("out", peer, since) >= most:
            raise Forbidden(
                f"expected at most {most} rounds with {peer} in 24 hours, got one more",
                remedy="Ask again tomorrow; the limit is `deconfliction_rounds` in node.toml.",
            )


def _require_allowed(
    node: Node, tx: Transaction, case_id: str, found: Sequence[Identifier], peers: Sequence[str], compact: str
) -> None:
    """`HandlingForbids` where an identifier stands in what a peer told us in the case and may not be used so."""
    said = told_in(tx, case_id)
    for one in found:
        against = stands_against(node, tx, said, one, peers=peers, compact=compact)
        if against:
            raise HandlingForbids(against[0], where=case_id)


def told_in(tx: Transaction, case_id: str) -> list[tuple[Item, str]]:
    """What peers told us in a case: each item, and the letters and digits of its text."""
    return [
        (item, bare(tx.targets.said_in(item.compact, item.originator, item.id)))
        for item in tx.items.of_case(case_id)
        if item.direction == "in"
    ]


def stands_against(
    node: Node, tx: Transaction, said: Sequence[tuple[Item, str]], one: Identifier, *, peers: Sequence[str],
    compact: str,
) -> list[Barred]:  # fmt: skip
    """What does not let us compare an identifier that others told us of, or let these peers know that we have it."""
    number = bare(re.split("[/:]", one.value)[-1])
    items = [item for item, text in said if number in text]
    uses = [("automated_match", node.id), *(("disclose_onward", peer) for peer in peers)]
    return [
        found
        for use, recipient in uses
        for found in barred(node, tx, use, items, recipient=recipient, purpose=PURPOSE, compact=compact)
    ]


def _list(
    node: Node, tx: Transaction, compact: str, found: Sequence[Identifier], wanted: Check, person: Person
) -> list[Target]:
    now = node.clock()
    for one in found:
        tx.targets.list_target(
            Target(
                id=node.new_id("target"), compact=compact, identifier=one, case_id=wanted.case_id,
                purpose=wanted.purpose, listed_by=person.id, at=now, until=now + timedelta(days=wanted.days),
            )
        )  # fmt: skip
    listed = tx.targets.listed(compact, now)
    if len({one.identifier for one in listed}) > MOST_LISTED:
        raise Conflict.because(
            expected=f"at most {MOST_LISTED} targets listed in {compact} at a time", got=str(len(listed)),
            remedy="List the most important ones for a shorter time (--days).",
        )  # fmt: skip
    node.record(
        tx, "deconflict.listed", case_id=wanted.case_id, actor=person.id, role=person.role.value, compact=compact,
        targets=len(found), purpose=wanted.purpose, days=wanted.days,
    )  # fmt: skip
    return [one for one in listed if one.case_id == wanted.case_id and one.identifier in found]


def _open(
    node: Node,
    tx: Transaction,
    compact: str,
    peer: str,
    targets: Sequence[Target],
    purpose: str,
    person: Person,
) -> Round:
    step, now = MATCHING.open(), node.clock()
    one = Round(
        id=node.new_id("round"), direction="out", compact=compact, peer=peer, state="opened", purpose=purpose,
        wanted=tuple(target.id for target in targets), secret=step.secret,
        openings={target.id: fresh() for target in targets}, at=now, expires_at=now + ROUND_LASTS,
    )  # fmt: skip
    tx.targets.put_round(one)
    said = Opening(round=one.id, matching=MATCHING.name, purpose=purpose, document=step.document)
    tell(node, tx, compact, peer, OPEN, write_opening(said), actor=person.id)
    node.record(
        tx, "deconflict.opened", case_id=targets[0].case_id, actor=person.id, peer=peer, round=one.id,
        targets=[target.id for target in targets], purpose=purpose,
    )  # fmt: skip
    return one


# --- what both sides use -----------------------------------------------------------------------------------


def fresh() -> str:
    return os.urandom(32).hex()


def setting_of(node: Node, one: Round) -> Setting:
    ours = one.direction == "out"
    return Setting(
        round=one.id, compact=one.compact, asker=node.id if ours else one.peer,
        answerer=one.peer if ours else node.id,
    )  # fmt: skip


def listed_of(targets: Sequence[Target], one: Round) -> list[Listed]:
    """Those of the round, each with our commitment to what is behind it."""
    return [
        Listed(
            target=target.id, identifier=target.identifier,
            behind=behind(target.case_id, target.purpose, one.openings[target.id]),
        )
        for target in targets
        if target.id in one.openings
    ]  # fmt: skip


def behind(case_id: str, purpose: str, opening: str) -> str:
    """The commitment to the case and the purpose behind a target."""
    return hashlib.sha256(
        canonical_bytes(["comity-deconflict-case/1", case_id, purpose, opening])
    ).hexdigest()


def tell(
    node: Node, tx: Transaction, compact: str, peer: str, type_: str, payload: Mapping[str, object], *, actor: str,
    in_reply_to: str = "",
) -> None:  # fmt: skip
    """To that peer and nobody else: not to be passed on, nor compared with anything further."""
    handling = Handling(
        originators=(node.id,), audience=(node.id, peer), purposes=(PURPOSE,), retention_days=90,
        actions={**USUAL, "disclose_onward": Permission.DENY, "judicial_use": Permission.DENY},
        caveats=("Deconfliction only.",),
    )  # fmt: skip
    letter = Letter(
        compact=compact, peer=peer, type=type_, case_id="", purpose=PURPOSE, legal_basis="", payload=payload,
        in_reply_to=in_reply_to, handling=handling,
    )  # fmt: skip
    send(node, tx, letter, actor=actor)


def keep_hits(
    node: Node, tx: Transaction, one: Round, found: Sequence[Found], targets: Sequence[Target], *, actor: str
) -> None:
    """Each as a hit that waits for both sides' officers."""
    now, of = node.clock(), {target.id: target for target in targets}
    for same in found:
        target = of[same.target]
        tx.targets.put_hit(
            Hit(
                reference=same.reference, round=one.id, compact=one.compact, peer=one.peer, target=target.id,
                case_id=target.case_id, opening=one.openings[target.id], behind=same.behind, at=now,
                expires_at=now + HIT_LASTS,
            )
        )  # fmt: skip
        node.record(
            tx, "deconflict.hit", case_id=target.case_id, actor=actor, peer=one.peer, round=one.id,
            reference=same.reference, target=target.id, until=(now + HIT_LASTS).isoformat(),
        )  # fmt: skip
