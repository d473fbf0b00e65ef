"""What is kept of what was said: each message with its obligations, a peer's and ours, and what is made from which.

Every message of a peer that says something becomes an item with its obligations (`keep_received`), and so does
every one of ours (`keep_sent`), which carries the meet of ours and of all that it was made from (`sending`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import Item
from comity.exchange.fields import Fields
from comity.exchange.handling import read_kept
from comity.exchange.markings import Circle, tighten
from comity.model import Handling, Permission
from comity.node.bootstrap import Node

RETENTION_DAYS = 90
USUAL: Mapping[str, Permission] = {
    "read": Permission.ALLOW, "search": Permission.ALLOW, "link": Permission.ALLOW, "derive": Permission.ALLOW,
    "disclose_onward": Permission.ALLOW, "judicial_use": Permission.ASK, "contact_subject": Permission.DENY,
    "automated_match": Permission.DENY,
}  # fmt: skip
"""What we say of our own: work on this case within its audience, intelligence and not evidence."""


def as_received(node: Node, received: Received, case_id: str) -> Item:
    """The item that a message is: its sender is an originator whatever it says, and its codes count as said."""
    stated = read_kept(Fields(received.handling, f"handling of {received.id}"))
    handling = as_obeyed(node, received.compact, received.sender, stated)
    return Item(
        id=received.id, originator=received.sender, compact=received.compact, direction="in",
        digest=received.digest, case_id=case_id, handling=handling, at=received.received_at,
        retain_until=received.received_at + timedelta(days=handling.retention_days),
    )  # fmt: skip


def as_obeyed(node: Node, compact: str, sender: str, stated: Handling) -> Handling:
    """The obligations that a sender states as we keep them: with what their codes demand, and itself an originator."""
    stated = replace(stated, originators=(*stated.originators, sender))
    joined = node.compacts().get(compact)
    community = tuple(one.id for one in joined.members) if joined else ()
    return tighten(stated, stated.codes, Circle(receiver=node.id, community=community))


def keep_received(node: Node, tx: Transaction, received: Received, case_id: str) -> Item:
    """Keep a peer's message as an item of our case; what has become of it since stays so."""
    known = tx.items.find(received.compact, received.sender, received.id)
    item = as_received(node, received, case_id) if known is None else replace(known, case_id=case_id)
    tx.items.put(item)
    if case_id:
        tx.items.file(item)
    return item


def keep_sent(
    node: Node,
    tx: Transaction,
    *,
    message_id: str,
    compact: str,
    case_id: str,
    digest: str,
    handling: Handling,
) -> None:
    """Keep what we say as an item: its obligations are what others must obey, and what we can take back."""
    now = node.clock()
    tx.items.put(
        Item(
            id=message_id, originator=node.id, compact=compact, direction="out", digest=digest, case_id=case_id,
            handling=handling, at=now, retain_until=now + timedelta(days=handling.retention_days),
        )
    )  # fmt: skip


def made_from(tx: Transaction, case_id: str, senders: Collection[str] | None = None) -> list[Item]:
    """What peers told us in a case and is still there: all of it, or what came from these `senders`."""
    return [
        item
        for item in tx.items.of_case(case_id)
        if item.direction == "in" and item.state == "held" and (senders is None or item.originator in senders)
    ]


def own_handling(node: Node, *, compact: str, peers: Sequence[str], purpose: str) -> Handling:
    """What we say of our own: for all of the compact, or (setting `audience = "asked"`) for those we tell."""
    members = tuple(one.id for one in node.compact(compact).members)
    return Handling(
        originators=(node.id,), audience=members if node.settings.audience == "compact" else (node.id, *peers),
        purposes=(purpose,), actions=USUAL, retention_days=RETENTION_DAYS,
        caveats=("Intelligence only; not evidence until released by the originator.",),
    )  # fmt: skip


def counts(item: Item, at: datetime | None) -> bool:
    """Whether a thing made at `at` can hold what `item` said; one that ended before it cannot."""
    if at is None:
        return item.state == "held"
    return item.at <= at and (item.state == "held" or at < item.retain_until)


def ended(item: Item) -> str:
    """Why an item is not there any more, as people read it."""
    if item.state == "retracted":
        return f"retracted by {item.originator}"
    return f"what {item.originator} sent was to be kept until {item.retain_until:%Y-%m-%d}"
