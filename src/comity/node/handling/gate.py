"""The one gate: nothing that came from others is used, or leaves, but as their obligations allow (design §4).

Every exit asks here first (`exits`, `sending`, `reading`); what is missing is a consent of a named originator, and
the error names the command that asks for it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from comity.backends.sql import Transaction
from comity.backends.sql.items import Item
from comity.errors import Forbidden
from comity.model import Consent, Permission, Permitted, permits
from comity.node.bootstrap import Node
from comity.node.handling.items import ended

PURPOSE = "trace-and-hold"


class HandlingForbids(Forbidden):
    """The obligations on what came from somebody do not allow this, or not yet."""

    code = "handling.forbids"
    remedy = "Its originator said so; only the originator can say otherwise."

    def __init__(self, barred: "Barred", *, where: str = "") -> None:
        super().__init__(barred.problem, where=where, remedy=barred.remedy)
        self.barred = barred


class OtherCompact(Forbidden):
    """A case is spoken of in its own compact only, whoever is in the other one too."""

    code = "handling.other-compact"
    remedy = "Speak of it with members of its own compact: comity case show DIR CASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Why `item` is not to be used so, and who must be asked."""

    item: Item
    action: str
    recipient: str
    purpose: str
    permitted: Permitted

    @property
    def problem(self) -> str:
        if self.item.state != "held":
            return f"{self.item.id}: {ended(self.item)}"
        what = self.action.replace("_", " ")
        return (
            f"{self.item.id} from {self.item.originator}: {what} by or to {self.recipient} for {self.purpose} "
            f"is not allowed ({'; '.join(self.permitted.reasons)})"
        )

    @property
    def remedy(self) -> str:
        if not self.permitted.ask:
            return HandlingForbids.remedy
        return (
            f"Ask {', '.join(self.permitted.ask)}: comity consent ask DIR {self.item.id} --action {self.action} "
            f"--recipient {self.recipient} --purpose {self.purpose} --as NAME"
        )


def barred(
    node: Node,
    tx: Transaction,
    action: str,
    items: Iterable[Item],
    *,
    recipient: str,
    purpose: str,
    compact: str = "",
) -> list[Barred]:
    """What stands against doing `action` with `items`; nothing if all of them allow it.

    A sole originator may always be told what it said itself. Ours are not asked about: they are ours.
    """
    found = []
    for item in items:
        if item.direction == "out":
            continue
        permitted = decide(node, tx, item, action, recipient=recipient, purpose=purpose)
        if compact and item.compact != compact:
            permitted = Permitted(
                permission=Permission.DENY, reasons=(f"it belongs to compact {item.compact}",)
            )
        elif (
            action == "disclose_onward" and item.handling.originators == (recipient,) and item.state == "held"
        ):
            continue
        if not permitted.allowed:
            found.append(
                Barred(item=item, action=action, recipient=recipient, purpose=purpose, permitted=permitted)
            )
    return found


def record_refusals(node: Node, case_id: str, found: Iterable[Barred], *, actor: str) -> None:
    with node.records.transaction() as tx:
        for one in found:
            record_barred(node, tx, case_id, one, actor=actor)


def record_barred(node: Node, tx: Transaction, case_id: str, one: Barred, *, actor: str) -> None:
    node.record(
        tx, "handling.forbidden", case_id=case_id, actor=actor, item=one.item.id, peer=one.item.originator,
        action=one.action, recipient=one.recipient, purpose=one.purpose, permission=one.permitted.permission.value,
        ask=list(one.permitted.ask), reasons=list(one.permitted.reasons),
    )  # fmt: skip


def decide(
    node: Node, tx: Transaction, item: Item, action: str, *, recipient: str, purpose: str
) -> Permitted:
    if item.state != "held" or (item.direction == "in" and item.retain_until <= node.clock()):
        return Permitted(permission=Permission.DENY, reasons=(ended(item),))
    return permits(
        item.handling, action, recipient=recipient, purpose=purpose, item=item.digest,
        consents=[*tx.consents.given(item.digest), *_our_own(node, item, action, recipient, purpose)],
        now=node.clock(),
    )  # fmt: skip


def _our_own(node: Node, item: Item, action: str, recipient: str, purpose: str) -> list[Consent]:
    """Where a peer's item was made from ours too, what we decide to do is our consent to it."""
    if node.id not in item.handling.originators:
        return []
    later = node.clock() + timedelta(minutes=1)
    return [
        Consent(
            item=item.digest, by=node.id, action=action, recipient=recipient, purpose=purpose, expires=later
        )
    ]


@contextmanager
def recording(node: Node, case_id: str, *, actor: str) -> Iterator[None]:
    """Around a transaction that may end in `HandlingForbids`: the refusal is recorded after it was rolled back."""
    try:
        yield
    except HandlingForbids as error:
        record_refusals(node, case_id, [error.barred], actor=actor)
        raise
