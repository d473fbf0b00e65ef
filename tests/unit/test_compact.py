"""Cards and compacts: every vector, and what two people compare over the telephone."""

import hashlib
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError, NotFound
from comity.exchange import fingerprint, form, make_card, read_card, read_compact, refuse_rollback
from comity.exchange.certificate import read_certificate
from comity.exchange.compact import CompactRollback
from comity.exchange.fields import Malformed
from tests.unit.exchange_world import compact, vectors
from tests.vectors.forger import (
    CANADA,
    COMPACT,
    HONG_KONG,
    MEMBERS,
    NOW,
    STRANGER,
    THAILAND,
    WATCH,
    compact_document,
)


@pytest.mark.parametrize(("expect", "wire"), vectors("card"))
def test_card_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        assert read_card(wire.decode()).id in {CANADA.id, WATCH.id}
        return
    with pytest.raises(ComityError) as refusal:
        read_card(wire.decode())
    assert refusal.value.code == expect


@pytest.mark.parametrize(("expect", "wire"), vectors("compact"))
def test_compact_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        assert len(read_compact(wire).members) == 4
        return
    with pytest.raises(ComityError) as refusal:
        read_compact(wire)
    assert refusal.value.code == expect


@pytest.mark.parametrize("identity", MEMBERS, ids=lambda one: one.id)
def test_a_card_comes_out_as_it_went_in(identity: object) -> None:
    member = compact().member(identity.id)  # type: ignore[attr-defined]
    assert read_card(make_card(member, key=identity.signing)) == member  # type: ignore[attr-defined]


def test_a_card_signed_with_another_key_is_not_made() -> None:
    with pytest.raises(ComityError):
        make_card(compact().member(CANADA.id), key=STRANGER.signing)


def test_forming_embeds_the_cards_as_they_were_signed_in_any_order() -> None:
    cards = [one.card(motto="a field of a newer version") for one in MEMBERS]
    formed = [
        form(shuffled, name=COMPACT, problem="Stolen payments", formed_at=NOW)
        for shuffled in (cards, cards[::-1], random.Random(3).sample(cards, 4))
    ]
    assert formed[0] == formed[1] == formed[2]
    assert all(card.encode() in formed[0] for card in cards)
    read = read_compact(formed[0])
    assert (read.name, read.problem, read.formed_at, read.document) == (
        COMPACT,
        "Stolen payments",
        NOW,
        formed[0],
    )


def test_the_fingerprint_is_the_documents_sha256_in_groups_of_four() -> None:
    document = compact_document()
    text = fingerprint(document)
    assert text == read_compact(document).fingerprint
    assert [len(group) for group in text.split(" ")] == [4] * 16
    assert text.replace(" ", "") == hashlib.sha256(document).hexdigest() == read_compact(document).digest


def test_any_other_document_has_another_fingerprint() -> None:
    assert fingerprint(compact_document()) != fingerprint(compact_document(problem="Another"))


def test_members_are_found_by_id_country_key_and_certificate() -> None:
    joined = compact()
    assert joined.member(THAILAND.id).authority.name == THAILAND.name
    assert [one.id if (one := joined.covering(country)) else None for country in ("CA", "MO", "CH", "US")] == [
        CANADA.id, HONG_KONG.id, None, None,
    ]  # fmt: skip
    hong_kong = joined.member(HONG_KONG.id)
    assert joined.by_signing_key(hong_kong.signing_key_id) == hong_kong
    assert joined.by_signing_key("0" * 16) is None
    assert joined.by_certificate(read_certificate(hong_kong.tls_certificate, where="").der) == hong_kong
    assert joined.by_certificate(read_certificate(STRANGER.certificate(), where="").der) is None
    with pytest.raises(NotFound):
        joined.member(STRANGER.id)


def test_a_later_version_replaces_and_an_earlier_one_does_not() -> None:
    joined = compact()
    refuse_rollback(replace(joined, formed_at=joined.formed_at + timedelta(seconds=1)), joined=joined)
    for offered in (
        joined,
        replace(joined, formed_at=NOW - timedelta(days=99)),
        replace(joined, name="another"),
    ):
        with pytest.raises(CompactRollback):
            refuse_rollback(offered, joined=joined)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(compact_document()) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_compact_can_change_unseen(at: int, bit: int) -> None:
    """The cards are signed; for the rest (name, problem, time) the fingerprint changes."""
    document = compact_document()
    changed = document[:at] + bytes([document[at] ^ (1 << bit)]) + document[at + 1 :]
    try:
        assert read_compact(changed).members == compact().members
    except ComityError:
        return
    assert fingerprint(changed) != fingerprint(document)


@pytest.mark.parametrize(
    "url",
    [
        "https://node.example", "https://node.example/", "https://node.example:8443/peer/v1", "https://[::1]:9001",
        "https://10.0.0.7:9001",
    ],
)  # fmt: skip
def test_an_endpoint_must_be_covered_by_the_certificate(url: str) -> None:
    with pytest.raises(Malformed, match="cover host"):
        read_card(CANADA.card(endpoint=url))


def test_a_certificate_for_an_ipv6_host_is_read() -> None:
    card = CANADA.card(endpoint="https://[::1]:9001", tls_certificate=CANADA.certificate(host="::1"))
    assert read_card(card).endpoint == "https://[::1]:9001"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:0", "https://127.0.0.1:", "https://127.0.0.1:+80", "HTTPS://127.0.0.1", "//127.0.0.1",
        "https://127.0.0.1#", "https://127.0.0.1?", "https:127.0.0.1", "https://@127.0.0.1", "https://127.0.0.1;x",
        "https://127.0.0.1/%2e%2e/", "https://127.0.0.1//x", "https://Example.org", "https://127.0.0.1/\t", "",
        "https://[::1", "https://ex\u00e4mple.org", "https://" + "a" * 600,
    ],
)  # fmt: skip
def test_an_address_that_parsers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        read_card(CANADA.card(endpoint=url))
