"""Receipts: every vector, and that a genuine receipt never serves for another message."""

from dataclasses import replace
from typing import Any

import pytest

from comity.errors import ComityError
from comity.exchange import Receipt, Status, make_receipt, refuse_other_message, verify_receipt
from comity.exchange.fields import Malformed
from comity.exchange.refusals import ReceiptMismatch
from comity.proofs.signatures import UnknownKey
from tests.unit.exchange_world import compact, digest, packed, vectors
from tests.vectors.forger import CANADA, HONG_KONG, NOW, THAILAND, Identity

ACCEPTED = Receipt(
    status=Status.ACCEPTED,
    message_id="message-0001",
    envelope_digest=digest("envelope"),
    sender=CANADA.id,
    receiver=HONG_KONG.id,
    at=NOW,
)
WAY = {
    "message_id": "message-0001",
    "envelope_digest": digest("envelope"),
    "sender": CANADA.id,
    "receiver": HONG_KONG.id,
}


def verified(jws: str, giver: Identity) -> Receipt:
    return verify_receipt(jws, giver=giver.id, keys=compact().keys_of(giver.id, NOW))


@pytest.mark.parametrize(("expect", "wire"), vectors("receipt"))
def test_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        refused_or_not = verified(wire.decode(), HONG_KONG)
        assert (refused_or_not.reason_code == "") == (refused_or_not.status is not Status.REFUSED)
        return
    with pytest.raises(ComityError) as refusal:
        verified(wire.decode(), HONG_KONG)
    assert refusal.value.code == expect


@pytest.mark.parametrize("status", Status)
def test_a_receipt_comes_out_as_it_went_in(status: Status) -> None:
    given = replace(ACCEPTED, status=status)
    if status in (Status.REFUSED, Status.UNDELIVERED):
        given = replace(given, reason_code="envelope.expired", reason_text="expected …, got …")
    giver = CANADA if status is Status.UNDELIVERED else HONG_KONG
    jws = make_receipt(given, key=giver.signing)
    assert verified(jws, giver) == given
    refuse_other_message(given, **WAY)


@pytest.mark.parametrize("change", [{name: "other"} for name in WAY])
def test_a_receipt_for_another_message_does_not_count(change: dict[str, str]) -> None:
    with pytest.raises(ReceiptMismatch):
        refuse_other_message(ACCEPTED, **{**WAY, **change})


def test_only_a_refusal_may_lack_the_id() -> None:
    refused = replace(ACCEPTED, status=Status.REFUSED, message_id="", reason_code="x")
    refuse_other_message(refused, **WAY)
    with pytest.raises(ReceiptMismatch):
        refuse_other_message(replace(refused, message_id="message-0002"), **WAY)
    with pytest.raises(Malformed):
        make_receipt(replace(ACCEPTED, message_id=""), key=HONG_KONG.signing)


def test_an_envelope_is_no_receipt() -> None:
    with pytest.raises(ComityError) as refusal:
        verified(packed().jws, CANADA)
    assert refusal.value.code == "signature.header"


def test_the_sender_cannot_receipt_for_the_receiver_nor_the_reverse() -> None:
    for_hong_kong = make_receipt(ACCEPTED, key=CANADA.signing)
    with pytest.raises(UnknownKey):
        verified(for_hong_kong, HONG_KONG)
    with pytest.raises(ReceiptMismatch):
        verified(for_hong_kong, CANADA)
    undelivered = replace(ACCEPTED, status=Status.UNDELIVERED, reason_code="expired")
    with pytest.raises(ReceiptMismatch):
        verified(make_receipt(undelivered, key=HONG_KONG.signing), HONG_KONG)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.REFUSED}, {"reason_code": "x"}, {"reason_text": "why"}, {"envelope_digest": "short"},
        {"sender": "No"}, {"status": Status.REFUSED, "reason_code": "x", "reason_text": "a" * 1001},
    ],
)  # fmt: skip
def test_a_receipt_that_would_be_refused_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        make_receipt(replace(ACCEPTED, **changes), key=HONG_KONG.signing)


def test_thailand_is_not_hong_kong() -> None:
    with pytest.raises(UnknownKey):
        verified(make_receipt(ACCEPTED, key=HONG_KONG.signing), THAILAND)
