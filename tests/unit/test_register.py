"""Cards and registers: every vector, forming and changing one, and what two people compare over the telephone."""

import hashlib
import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError, Conflict, InputError, NotFound
from comity.exchange import (
    Bundle,
    Compact,
    form,
    make_card,
    read_bundle,
    read_card,
    read_compact,
    write_bundle,
)
from comity.exchange.fields import Malformed
from comity.exchange.register.bundle import IncompleteRegister
from comity.exchange.register.certificate import read_certificate
from comity.exchange.register.change import (
    cards_gone,
    difference,
    merge,
    propose_cards,
    propose_removal,
    propose_renewal,
    propose_revocation,
    propose_rotation,
)
from comity.exchange.register.read import read_register
from comity.exchange.register.write import (
    complete,
    default_threshold,
    missing,
    propose,
    renew_timestamp,
    sign,
)
from tests.unit.exchange_world import compact, vectors
from tests.vectors.forger import CANADA, COMPACT, HONG_KONG, MEMBERS, NOW, STRANGER, THAILAND, WATCH, Identity
from tests.vectors.register_forger import (
    SIGNED,
    Forged,
    canada_rotates,
    compact_document,
    second,
    second_card,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWIN = replace(THAILAND, id="th-twin", seed="twin", covers=(), port=9051)
SINGAPORE = Identity(id="sg-police", name="Police", jurisdiction="SG", covers=("SG",), port=9071)


@pytest.mark.parametrize(("expect", "wire"), vectors("card"))
def test_card_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        assert read_card(wire.decode()).id in {CANADA.id, WATCH.id}
        return
    with pytest.raises(ComityError) as refusal:
        read_card(wire.decode())
    assert refusal.value.code == expect


@pytest.mark.parametrize(("expect", "wire"), vectors("register"))
def test_register_vector(expect: str, wire: bytes) -> None:
    if expect == "ok":
        assert CANADA.id in {member.id for member in read_compact(wire).members}
        return
    with pytest.raises(ComityError) as refusal:
        read_compact(wire)
    assert refusal.value.code == expect


@pytest.mark.parametrize("identity", MEMBERS, ids=lambda one: one.id)
def test_a_card_comes_out_as_it_went_in(identity: Identity) -> None:
    member = compact().member(identity.id)
    assert read_card(make_card(member, key=identity.signing)) == member


def test_a_card_signed_with_another_key_is_not_made() -> None:
    with pytest.raises(ComityError):
        make_card(compact().member(CANADA.id), key=STRANGER.signing)


# Forming


def proposal(*members: Identity, threshold: int | None = None) -> Bundle:
    cards = [one.card() for one in members or MEMBERS]
    return propose(cards, name=COMPACT, problem="Stolen payments", formed_at=NOW, threshold=threshold)


def formed(*members: Identity, threshold: int | None = None) -> Bundle:
    bundle = proposal(*members, threshold=threshold)
    for one in members or MEMBERS:
        bundle = sign(bundle, one.root)
    return complete(bundle, [one.online for one in members or MEMBERS], now=NOW)


def test_forming_embeds_the_cards_as_they_were_signed_in_any_order() -> None:
    cards = [one.card(motto="a field of a newer version") for one in MEMBERS]
    documents = [
        form(
            shuffled, name=COMPACT, problem="Stolen payments", formed_at=NOW,
            root_keys=[one.root for one in MEMBERS], online_keys=[one.online for one in MEMBERS],
        )
        for shuffled in (cards, cards[::-1], random.Random(3).sample(cards, 4))
    ]  # fmt: skip
    assert documents[0] == documents[1] == documents[2]
    assert all(card.encode() in documents[0] for card in cards)
    read = read_compact(documents[0])
    assert (read.name, read.problem, read.formed_at, read.threshold) == (COMPACT, "Stolen payments", NOW, 3)
    assert sorted(card.text for card in read.cards) == sorted(cards)


@pytest.mark.parametrize(("states", "threshold"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (7, 4)])
def test_the_majority_of_states_signs_and_never_one_of_several(states: int, threshold: int) -> None:
    assert default_threshold(states) == threshold


@pytest.mark.parametrize("threshold", [0, 1, 5, -1])
def test_a_threshold_that_one_state_meets_or_none_can_is_refused(threshold: int) -> None:
    with pytest.raises(InputError, match="threshold"):
        proposal(threshold=threshold)


def test_one_card_makes_no_compact() -> None:
    with pytest.raises(InputError, match="two members"):
        proposal(CANADA)


def test_until_enough_states_have_signed_nothing_is_published_and_each_is_named() -> None:
    bundle = proposal()
    lacking = {one.path: (one.wanted, one.states) for one in missing(bundle)}
    assert lacking["metadata/1.root.json"] == (3, ("CA", "CH", "HK", "TH"))
    assert lacking["metadata/1.hk.json"] == (1, ("HK",))
    for one in (CANADA, HONG_KONG, WATCH):
        with pytest.raises(IncompleteRegister, match="TH"):
            complete(bundle, [CANADA.online], now=NOW)
        with pytest.raises(IncompleteRegister):
            read_compact(write_bundle(bundle))
        bundle = sign(bundle, one.root)
    assert [(one.path, one.states) for one in missing(bundle)] == [("metadata/1.th.json", ("TH",))]
    done = complete(sign(bundle, THAILAND.root), [CANADA.online], now=NOW)
    assert len(read_register(done.files).members) == 4


def test_who_is_not_in_a_proposal_cannot_sign_it() -> None:
    with pytest.raises(InputError, match="can sign"):
        sign(proposal(), STRANGER.root)


def test_signing_twice_counts_once() -> None:
    bundle = proposal(CANADA, HONG_KONG)
    bundle = sign(sign(bundle, CANADA.root), CANADA.root)
    assert {one.path for one in missing(bundle)} == {
        "metadata/1.root.json", "metadata/1.targets.json", "metadata/1.hk.json",
    }  # fmt: skip


def test_a_bundle_comes_out_as_it_went_in() -> None:
    for bundle in (formed(), proposal()):
        assert read_bundle(write_bundle(bundle)) == bundle


def test_the_fingerprint_is_the_anchors_sha256_in_groups_of_four_and_never_changes() -> None:
    bundle = formed()
    digest = hashlib.sha256(bundle.files["metadata/1.root.json"]).hexdigest()
    text = read_register(bundle.files).fingerprint
    assert [len(group) for group in text.split(" ")] == [4] * 16
    assert text.replace(" ", "") == digest
    later = revoked(bundle, THAILAND)
    assert read_register(later.files).fingerprint == text
    assert read_register(later.files).digest != read_register(bundle.files).digest


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


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(compact_document()) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_register_can_change_unseen(at: int, bit: int) -> None:
    """Superfluous signatures under root, targets, snapshot and timestamp are no content."""
    document = compact_document()
    changed = document[:at] + bytes([document[at] ^ (1 << bit)]) + document[at + 1 :]
    try:
        read = read_compact(changed)
    except ComityError:
        return
    assert (read.members, read.name, read.problem) == (compact().members, compact().name, compact().problem)


# Changing


def changed(bundle: Bundle, *signers: Identity, now: timedelta = HOUR) -> Bundle:
    """Signed and completed an hour later."""
    for one in signers:
        bundle = sign(bundle, one.root)
    return complete(bundle, [CANADA.online], now=NOW + now)


def revoked(bundle: Bundle, one: Identity) -> Bundle:
    return changed(propose_revocation(bundle.files, one.id, at=NOW + HOUR, reason="key stolen"), one)


def test_a_further_node_of_a_state_needs_that_state_alone() -> None:
    offered = propose_cards(formed().files, [TWIN.card()], now=NOW + HOUR)
    assert {one.states for one in missing(offered)} == {("TH",)}
    after = read_register(changed(offered, THAILAND).files)
    assert TWIN.id in {member.id for member in after.members}


def test_a_new_state_needs_the_threshold_and_itself() -> None:
    offered = propose_cards(formed().files, [SINGAPORE.card()], now=NOW + HOUR)
    bundle = offered
    for one in (SINGAPORE, CANADA):
        bundle = sign(bundle, one.root)
        with pytest.raises(IncompleteRegister):
            complete(bundle, [CANADA.online], now=NOW + HOUR)
    after = read_register(changed(bundle, HONG_KONG, THAILAND).files)
    assert (after.states, after.versions["root"], after.versions["targets"]) == (
        ("CA", "CH", "HK", "SG", "TH"),
        2,
        2,
    )
    assert after.threshold == 3


def test_a_state_leaves_by_the_threshold_not_by_fewer_and_takes_its_members_along() -> None:
    offered = propose_removal(formed().files, THAILAND.id, now=NOW + HOUR)
    with pytest.raises(IncompleteRegister, match="1 of"):
        changed(offered, CANADA, HONG_KONG)
    after = read_register(changed(offered, CANADA, HONG_KONG, WATCH).files)
    assert "TH" not in after.states
    assert THAILAND.id not in {member.id for member in after.members}


def test_one_of_two_nodes_of_a_state_leaves_by_its_word_alone() -> None:
    both = changed(propose_cards(formed().files, [TWIN.card()], now=NOW + HOUR), THAILAND)
    offered = propose_removal(both.files, TWIN.id, now=NOW + 2 * HOUR)
    assert {one.states for one in missing(offered)} == {("TH",)}
    after = read_register(changed(offered, THAILAND, now=2 * HOUR).files)
    assert THAILAND.id in {member.id for member in after.members}
    assert TWIN.id not in {member.id for member in after.members}


def test_a_state_cannot_change_what_is_another_states() -> None:
    offered = propose_revocation(formed().files, THAILAND.id, at=NOW + HOUR, reason="we say so")
    with pytest.raises(InputError, match="can sign"):
        sign(offered, CANADA.root)


def test_a_member_that_is_in_cannot_be_added_again_nor_one_that_clashes() -> None:
    with pytest.raises(Conflict, match="not in yet"):
        propose_cards(formed().files, [second_card()], now=NOW)
    thief = replace(SINGAPORE, covers=("HK",))
    with pytest.raises(ComityError, match="country"):
        propose_cards(formed().files, [thief.card()], now=NOW)


def test_after_a_revocation_the_state_can_add_the_member_with_new_keys() -> None:
    out = revoked(formed(), THAILAND)
    assert THAILAND.id not in {member.id for member in read_register(out.files).members}
    again = changed(propose_cards(out.files, [second(THAILAND).card()], now=NOW + DAY), THAILAND, now=DAY)
    cards = [card for card in read_register(again.files).cards if card.member.id == THAILAND.id]
    assert [(card.number, card.current, card.reason) for card in cards] == [
        (1, False, "key stolen"),
        (2, True, ""),
    ]


def test_renewal_moves_every_expiry_and_can_change_the_threshold() -> None:
    before = formed()
    offered = propose_renewal(before.files, now=NOW + 300 * DAY, threshold=2)
    after = read_register(changed(offered, *MEMBERS, now=300 * DAY).files)
    assert after.threshold == 2
    assert after.expires - read_register(before.files).expires == 300 * DAY


def test_what_changed_is_told_by_member() -> None:
    before = formed()
    first = read_register(before.files)
    assert not difference(first, first)
    out = difference(first, read_register(revoked(before, THAILAND).files))
    assert (out.revoked, out.left, out.joined) == (((THAILAND.id, "key stolen"),), (), ())
    gone = changed(propose_removal(before.files, THAILAND.id, now=NOW), CANADA, HONG_KONG, WATCH)
    assert difference(first, read_register(gone.files)).left == (THAILAND.id,)
    assert [card.member.id for card in cards_gone(first, read_register(gone.files), at=NOW)] == [THAILAND.id]


def test_two_states_that_publish_at_once_lose_nothing() -> None:
    base = formed()
    ours, theirs = revoked(base, THAILAND), changed(
        propose_rotation(base.files, second_card(HONG_KONG), now=NOW, retires_at=NOW + DAY), HONG_KONG, now=2 * HOUR
    )  # fmt: skip
    both = merge(ours.files, theirs.files, CANADA.online, now=NOW + 3 * HOUR)
    assert both is not None
    after = read_register(both)
    assert THAILAND.id not in {member.id for member in after.members}
    assert after.member(HONG_KONG.id).signing_key == second(HONG_KONG).signing_public
    assert merge(both, theirs.files, CANADA.online, now=NOW + 4 * HOUR) is None
    assert merge(both, base.files, CANADA.online, now=NOW + 4 * HOUR) is None


def test_registers_of_two_histories_are_not_merged() -> None:
    with pytest.raises(Conflict, match="root version"):
        merge(formed().files, formed(threshold=2).files, CANADA.online, now=NOW)


# Keys that are being replaced, and old signatures


def rotating(overlap: timedelta = 7 * DAY) -> Compact:
    return read_compact(canada_rotates(overlap).bundle())


def test_during_the_overlap_both_cards_verify_and_then_only_the_new_one() -> None:
    register = rotating()
    old, new = compact().member(CANADA.id), register.member(CANADA.id)
    assert new.signing_key == second().signing_public
    retires = SIGNED + 7 * DAY
    for now, holds in ((SIGNED, True), (retires - HOUR, True), (retires, False), (retires + DAY, False)):
        then = register.at(now)
        assert (old.signing_key_id in then.signing_keys) is holds
        found = then.by_signing_key(old.signing_key_id)
        assert (found is not None and found.id == CANADA.id) is holds
        der = read_certificate(old.tls_certificate, where="").der
        assert (then.by_certificate(der) is not None) is holds
        assert len(then.certificates(CANADA.id)) == (2 if holds else 1)
        assert then.by_signing_key(new.signing_key_id) == new


def test_an_old_signature_is_judged_at_the_time_it_was_logged() -> None:
    register = rotating()
    old, new = compact().member(CANADA.id).signing_key_id, register.member(CANADA.id).signing_key_id
    retires = SIGNED + 7 * DAY

    def whose(key: str, at: object) -> str | None:
        found = register.member_by_key_at(key, at)  # type: ignore[arg-type]
        return found.id if found else None

    assert whose(old, retires - HOUR) == CANADA.id
    assert whose(old, retires) is None
    assert whose(new, SIGNED) == CANADA.id
    assert whose(new, SIGNED - 40 * DAY) is None, "before it came into the register it was nobody's"
    assert whose("0" * 16, SIGNED) is None


def test_a_revocation_does_not_unmake_what_was_logged_before() -> None:
    after = read_register(revoked(formed(), THAILAND).files)
    key = compact().member(THAILAND.id).signing_key_id
    assert key not in after.signing_keys
    assert after.by_signing_key(key) is None
    before = after.member_by_key_at(key, NOW)
    assert before is not None
    assert before.id == THAILAND.id
    assert after.member_by_key_at(key, NOW + HOUR) is None


def test_a_rotation_keeps_the_register_keys() -> None:
    foreign = replace(second(), jurisdiction="CA").card(online_key=STRANGER.card_fields()["online_key"])
    with pytest.raises(InputError, match="register keys"):
        propose_rotation(formed().files, foreign, now=NOW, retires_at=NOW + DAY)


# Addresses


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


def test_metadata_is_canonical_and_names_its_compact() -> None:
    for path, content in formed().files.items():
        if path.startswith("metadata/"):
            value = json.loads(content)
            assert (
                content
                == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            )
            assert value["signed"]["comity_compact"].startswith(f"{COMPACT} 2025-06-03T")


def test_a_timestamp_is_renewed_without_touching_anything_else() -> None:
    files = formed().files
    renewed = renew_timestamp(files, [HONG_KONG.online], now=NOW + HOUR)
    assert {path for path in files if files[path] != renewed[path]} == {"metadata/timestamp.json"}
    assert read_register(renewed).fresh_at == NOW.replace(microsecond=0) + HOUR


def test_who_holds_only_an_online_key_cannot_take_anybody_in() -> None:
    """Snapshot and timestamp by a stolen online key, over a role that its state never signed."""
    forged = Forged(signers={"hk": [HONG_KONG.online]})
    with pytest.raises(ComityError, match="hk signed by 1 of 1"):
        read_compact(forged.bundle())
