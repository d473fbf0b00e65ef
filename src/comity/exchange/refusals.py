"""Why an envelope or a receipt is refused: one class, hence one stable code, a reason.

Refusals of form are `InputError`s, refusals of trust are `TrustError`s; `signature.*` and `sealing.*` codes
come from `proofs`. The order in which they are checked is that of spec/envelope.md §6. Refusals that time may
mend (a compact not joined yet, a clock) have an HTTP status of their own, after which the sender tries again.
"""

from comity.errors import InputError, TrustError


class OversizeEnvelope(InputError):
    """More bytes than an envelope may have; nothing of it was parsed."""

    code = "envelope.oversize"
    remedy = "Send less in one message, or the large part as an attachment."
    http_status = 413


class MalformedWire(InputError):
    """Not a signed line, a line feed and a ciphertext."""

    code = "envelope.malformed"
    remedy = "Send the envelope as spec/envelope.md describes it; a proxy on the way may have changed it."


class UnsupportedVersion(InputError):
    """An envelope of a version this node does not speak."""

    code = "envelope.version"
    remedy = "Upgrade the older of the two nodes."


class BadPayload(InputError):
    """The payload is authentic but is not a strict JSON object."""

    code = "envelope.payload"
    remedy = "Ask the sender to correct its software and send again."


class UnknownSender(TrustError):
    """Signed by nobody in this compact."""

    code = "envelope.unknown-sender"
    http_status = 401
    remedy = "If the sender is new or changed its key, join the compact's later version first."


class SenderMismatch(TrustError):
    """The manifest names another sender than the one whose key signed it."""

    code = "envelope.sender-mismatch"


class OtherCompact(TrustError):
    """Signed for another compact: what is shared in one never enters another."""

    code = "envelope.other-compact"


class WrongRecipient(TrustError):
    """Not addressed to this node: somebody forwarded what was meant for another."""

    code = "envelope.wrong-recipient"


class OtherRecipientKey(TrustError):
    """Addressed to this node, but sealed to a key that it does not use."""

    code = "envelope.recipient-key"
    http_status = 421
    remedy = "The sender should join the compact's later version, which has this node's present key."


class Premature(TrustError):
    """Issued further in the future than clocks may differ."""

    code = "envelope.issued-in-future"
    http_status = 425
    remedy = "Compare both nodes' clocks with a time source."


class Expired(TrustError):
    """Past the time its sender gave it."""

    code = "envelope.expired"
    remedy = "The sender may send a new message, with a new id, if it is still wanted."


class LifetimeTooLong(TrustError):
    """Valid for longer than any message may be, or for no time at all."""

    code = "envelope.lifetime"
    remedy = "Give a message at most 30 days."


class ReceiptMismatch(TrustError):
    """A genuine receipt, but for another message, or from somebody who may not give it."""

    code = "receipt.mismatch"
