"""Sign receipts: what became of a peer's message, with a reason that is fit to be read on a screen.

The receipt `accepted` is the answer to the delivery itself. What comes later is noted by `conclude` in the
transaction of what happened; `node.post.tell` sends it (spec/receipt.md §3).
"""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.sql import Transaction
from comity.exchange import Compact, Outgoing, Receipt, Status, make_receipt, verify_receipt
from comity.exchange.receipt import goes_further, signed_anew
from comity.node.bootstrap import Node

_LONGEST = 500


def sign_receipt(
    node: Node, status: Status, *, compact: Compact | None, message_id: str, digest: str, sender: str, code: str = "",
    text: str = "",
) -> str:  # fmt: skip
    """The receipt as JWS for a message that came to us, under our key in that compact (None: it is not known).

    Error texts repeat what the peer wrote: control characters and direction overrides, which no receipt may
    carry, are replaced, and the rest is cut.
    """
    return make_receipt(
        Receipt(
            status=status, message_id=message_id, envelope_digest=digest, sender=sender, receiver=node.id,
            at=node.clock(), reason_code=code, reason_text=_fit(text),
        ),
        key=own_key(node, compact),
    )  # fmt: skip


def sign_undelivered(node: Node, outgoing: Outgoing, *, code: str, text: str) -> str:
    """Our own word, for our own record: it was given up before we knew that its receiver had accepted it.

    `code`: it `expired`, or its receiver answered for hours without taking or refusing it (`unread`).
    """
    return make_receipt(
        Receipt(
            status=Status.UNDELIVERED, message_id=outgoing.message_id, envelope_digest=outgoing.digest,
            sender=node.id, receiver=outgoing.receiver, at=node.clock(), reason_code=code,
            reason_text=_fit(text),
        ),
        key=own_key(node, node.compacts().get(outgoing.compact)),
    )  # fmt: skip


def own_key(node: Node, compact: Compact | None) -> Ed25519PrivateKey:
    """Our signing key as our card in that compact has it; the present one where there is no such card."""
    members = compact.members if compact is not None else ()
    own = next((one for one in members if one.id == node.id), None)
    return node.keys.signing if own is None else node.keys.signing_for(own.signing_key)


def verified(compact: Compact, giver: str, jws: str, *, logged_at: datetime) -> Receipt:
    """A receipt that `giver` signed with a key that held when we logged it. Raises what `verify_receipt` raises."""
    return verify_receipt(jws, giver=giver, keys=compact.keys_of(giver, logged_at))


def given_again(node: Node, compact: Compact, jws: str) -> str:
    """A receipt of ours for who asks again: the same bytes, or the same words under our present key where the key
    that signed them has gone since. Whoever gets it logs it only now, and takes no key that does not hold now.
    """
    return signed_anew(jws, keys=compact.keys_of(node.id, node.clock()), key=own_key(node, compact))


def conclude(
    node: Node, tx: Transaction, compact: str, sender: str, message_id: str, status: Status, *,
    code: str = "", text: str = "",
) -> None:  # fmt: skip
    """Note what became of a message that `sender` sent us; nothing if as much was said before, or it never came."""
    known = tx.inbox.outcome(compact, sender, message_id)
    if known is None or not goes_further(status, known[1]):
        return
    receipt = sign_receipt(
        node, status, compact=node.compacts().get(compact), message_id=message_id, digest=known[0],
        sender=sender, code=code, text=text,
    )  # fmt: skip
    tx.inbox.conclude(compact, sender, message_id, status=status, receipt=receipt)


def _fit(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:_LONGEST])
