"""An item as people see it: its obligations, and the codes of other schemes that promise no more. Reads only.

Whom it is for and what may be done with it is always shown: it says whom to ask. What its originator wrote about it
in words and codes is withheld with the item.
"""

from dataclasses import replace
from typing import Any

from comity.backends.sql import Transaction
from comity.backends.sql.items import Item
from comity.errors import InputError, NotFound
from comity.exchange.handling import write_handling
from comity.exchange.markings import SCHEMES, Circle, mark
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, barred
from comity.node.handling.reading import withheld


def item_row(node: Node, tx: Transaction, item: Item, *, action: str = "search") -> dict[str, Any]:
    """What is known of an item whatever became of it; nothing of what it said.

    `withheld` says why its caveats, gradings, codes and sources are not shown; empty if they are.
    """
    stands = barred(node, tx, action, [item], recipient=node.id, purpose=PURPOSE)
    handling = item.handling
    if stands:
        handling = replace(handling, caveats=(), gradings=(), codes=(), sources=())
    return {
        "id": item.id, "direction": item.direction, "from": item.originator, "compact": item.compact,
        "case": item.case_id, "digest": item.digest, "state": item.state, "at": item.at.isoformat(),
        "retain_until": item.retain_until.isoformat(), "withheld": withheld(stands[0]) if stands else "",
        **write_handling(handling),
    }  # fmt: skip


def item_page(node: Node, tx: Transaction, item_id: str) -> dict[str, Any]:
    """One item, by its id or digest, with its codes."""
    found = tx.items.named(item_id)
    if not found:
        raise NotFound.because(
            expected="an item of this node", got=repr(item_id), remedy="List them: comity item list DIR"
        )
    if len(found) > 1:
        raise InputError.because(
            expected="one item: two members chose this id, or one in two compacts", got=item_id,
            remedy="Name it by its digest: comity item list DIR --json",
        )  # fmt: skip
    item = found[0]
    row = item_row(node, tx, item, action="read")
    joined = node.compacts().get(item.compact)
    circle = Circle(receiver=node.id, community=tuple(one.id for one in joined.members) if joined else ())
    marked = {scheme: mark(item.handling, scheme, circle) for scheme in SCHEMES}
    return {
        **row,
        "as_codes": {
            scheme: {"code": one.code, "besides": list(one.besides)}
            for scheme, one in marked.items()
            if one and not row["withheld"]
        },
        "consents": [
            {"id": one.id, "peer": one.peer, "action": one.action, "recipient": one.recipient, "state": one.state}
            for one in tx.consents.of_item(item.digest)
        ],
    }  # fmt: skip
