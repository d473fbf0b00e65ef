"""Write entries into a shared space and hear those of others: star-shaped, numbered and chained (`casework.joint`).

What a peer may say is checked by form and by who says it, never by what we happen to know already: members hear one
another in different orders. What an entry then counts for is for the fold of its kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from comity.backends.sql import Received, Transaction
from comity.casework.joint import Entry, Heard, OtherStory, Space, next_entry, require_next, two_stories
from comity.errors import InputError, NotFound
from comity.exchange.fields import Fields
from comity.model import Handling, Permission
from comity.node.bootstrap import Node
from comity.node.handling.gate import barred
from comity.node.handling.items import USUAL
from comity.node.handling.reading import withheld
from comity.node.joint.entries import ENTRY, is_founding, members_of, read_entry
from comity.node.post.send import Letter, send

RETENTION_DAYS = 3 * 365
CAVEAT = "For the members of this joint work only."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is particular to a kind of space.

    `check` raises for a body that is not of its kind, or not its author's to write. `present`: who gets entries now.
    `react` does what an entry brings about at this node, in the transaction that hears or writes it.
    """

    founding: str
    check: Callable[[Entry, Space | None], None]
    present: Callable[[Space, Sequence[Entry]], tuple[str, ...]]
    react: Callable[[Node, Transaction, Space, Entry], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEntry:
    """An entry as people here may read it. `withheld` says why its body is not shown."""

    entry: Entry
    body: Mapping[str, Any]
    withheld: str = ""


def found_space(
    node: Node, tx: Transaction, rules: Rules, *, kind: str, compact: str, body: Mapping[str, Any], actor: str
) -> tuple[Space, Entry]:
    """Begin a space with its founding entry, and send that to every member named in it."""
    node.compact(compact).refuse_stale(node.clock(), ENTRY)
    entry = next_entry(
        None,
        (),
        space_id=node.new_id(kind),
        author=node.id,
        kind=rules.founding,
        at=node.clock(),
        by=actor,
        body=body,
    )
    members = members_of(Fields(body, kind))
    strangers = [one for one in members if one != node.id and not node.knows(one, compact)]
    if strangers or node.id not in members:
        raise InputError.because(
            expected=f"members of {compact}, us among them", got=", ".join(strangers or members),
            remedy="See who the members are: comity compact show DIR",
        )  # fmt: skip
    rules.check(entry, None)
    space = Space(
        id=entry.space, kind=kind, compact=compact, founder=node.id, members=members, founding=entry.digest,
        opened_at=entry.at,
    )  # fmt: skip
    tx.spaces.add(space)
    _put_out(node, tx, space, entry, members, actor=actor)
    rules.react(node, tx, space, entry)
    return space, entry


def write(
    node: Node, tx: Transaction, rules: Rules, space: Space, kind: str, body: Mapping[str, Any], *, actor: str
) -> Entry:
    """Write an entry and send it to all who are in the space now."""
    node.compact(space.compact).refuse_stale(node.clock(), ENTRY)
    known = entries_of(tx, space)
    entry = next_entry(
        space, known, space_id=space.id, author=node.id, kind=kind, at=node.clock(), by=actor, body=body
    )
    rules.check(entry, space)
    present = rules.present(space, known)
    if node.id not in present:
        raise NotFound.because(
            expected=f"a {space.kind} that we are in", got=f"{space.id}, which we have left"
        )
    _put_out(node, tx, space, entry, present, actor=actor)
    rules.react(node, tx, space, entry)
    return entry


def hear(node: Node, tx: Transaction, received: Received, every: Mapping[str, Rules]) -> None:
    """File an entry of a peer; an alarm where it does not go with what its author told us or another before."""
    entry = read_entry(received.payload)
    if entry.author != received.sender:
        raise InputError.because(expected=f"an entry of {received.sender}", got=entry.author)
    kind = entry.kind.partition(".")[0]
    rules = every.get(kind)
    if rules is None or received.purpose != kind:
        raise InputError.because(
            expected=f"an entry of one of {', '.join(every)}, sent for that purpose",
            got=f"{entry.kind} for {received.purpose}",
        )
    space = tx.spaces.find(entry.space)
    if space is None and is_founding(entry) and entry.kind == rules.founding:
        space = _founded_by_peer(node, tx, received, rules, entry, kind)
    elif (
        space is None
        or space.compact != received.compact
        or entry.author not in space.members
        or space.kind != kind
    ):
        raise NotFound.because(expected="joint work that we and the sender are in", got=entry.space)
    else:
        _require_follows(node, tx, received, rules, space, entry)
        if _tells_other_story(node, tx, space, entry):
            return
    _file(node, tx, space, Heard(entry=entry, message_id=received.id, at=node.clock()))
    _compare(node, tx, space, entry)
    rules.react(node, tx, space, entry)


def _founded_by_peer(
    node: Node, tx: Transaction, received: Received, rules: Rules, entry: Entry, kind: str
) -> Space:
    rules.check(entry, None)
    members = members_of(Fields(entry.body, kind))
    unknown = [one for one in members if one != node.id and not node.knows(one, received.compact)]
    if node.id not in members or received.sender not in members or unknown:
        raise InputError.because(
            expected=f"members of {received.compact}, us and the sender among them", got=", ".join(members)
        )
    if not entry.space.startswith(f"{kind}-"):
        raise InputError.because(expected=f"an id that begins {kind}-", got=entry.space)
    space = Space(
        id=entry.space, kind=kind, compact=received.compact, founder=received.sender, members=members,
        founding=entry.digest, opened_at=entry.at,
    )  # fmt: skip
    tx.spaces.add(space)
    return space


def _require_follows(
    node: Node, tx: Transaction, received: Received, rules: Rules, space: Space, entry: Entry
) -> None:
    rules.check(entry, space)
    if entry.author not in rules.present(space, entries_of(tx, space)):
        raise NotFound.because(
            expected="joint work that the sender is in", got=f"{entry.space}, which it left"
        )


def _tells_other_story(node: Node, tx: Transaction, space: Space, entry: Entry) -> bool:
    try:
        require_next(space, entries_of(tx, space), entry)
    except OtherStory as error:
        if node.pace.alarms.allow(entry.author, node.clock()):
            node.record(
                tx, "alarm.joint-two-stories", actor=entry.author, peer=entry.author, space=space.id,
                witness=node.id, number=entry.number, problem=error.problem[:500],
            )  # fmt: skip
        return True
    return False


def _compare(node: Node, tx: Transaction, space: Space, entry: Entry) -> None:
    """What others saw of this author, and this author of others, against what stands here: what is new, said once, and
    no more often than a peer may raise alarms. The state of the space shows it whether it was said or not.
    """
    known = entries_of(tx, space)
    said = set(two_stories([one for one in known if one.digest != entry.digest]))
    for one in dict.fromkeys(two_stories(known)):
        if one not in said and node.pace.alarms.allow(entry.author, node.clock()):
            node.record(
                tx, "alarm.joint-two-stories", actor=one.witness, peer=one.author, space=space.id,
                witness=one.witness, number=one.number, problem=f"here {one.ours}, there {one.theirs}",
            )  # fmt: skip


def _put_out(
    node: Node, tx: Transaction, space: Space, entry: Entry, members: Sequence[str], *, actor: str
) -> None:
    to = [one for one in members if one != node.id and node.knows(one, space.compact)]
    if not to:
        raise NotFound.because(
            expected="another member that can be told", got="none any more", where=space.id
        )
    handling = Handling(
        originators=(node.id,), audience=tuple(members), purposes=(space.kind,), retention_days=RETENTION_DAYS,
        actions={**USUAL, "disclose_onward": Permission.DENY}, caveats=(CAVEAT,),
    )  # fmt: skip
    letter = Letter(
        compact=space.compact, peer=to[0], also=tuple(to[1:]), type=ENTRY, case_id="", purpose=space.kind,
        legal_basis="", payload=entry.document, handling=handling,
    )  # fmt: skip
    message = send(node, tx, letter, actor=actor)
    tx.spaces.write(Heard(entry=entry, message_id=message, at=node.clock()), own=True)
    node.record(
        tx, "joint.written", actor=actor, space=space.id, entry=entry.kind, number=entry.number,
        digest=entry.digest, peers=to, message=message,
    )  # fmt: skip


def _file(node: Node, tx: Transaction, space: Space, heard: Heard) -> None:
    entry = heard.entry
    tx.spaces.write(heard, own=False)
    node.record(
        tx, "joint.heard", actor=entry.author, peer=entry.author, space=space.id, entry=entry.kind,
        number=entry.number, digest=entry.digest, message=heard.message_id,
    )  # fmt: skip


# --- looking -------------------------------------------------------------------------------------------------


def entries_of(tx: Transaction, space: Space) -> list[Entry]:
    return [one.entry for one in tx.spaces.entries(space)]


def readable_entries(node: Node, tx: Transaction, space: Space) -> list[Entry]:
    """What counts here: the body of one that was erased or taken back is empty."""
    return [replace(one.entry, body=one.body) for one in shown_entries(node, tx, space)]


def shown_entries(node: Node, tx: Transaction, space: Space) -> list[ShownEntry]:
    """Every entry, without the body where it was erased or its author does not let us read it any more."""
    return [_shown(node, tx, space, one) for one in tx.spaces.entries(space)]


def _shown(node: Node, tx: Transaction, space: Space, heard: Heard) -> ShownEntry:
    entry = heard.entry
    item = tx.items.find(space.compact, entry.author, heard.message_id) if entry.author != node.id else None
    found = barred(node, tx, "read", [item], recipient=node.id, purpose=space.kind) if item else []
    why = withheld(found[0]) if found else "Erased" if heard.gone else ""
    return ShownEntry(entry=entry, body={} if why else entry.body, withheld=why)
