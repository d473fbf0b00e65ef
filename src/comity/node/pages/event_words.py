"""One sentence a person can read for each kind of event. The event itself is what counts."""

from collections.abc import Callable, Mapping
from typing import Any

from comity.errors import InputError
from comity.model import Event, format_minor
from comity.node.pages.vault_words import VAULT

_Words = Callable[[Mapping[str, Any]], str]


STEPS = (
    "message.", "attachment.announced", "hold.requested", "hold.told", "request.drafted", "request.checked",
    "request.approved", "request.acknowledged",
)  # fmt: skip
"""Kinds of event that lead up to another which says more."""


def is_step(event: Event) -> bool:
    return event.kind.startswith(STEPS)


def summary_of(event: Event) -> str:
    """A sentence for the timeline; falls back to the event's kind in words."""
    if event.kind == "request.sent" and event.actor == event.body["peer"]:
        return f"Request received from {event.actor} on {event.body['basis']}"
    words = _WORDS.get(event.kind)
    return words(event.body) if words else event.kind.replace(".", " ").replace("-", " ")


def _money(minor: int, currency: str) -> str:
    try:
        return format_minor(minor, currency)
    except InputError:
        return f"{currency} {minor} (minor units)"


def _sums(amounts: Mapping[str, int]) -> str:
    return ", ".join(_money(minor, currency) for currency, minor in sorted(amounts.items())) or "nothing"


def _hold(verb: str) -> _Words:
    return lambda body: f"{verb}: {_money(body['amount_minor'], body['currency'])} in {body['account']}"


def _request(verb: str) -> _Words:
    def words(body: Mapping[str, Any]) -> str:
        refusal = body.get("refusal") or {}
        ground = f" on the ground “{refusal['ground']}”" if refusal else ""
        return f"Request {verb} ({body['peer']}, {body['basis']}){ground}"

    return words


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _message(verb: str) -> _Words:
    return lambda body: f"Message {body.get('type', '')} {verb} {body.get('peer', '')}".rstrip()


def _wish(body: Mapping[str, Any]) -> str:
    return f"{body['action'].replace('_', ' ')}, {body['recipient']}, for {body['purpose']}"


def _attachment(verb: str) -> _Words:
    return lambda body: f"{verb.format(peer=body['peer'])} {_named(body)}{_because(body)}"


def _named(body: Mapping[str, Any]) -> str:
    return f"attachment {body['attachment'][:16]}… of {body['size']:,} bytes"


def _because(body: Mapping[str, Any]) -> str:
    return f" ({body['reason']})" if body.get("reason") else ""


def _changes(body: Mapping[str, Any]) -> str:
    said = [f"{word} {', '.join(body[word])}" for word in ("joined", "left", "rekeyed") if body[word]]
    said += [f"{one['member']}'s keys revoked ({one['reason']})" for one in body["revoked"]]
    return f": {'; '.join(said)}" if said else ""


_HOLDS_LATER: Mapping[str, _Words] = {
    "hold.triage-overdue": _hold("Nobody decided in time whether to hold"),
    "hold.notice-overdue": _hold("The holder was not told of the hold in time"),
    "hold.order-reminder": _hold("An order is still missing"),
    "hold.renew": _hold("The order was reviewed and renewed"),
    "hold.refused": _hold("Hold refused"),
    "hold.funds-gone": _hold("Nothing was left to hold"),
    "hold.confiscation-case": _hold("Passed to a confiscation case"),
}

_ALARMS: Mapping[str, _Words] = {
    "alarm.case-stuck": lambda body: f"The case cannot be followed: {body['problem']}",
    "alarm.deadline-stuck": lambda body: (
        f"What a deadline asks for cannot be done ({body['rule'].rpartition('/')[2]}): {body['problem']}"
    ),
    "alarm.hold-untold": lambda body: (
        f"{body['peer']} could not be told that a hold is {body['state']}: {body['problem']}"
    ),
    "alarm.message-unread": lambda body: (
        f"{body['peer']} has not read message {body['type']} since {body['since']}, after {body['attempts']} attempts"
    ),
    "alarm.message-refused": lambda body: (
        f"Message {body['type']} of {body['peer']} was refused: {body['problem']}"
    ),
    "alarm.message-rejected": lambda body: f"What {body['peer']} sent was not taken in: {body['problem']}",
    "alarm.message-order": lambda body: (
        f"A message of {body['peer']} does not follow the one before it: {body['reason']}"
    ),
    "alarm.receipt-wrong": lambda body: f"A receipt of {body['peer']} does not hold: {body['problem']}",
    "alarm.log-contradicted": lambda body: (
        f"Witness {body['witness']} saw another log than this one; nothing is published any more: {body['problem']}"
    ),
    "alarm.log-rolled-back": lambda body: (
        f"Witness {body['witness']} says that this log was put back: {body['problem']}"
    ),
    "alarm.log-two-stories": lambda body: f"Proven: log {body['origin']} told two stories",
    "alarm.log-doubt": lambda body: f"Log {body['origin']} does not show that it only grew",
}

