"""Tiers of a register's age, a node's own word on peers, and where nobody may connect to."""

from datetime import timedelta

import pytest

from comity.exchange import StaleRegister, Tier, allowed
from comity.exchange.register.address import PrivateAddress, is_private, refuse_private
from comity.exchange.register.freshness import FREEZES
from comity.exchange.register.peer_rules import PeerRule, Word, with_rules
from tests.unit.exchange_world import compact
from tests.vectors.forger import CANADA, HONG_KONG, THAILAND

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "tier"),
    [
        (-48, Tier.FULL), (0, Tier.FULL), (23.99, Tier.FULL), (24, Tier.FULL), (24.01, Tier.REPLIES),
        (72, Tier.REPLIES), (72.01, Tier.CLOSED), (24 * 365, Tier.CLOSED),
    ],
)  # fmt: skip
def test_the_tier_falls_with_age(age: float, tier: Tier) -> None:
    assert compact().tier(compact().fresh_at + age * HOUR) is tier


def test_what_each_tier_lets_through() -> None:
    asking, freeze = "notice", sorted(FREEZES)[0]
    through = {
        tier: [allowed(tier, asking), allowed(tier, asking, "message-1"), allowed(tier, freeze),
               allowed(tier, "receipts"), allowed(tier, "register.changed")]
        for tier in Tier
    }  # fmt: skip
    assert through == {
        Tier.FULL: [True] * 5,
        Tier.REPLIES: [False, True, True, True, True],
        Tier.CLOSED: [False, False, False, False, True],
    }


def test_a_stale_register_says_how_old_it_is_and_what_to_do() -> None:
    joined = compact()
    joined.refuse_stale(joined.fresh_at + HOUR, "notice")
    with pytest.raises(StaleRegister, match="confirmed 30 h ago") as refusal:
        joined.refuse_stale(joined.fresh_at + 30 * HOUR, "notice")
    assert "comity compact update" in refusal.value.next_step
    joined.refuse_stale(joined.fresh_at + 30 * HOUR, "notice", in_reply_to="message-1")
    with pytest.raises(StaleRegister, match="nothing goes"):
        joined.refuse_stale(joined.fresh_at + 100 * HOUR, "notice", in_reply_to="message-1")


def rule(word: Word, key: str) -> dict[str, PeerRule]:
    return {HONG_KONG.id: PeerRule(member=HONG_KONG.id, word=word, signing_key_id=key)}


def test_a_refused_peer_is_no_member_in_any_way() -> None:
    key = compact().member(HONG_KONG.id).signing_key_id
    without = with_rules(compact(), rule(Word.REFUSE, key))
    assert [one.id for one in without.members] == [CANADA.id, THAILAND.id, "watch"]
    assert without.covering("HK") is None
    assert key not in without.signing_keys
    assert without.by_signing_key(key) is None
    assert without.member_by_key_at(key, compact().fresh_at) is not None, "what it signed before stays signed"


def test_a_pinned_peer_is_suspended_once_its_key_is_another() -> None:
    key = compact().member(HONG_KONG.id).signing_key_id
    assert with_rules(compact(), rule(Word.PIN, key)) == compact()
    suspended = with_rules(compact(), rule(Word.PIN, "0" * 16))
    assert HONG_KONG.id not in {one.id for one in suspended.members}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",  # noqa: S104
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:0001::", "64:ff9b::7f00:1", "192.0.2.1", "198.18.0.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert is_private(address)
    with pytest.raises(PrivateAddress):
        refuse_private(address, where="test")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "x.localhost", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1"],
)
def test_a_name_that_some_resolver_reads_as_loopback_is_refused(host: str) -> None:
    with pytest.raises(PrivateAddress):
        refuse_private(host, where="test")


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "2001:4860:4860::8888", "node.example", "example.org", "1.example"]
)
def test_public_addresses_and_names_pass(host: str) -> None:
    refuse_private(host, where="test")
