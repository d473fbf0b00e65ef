"""A mandate: an authority's signed word that another may ask in its name (spec/envelope.md §3.1). Pure.

Whoever asks on somebody's behalf shows that somebody's own signature over exactly this: who may ask whom, for
what purpose, what type of message, until when. Without it a node could be used to ask what its user could not
(a confused deputy), or could hide behind another's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import TrustError
from comity.exchange.fields import ID, LABEL, read_object, write_instant
from comity.exchange.manifest import MAX_MANDATE
from comity.proofs import signatures
from comity.proofs.canonical import canonical_bytes

MANDATE_TYPE = "comity-mandate+jws"


class NoMandate(TrustError):
    """Said in the name of an authority that did not say so."""

    code = "envelope.no-mandate"
    remedy = "Ask in your own name, or show the mandate that the other authority signed for this."


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """`requester` lets `deputy` send messages of `type` for `purpose` to `recipients` until `expires`."""

    compact: str
    requester: str
    deputy: str
    recipients: tuple[str, ...]
    type: str
    purpose: str
    expires: datetime


def make_mandate(mandate: Mandate, *, key: Ed25519PrivateKey) -> str:
    """Sign it as the requester; `Malformed` if nobody could read it."""
    signed = canonical_bytes(
        {
            "v": 1, "compact": mandate.compact, "requester": mandate.requester, "deputy": mandate.deputy,
            "recipients": list(mandate.recipients), "type": mandate.type, "purpose": mandate.purpose,
            "expires": write_instant(mandate.expires),
        }
    )  # fmt: skip
    _read(signed)
    return signatures.sign(signed, typ=MANDATE_TYPE, key=key)


def require_mandate(jws: str, wanted: Mandate, *, keys: Mapping[str, bytes]) -> None:
    """Raise unless `jws`, signed by one of the requester's `keys`, covers `wanted`.

    `wanted.recipients` are those it must name, `wanted.expires` is the time by which it must still hold.
    """
    if not jws:
        raise NoMandate(f"expected a mandate of {wanted.requester} for {wanted.deputy}, got none")
    given = _read(signatures.verify(jws, typ=MANDATE_TYPE, keys=keys).payload)
    said = (given.compact, given.requester, given.deputy, given.type, given.purpose)
    needed = (wanted.compact, wanted.requester, wanted.deputy, wanted.type, wanted.purpose)
    if said != needed or not set(wanted.recipients) <= set(given.recipients):
        raise NoMandate(f"expected a mandate for {needed} to {wanted.recipients}, got {said}")
    if given.expires < wanted.expires:
        raise NoMandate(
            f"expected a mandate until {write_instant(wanted.expires)}, got one to {write_instant(given.expires)}"
        )


def _read(signed: bytes) -> Mandate:
    fields = read_object(signed, where="mandate", max_bytes=MAX_MANDATE)
    fields.integer("v", least=1, most=1)
    return Mandate(
        compact=fields.text("compact", form=ID),
        requester=fields.text("requester", form=ID),
        deputy=fields.text("deputy", form=ID),
        recipients=fields.texts("recipients", most=32, form=ID),
        type=fields.text("type", form=LABEL),
        purpose=fields.text("purpose"),
        expires=fields.instant("expires"),
    )
