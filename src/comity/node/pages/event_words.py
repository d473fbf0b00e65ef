"""One sentence a person can read for each kind of event. The event itself is what counts."""

from collections.abc import Callable, Mapping
from typing import Any

from comity.errors import InputError
from comity.model import Event, format_minor

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
    "trace.left-compact": lambda body: (
        f"{_money(body['amount_minor'], body['currency'])} went to {body['account']} "
        f"in {body['transfers']} transfers: no member has a book there"
    ),
    "request.drafted": lambda body: f"Request to {body['peer']} drafted on {body['basis']['instrument']}",
    "request.checked": _request("checked: fields complete, basis usable"),
    "request.approved": _request("approved"),
    "request.awaiting-approval": _request("waits for a second person"),
    "request.sent": _request("sent"),
    "request.acknowledged": _request("acknowledged"),
    "request.answered": _request("answered"),
    "request.refused": _request("refused"),
    "request.lapsed": _request("lapsed"),
    "request.left-to-officer": lambda body: f"Request of {body['peer']} waits for an officer's decision",
    "hold.requested": _hold("Hold requested"),
    "hold.placed": _hold("Held"),
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
    "message.accepted": _message("accepted by"),
    "message.handled": _message("handled by"),
    "message.refused": _message("refused by"),
    "message.undelivered": _message("could not be delivered to"),
    "consent.asked": lambda body: f"Consent asked of {body['peer']}: {_wish(body)}",
    "consent.wanted": lambda body: f"{body['peer']} asks for our consent: {_wish(body)}",
    "consent.granted": lambda body: f"Consent granted ({body['peer']}): {_wish(body)}",
    "consent.refused": lambda body: f"Consent refused ({body['peer']}): {_wish(body)}",
    "consent.withdrawn": lambda body: f"Consent withdrawn ({body['peer']}): {_wish(body)}",
    "handling.forbidden": lambda body: f"Not allowed by {body['peer']}: {_wish(body)}",
    "case.kept": lambda body: f"Kept by a legal hold: {body['ground']}",
    "case.released": lambda body: f"Legal hold lifted: {body['ground']}",
    "case.erased": lambda body: (
        f"Erased ({body['events']} events, {body['messages']} messages): {body['ground']}"
    ),
    "message.erased": lambda body: f"A message was erased ({body['events']} events): {body['ground']}",
    "item.taken-back": lambda body: f"What we had told {', '.join(body['told'])} was taken back",
    "item.shrunk": lambda body: f"What we had told is left to {', '.join(body['audience'])} only",
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
}
