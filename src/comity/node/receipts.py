"""Sign receipts: what became of a peer's message, with a reason that is fit to be read on a screen."""

from comity.exchange import Receipt, Status, make_receipt
from comity.node.bootstrap import Node

_LONGEST = 500


def sign_receipt(
    node: Node, status: Status, *, message_id: str, digest: str, sender: str, code: str = "", text: str = ""
) -> str:
    """The receipt as JWS. Error texts repeat what the peer wrote: control characters and direction overrides,
    which no receipt may carry, are replaced, and the rest is cut.
    """
    return make_receipt(
        Receipt(
            status=status, message_id=message_id, envelope_digest=digest, sender=sender, receiver=node.id,
            at=node.clock(), reason_code=code, reason_text=_fit(text),
        ),
        key=node.keys.signing,
    )  # fmt: skip


def _fit(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:_LONGEST])
