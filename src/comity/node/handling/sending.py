"""The obligations that a message of ours goes out with, or why it may not go."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from comity.backends.sql import Transaction
from comity.backends.sql.items import Item
from comity.exchange.handling import MAX_SOURCES, fits
from comity.model import Crossing, Handling, Permission, Permitted, meet
from comity.node.bootstrap import Node
from comity.node.handling.gate import Barred, HandlingForbids, OtherCompact, barred, decide
from comity.node.handling.items import made_from, own_handling

CONTROL = frozenset({
    "receipts", "register.changed", "attachment.state",
    "consent.request", "consent.grant", "consent.refusal", "consent.withdrawal", "item.retraction", "item.compliance",
    "item.relaxation",
})  # fmt: skip
"""Types of message that say something about messages or members, and nothing about a case."""


def to_send(
    node: Node, tx: Transaction, *, compact: str, peers: Sequence[str], type_: str, case_id: str, purpose: str,
    senders: Collection[str] | None, stated: Handling | None = None,
) -> Handling:  # fmt: skip
    """The obligations that a message goes out with, or `HandlingForbids` where what it was made from may not.

    `senders` are the peers whose words are in it; None if that is not known: then everything that anybody told
    us in the case counts. `stated` are our own obligations where they are not the usual ones.
    """
    case = tx.cases.find(case_id)
    if case is not None and case.compact != compact:
        raise OtherCompact(f"expected compact {case.compact}, to which {case_id} belongs, got {compact}")
    own = stated or own_handling(node, compact=compact, peers=peers, purpose=purpose)
    if type_ in CONTROL:
        return replace(own, audience=(node.id, *peers))
    sources = made_from(tx, case_id, senders)
    for peer in peers:
        found = barred(node, tx, "disclose_onward", sources, recipient=peer, purpose=purpose, compact=compact)
        if found:
            raise HandlingForbids(found[0])
    return handling_of(node, tx, own, sources, peers=peers, purpose=purpose)


def tellers(node: Node, tx: Transaction, case_id: str, told: Iterable[Crossing]) -> frozenset[str] | None:
    """Whose words are in these crossings: the peers in whose traces they stand, and for our own trace those whose
    money came into it. None if one of them stands in no trace: then it may be anybody's."""
    traces = {one.source: one.trace.exits for one in tx.cases.traces(case_id)}
    said_by: dict[str, set[str]] = {}
    for source, exits in traces.items():
        for crossing in exits:
            said_by.setdefault(crossing.transfer_id, set()).add(source)
    wanted = [one.transfer_id for one in told]
    if any(one not in said_by for one in wanted):
        return None
    found = {source for one in wanted for source in said_by[one]}
    if node.id in found:
        covers = node.settings.covers
        found |= {
            source for source, exits in traces.items() if any(one.to_country in covers for one in exits)
        }
    return frozenset(found - {node.id})


def handling_of(
    node: Node, tx: Transaction, own: Handling, sources: Sequence[Item], *, peers: Sequence[str], purpose: str
) -> Handling:
    """What must be obeyed by whoever gets what we made from `sources`: the meet, and kept no longer than they.

    `HandlingForbids` where it is more than a message can say: nothing of it may be left out.
    """
    found, now = own, node.clock()
    for item in sources:
        found = meet(found, _with_consents(node, tx, item, peers, purpose))
        if not fits(replace(found, sources=())):
            raise HandlingForbids(_too_much(item, peers, purpose))
        found = replace(
            found, retention_days=min(found.retention_days, max(0, (item.retain_until - now).days))
        )
    direct = [item.digest for item in sorted(sources, key=lambda one: one.at, reverse=True)]
    behind = [digest for digest in found.sources if digest not in set(direct)]
    return replace(found, sources=tuple([*direct, *behind][:MAX_SOURCES]))


def _too_much(item: Item, peers: Sequence[str], purpose: str) -> Barred:
    why = "with it the obligations name more members, codes or actions than a message can say"
    return Barred(
        item=item, action="disclose_onward", recipient=", ".join(peers), purpose=purpose,
        permitted=Permitted(permission=Permission.DENY, reasons=(why,)),
    )  # fmt: skip


def _with_consents(node: Node, tx: Transaction, item: Item, peers: Sequence[str], purpose: str) -> Handling:
    """An item's obligations with those in its audience whom all its originators consented to telling."""
    found = item.handling
    for peer in peers:
        if decide(node, tx, item, "disclose_onward", recipient=peer, purpose=purpose).allowed:
            found = replace(found, audience=(*found.audience, peer), purposes=(*found.purposes, purpose))
    return found
