"""Plans and agreements for tests of joint work, and members that write what they like into a shared space."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from comity.casework.joint import Entry, Space, heads
from comity.casework.joint_operation import SAFETY
from comity.exchange import Result
from comity.model import ACTIONS, Handling, Permission
from comity.node.joint.space import entries_of
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town

VICTIM_SAFETY = dict.fromkeys(SAFETY, "Office of victim support, with interpreters.")


def plan_document(now: datetime, **changes: Any) -> dict[str, Any]:
    """A raid in Thailand with a freeze in Hong Kong, two days from now."""
    start = now + timedelta(days=2)
    when = {"starts": start.isoformat(), "ends": (start + timedelta(hours=3)).isoformat()}
    bangkok, hong_kong = {"zone": "Asia/Bangkok", **when}, {"zone": "Asia/Hong_Kong", **when}
    return {
        "title": "Compound K", "purpose": "Free those held, arrest those who hold them.", "zone": "Asia/Bangkok",
        "members": [CA, HK, TH], "decide_by": (now + timedelta(days=1)).isoformat(),
        "victim_safety": VICTIM_SAFETY,
        "actions": [
            {"member": TH, "deed": "raid", "place": "Gate 1", "authority": "Warrant 7", **bangkok},
            {"member": HK, "deed": "freeze", "place": "Banks", "authority": "Order 3", **hong_kong},
        ],
        **changes,
    }  # fmt: skip


def space_of(town: Town, node_id: str, kind: str) -> Space:
    with town.looking(node_id) as tx:
        (space,) = tx.spaces.all(kind)
    return space


def entries(town: Town, node_id: str, kind: str) -> list[Entry]:
    with town.looking(node_id) as tx:
        return entries_of(tx, space_of(town, node_id, kind))


def forged(
    town: Town, author: str, kind: str, what: str, body: Mapping[str, Any], /, **changes: Any
) -> Entry:
    """What `author`'s node would write next, with anything changed."""
    space, known = space_of(town, author, kind), heads(entries(town, author, kind))
    number, previous = known.pop(author, (0, "0" * 64))
    fields: dict[str, Any] = {
        "space": space.id, "author": author, "number": number + 1, "kind": what, "previous": previous,
        "founding": space.founding, "seen": known, "at": town.clock(), "by": "hostile", "body": body,
    }  # fmt: skip
    return Entry(**{**fields, **changes})


def whisper(
    hostile: Hostile, to: str, type_: str, payload: Mapping[str, Any], *, purpose: str, **more: Any
) -> Result:
    """A message whose obligations let its receiver use it for its purpose."""
    handling = Handling(
        originators=(hostile.member,), audience=(to,), purposes=(purpose,),
        actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
    )  # fmt: skip
    return hostile.say(to, type_, payload, purpose=purpose, handling=handling, **more)


def say(town: Town, sender: str, to: str, entry: Entry) -> None:
    """One member alone is told this; the sender's own node knows nothing of it."""
    hostile = Hostile(town, sender)
    with town.looking(to) as tx:
        known = tx.inbox.known(town[to].compact().name, sender, "none")
    hostile.start_from(to, known.last_sequence, known.last_digest)
    kind = space_of(town, to, entry.space.partition("-")[0]).kind
    name = f"hostile-{sender}-{known.last_sequence}"
    said = whisper(hostile, to, "joint.entry", entry.document, purpose=kind, id=name)
    assert said.status == 202, said
    town.settle(down=[sender], patience=timedelta(minutes=1))
