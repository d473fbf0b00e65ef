"""Asking across a border: who the members are, what they send one another, and what became of it.

`compact` and `member` say who may be talked to; `envelope` packs and unpacks what is said; `arrival` decides
what an arriving message does, `delivery` when to try again; `receipt` is the signed answer. All of it is
pure: the durable outbox and inbox and the way to a peer are `ports`.
"""

from comity.exchange.arrival import Decision, Known, Verdict, decide
from comity.exchange.batch import (
    MOST_ENVELOPES,
    Result,
    read_envelopes,
    read_results,
    write_envelopes,
    write_results,
)
from comity.exchange.delivery import (
    DEFAULT_BACKOFF,
    Backoff,
    Next,
    after_attempt,
    lifetime,
    next_attempt,
    wait_as_told,
)
from comity.exchange.envelope import MAX_SKEW, Addressee, Opened, Packed, digest_of_wire, pack, unpack
from comity.exchange.mandate import Mandate, make_mandate, require_mandate
from comity.exchange.manifest import NO_PREVIOUS, Message, Requester
from comity.exchange.ports import Answer, Courier, Inbox, Outbox, Outgoing, Queue
from comity.exchange.receipt import Receipt, Status, make_receipt, refuse_other_message, verify_receipt
from comity.exchange.register.bundle import Bundle, read_bundle, write_bundle
from comity.exchange.register.compact import Card, Compact
from comity.exchange.register.freshness import StaleRegister, Tier, allowed
from comity.exchange.register.member import Member, make_card, read_card
from comity.exchange.register.read import read_compact, read_register
from comity.exchange.register.write import form

__all__ = [
    "DEFAULT_BACKOFF", "MAX_SKEW", "MOST_ENVELOPES", "NO_PREVIOUS",
    "Addressee", "Answer", "Backoff", "Bundle", "Card", "Compact", "Courier", "Decision", "Inbox", "Known", "Mandate",
    "Member", "Message", "Next", "Opened", "Outbox", "Outgoing", "Packed", "Queue", "Receipt", "Requester",
    "Result", "StaleRegister", "Status", "Tier", "Verdict",
    "after_attempt", "allowed", "decide", "digest_of_wire", "form", "lifetime", "make_card", "make_mandate",
    "make_receipt", "next_attempt", "pack", "read_bundle", "read_card", "read_compact", "read_envelopes",
    "read_register", "read_results", "refuse_other_message", "require_mandate", "unpack", "verify_receipt",
    "wait_as_told", "write_bundle", "write_envelopes", "write_results",
]  # fmt: skip
