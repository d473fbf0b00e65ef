"""Old signatures are judged at the moment at which we logged them: rotation, overlap, revocation, leaving, back-dating.

spec/register.md §5. What arrives now is judged now; no time that a signer writes is ever looked at.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from comity.exchange import Bundle, Compact, Receipt, Requester, Status, make_receipt, verify_receipt
from comity.exchange.consent import Answer, Use, Word, make_word, verify_word
from comity.exchange.mandate import Mandate, make_mandate, require_mandate
from comity.exchange.receipt import signed_anew
from comity.exchange.refusals import UnknownSender
from comity.exchange.register.change import (
    cards_gone,
    propose_cards,
    propose_removal,
    propose_revocation,
    propose_rotation,
)
from comity.exchange.register.peer_rules import PeerRule, with_rules
from comity.exchange.register.peer_rules import Word as Said
from comity.exchange.register.read import read_register
from comity.exchange.register.write import complete, propose, sign
from comity.exchange.retraction import (
    Compliance,
    How,
    Retraction,
    make_compliance,
    make_retraction,
    verify_compliance,
    verify_retraction,
)
from comity.proofs.signatures import UnknownKey
from tests.unit.exchange_world import compact, digest, message, opened_by, packed
from tests.vectors.forger import CANADA, COMPACT, HONG_KONG, MEMBERS, NOW, THAILAND, WATCH, Identity
from tests.vectors.register_forger import second

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW = CANADA, second(CANADA)
ROTATED, RETIRED = NOW + 10 * DAY, NOW + 17 * DAY
STOLEN = NOW + 5 * DAY
"""When Canada's key was revoked."""


def formed() -> Bundle:
    bundle = propose([one.card() for one in MEMBERS], name=COMPACT, problem="Stolen payments", formed_at=NOW)
    return published(bundle, *MEMBERS, at=NOW)


def published(bundle: Bundle, *signers: Identity, at: datetime) -> Bundle:
    for one in signers:
        bundle = sign(bundle, one.root)
    return complete(bundle, [one.online for one in MEMBERS], now=at)


def rotated() -> Compact:
    offered = propose_rotation(formed().files, NEW.card(), now=ROTATED, retires_at=RETIRED)
    return read_register(published(offered, CANADA, at=ROTATED).files)


def revoked() -> Bundle:
    offered = propose_revocation(formed().files, CANADA.id, at=STOLEN, reason="key stolen")
    return published(offered, CANADA, at=STOLEN)


def keys(found: Compact, at: datetime, member: str = CANADA.id) -> set[bytes]:
    return set(found.keys_of(member, at).values())


# --- which keys held when ----------------------------------------------------------------------------------


def test_in_a_rotation_the_keys_of_a_member_are_the_old_then_both_then_the_new() -> None:
    found, old, new = rotated(), {OLD.signing_public}, {NEW.signing_public}
    assert keys(found, NOW) == old
    assert keys(found, ROTATED - HOUR) == old, "the new key was nobody's yet"
    assert keys(found, ROTATED) == old | new
    assert keys(found, RETIRED - HOUR) == old | new
    assert keys(found, RETIRED) == new
    assert keys(found, RETIRED + 400 * DAY) == new


def test_a_revoked_key_holds_for_what_was_logged_before_and_for_nothing_after() -> None:
    found = read_register(revoked().files)
    assert keys(found, STOLEN - timedelta(seconds=1)) == {OLD.signing_public}
    assert keys(found, STOLEN) == keys(found, STOLEN + DAY) == set()


def test_a_key_that_was_revoked_during_the_overlap_holds_until_then_only() -> None:
    offered = propose_rotation(formed().files, NEW.card(), now=ROTATED, retires_at=RETIRED)
    both = published(offered, CANADA, at=ROTATED)
    gone = propose_revocation(both.files, CANADA.id, at=ROTATED + DAY, reason="both stolen")
    found = read_register(published(gone, CANADA, at=ROTATED + DAY).files)
    assert len(keys(found, ROTATED + HOUR)) == 2
    assert keys(found, ROTATED + DAY) == set()


def test_members_that_have_left_are_judged_by_the_cards_they_had() -> None:
    base = formed()
    before = read_register(base.files)
    offered = propose_removal(base.files, THAILAND.id, now=STOLEN)
    files = published(offered, CANADA, HONG_KONG, WATCH, at=STOLEN).files
    past = cards_gone(before, read_register(files), at=STOLEN)
    found = read_register(files, past=past)
    assert keys(found, STOLEN - HOUR, THAILAND.id) == {THAILAND.signing_public}
    assert keys(found, STOLEN, THAILAND.id) == set()
    assert keys(read_register(files), NOW, THAILAND.id) == set(), "who never knew it has nothing to judge by"


