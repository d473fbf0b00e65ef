"""The envelope: every vector, and the attacks a peer, a recipient or the way between them could try."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers

from comity.errors import ComityError, InputError
from comity.exchange import Message, Requester, digest_of_wire, pack
from comity.exchange.envelope import MAX_MANIFEST, MAX_WIRE, PADDING_STEP, padded
from comity.exchange.fields import Malformed
from comity.exchange.refusals import (
    Expired,
    LifetimeTooLong,
    MalformedWire,
    OtherCompact,
    OversizeEnvelope,
    Premature,
    SenderMismatch,
    UnknownSender,
    WrongRecipient,
)
from comity.model import Handling, Permission
from comity.proofs.sealing import SALT_BYTES, ChangedCiphertext
from comity.proofs.signatures import MAX_JWS, BadSignature, encode
from tests.unit.exchange_world import (
    addressed,
    compact,
    digest,
    message,
    opened_by,
    packed,
    seeded,
    vectors,
)
from tests.vectors.envelope_cases import DRAFT
from tests.vectors.forger import CANADA, HONG_KONG, NOW, STRANGER, THAILAND, WATCH, Draft
from tests.vectors.generate import FOLDER, files


@pytest.mark.parametrize(("expect", "wire"), vectors("envelope"))
def test_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        assert opened_by(HONG_KONG, wire).sender.id == CANADA.id
        return
    with pytest.raises(ComityError) as refusal:
        opened_by(HONG_KONG, wire)
    assert refusal.value.code == expect


def test_the_vectors_are_those_that_the_generator_writes() -> None:
    written = files()
    groups = {path.partition("/")[0] for path in written}
    on_disk = {str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in FOLDER.rglob("*.json")}
    ours = {path: text for path, text in on_disk.items() if path.partition("/")[0] in groups}
    assert ours == written


def test_a_message_comes_out_as_it_went_in() -> None:
    sent = message(in_reply_to="message-0000")
    opened = opened_by(HONG_KONG, packed(sent).wire)
    assert opened.message == sent
    assert (opened.sender.id, opened.recipients) == (CANADA.id, (HONG_KONG.id,))
    assert (opened.sequence, opened.previous, opened.unknown) == (1, "0" * 64, {})


def test_the_digest_names_the_signed_line() -> None:
    made = packed()
    opened = opened_by(HONG_KONG, made.wire)
    assert (
        made.digest
        == opened.digest
        == digest_of_wire(made.wire)
        == digest(made.wire.split(b"\n")[0].decode())
    )


def test_even_what_cannot_be_read_has_a_name() -> None:
    assert len({digest_of_wire(b""), digest_of_wire(b"x"), digest_of_wire(bytes(2 * MAX_JWS))}) == 3


def test_what_we_write_the_forger_reads_field_by_field() -> None:
    """The manifest as spec/envelope.md §3 lists it, nothing more."""
    line = packed().jws
    manifest = json.loads(urlsafe_b64decode(line.split(".")[1] + "=="))
    by_the_spec = json.loads(urlsafe_b64decode(DRAFT.write().jws.split(".")[1] + "=="))
    assert manifest.keys() == by_the_spec.keys()
    assert manifest["to"][0].keys() == by_the_spec["to"][0].keys()
    assert manifest["handling"].keys() == by_the_spec["handling"].keys()


def test_unknown_signed_fields_survive() -> None:
    extra = {"priority": {"level": 3}, "zebra": [None, True, "é"]}
    made = packed(extra=extra)
    opened = opened_by(HONG_KONG, made.wire)
    assert opened.unknown == extra
    assert opened.jws == made.jws


def test_extra_fields_never_replace_ours() -> None:
    assert opened_by(HONG_KONG, packed(extra={"id": "stolen", "from": {}}).wire).message.id == "message-0001"


def test_an_unknown_handling_code_means_ask() -> None:
    change = Draft(
        change=lambda manifest: manifest["handling"]["actions"].update(link="purple", read="allow")
    )
    handling = opened_by(HONG_KONG, change.write().wire).message.handling
    assert (handling.may("link"), handling.may("read")) == (Permission.ASK, Permission.ALLOW)
    assert handling.may("never heard of") == Permission.ASK


def test_each_recipient_has_its_own_place_in_its_own_chain() -> None:
    to = [
        *addressed(HONG_KONG, sequence=4, previous="a" * 64),
        *addressed(THAILAND, sequence=9, previous="b" * 64),
    ]
    made = pack(
        message(), compact=compact().name, sender=compact().member(CANADA.id), signing_key=CANADA.signing,
        addressees=to, random=seeded(1),
    )  # fmt: skip
    hong_kong, thailand = opened_by(HONG_KONG, made.wire), opened_by(THAILAND, made.wire)
    assert (hong_kong.sequence, hong_kong.previous) == (4, "a" * 64)
    assert (thailand.sequence, thailand.previous) == (9, "b" * 64)
    assert hong_kong.message == thailand.message
    with pytest.raises(WrongRecipient):
        opened_by(WATCH, made.wire)


# attacks


def test_no_bit_of_the_wire_can_change_unseen() -> None:
    wire = packed().wire
    for at in range(len(wire)):
        changed = wire[:at] + bytes([wire[at] ^ (1 << (at % 8))]) + wire[at + 1 :]
        with pytest.raises(ComityError):
            opened_by(HONG_KONG, changed)


def test_no_truncation_and_no_tail_pass() -> None:
    wire = packed().wire
    for length in [*range(0, len(wire), 37), len(wire) - 1]:
        with pytest.raises(ComityError):
            opened_by(HONG_KONG, wire[:length])
    for tail in (b"\0", b"\n", wire):
        with pytest.raises(ChangedCiphertext):
            opened_by(HONG_KONG, wire + tail)


def test_ciphertexts_of_two_messages_cannot_be_swapped() -> None:
    one, two = packed(), packed(message(id="message-0002"), random=seeded(2))
    with pytest.raises(ChangedCiphertext):
        opened_by(HONG_KONG, one.jws.encode() + b"\n" + two.wire.split(b"\n", 1)[1])


def test_a_recipient_cannot_forward_it_as_if_sent_to_another() -> None:
    """Surreptitious forwarding: Hong Kong knows the payload and key, but not Canada's signature."""
    received = packed()
    with pytest.raises(WrongRecipient):
        opened_by(THAILAND, received.wire)
    head, payload, signature = received.jws.split(".")
    manifest = json.loads(urlsafe_b64decode(payload + "=="))
    manifest["to"] = json.loads(
        urlsafe_b64decode(packed(None, THAILAND, sender=HONG_KONG).jws.split(".")[1] + "==")
    )["to"]
    readdressed = f"{head}.{encode(json.dumps(manifest).encode())}.{signature}".encode()
    with pytest.raises(BadSignature):
        opened_by(THAILAND, readdressed + b"\n" + received.wire.split(b"\n", 1)[1])


