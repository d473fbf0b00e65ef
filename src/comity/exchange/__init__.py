"""Asking across a border: who the members are, what they send one another, and what became of it.

`compact` and `member` say who may be talked to; `envelope` packs and unpacks what is said; `arrival` decides
what an arriving message does, `delivery` when to try again; `receipt` is the signed answer. All of it is
pure: the durable outbox and inbox and the way to a peer are `ports`.
"""

from comity.exchange.arrival import Decision, Known, Verdict, decide
from comity.exchange.compact import Compact, fingerprint, form, read_compact, refuse_rollback
from comity.exchange.delivery import Backoff, Next, after_attempt, next_attempt
from comity.exchange.envelope import MAX_SKEW, Addressee, Opened, Packed, digest_of_wire, pack, unpack
from comity.exchange.manifest import NO_PREVIOUS, Message
from comity.exchange.member import Member, make_card, read_card
from comity.exchange.ports import Answer, Courier, Inbox, Outbox, Outgoing
from comity.exchange.receipt import Receipt, Status, make_receipt, refuse_other_message, verify_receipt

__all__ = [
    "MAX_SKEW", "NO_PREVIOUS",
    "Addressee", "Answer", "Backoff", "Compact", "Courier", "Decision", "Inbox", "Known", "Member", "Message",
    "Next", "Opened", "Outbox", "Outgoing", "Packed", "Receipt", "Status", "Verdict",
    "after_attempt", "decide", "digest_of_wire", "fingerprint", "form", "make_card", "make_receipt",
    "next_attempt", "pack", "read_card", "read_compact", "refuse_other_message", "refuse_rollback", "unpack",
    "verify_receipt",
]  # fmt: skip
