"""The one gate: nothing that came from others leaves, or is used, but as their obligations allow (design §4).

Every message of a peer that says something becomes an item with its obligations (`keep_received`), and so does
every one of ours (`keep_sent`), which carries the meet of ours and of all that it was made from. Every exit asks
here first; what is missing is a consent of a named originator, and the error names the command that asks for it.

The exits, and what each asks for (`EXITS`, where a test compares them with the commands and pages there are):

- a message (`node/post/send.py`): `disclose_onward` to each recipient, for the message's purpose, of what it was
  made from, and never in another compact; every kind of message goes through it
- taking a message in (`node/hear.py`): `read` and `derive` by us; a request or an answer that may not be used waits
- case, request, hold and item commands, `--json` or not, and the case pages: `read`; what was retracted or ran
  out is not there any more, and it is said who took it back
- lists of cases, requests, holds (and any search): `search`
- the proof of an event (page and file) and `comity log disclose`: `read`; to somebody else `disclose_onward`, and in
  court `judicial_use`
- following one case's data into another (`link`) and automatic comparison (`automated_match`): nothing here does
  either with what came from others; whatever will must call `require_use`

Not an exit: `comity hold tell-holder` records that a holder was told of *our* hold and of the way to challenge it. It
says nothing that was received, and is a safeguard of national law that no foreign marking lifts; what it says
besides is `contact_subject`, and for the person who says it to ask about.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comity.backends.sql import Received, Transaction
from comity.backends.sql.attachments import CarriedAttachment
from comity.backends.sql.items import ConsentRow, Item
from comity.casework import Case
from comity.errors import Forbidden
from comity.exchange.fields import Fields
from comity.exchange.handling import MAX_SOURCES, fits, read_kept
from comity.exchange.markings import Circle, tighten
from comity.exchange.notice import NOTICE
from comity.model import Consent, Crossing, Event, Handling, Permission, Permitted, meet, permits
from comity.node.bootstrap import Node

PURPOSE = "trace-and-hold"
RETENTION_DAYS = 90
CONTROL = frozenset({
    "receipts", "register.changed", "attachment.state",
    "consent.request", "consent.grant", "consent.refusal", "consent.withdrawal", "item.retraction", "item.compliance",
})  # fmt: skip
"""Types of message that say something about messages or members, and nothing about a case."""
USUAL: Mapping[str, Permission] = {
    "read": Permission.ALLOW, "search": Permission.ALLOW, "link": Permission.ALLOW, "derive": Permission.ALLOW,
    "disclose_onward": Permission.ALLOW, "judicial_use": Permission.ASK, "contact_subject": Permission.DENY,
    "automated_match": Permission.DENY,
}  # fmt: skip
"""What we say of our own: work on this case within its audience, intelligence and not evidence."""
OUTSIDE = "outside"
"""Who gets a file that nobody in particular is named for."""
_OURS_TO_SAY = frozenset({"id", "at", "kind", "actor", "case_id"})
EXITS: Mapping[str, str] = {
    "comity case list": "search", "comity case show": "read", "comity request list": "search",
    "comity request show": "read", "comity request approve": "disclose_onward", "comity request answer": "derive",
    "comity request refuse": "disclose_onward", "comity hold list": "search", "comity notice list": "search",
    "comity notice show": "read", "comity notice send": "disclose_onward", "comity attachment list": "search",
    "comity attachment save": "read", "comity item list": "search", "comity item show": "read",
    "comity consent list": "search", "comity log disclose": "disclose_onward",
    "/cases": "search", "/cases/{case_id:str}": "read", "/cases/{case_id:str}/events/{event_id:str}": "read",
    "/cases/{case_id:str}/events/{event_id:str}/proof.json": "read",
}  # fmt: skip
"""Commands and pages that give back what came from others, or pass it on, and what each asks for."""


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


def ended(item: Item) -> str:
    """Why an item is not there any more, as people read it."""
    if item.state == "retracted":
        return f"retracted by {item.originator}"
    return f"what {item.originator} sent was to be kept until {item.retain_until:%Y-%m-%d}"


# --- items ---------------------------------------------------------------------------------------------------


def as_received(node: Node, received: Received, case_id: str) -> Item:
    """The item that a message is: its sender is an originator whatever it says, and its codes count as said."""
    stated = read_kept(Fields(received.handling, f"handling of {received.id}"))
    stated = replace(stated, originators=(*stated.originators, received.sender))
    joined = node.compacts().get(received.compact)
    community = tuple(one.id for one in joined.members) if joined else ()
    handling = tighten(stated, stated.codes, Circle(receiver=node.id, community=community))
    return Item(
        id=received.id, originator=received.sender, compact=received.compact, direction="in",
        digest=received.digest, case_id=case_id, handling=handling, at=received.received_at,
        retain_until=received.received_at + timedelta(days=handling.retention_days),
    )  # fmt: skip


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
        if _permitted(node, tx, item, "disclose_onward", recipient=peer, purpose=purpose).allowed:
            found = replace(found, audience=(*found.audience, peer), purposes=(*found.purposes, purpose))
    return found


# --- the gate ------------------------------------------------------------------------------------------------


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
        permitted = _permitted(node, tx, item, action, recipient=recipient, purpose=purpose)
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


def require_use(
    node: Node, action: str, case_id: str, *, actor: str, recipient: str = "", purpose: str = PURPOSE
) -> None:
    """Raise `HandlingForbids`, and record it, unless `action` may be done with all that peers told us in a case.

    `recipient` is who does it, or is given it: we ourselves by default. Opens transactions of its own, as all
    of these do: not to be called inside one.
    """
    with node.records.reading() as tx:
        gone = Reading(node, tx, case_id, action=action).case(tx.cases.get(case_id), node)
        found = [gone] if gone is not None and gone.item.state != "held" else []
        found += barred(
            node, tx, action, made_from(tx, case_id), recipient=recipient or node.id, purpose=purpose
        )
    _refuse(node, case_id, found, actor=actor)


def require_item(
    node: Node, action: str, compact: str, originator: str, message_id: str, *, actor: str
) -> None:
    """The same for one message of a peer, by us."""
    with node.records.reading() as tx:
        item = tx.items.find(compact, originator, message_id)
        found = (
            barred(node, tx, action, [item], recipient=node.id, purpose=PURPOSE) if item is not None else []
        )
    _refuse(node, item.case_id if item else "", found, actor=actor)


def require_case(node: Node, case_id: str, *, actor: str) -> None:
    """Raise `HandlingForbids`, and record it, where a case of another may not be read (any more)."""
    with node.records.reading() as tx:
        stands = Reading(node, tx, case_id).case(tx.cases.get(case_id), node)
    _refuse(node, case_id, [stands] if stands else [], actor=actor)


def require_moment(node: Node, case_id: str, at: datetime, *, actor: str) -> None:
    """Raise `HandlingForbids`, and record it, where what we knew of a case at `at` may not all be read."""
    with node.records.reading() as tx:
        stands = Reading(node, tx, case_id).then(at)
    _refuse(node, case_id, [stands] if stands else [], actor=actor)


def require_disclosure(
    node: Node, event: Event, fields: Collection[str], *, recipient: str, purpose: str, actor: str
) -> None:
    """Raise `HandlingForbids`, and record it, unless `recipient` may be given these fields of an event.

    When it was, what it was called and who did it is ours to say; what it says may come from all that peers had
    told us by then. An event of no case says of a peer at most what its messages said that it names, or by then
    all of them.
    """
    if set(fields) <= _OURS_TO_SAY:
        return
    with node.records.reading() as tx:
        items = tx.items.of_case(event.case_id) if event.case_id else _behind(tx, event)
        items = [one for one in items if counts(one, event.at)]
        found = barred(node, tx, "disclose_onward", items, recipient=recipient, purpose=purpose)
    _refuse(node, event.case_id, found, actor=actor)


def _behind(tx: Transaction, event: Event) -> list[Item]:
    """The items of peers that an event of no case may come from."""
    named = [event.body.get(key) for key in ("message", "item")]
    wanted = {one for one in named if isinstance(one, str)}
    about = event.kind.startswith(_ABOUT_ONE)
    who = {event.actor, event.body.get("peer")}
    return [
        item
        for item in tx.items.all()
        if item.direction == "in"
        and item.originator in who
        and (bool(wanted & {item.id, item.digest}) if wanted else about)
    ]


def counts(item: Item, at: datetime | None) -> bool:
    """Whether a thing made at `at` can hold what `item` said; one that ended before it cannot."""
    if at is None:
        return item.state == "held"
    return item.at <= at and (item.state == "held" or at < item.retain_until)


def _refuse(node: Node, case_id: str, found: Sequence["Barred"], *, actor: str) -> None:
    if found:
        record_refusals(node, case_id, found, actor=actor)
        raise HandlingForbids(found[0], where=case_id)


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


def _permitted(
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


@contextmanager
def recording(node: Node, case_id: str, *, actor: str) -> Iterator[None]:
    """Around a transaction that may end in `HandlingForbids`: the refusal is recorded after it was rolled back."""
    try:
        yield
    except HandlingForbids as error:
        record_refusals(node, case_id, [error.barred], actor=actor)
        raise


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


# --- what people may see -------------------------------------------------------------------------------------


class Reading:
    """What of one case may be read here, now. A thing that was made at some time from what a peer had told us by
    then is withheld while that is retracted, ran out or may not be read."""

    def __init__(self, node: Node, tx: Transaction, case_id: str, *, action: str = "read") -> None:
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
        """What stands against reading a trace: a peer's is the whole of its last answer."""
        answers = [
            one
            for one in self._items
            if one.originator == source and self._types.get(one.digest, "").endswith(".answer")
        ]
        return self._barred.get(answers[-1].digest) if answers else self.told(source)

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
        return self.then(event.at, about if event.kind.startswith(_ABOUT_ONE) else "")

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


_ABOUT_ONE = (
    "message.", "request.", "hold.told", "consent.", "item.", "handling.", "case.opened", "notice.", "attachment.",
)  # fmt: skip
_SAYS_NOTHING = frozenset(
    {"case.read", "report.received", "event.read", "item.retracted", "item.complied", "item.expired"}
)


def withheld(one: Barred) -> str:
    """Why a thing is not shown, as a sentence."""
    if one.item.state != "held":
        return withheld_sentence(one.item)
    return f"Not to be read without a consent of {', '.join(one.permitted.ask) or one.item.originator}"


def withheld_sentence(item: Item) -> str:
    said = ended(item)
    return f"{said[0].upper()}{said[1:]}"