def test_a_recipient_that_sends_it_on_is_seen_as_its_sender() -> None:
    received = opened_by(HONG_KONG, packed().wire)
    with pytest.raises(InputError):
        packed(received.message, THAILAND, sender=HONG_KONG)  # in Canada's name, without its mandate
    own = replace(received.message, requester=Requester(id=HONG_KONG.id, actor="policy"))
    assert opened_by(THAILAND, packed(own, THAILAND, sender=HONG_KONG).wire).sender.id == HONG_KONG.id


def test_a_member_cannot_sign_another_members_manifest() -> None:
    forged = DRAFT.but(signer=THAILAND).write()
    with pytest.raises(SenderMismatch):
        opened_by(HONG_KONG, forged.wire)


def test_a_member_cannot_take_over_anothers_ciphertext() -> None:
    """Thailand strips Canada's signature and signs the same ciphertext and wrap as its own."""
    taken = json.loads(urlsafe_b64decode(DRAFT.write().jws.split(".")[1] + "=="))

    def take(manifest: dict[str, Any]) -> None:
        manifest["to"], manifest["pt_commit"] = taken["to"], taken["pt_commit"]
        manifest["ct_digest"] = taken["ct_digest"]

    line = DRAFT.but(sender=THAILAND, change=take).write().jws
    with pytest.raises(ComityError) as refusal:
        opened_by(HONG_KONG, line.encode() + b"\n" + DRAFT.write().ciphertext)
    assert refusal.value.code == "sealing.ciphertext"


