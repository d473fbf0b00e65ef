"""Taking back what was shared, or from whom, and the proof that it was done (spec/handling.md §4). Pure.

Both are JWS of their own besides being in signed messages: an originator can show what it took back and when, and
that it was told that this was complied with. A retraction leaves nobody; a shrinking leaves the audience it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import TrustError
from comity.exchange.fields import DIGEST, ID, LABEL, read_object, write_instant
from comity.proofs import signatures
from comity.proofs.canonical import canonical_bytes
from comity.proofs.sealing import digest_of

RETRACTION_TYPE = "comity-retraction+jws"
COMPLIANCE_TYPE = "comity-compliance+jws"
MAX_DOCUMENT = 32 * 1024
MAX_TIME = timedelta(days=30)
"""The longest that an originator may give to comply."""
_VERSION = 1


class RetractionMismatch(TrustError):
    """Somebody takes back what is another's, or says that they complied with what nobody asked."""

    code = "retraction.mismatch"


class How(StrEnum):
    """`erased`: nothing of it is left. `closed`: withheld at every exit, its text erased, what was made from it kept
    for the record. `kept`: withheld, but a legal hold forbids to erase even the text. `left`: it may keep it."""

    ERASED = "erased"
    CLOSED = "closed"
    KEPT = "kept"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """`item` is the digest of the envelope that gave it. `audience` is who may keep it: empty to retract."""

    item: str
    message_id: str
    originator: str
    audience: tuple[str, ...]
    at: datetime
    comply_by: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """`retraction` is the digest of the retraction's JWS. `onward` are members that `by` had told of it and has
    told now that it is taken back. `why` says why no more was done, where it was not all erased."""

    retraction: str
    item: str
    by: str
    originator: str
    at: datetime
    how: How
    onward: tuple[str, ...]
    why: str = ""


def make_retraction(retraction: Retraction, *, key: Ed25519PrivateKey) -> str:
    """Sign it; `Malformed` if `verify_retraction` would not read it."""
    signed = canonical_bytes(
        {
            "v": _VERSION, "item": retraction.item, "message": retraction.message_id,
            "originator": retraction.originator, "audience": list(retraction.audience),
            "at": write_instant(retraction.at), "comply_by": write_instant(retraction.comply_by),
            "why": retraction.why,
        }
    )  # fmt: skip
    _read_retraction(signed)
    return signatures.sign(signed, typ=RETRACTION_TYPE, key=key)


def verify_retraction(jws: str, *, keys: Mapping[str, bytes], originator: str) -> Retraction:
    """A retraction signed by `originator` and in its name. Whether the item is its to take back is the node's."""
    retraction = _read_retraction(signatures.verify(jws, typ=RETRACTION_TYPE, keys=keys).payload)
    if retraction.originator != originator:
        raise RetractionMismatch(f"expected a retraction by {originator}, got one by {retraction.originator}")
    return retraction


def make_compliance(compliance: Compliance, *, key: Ed25519PrivateKey) -> str:
    """Sign it; `Malformed` if `verify_compliance` would not read it."""
    signed = canonical_bytes(
        {
            "v": _VERSION, "retraction": compliance.retraction, "item": compliance.item, "by": compliance.by,
            "originator": compliance.originator, "at": write_instant(compliance.at),
            "how": compliance.how.value, "why": compliance.why, "onward": list(compliance.onward),
        }
    )  # fmt: skip
    _read_compliance(signed)
    return signatures.sign(signed, typ=COMPLIANCE_TYPE, key=key)


def verify_compliance(jws: str, *, keys: Mapping[str, bytes], by: str) -> Compliance:
    """A receipt of compliance signed by `by` and in its name."""
    compliance = _read_compliance(signatures.verify(jws, typ=COMPLIANCE_TYPE, keys=keys).payload)
    if compliance.by != by:
        raise RetractionMismatch(f"expected a compliance of {by}, got one of {compliance.by}")
    return compliance


def refuse_other_retraction(compliance: Compliance, jws: str, *, item: str, originator: str) -> None:
    """`RetractionMismatch` unless it is compliance with this retraction (`jws` is what was sent) of this item."""
    expected = (name_of(jws), item, originator)
    got = (compliance.retraction, compliance.item, compliance.originator)
    if expected != got:
        raise RetractionMismatch(f"expected compliance with {expected}, got {got}")


def name_of(jws: str) -> str:
    """What names a signed document: SHA-256 of its text, in hex."""
    return digest_of(jws.encode("ascii"))


def _read_retraction(signed: bytes) -> Retraction:
    fields = read_object(signed, where="retraction", max_bytes=MAX_DOCUMENT)
    fields.integer("v", least=_VERSION, most=_VERSION)
    retraction = Retraction(
        item=fields.text("item", form=DIGEST), message_id=fields.text("message", form=LABEL),
        originator=fields.text("originator", form=ID), audience=fields.texts("audience", most=256, form=ID),
        at=fields.instant("at"), comply_by=fields.instant("comply_by"),
        why=fields.text_or_empty("why", longest=1000),
    )  # fmt: skip
    if not timedelta(0) < retraction.comply_by - retraction.at <= MAX_TIME:
        raise fields.wrong("comply_by", f"up to {MAX_TIME.days} days after `at`", retraction.comply_by)
    return retraction


def _read_compliance(signed: bytes) -> Compliance:
    fields = read_object(signed, where="compliance", max_bytes=MAX_DOCUMENT)
    fields.integer("v", least=_VERSION, most=_VERSION)
    how = fields.text("how")
    if how not in set(How):
        raise fields.wrong("how", f"one of {', '.join(How)}", how)
    compliance = Compliance(
        retraction=fields.text("retraction", form=DIGEST), item=fields.text("item", form=DIGEST),
        by=fields.text("by", form=ID), originator=fields.text("originator", form=ID), at=fields.instant("at"),
        how=How(how), onward=fields.texts("onward", most=256, form=ID),
        why=fields.text_or_empty("why", longest=1000),
    )  # fmt: skip
    if compliance.how in (How.KEPT, How.CLOSED) and not compliance.why:
        raise fields.wrong("why", f"why it is {compliance.how} and not erased", "nothing")
    return compliance