def test_a_member_that_comes_back_did_not_speak_with_its_new_key_while_it_was_away() -> None:
    """A state that left and came in again counts its cards from 1: that card is not good for the past."""
    base = formed()
    out = published(propose_removal(base.files, THAILAND.id, now=STOLEN), CANADA, HONG_KONG, WATCH, at=STOLEN)
    past = cards_gone(read_register(base.files), read_register(out.files), at=STOLEN)
    again = propose_cards(out.files, [second(THAILAND).card()], now=STOLEN + 9 * DAY)
    files = published(again, CANADA, HONG_KONG, WATCH, second(THAILAND), at=STOLEN + 9 * DAY).files
    found = read_register(files, past=past)
    assert keys(found, STOLEN - HOUR, THAILAND.id) == {THAILAND.signing_public}
    assert keys(found, STOLEN + DAY, THAILAND.id) == set()
    assert keys(found, STOLEN + 9 * DAY, THAILAND.id) == {second(THAILAND).signing_public}


def test_a_clock_from_before_the_founding_is_behind_and_the_founders_cards_held() -> None:
    assert keys(compact(), NOW - 900 * DAY) == {OLD.signing_public}
    assert keys(rotated(), NOW - 900 * DAY) == {OLD.signing_public}


def test_whom_this_node_refuses_now_did_speak_before() -> None:
    rule = PeerRule(
        member=CANADA.id, word=Said.REFUSE, signing_key_id=compact().member(CANADA.id).signing_key_id
    )
    found = with_rules(compact(), {CANADA.id: rule})
    assert OLD.signing_public not in found.signing_keys.values(), "nothing of it is taken in"
    assert keys(found, NOW) == {OLD.signing_public}


def test_nobody_has_the_keys_of_another() -> None:
    for found in (compact(), rotated(), read_register(revoked().files)):
        every = [keys(found, at, one.id) for one in MEMBERS for at in (NOW,)]
        assert sum(map(len, every)) == len(set().union(*every)) == len(MEMBERS)
        assert keys(found, NOW, "never-a-member") == set()


# --- every kind of signed word -----------------------------------------------------------------------------

USE = Use(item=digest("item"), action="disclose_onward", recipient=THAILAND.id, purpose="x")
Verify = Callable[[str, Mapping[str, bytes]], Any]


def _receipt(at: datetime) -> str:
    return make_receipt(
        Receipt(
            status=Status.ACCEPTED, message_id="m-1", envelope_digest=digest("e"), sender=HONG_KONG.id,
            receiver=CANADA.id, at=at,
        ),
        key=OLD.signing,
    )  # fmt: skip


def _consent(at: datetime) -> str:
    return make_word(
        Word(
            answer=Answer.GRANT, question="q-1", use=USE, originator=CANADA.id, asker=HONG_KONG.id, at=at,
            expires=at + 30 * DAY, why="",
        ),
        key=OLD.signing,
    )  # fmt: skip


def _retraction(at: datetime) -> str:
    return make_retraction(
        Retraction(
            item=digest("item"), message_id="m-1", originator=CANADA.id, audience=(), at=at, comply_by=at + DAY,
            why="",
        ),
        key=OLD.signing,
    )  # fmt: skip


def _compliance(at: datetime) -> str:
    return make_compliance(
        Compliance(
            retraction=digest("r"), item=digest("item"), by=CANADA.id, originator=HONG_KONG.id, at=at, how=How.ERASED,
            onward=(),
        ),
        key=OLD.signing,
    )  # fmt: skip


def _mandate(at: datetime) -> Mandate:
    return Mandate(
        compact=COMPACT, requester=CANADA.id, deputy=THAILAND.id, recipients=(HONG_KONG.id,), type="t", purpose="x",
        expires=at + 30 * DAY,
    )  # fmt: skip


