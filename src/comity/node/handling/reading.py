"""What people may see of what came from others, and what they are told instead of what they may not."""

from datetime import datetime

from comity.backends.sql import Transaction
from comity.backends.sql.attachments import CarriedAttachment
from comity.backends.sql.consents import ConsentRow
from comity.backends.sql.items import Item
from comity.casework import Case
from comity.exchange.notice import NOTICE
from comity.model import Event
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, Barred, barred
from comity.node.handling.items import counts, ended
from comity.node.increment import answers_behind

ABOUT_ONE = (
    "message.", "request.", "hold.told", "consent.", "item.", "handling.", "case.opened", "notice.", "attachment.",
)  # fmt: skip
_SAYS_NOTHING = frozenset(
    {
        "case.read",
        "report.received",
        "event.read",
        "item.retracted",
        "item.complied",
        "item.expired",
        "item.relaxed",
        "holds.taken-back",
    }
)


class Reading:
    """What of one case may be read here, now. A thing that was made at some time from what a peer had told us by
    then is withheld while that is retracted, ran out or may not be read."""

    def __init__(self, node: Node, tx: Transaction, case_id: str, *, action: str = "read") -> None:
        self._tx, self._case_id = tx, case_id
        self._items = [one for one in tx.items.of_case(case_id) if one.direction == "in"]
        self._types = tx.items.types_in(case_id)
        self._barred = {
            one.item.digest: one
            for one in barred(node, tx, action, self._items, recipient=node.id, purpose=PURPOSE)
        }

    def told(self, sender: str) -> Barred | None:
        """What stands against reading what was made from the words of `sender`: a case, a trace, holds.

        The strictest of all it said counts, whatever it said later: of what was made from several messages nobody
        can say which part came from which. Notices are for themselves: nothing is made from them.
        """
        for item in self._items:
            made_from = self._types.get(item.digest, NOTICE) != NOTICE
            if made_from and item.originator == sender and item.digest in self._barred:
                return self._barred[item.digest]
        return None

    def trace(self, source: str) -> Barred | None:
        """What stands against reading a trace: a peer's is its last answer, and those that one goes on from."""
        answers = [
            one
            for one in self._items
            if one.originator == source and self._types.get(one.digest, "").endswith(".answer")
        ]
        behind = answers_behind(self._tx, self._case_id, source)
        made_of = [one for one in answers if one.id in behind] or answers[-1:]
        if not made_of:
            return self.told(source)
        return next((self._barred[one.digest] for one in made_of if one.digest in self._barred), None)

    def then(self, at: datetime, sender: str = "") -> Barred | None:
        """What stands against reading a thing made at `at` from what `sender`, or anybody, had told us."""
        for item in self._items:
            if sender in ("", item.originator) and item.digest in self._barred and counts(item, at):
                return self._barred[item.digest]
        return None

    def case(self, case: Case, node: Node) -> Barred | None:
        """What stands against reading another's case at all: that something it told us cannot be read."""
        return None if case.origin == node.id else self.told(case.origin)

    def event(self, event: Event) -> Barred | None:
        """An event holds what was known then: of the peer that it is about, if it is about one."""
        named = event.body.get("peer") or event.body.get("origin") or ""
        actor = event.actor if any(one.originator == event.actor for one in self._items) else ""
        about = actor or (named if isinstance(named, str) else "")
        if event.kind in _SAYS_NOTHING:
            return None
        return self.then(event.at, about if event.kind.startswith(ABOUT_ONE) else "")

    @property
    def withheld(self) -> tuple[str, ...]:
        """One sentence for each peer whose items cannot be read."""
        return tuple(sorted({withheld(one) for one in self._barred.values()}))


def why_withheld(node: Node, tx: Transaction, case_id: str, at: datetime) -> str:
    """Why what we knew of a case at `at` is not listed; empty if it is."""
    reading = Reading(node, tx, case_id, action="search")
    stands = reading.case(tx.cases.get(case_id), node) or reading.then(at)
    return withheld(stands) if stands else ""


def why_unnamed(node: Node, tx: Transaction, carried: CarriedAttachment) -> str:
    """Why what a peer says of an attachment is not listed; empty if it is. Without an item nobody knows."""
    if carried.direction == "out":
        return ""
    item = tx.items.find(carried.compact, carried.peer, carried.message_id)
    if item is None:
        return "What it came with is not known"
    found = barred(node, tx, "search", [item], recipient=node.id, purpose=PURPOSE)
    return withheld(found[0]) if found else ""


def why_silent(tx: Transaction, row: ConsentRow) -> str:
    """Why what was written about a consent is not listed: what it is about is gone. Empty if it is there.

    Where a use is only to be asked for, its question and answer are what a person needs to see.
    """
    item = tx.items.by_digest(row.item_digest)
    return withheld_sentence(item) if item is not None and item.state != "held" else ""


def may_be_listed(node: Node, tx: Transaction, case_id: str, told_by: str) -> bool:
    """Whether what `told_by` (a peer, or we) says of a case may be in a list. Our own word always may."""
    return told_by == node.id or Reading(node, tx, case_id, action="search").told(told_by) is None


def withheld(one: Barred) -> str:
    """Why a thing is not shown, as a sentence."""
    if one.item.state != "held":
        return withheld_sentence(one.item)
    return f"Not to be read without a consent of {', '.join(one.permitted.ask) or one.item.originator}"


def withheld_sentence(item: Item) -> str:
    said = ended(item)
    return f"{said[0].upper()}{said[1:]}"