_OFFICE: Mapping[str, _Words] = {
    "cases.listed": lambda body: "The list of cases was read",
    "holds.listed": lambda body: "The list of holds was read",
    "items.listed": lambda body: "The list of what was shared was read",
    "requests.listed": lambda body: "The list of requests was read",
    "consents.listed": lambda body: "The list of consents was read",
    "attachments.listed": lambda body: "The list of attachments was read",
    "notices.listed": lambda body: "The list of notices was read",
    "notice.read": lambda body: "Notice read",
    "request.read": lambda body: "Request read",
    "item.read": lambda body: "Obligations of an item read",
    "event.read": lambda body: "Event read",
    "case.graph-written": lambda body: (
        f"Graph of the case written for {body['recipient']}, for {body['purpose']}"
    ),
    "event.disclosed": lambda body: (
        f"Shown of an event to {body['recipient']}, for {body['purpose']}: {', '.join(body['fields'])}"
    ),
    "account.marked": lambda body: f"Every trace ends at {body['account']} from now on: {body['reason']}",
    "account.unmarked": lambda body: f"Traces go on through {body['account']} again: {body['reason']}",
    "book.imported": lambda body: (
        f"{body['rows']:,} transfers taken into the book from {', '.join(body['files'])}"
    ),
    "node.founded": lambda body: f"Node founded for {body['authority']}",
    "person.added": lambda body: f"{body['person']} may sign in, in the role {body['role']}",
    "policies.added": lambda body: f"The policies {body['file']} were added",
    "person.removed": lambda body: f"{body['person']} may not sign in any more",
    "tokens.listed": lambda _: "The tokens of programs were listed",
    "people.listed": lambda _: "The people of this node were listed",
    "deputy.named": lambda body: (
        f"{body['person']} may act for {body['principal']}, as {body['role']}, until {body['until'][:16]}"
    ),
    "deputy.ended": lambda body: f"{body['person']} acts for {body['principal']} no more",
    "person.signed-in": lambda body: "Signed in",
    "person.signed-out": lambda body: "Signed out",
    "token.issued": lambda body: (
        f"Token {body['token']} issued for {body['person']} in the role {body['role']}, until {body['until']}"
    ),
    "token.revoked": lambda body: f"Token {body['token']} of {body['person']} revoked",
    "token.used": lambda body: f"Token {body['token']} used for the first time that day",
    "deadlines.listed": lambda body: "The list of deadlines was read",
    "approvals.listed": lambda body: "The list of what waits for approval was read",
    "peer.pinned": lambda body: f"{body['peer']} is held to the signing key it has now",
    "peer.refused": lambda body: f"{body['peer']} is refused: to this node it is no member of any compact",
    "peer.trusted": lambda body: f"{body['peer']} is what its registers say",
    "compact.joined": lambda body: f"Compact {body['compact']} joined, of {', '.join(body['members'])}",
    "register.updated": lambda body: f"Register of {body['compact']} updated{_changes(body)}",
    "witness-policy.installed": lambda body: "A quorum of witnesses is required from now on",
    "witness-policy.removed": lambda body: "No quorum of witnesses is required any more",
}

_JOINT: Mapping[str, _Words] = {
    "deconflict.read": lambda body: "Targets, rounds and hits of deconfliction were read",
    "deconflict.listed": lambda body: (
        f"{body['targets']} identifiers listed as targets, for {body['purpose']}"
    ),
    "deconflict.opened": lambda body: f"{body['peer']} is asked whether it works the same targets",
    "deconflict.committed": lambda body: (
        f"{body['peer']} asks whether we work the same targets, for {body['purpose']}: bound to what is listed here"
    ),
    "deconflict.answered": lambda body: f"Compared with {body['peer']}: {body['hits']} targets are the same",
    "deconflict.concluded": lambda body: f"{body['peer']} compared: {body['hits']} targets are the same",
    "deconflict.hit": lambda body: (
        f"{body['peer']} works the same target ({body['reference']}); it knows no more until both agree"
    ),
    "deconflict.agreed": lambda body: f"Agreed that {body['peer']} may know our case ({body['reference']})",
    "deconflict.peer-agreed": lambda body: (
        f"{body['peer']} agreed that we may know its case ({body['reference']})"
    ),
    "deconflict.told": lambda body: f"Our case and contact told to {body['peer']} ({body['reference']})",
    "joint.written": lambda body: f"Written in {body['space']}: {body['entry']} (entry {body['number']})",
    "joint.heard": lambda body: (
        f"{body['peer']} wrote in {body['space']}: {body['entry']} (entry {body['number']})"
    ),
    "joint.read": lambda body: f"{body['space']} was read",
    "joint.listed": lambda body: f"The list of joint work ({body['what']}) was read",
    "operation.stands": lambda body: f"{body['space']} is {body['state']}: {body['why']}",
    "team.stands": lambda body: f"{body['space']} is {body['state']}: {body['why']}",
    "alarm.joint-two-stories": lambda body: (
        f"In {body['space']} {body['peer']} told {body['witness']} something else than others: {body['problem']}"
    ),
    "deconflict.contact": lambda body: f"{body['peer']} told its case and contact ({body['reference']})",
}