def test_what_was_said_in_one_compact_is_not_heard_in_another() -> None:
    other = replace(compact(), name="other-desk")
    with pytest.raises(OtherCompact):
        opened_by(HONG_KONG, packed().wire, compacts={"other-desk": other})


def test_a_member_of_one_compact_is_a_stranger_in_another() -> None:
    """Canada is in both; what Thailand signs for a compact that only Canada shares with us is not heard."""
    small = replace(
        compact(), name="small-desk", members=tuple(one for one in compact().members if one.id != THAILAND.id)
    )
    both = {compact().name: compact(), "small-desk": small}
    line = DRAFT.but(sender=THAILAND, change=lambda manifest: manifest.update(compact="small-desk")).write()
    with pytest.raises(UnknownSender):
        opened_by(HONG_KONG, line.wire, compacts=both)
    assert (
        opened_by(HONG_KONG, DRAFT.but(sender=THAILAND).write().wire, compacts=both).compact == compact().name
    )


def test_a_member_that_left_is_unknown() -> None:
    smaller = replace(compact(), members=tuple(one for one in compact().members if one.id != CANADA.id))
    with pytest.raises(UnknownSender):
        opened_by(HONG_KONG, packed().wire, compacts={smaller.name: smaller})


def test_nothing_of_a_stranger_is_parsed() -> None:
    """A manifest that would be malformed is not looked at before its signer is known and its signature holds."""
    with pytest.raises(UnknownSender):
        opened_by(HONG_KONG, Draft(signer=STRANGER, respell=lambda _: b"{").write().wire)


@pytest.mark.parametrize(
    ("first", "draft"),
    [
        (SenderMismatch, DRAFT.but(signer=THAILAND, recipients=(WATCH,), expires=NOW)),
        (OtherCompact, DRAFT.but(change=lambda m: m.update(compact="other"), recipients=(WATCH,), expires=NOW)),
        (WrongRecipient, DRAFT.but(recipients=(WATCH,), expires=NOW)),
        (Premature, DRAFT.but(issued=NOW + timedelta(days=1), expires=NOW)),
        (Expired, DRAFT.but(issued=NOW - timedelta(days=60), expires=NOW)),
        (LifetimeTooLong, DRAFT.but(issued=NOW - timedelta(days=29), expires=NOW + timedelta(days=2),
                                    change=lambda m: m.update(ct_digest="0" * 64))),
    ],
)  # fmt: skip
def test_the_first_wrong_thing_is_named(first: type[Exception], draft: Draft) -> None:
    with pytest.raises(first):
        opened_by(HONG_KONG, draft.write().wire)


@pytest.mark.parametrize(
    "wire",
    [b"A" * (100 * 1024 * 1024), b"\n" * (MAX_WIRE + 1), b"A" * (MAX_JWS + 1) + b"\n", b"A" * MAX_WIRE],
    ids=["100 MB line", "too many line feeds", "line too long by one", "no line feed in 16 MiB"],
)
def test_size_is_refused_before_parsing(wire: bytes) -> None:
    with pytest.raises(OversizeEnvelope):
        opened_by(HONG_KONG, wire)


def test_a_line_without_line_feed_is_malformed() -> None:
    with pytest.raises(MalformedWire):
        opened_by(HONG_KONG, packed().jws.encode())


