"""What peers send: envelopes, receipts, cards. Raw, and with what is signed changed and signed anew by its giver."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from comity.exchange import verify_receipt
from comity.exchange.batch import Result, read_envelopes, read_results, write_envelopes, write_results
from comity.exchange.mandate import Mandate, make_mandate, require_mandate
from comity.exchange.register.certificate import read_certificate
from comity.exchange.register.member import read_card
from comity.proofs import signatures
from comity.proofs.canonical import parse_strict
from tests.fuzz.engine import Target
from tests.fuzz.mutate import payload
from tests.unit.exchange_world import compact, opened_by
from tests.vectors.forger import (
    CANADA,
    COMPACT,
    HONG_KONG,
    NOW,
    THAILAND,
    WATCH,
    Draft,
    encoded,
    jws,
    receipt,
    receipt_fields,
)

REFUSED = {"status": "refused", "reason_code": "envelope.expired", "reason_text": "expected a later expiry"}


def exchange_targets() -> list[Target]:
    plain, several = Draft().write(), Draft(recipients=(HONG_KONG, THAILAND)).write()
    receipts = [receipt(), receipt(HONG_KONG, **REFUSED)]
    keys = compact().keys_of(HONG_KONG.id, NOW)
    return [
        Target(
            name="strict JSON", samples=[encoded(CANADA.card_fields()), b'{"a":[1,2,{"b":null}],"c":"\\u00e9"}', b"[]"],
            read=lambda raw: [parse_strict(raw)],
        ),
        Target(
            name="envelope", samples=[plain.wire, several.wire, Draft(payload=b"{}").write().wire],
            read=lambda wire: opened_by(HONG_KONG, wire),
        ),
        Target(
            name="manifest", samples=[payload(plain.jws)], weight=0.7,
            read=lambda manifest: opened_by(
                HONG_KONG, signed(manifest, CANADA, "comity-envelope+jws").encode() + b"\n" + plain.ciphertext
            ),
        ),
        Target(
            name="sealed payload", samples=[b'{"transfers":["T-1","T-2"]}', b'{"a":{"b":[1,-2,null,true,"x"]}}'],
            weight=0.2, read=lambda raw: opened_by(HONG_KONG, Draft(payload=raw).write().wire),
        ),
        Target(
            name="receipt", samples=[one.encode() for one in receipts],
            read=lambda raw: verify_receipt(text(raw), giver=HONG_KONG.id, keys=keys),
        ),
        Target(
            name="receipt fields", samples=[encoded(receipt_fields()), encoded(receipt_fields(**REFUSED))],
            read=lambda raw: verify_receipt(
                signed(raw, HONG_KONG, "comity-receipt+jws"), giver=HONG_KONG.id, keys=keys
            ),
        ),
        Target(
            name="card", samples=[one.card().encode() for one in (CANADA, WATCH)], weight=0.5,
            read=lambda raw: read_card(text(raw)),
        ),
        Target(
            name="card fields", samples=[encoded(one.card_fields()) for one in (CANADA, WATCH)], weight=0.5,
            read=lambda raw: read_card(signed(raw, CANADA if b'"ca-' in raw else WATCH, "comity-card+jws")),
        ),
        Target(
            name="certificate", samples=[CANADA.certificate().encode()],
            read=lambda raw: read_certificate(text(raw), where="fuzz"),
        ),
        Target(
            name="signed line", samples=[receipts[0].encode()],
            read=lambda raw: signatures.verify(text(raw), typ="comity-receipt+jws", keys=keys),
        ),
        *batch_targets([plain.wire, several.wire], receipts),
        *mandate_targets(),
    ]  # fmt: skip


def batch_targets(wires: list[bytes], receipts: list[str]) -> list[Target]:
    results = [
        Result(status=202, receipt=receipts[0]),
        Result(status=409, receipt=receipts[1]),
        Result(status=503),
    ]
    return [
        Target(name="batch", samples=[write_envelopes(wires), write_envelopes(wires[:1])], read=read_envelopes),
        Target(name="batch results", samples=[write_results(results), write_results(results[:1])], read=read_results),
    ]  # fmt: skip


def mandate_targets() -> list[Target]:
    wanted = Mandate(
        compact=COMPACT, requester=CANADA.id, deputy=HONG_KONG.id, recipients=(THAILAND.id,),
        type="trace_and_hold.request", purpose="tracing stolen money", expires=NOW + timedelta(hours=1),
    )  # fmt: skip
    sample = make_mandate(replace(wanted, expires=NOW + timedelta(hours=2)), key=CANADA.signing)
    keys = {signatures.key_id(CANADA.signing_public): CANADA.signing_public}
    return [
        Target(
            name="mandate fields", samples=[payload(sample)],
            read=lambda raw: require_mandate(signed(raw, CANADA, "comity-mandate+jws"), wanted, keys=keys),
        )
    ]  # fmt: skip


def text(raw: bytes) -> str:
    """A header or a JSON value that is text: any characters may come."""
    return raw.decode("utf-8", "surrogateescape")


def signed(raw: bytes, by: Any, typ: str) -> str:
    return jws(raw, by.signing, typ)


def document(raw: bytes) -> Any:
    """What a payload may hold: strict JSON. Floats and bad UTF-8 never get past it."""
    return parse_strict(raw)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
