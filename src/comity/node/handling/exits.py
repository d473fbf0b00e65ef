"""What a command or a page asks before it gives back, or passes on, what came from others.

The exits, and what each asks for (`EXITS`, where a test compares them with the commands and pages there are):

- a message (`node/post/send.py`): `disclose_onward` to each recipient, for the message's purpose, of what it was
  made from, and never in another compact; every kind of message goes through it
- taking a message in (`node/hear.py`): `read` and `derive` by us; a request or an answer that may not be used waits
- case, request, hold and item commands, `--json` or not, and the case pages: `read`; what was retracted or ran
  out is not there any more, and it is said who took it back
- the graph of a case (`comity case graph`): `read`; for somebody else `disclose_onward`, and so is the request to
  recall held money (`comity hold recall`), which says that it was traced
- lists of cases, requests, holds (and any search): `search`
- the proof of an event (page and file) and `comity log disclose`: `read`; to somebody else `disclose_onward`, and in
  court `judicial_use`
- comparing identifiers with a peer's (`comity deconflict check`): `automated_match`, and `disclose_onward` to whom is
  asked, of every message in the case that names one of them; what a peer told of a hit: `search`
- following one case's data into another (`link`) and any other automatic comparison (`automated_match`): nothing
  here does either with what came from others; whatever will must call `require_use`

Not an exit: `comity hold tell-holder` records that a holder was told of *our* hold and of the way to challenge it. It
says nothing that was received, and is a safeguard of national law that no foreign marking lifts; what it says
besides is `contact_subject`, and for the person who says it to ask about.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from comity.backends.sql import Transaction
from comity.backends.sql.items import Item
from comity.model import Event
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, Barred, HandlingForbids, barred, record_refusals
from comity.node.handling.items import counts, made_from
from comity.node.handling.reading import ABOUT_ONE, Reading

OUTSIDE = "outside"
"""Who gets a file that nobody in particular is named for."""
_OURS_TO_SAY = frozenset({"id", "at", "kind", "actor", "case_id"})
EXITS: Mapping[str, str] = {
    "comity deconflict check": "automated_match", "comity deconflict list": "search",
    "comity operation list": "read", "comity operation show": "read", "comity team list": "read",
    "comity team show": "read", "comity team sign": "read",
    "comity case list": "search", "comity case show": "read", "comity case graph": "read",
    "comity hold recall": "disclose_onward", "comity request list": "search",
    "comity request show": "read", "comity request letter": "read", "comity request approve": "disclose_onward",
    "comity request answer": "derive",
    "comity request refuse": "disclose_onward", "comity request new": "disclose_onward",
    "comity request amend": "disclose_onward", "comity request send": "disclose_onward",
    "comity request decide": "disclose_onward", "comity request extend": "disclose_onward",
    "comity request settle": "read", "comity hold list": "search", "comity notice list": "search",
    "comity notice show": "read", "comity notice send": "disclose_onward", "comity attachment list": "search",
    "comity attachment save": "read", "comity item list": "search", "comity item show": "read",
    "comity consent list": "search", "comity log disclose": "disclose_onward",
    "/cases": "search", "/cases/{case_id:str}": "read", "/cases/{case_id:str}/events/{event_id:str}": "read",
    "/cases/{case_id:str}/events/{event_id:str}/proof.json": "read",
}  # fmt: skip
"""Commands and pages that give back what came from others, or pass it on, and what each asks for."""


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
    about = event.kind.startswith(ABOUT_ONE)
    who = {event.actor, event.body.get("peer")}
    return [
        item
        for item in tx.items.all()
        if item.direction == "in"
        and item.originator in who
        and (bool(wanted & {item.id, item.digest}) if wanted else about)
    ]


def _refuse(node: Node, case_id: str, found: Sequence[Barred], *, actor: str) -> None:
    if found:
        record_refusals(node, case_id, found, actor=actor)
        raise HandlingForbids(found[0], where=case_id)