# what pack refuses


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "two words"}, {"id": ""}, {"type": "x" * 81}, {"case_id": "a b"}, {"purpose": ""},
        {"purpose": "line\nfeed"}, {"in_reply_to": "?"}, {"payload": {"rate": 1.5}}, {"payload": {"n": 2**64}},
    ],
)  # fmt: skip
def test_a_message_that_would_be_refused_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        packed(message(**changes))


@pytest.mark.parametrize(
    "lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(days=30, microseconds=1)]
)
def test_a_lifetime_that_would_be_refused_is_not_sent(lifetime: timedelta) -> None:
    with pytest.raises(LifetimeTooLong):
        packed(message(expires=NOW + lifetime))


def test_a_message_needs_recipients_that_are_others_and_each_once() -> None:
    with pytest.raises(Malformed):
        packed(message(), HONG_KONG, HONG_KONG)
    with pytest.raises(InputError):
        packed(message(), CANADA)
    with pytest.raises(Malformed):
        pack(
            message(), compact=compact().name, sender=compact().member(CANADA.id),
            signing_key=CANADA.signing, addressees=[], random=seeded(1),
        )  # fmt: skip


def test_only_the_key_on_the_senders_card_signs() -> None:
    with pytest.raises(InputError, match="signing key on ca-fraud-centre"):
        pack(
            message(), compact=compact().name, sender=compact().member(CANADA.id),
            signing_key=HONG_KONG.signing, addressees=addressed(HONG_KONG), random=seeded(1),
        )  # fmt: skip


def test_a_payload_up_to_the_cap_passes_and_one_beyond_is_refused() -> None:
    steps = (MAX_WIRE - len(packed().jws) - 64) // PADDING_STEP
    room = steps * PADDING_STEP - SALT_BYTES - len('{"text":""}')
    assert opened_by(HONG_KONG, packed(message(payload={"text": "x" * room})).wire).message.payload["text"]
    with pytest.raises(OversizeEnvelope):
        packed(message(payload={"text": "x" * (room + 1)}))


def test_a_manifest_beyond_its_cap_is_refused() -> None:
    with pytest.raises(InputError):
        packed(extra={"filler": "x" * MAX_MANIFEST})


def test_times_keep_their_microseconds_whatever_the_zone() -> None:
    hanoi = timezone(timedelta(hours=7))
    sent: Message = message(issued=NOW.astimezone(hanoi) + timedelta(microseconds=1))
    assert opened_by(HONG_KONG, packed(sent).wire).message.issued == NOW + timedelta(microseconds=1)


def test_the_handling_goes_along() -> None:
    handling = Handling(
        originators=(CANADA.id,), audience=(HONG_KONG.id, THAILAND.id), purposes=("a", "b"),
        actions={"link": Permission.ASK}, retention_days=0, caveats=("ប្រយ័ត្ន",),
    )  # fmt: skip
    assert opened_by(HONG_KONG, packed(message(handling=handling)).wire).message.handling == handling


def test_a_refusal_and_a_short_answer_have_the_same_length() -> None:
    lengths = {
        len(packed(message(type=type_, in_reply_to="message-0000", payload=payload)).wire)
        for type_, payload in [
            ("trace_and_hold.answer", {"holdings": [{"account": "A" * 40, "minor": 10**12}] * 20}),
            ("trace_and_hold.refusa", {"ground": "sovereignty", "text": ""}),
        ]
    }
    assert len(lengths) == 1


@given(size=integers(0, 400_000), reply=booleans())
def test_lengths_are_few(size: int, reply: bool) -> None:
    found = len(padded(b"x" * size, reply=reply)) + SALT_BYTES
    assert found in {4096, 8192, 16384, 32768, 65536} or found % PADDING_STEP == 0
    assert size + SALT_BYTES <= found <= max(2 * (size + SALT_BYTES), 16384)