SIGNED_WORDS: dict[str, tuple[Callable[[datetime], str], Verify]] = {
    "receipt": (_receipt, lambda jws, given: verify_receipt(jws, giver=CANADA.id, keys=given)),
    "consent": (_consent, lambda jws, given: verify_word(jws, originator=CANADA.id, keys=given)),
    "retraction": (_retraction, lambda jws, given: verify_retraction(jws, originator=CANADA.id, keys=given)),
    "compliance": (_compliance, lambda jws, given: verify_compliance(jws, by=CANADA.id, keys=given)),
    "mandate": (
        lambda at: make_mandate(_mandate(at), key=OLD.signing),
        lambda jws, given: require_mandate(jws, _mandate(NOW), keys=given),
    ),
}
each_kind = pytest.mark.parametrize("kind", SIGNED_WORDS)


@each_kind
def test_what_was_logged_before_its_key_went_still_holds(kind: str) -> None:
    make, verify = SIGNED_WORDS[kind]
    jws = make(NOW + HOUR)
    verify(jws, rotated().keys_of(CANADA.id, NOW + HOUR))
    verify(jws, rotated().keys_of(CANADA.id, RETIRED - HOUR))
    verify(jws, read_register(revoked().files).keys_of(CANADA.id, STOLEN - HOUR))


@each_kind
def test_a_date_from_before_the_revocation_helps_nobody_who_comes_after_it(kind: str) -> None:
    """The thief writes the time at which the key was good; what counts is when it came."""
    make, verify = SIGNED_WORDS[kind]
    back_dated = make(NOW + HOUR)
    for logged_at in (STOLEN, STOLEN + HOUR, STOLEN + 300 * DAY):
        with pytest.raises(UnknownKey):
            verify(back_dated, read_register(revoked().files).keys_of(CANADA.id, logged_at))
    with pytest.raises(UnknownKey):
        verify(back_dated, rotated().keys_of(CANADA.id, RETIRED))


# --- what arrives now --------------------------------------------------------------------------------------


def test_a_message_is_taken_under_either_key_while_both_hold() -> None:
    found = {COMPACT: rotated()}
    wire = packed(message(issued=RETIRED - 2 * HOUR, expires=RETIRED + DAY)).wire
    assert opened_by(HONG_KONG, wire, compacts=found, now=RETIRED - HOUR).sender.id == CANADA.id
    with pytest.raises(UnknownSender):
        opened_by(HONG_KONG, wire, compacts=found, now=RETIRED)


def test_a_back_dated_message_under_a_revoked_key_is_refused() -> None:
    """Also where the compact was read long ago: the moment of arrival counts, not that of the reading."""
    wire = packed(message(issued=STOLEN - DAY, expires=STOLEN + 5 * DAY)).wire
    before, after = compact(), read_register(revoked().files)
    assert opened_by(HONG_KONG, wire, compacts={COMPACT: before}, now=STOLEN - HOUR)
    for now in (STOLEN, STOLEN + DAY):
        with pytest.raises(UnknownSender):
            opened_by(HONG_KONG, wire, compacts={COMPACT: after.at(NOW)}, now=now)


def test_a_mandate_rests_on_a_key_that_holds_when_the_message_arrives() -> None:
    """Thailand shows what Canada signed with the key that was stolen since."""
    said = message(
        id="m-2", type="t", purpose="x", issued=STOLEN - DAY, expires=STOLEN + DAY,
        requester=Requester(
            id=CANADA.id, actor="policy", mandate=make_mandate(_mandate(NOW + HOUR), key=OLD.signing)
        ),
    )  # fmt: skip
    wire = packed(said, sender=THAILAND).wire
    assert opened_by(HONG_KONG, wire, now=STOLEN - HOUR).message.requester.id == CANADA.id
    with pytest.raises(UnknownKey):
        opened_by(HONG_KONG, wire, compacts={COMPACT: read_register(revoked().files)}, now=STOLEN)


# --- giving a receipt once more ----------------------------------------------------------------------------


def test_a_receipt_is_given_again_byte_for_byte_while_its_key_holds_and_else_under_the_new_one() -> None:
    given, found = _receipt(NOW + HOUR), rotated()
    assert signed_anew(given, keys=found.keys_of(CANADA.id, RETIRED - HOUR), key=NEW.signing) == given
    again = signed_anew(given, keys=found.keys_of(CANADA.id, RETIRED), key=NEW.signing)
    then = verify_receipt(again, giver=CANADA.id, keys=found.keys_of(CANADA.id, RETIRED))
    assert then == verify_receipt(given, giver=CANADA.id, keys=found.keys_of(CANADA.id, NOW + HOUR))
    assert signed_anew(again, keys=found.keys_of(CANADA.id, RETIRED), key=NEW.signing) == again
