"""The originator makes the obligations of what it shared wider (spec/handling.md §6). Pure.

A JWS of its own besides being in a signed message, so that whoever goes by the wider obligations can show who said
so. Whether its signer may say so of the item is `model.handling.relax`'s and the node's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import TrustError
from comity.exchange.fields import DIGEST, ID, LABEL, read_object, write_instant
from comity.exchange.handling import read_handling, write_handling
from comity.model import Handling
from comity.proofs import signatures
from comity.proofs.canonical import canonical_bytes

RELAXATION_TYPE = "comity-relaxation+jws"
MAX_RELAXATION = 128 * 1024
_VERSION = 1


class RelaxationMismatch(TrustError):
    """Somebody widens the obligations of what is another's."""

    code = "relaxation.mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """`item` is the digest of the envelope that gave it; `handling` replaces its obligations altogether."""

    item: str
    message_id: str
    originator: str
    handling: Handling
    at: datetime
    why: str


def make_relaxation(relaxation: Relaxation, *, key: Ed25519PrivateKey) -> str:
    """Sign it; `Malformed` if `verify_relaxation` would not read it."""
    signed = canonical_bytes(
        {
            "v": _VERSION, "item": relaxation.item, "message": relaxation.message_id,
            "originator": relaxation.originator, "handling": write_handling(relaxation.handling),
            "at": write_instant(relaxation.at), "why": relaxation.why,
        }
    )  # fmt: skip
    _read(signed)
    return signatures.sign(signed, typ=RELAXATION_TYPE, key=key)


def verify_relaxation(jws: str, *, keys: Mapping[str, bytes], originator: str) -> Relaxation:
    """A relaxation signed by `originator` and in its name."""
    relaxation = _read(signatures.verify(jws, typ=RELAXATION_TYPE, keys=keys).payload)
    if relaxation.originator != originator:
        raise RelaxationMismatch(f"expected a relaxation by {originator}, got one by {relaxation.originator}")
    return relaxation


def _read(signed: bytes) -> Relaxation:
    fields = read_object(signed, where="relaxation", max_bytes=MAX_RELAXATION)
    fields.integer("v", least=_VERSION, most=_VERSION)
    return Relaxation(
        item=fields.text("item", form=DIGEST), message_id=fields.text("message", form=LABEL),
        originator=fields.text("originator", form=ID), handling=read_handling(fields.nested("handling")),
        at=fields.instant("at"), why=fields.text_or_empty("why", longest=1000),
    )  # fmt: skip
