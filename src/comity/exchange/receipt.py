"""Signed receipts: what became of a message, in words its giver cannot deny (spec/receipt.md). Pure.

The receiver signs `accepted`, `delivered`, `handled` and `refused`; the sender signs `undelivered` when a
message expired on its side. A receipt names the envelope by the digest of its signed line, so it can be kept
as proof of exactly what was received. A refusal says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.exchange.fields import DIGEST, ID, LABEL, Fields, read_object, write_instant
from comity.exchange.refusals import ReceiptMismatch
from comity.proofs import signatures
from comity.proofs.canonical import canonical_bytes

RECEIPT_TYPE = "comity-receipt+jws"
RECEIPTS = "receipts"
"""The type of the message in which receipts travel that are not the answer to a delivery."""
MAX_RECEIPT = 4 * 1024


class Status(StrEnum):
    ACCEPTED = "accepted"
    """Verified, opened and durable at the receiver."""
    DELIVERED = "delivered"
    """Filed with the procedure it is for, and waits there for a person."""
    HANDLED = "handled"
    """What it asked for was done or answered."""
    REFUSED = "refused"
    """Never will be: see the reason."""
    UNDELIVERED = "undelivered"
    """Expired before the sender knew that it was accepted; said by the sender."""


_WITH_REASON = frozenset({Status.REFUSED, Status.UNDELIVERED})
_RANK = {Status.UNDELIVERED: 0, Status.ACCEPTED: 1, Status.DELIVERED: 2, Status.HANDLED: 3, Status.REFUSED: 3}
LATER = (Status.DELIVERED, Status.HANDLED, Status.REFUSED)
"""What a receiver says of a message after it had accepted it, in a message of type `receipts`."""


def goes_further(status: Status, than: Status) -> bool:
    """Whether `status` says more than what was said before; what is handled or refused stays so."""
    return _RANK[status] > _RANK[than]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`message_id` is empty only where a refused envelope was too broken to tell.

    `envelope_digest` is the SHA-256 of the envelope's signed line, in hex. `reason_code` is an error's stable
    code and `reason_text` is for a person; both only where the status needs a reason.
    """

    status: Status
    message_id: str
    envelope_digest: str
    sender: str
    """Member that sent the message."""
    receiver: str
    """Member it was addressed to."""
    at: datetime
    reason_code: str = ""
    reason_text: str = ""

    @property
    def giver(self) -> str:
        """Who must have signed."""
        return self.sender if self.status is Status.UNDELIVERED else self.receiver


def make_receipt(receipt: Receipt, *, key: Ed25519PrivateKey) -> str:
    """Sign `receipt`; `Malformed` if `verify_receipt` would not read it."""
    signed = canonical_bytes(_state(receipt))
    _read(signed)
    return signatures.sign(signed, typ=RECEIPT_TYPE, key=key)


def verify_receipt(jws: str, *, giver: str, keys: Mapping[str, bytes]) -> Receipt:
    """Return a receipt that member `giver` signed with one of its `keys` (key id → raw key) and may give.

    Which keys those are depends on when this node logged it: `Compact.keys_of`. For which envelope it is must still
    be compared: `refuse_other_message`.
    """
    receipt = _read(signatures.verify(jws, typ=RECEIPT_TYPE, keys=keys).payload)
    if receipt.giver != giver:
        raise ReceiptMismatch(
            f"expected a receipt that {giver} may give, got one for {receipt.giver} to give"
        )
    return receipt


def signed_anew(jws: str, *, keys: Mapping[str, bytes], key: Ed25519PrivateKey) -> str:
    """A receipt that we gave, as it may be given again: as it was while one of our `keys` made it, else the very same
    words signed with `key`. Only for what stands in our own records: its old signature is not verified.
    """
    given = signatures.read_unverified(jws, typ=RECEIPT_TYPE)
    return jws if given.kid in keys else signatures.sign(given.payload, typ=RECEIPT_TYPE, key=key)


def refuse_other_message(
    receipt: Receipt, *, message_id: str, envelope_digest: str, sender: str, receiver: str
) -> None:
    """Raise `ReceiptMismatch` unless it is for this envelope on this way (a refusal may lack the id)."""
    expected = (envelope_digest, sender, receiver)
    got = (receipt.envelope_digest, receipt.sender, receipt.receiver)
    nameless = receipt.status is Status.REFUSED and not receipt.message_id
    if got != expected or (receipt.message_id != message_id and not nameless):
        raise ReceiptMismatch(
            f"expected a receipt for {message_id} {expected}, got one for {receipt.message_id} {got}"
        )


def claimed_digest(jws: str) -> str:
    """Which envelope a receipt says it is for, **unverified**: to find out whose keys must hold."""
    return _read(signatures.read_unverified(jws, typ=RECEIPT_TYPE).payload).envelope_digest


def _state(receipt: Receipt) -> dict[str, Any]:
    return {
        "v": 1,
        "status": str(receipt.status),
        "id": receipt.message_id,
        "envelope": receipt.envelope_digest,
        "sender": receipt.sender,
        "receiver": receipt.receiver,
        "at": write_instant(receipt.at),
        "reason_code": receipt.reason_code,
        "reason_text": receipt.reason_text,
    }


def _read(signed: bytes) -> Receipt:
    fields = read_object(signed, where="receipt", max_bytes=MAX_RECEIPT)
    fields.integer("v", least=1, most=1)
    status = _status(fields)
    code, text = _reason(fields, status)
    message_id = fields.text_or_empty("id", form=LABEL)
    if not message_id and status is not Status.REFUSED:
        raise fields.wrong("id", "the id of the message", message_id)
    return Receipt(
        status=status,
        message_id=message_id,
        envelope_digest=fields.text("envelope", form=DIGEST),
        sender=fields.text("sender", form=ID),
        receiver=fields.text("receiver", form=ID),
        at=fields.instant("at"),
        reason_code=code,
        reason_text=text,
    )


def _status(fields: Fields) -> Status:
    text = fields.text("status")
    if text not in {one.value for one in Status}:
        raise fields.wrong("status", f"one of {', '.join(Status)}", text)
    return Status(text)


def _reason(fields: Fields, status: Status) -> tuple[str, str]:
    if status in _WITH_REASON:
        return fields.text("reason_code", form=LABEL), fields.text_or_empty("reason_text", longest=1000)
    for name in ("reason_code", "reason_text"):
        if fields.text_or_empty(name):
            raise fields.wrong(name, f"no reason for {status}", fields.values[name])
    return "", ""
