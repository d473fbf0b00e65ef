"""What the payload of an authentic message may hold, as the use cases read it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from comity.exchange.attachment import read_attachment
from comity.exchange.consent import CONSENT_TYPE, read_question, verify_word
from comity.exchange.fields import read_object
from comity.exchange.handling import read_handling
from comity.exchange.relaxation import RELAXATION_TYPE, verify_relaxation
from comity.exchange.retraction import COMPLIANCE_TYPE, RETRACTION_TYPE, verify_compliance, verify_retraction
from comity.proofs.signatures import key_id
from comity.tracing import read_crossing, read_gap, read_holding, read_time
from comity.tracing.chokes import read_choke
from comity.tracing.documents import read_report
from tests.fuzz.engine import Target
from tests.fuzz.exchange_targets import document, dumped, signed, text
from tests.vectors.forger import CANADA, HONG_KONG, NOW, THAILAND, b64u, instant

LATER = instant(NOW + timedelta(days=2))

CROSSING = {
    "transfer_id": "T-1", "booked_at": "2025-06-03T10:15:30.000000Z", "from_country": "CA", "to_account": "hk-1",
    "to_institution": "Bank", "to_country": "HK", "currency": "USD", "sent_currency": "CAD", "sent_minor": 700,
    "pieces": [{"amount_minor": 500, "tainted": True}, {"amount_minor": 20, "tainted": False}],
}  # fmt: skip
HOLDING = {
    "account": "hk-1", "institution": "Bank", "country": "HK", "currency": "USD", "tainted_minor": 500,
    "balance_minor": 520,
}  # fmt: skip
CHOKE = {
    "account": "hk-pool", "institution": "Bank", "country": "HK", "currency": "USD", "kind": "omnibus",
    "tainted_minor": 500, "transfers": 2,
}  # fmt: skip
GAP = {"transfer_id": "T-9", "account": "hk-1", "currency": "USD", "unexplained_minor": 12}
REPORT = {"report_id": "R-1", "transfers": ["T-1", "T-2"], "amounts": {"T-1": "10.50"}, "offence": "fraud"}
HANDLING = {
    "originators": ["ca-fraud"], "audience": ["hk-adcc"], "purposes": ["asset_recovery"],
    "actions": {"read": "allow", "disclose_onward": "ask", "judicial_use": "deny"}, "retention_days": 90,
    "gradings": [], "codes": ["TLP:AMBER", "H1"], "caveats": ["Intelligence only"], "sources": [],
}  # fmt: skip


ATTACHMENT = {
    "format": "comity-attachment/1", "id": "a" * 64, "name": "statement.pdf", "media_type": "application/pdf",
    "size": 12_345, "chunk": 65_536, "digest": "b" * 64, "key": b64u(bytes(32)),
}  # fmt: skip
USE = {"item": "c" * 64, "action": "disclose_onward", "recipient": THAILAND.id, "purpose": "asset_recovery"}
QUESTION = {
    "v": 1, "question": "consent-1", **USE, "originator": CANADA.id, "asker": HONG_KONG.id, "until": LATER,
    "sources": ["d" * 64], "why": "To ask them.",
}  # fmt: skip
WORD = {
    "v": 1, "answer": "grant", "question": "consent-1", **USE, "originator": CANADA.id, "asker": HONG_KONG.id,
    "at": instant(NOW), "expires": LATER, "why": "",
}  # fmt: skip
RETRACTION = {
    "v": 1, "item": "c" * 64, "message": "message-1", "originator": CANADA.id, "audience": [], "at": instant(NOW),
    "comply_by": LATER, "why": "It was wrong.",
}  # fmt: skip
COMPLIANCE = {
    "v": 1, "retraction": "e" * 64, "item": "c" * 64, "by": CANADA.id, "originator": HONG_KONG.id,
    "at": instant(NOW), "how": "closed", "why": "The record stays.", "onward": [THAILAND.id],
}  # fmt: skip
RELAXATION = {
    "v": 1, "item": "c" * 64, "message": "message-1", "originator": CANADA.id, "handling": HANDLING,
    "at": instant(NOW), "why": "Released.",
}  # fmt: skip


def payload_targets() -> list[Target]:
    keys = {key_id(CANADA.signing_public): CANADA.signing_public}
    return [
        _document("crossing", CROSSING, read_crossing),
        _document("holding", HOLDING, read_holding),
        _document("gap", GAP, read_gap),
        _document("choke point", CHOKE, read_choke),
        _document("report document", REPORT, read_report),
        Target(name="time", samples=[b"2025-06-03T10:15:30.000000Z", b"2025-06-03T10:15:30+07:00"],
               read=lambda raw: read_time(text(raw))),
        Target(name="handling", samples=[dumped(HANDLING)],
               read=lambda raw: read_handling(read_object(raw, where="handling", max_bytes=100_000))),
        Target(name="attachment", samples=[dumped(ATTACHMENT)],
               read=lambda raw: read_attachment(read_object(raw, where="attachment", max_bytes=100_000)).layout),
        Target(name="consent request", samples=[dumped(QUESTION)],
               read=lambda raw: read_question(read_object(raw, where="question", max_bytes=100_000).values)),
        Target(name="consent", samples=[dumped(WORD)],
               read=lambda raw: verify_word(signed(raw, CANADA, CONSENT_TYPE), keys=keys, originator=CANADA.id)),
        Target(name="retraction", samples=[dumped(RETRACTION)], read=lambda raw: verify_retraction(
            signed(raw, CANADA, RETRACTION_TYPE), keys=keys, originator=CANADA.id)),
        Target(name="compliance", samples=[dumped(COMPLIANCE)], read=lambda raw: verify_compliance(
            signed(raw, CANADA, COMPLIANCE_TYPE), keys=keys, by=CANADA.id)),
        Target(name="relaxation", samples=[dumped(RELAXATION)], read=lambda raw: verify_relaxation(
            signed(raw, CANADA, RELAXATION_TYPE), keys=keys, originator=CANADA.id)),
    ]  # fmt: skip


def _document(name: str, sample: dict[str, Any], read: Callable[[Any], object]) -> Target:
    return Target(name=name, samples=[dumped(sample)], read=lambda raw: read(document(raw)))