_WORDS: Mapping[str, _Words] = {
    "report.received": lambda body: f"Report {body['report']} taken: {_sums(body['amounts'])} stolen",
    "case.opened": lambda body: f"Case opened for a request of {body['origin']}",
    "case.read": lambda body: f"Case read by a person in the role {body['role']}",
    "trace.made": lambda body: (
        f"Traced under {body['rule']}: {body['holdings']} holdings, {body['exits']} exits"
    ),
    "trace.left-open": lambda body: (
        f"{body['peer']} is not asked (again): {body['why']}; that part stays open"
    ),
    "trace.part-late": lambda body: (
        f"{_sums(body['amounts'])} that went to {body['peer']} is open: {body['why']}"
    ),
    "trace.part-closed": lambda body: (
        f"What went to {body['peer']} is answered for: that part is open no more"
    ),
    "trace.choked": lambda body: (
        f"{_money(body['amount_minor'], body['currency'])} arrived in {body['account']} ({body['kind']}): "
        "tracing ends there"
    ),
    "account.marked": lambda body: f"Traces end at {body['account']} ({body['kind']}): {body['reason']}",
    "account.unmarked": lambda body: f"Traces go on at {body['account']}: {body['reason']}",
    "trace.left-compact": lambda body: (
        f"{_money(body['amount_minor'], body['currency'])} went to {body['account']} "
        f"in {body['transfers']} transfers: no member has a book there"
    ),
    "request.drafted": lambda body: f"Request to {body['peer']} drafted on {body['basis']['instrument']}",
    "request.draft": _request("sent back to whoever drafted it"),
    "request.checked": _request("checked: fields complete, basis usable"),
    "request.approved": _request("approved"),
    "request.awaiting-approval": _request("waits for a second person"),
    "request.sent": _request("sent"),
    "request.acknowledged": _request("acknowledged"),
    "request.answered": _request("answered"),
    "request.refused": _request("refused"),
    "request.lapsed": _request("lapsed"),
    "request.closed": _request("closed"),
    "request.acknowledge-overdue": _request("not acknowledged in time"),
    "matter.moved": lambda body: (
        f"{_plain(body['procedure'])}: {_plain(body['event'])}, now {_plain(body['state'])} "
        f"({body['by']}, {body['role']} of the {body['side']} side)"
    ),
    "matter.proposed": lambda body: f"Proposed to {body['peer']}: {_plain(body['event'])}",
    "matter.declined": lambda body: (
        f"Not taken, as {body['peer']} had proposed: {_plain(body['event'])}: {body['problem']}"
    ),
    "matter.not-taken": lambda body: (
        f"{body['peer']} does not take {_plain(body['event'])}: {body['problem']}"
    ),
    "matter.disputed": lambda body: f"Our half and that of {body['peer']} disagree: {body['problem']}",
    "matter.settled": lambda body: f"A disagreement with {body['peer']} was settled: {body['reason']}",
    "matter.read": lambda body: f"The matter {body['matter']} was read",
    "letter.made": lambda body: (
        f"A letter was made of {body['matter']}: {body['document'].replace('_', ' ')}"
        f"{', a draft' if body['draft'] else ''} (SHA-256 {body['sha256'][:12]}…)"
    ),
    "matter.listed": lambda body: f"{body['count']} matters were listed",
    "alarm.matter-untold": lambda body: (
        f"{body['peer']} could not be told that a matter is {_plain(body['state'])}: {body['problem']}"
    ),
    "request.answer-overdue": _request("not answered in time"),
    "request.approval-overdue": _request("waits for approval for too long"),
    "request.supplement": _request("supplemented"),
    "request.left-to-officer": lambda body: f"Request of {body['peer']} waits for an officer's decision",
    "hold.read": lambda body: f"The hold {body['hold']} was read",
    "hold.requested": _hold("Hold requested"),
    "hold.placed": _hold("Held"),
    "hold.recall-written": lambda body: (
        f"Request to recall the money under {body['hold']} written for {body['recipient']}, for {body['purpose']}"
    ),
    "hold.amended": _hold("Hold amended"),
    "hold.confirmed": _hold("Hold confirmed by an order"),
    "hold.lapsed": _hold("Hold lapsed: no order in time"),
    "hold.released": _hold("Hold released"),
    "hold.returned": _hold("Returned to the victim"),
    "hold.tell-holder": _hold("The holder was told of the hold"),
    "hold.not-placed": lambda body: (
        f"Not held: {_money(body['amount_minor'], body['currency'])} in {body['account']} ({body['code']})"
    ),
    "hold.differs": _hold("The trace now finds another amount than the order: for a person to decide"),
    "hold.told": lambda body: (
        f"A partner's hold is {body['state']}: {_money(body['amount_minor'], body['currency'])} "
        f"in {body['account']}"
    ),
    "message.queued": _message("queued for"),
    "message.received": lambda body: f"Message {body['type']} received from {body['peer']}",
    "message.delivered": _message("filed by"),
    "message.accepted": _message("accepted by"),
    "message.handled": _message("handled by"),
    "message.refused": _message("refused by"),
    "message.undelivered": _message("could not be delivered to"),
    "consent.asked": lambda body: f"Consent asked of {body['peer']}: {_wish(body)}",
    "consent.wanted": lambda body: f"{body['peer']} asks for our consent: {_wish(body)}",
    "consent.granted": lambda body: f"Consent granted ({body['peer']}): {_wish(body)}",
    "consent.refused": lambda body: f"Consent refused ({body['peer']}): {_wish(body)}",
    "consent.withdrawn": lambda body: f"Consent withdrawn ({body['peer']}): {_wish(body)}",
    "consent.unanswered": lambda body: (
        f"Nobody consented in time to the use of what {body['peer']} sent: it is refused"
    ),
    "handling.forbidden": lambda body: f"Not allowed by {body['peer']}: {_wish(body)}",
    "case.kept": lambda body: f"Kept by a legal hold: {body['ground']}",
    "case.released": lambda body: f"Legal hold lifted: {body['ground']}",
    "case.erased": lambda body: (
        f"Erased ({body['events']} events, {body['messages']} messages): {body['ground']}"
    ),
    "message.erased": lambda body: f"A message was erased ({body['events']} events): {body['ground']}",
    "item.taken-back": lambda body: f"What we had told {', '.join(body['told'])} was taken back",
    "item.shrunk": lambda body: f"What we had told is left to {', '.join(body['audience'])} only",
    "item.widened": lambda body: f"More is permitted of what we had told {', '.join(body['told'])}",
    "item.relaxed": lambda body: "A partner permits more of what it told us",
    "alarm.too-many-questions": lambda body: (
        f"No more consents are asked for by ourselves: {body['open']} questions about what {body['peer']} sent are open"
    ),
    "holds.taken-back": lambda body: f"What {body['peer']} told of its holds here counts no more",
    "item.retracted": lambda body: f"A partner takes back what it told us: {body['how']}",
    "item.complied": lambda body: f"Complied with what {body['peer']} took back: {body['how']}",
    "item.complied-with": lambda body: f"A partner complied with what we took back: {body['how']}",
    "item.expired": lambda body: f"What {body['peer']} told us was to be kept no longer: {body['how']}",
    "alarm.not-complied": lambda body: f"{body['peer']} has not said that it complied with what we took back",
    "notice.sent": lambda body: f"Notice to {', '.join(body['peers'])}: {body['subject']}",
    "notice.received": lambda body: f"Notice from {body['peer']}",
    "attachment.announced": _attachment("{peer} sends:"),
    "attachment.whole": _attachment("Whole and verified, from {peer}:"),
    "attachment.refused": _attachment("Not taken from {peer}:"),
    "attachment.failed": _attachment("Could not be had whole from {peer}:"),
    "attachment.told": lambda body: (
        f"{body['peer']} says that {_named(body)} is {body['state']}" + _because(body)
    ),
    "attachment.wanted": _attachment("To be fetched again from {peer}:"),
    "attachment.saved": _attachment("Taken out of the node:"),
    "attachment.erased": _attachment("Its key is destroyed:"),
    "deadline.passed": lambda body: f"Deadline passed: {body['rule'].rpartition('/')[2]}",
    "deadline.reminded": lambda body: (
        f"Reminder: {body['rule'].rpartition('/')[2]} is due {body['due_at'][:16].replace('T', ' ')} UTC"
    ),
    "deadline.escalated": lambda body: (
        f"Deadline passed and brought before the {body['role']}: {body['rule'].rpartition('/')[2]}"
    ),
    **_HOLDS_LATER,
    **VAULT,
    **_JOINT,
    **_ALARMS,
    **_OFFICE,
}
