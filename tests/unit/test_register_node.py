"""A node and its registers: joining, changing, rotating, revoking, mirrors, freshness, and kills in between."""

import fcntl
import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from comity.backends.keys import client_context
from comity.backends.register_files import STAMP, load_joined, read_joined, save_joined
from comity.backends.register_updates import FrozenRegister, RegisterRollback
from comity.entrypoints.peer.register import register_handler
from comity.errors import Conflict, InputError, NetworkError, NotFound, StorageError, TrustError
from comity.exchange import Member, Tier, read_bundle, read_card
from comity.exchange.register.bundle import IncompleteRegister
from comity.exchange.register.read import BrokenRegister
from comity.node.bootstrap import Node, open_node, passphrase, utc_now
from comity.node.found import found
from comity.node.registers import publish as register_publish
from comity.node.registers.admit import create, join, wanted
from comity.node.registers.keep import (
    Keeping,
    Mirror,
    ask,
    finish_rotation,
    mirror_path,
    register_file,
    sign_timestamp,
)
from comity.node.registers.peer_rules import pin, refuse, trust
from comity.node.registers.publish import (
    adding,
    make_good,
    propose_change,
    removing,
    revoking,
    root_key,
    rotate,
    sign_file,
)
from comity.node.registers.update import CHANGED, MemberElsewhere, take_changed, update
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import EVERYBODY, WATCH, Town, free_ports, settings_of

DESK = "test-compact"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def desk(town: Town) -> Town:
    """The town, today: its register was formed by the machine's clock."""
    town.clock.advance(seconds=(utc_now() - town.clock()).total_seconds() + 60)
    return town


def mirror(town: Town, *, down: tuple[str, ...] = ()) -> Any:
    """Every node's mirror, as its peer surface would serve it."""

    def fetch(member: Member, path: str) -> bytes | None:
        if member.id in down:
            raise NetworkError(f"{member.id} is down")
        name, _, file = path.removeprefix("/peer/register/").partition("/")
        return register_file(town[member.id], name, file)

    return fetch


def tell(town: Town, sender: str, *receivers: str) -> None:
    """The receivers ask the sender's mirror."""
    for receiver in receivers:
        ask(town[receiver], DESK, town[receiver].registers()[DESK].member(sender), mirror(town))


def ids(node: Node) -> list[str]:
    return [member.id for member in node.compact(DESK).members]


# Joining


def test_a_proposal_is_completed_by_each_state_in_turn(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    cards = [desk[one].home.card for one in EVERYBODY]
    assert create(file, cards, name="second-desk", problem="x", now=desk.clock()) is None
    assert wanted(read_bundle(file.read_bytes())) == ("CA", "HK", "SG", "TH")
    with pytest.raises(IncompleteRegister, match="CA, HK, SG, TH"):
        join(desk[CA], file, actor="test")
    for one in EVERYBODY:
        done = sign_file(desk[one], file, key=root_key(desk[one], None), actor="test")
    assert not done.missing
    fingerprints = {join(desk[one], file, actor="test").fingerprint for one in EVERYBODY}
    assert len(fingerprints) == 1
    assert sorted(desk[CA].compacts()) == ["second-desk", DESK]
    with pytest.raises(Conflict, match="complete"):
        sign_file(desk[CA], file, key=root_key(desk[CA], None), actor="test")


def test_a_state_signs_only_the_card_that_its_node_made(desk: Town, tmp_path: Path) -> None:
    file, other = tmp_path / "c.json", found(tmp_path / "ca2", settings_of(CA, tuple(free_ports(2)))).node  # type: ignore[arg-type]
    other.records.close()
    create(file, [other.home.card, desk[HK].home.card], name="spoof-desk", problem="x", now=desk.clock())
    with pytest.raises(BrokenRegister, match="another of"):
        sign_file(desk[CA], file, key=root_key(desk[CA], None), actor="test")


def test_a_compact_without_us_or_with_a_card_we_did_not_make_is_not_joined(
    desk: Town, tmp_path: Path
) -> None:
    homes = [desk[one].home.path for one in (HK, TH)]
    create(tmp_path / "c.json", homes, name="others", problem="x", now=desk.clock())
    with pytest.raises(NotFound, match=CA):
        join(desk[CA], tmp_path / "c.json", actor="test")
    assert "others" not in desk[CA].compacts()


def test_a_member_id_with_other_keys_in_another_compact_is_refused(desk: Town, tmp_path: Path) -> None:
    """Somebody founds a node under Hong Kong's id, and invites Canada into a compact with it."""
    impostor = found(tmp_path / "hk", settings_of(HK, tuple(free_ports(2)))).node  # type: ignore[arg-type]
    impostor.records.close()
    file = tmp_path / "c.json"
    create(file, [desk[CA].home.path, impostor.home.path], name="spoof-desk", problem="x", now=desk.clock())
    with pytest.raises(MemberElsewhere, match=HK):
        join(desk[CA], file, actor="test")
    assert list(desk[CA].compacts()) == [DESK]


def test_another_compact_of_the_same_name_is_not_an_update(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    homes = [desk[one].home.path for one in EVERYBODY]
    create(file, homes, name=DESK, problem="x", now=desk.clock())
    with pytest.raises(BrokenRegister, match="fingerprint"):
        join(desk[CA], file, actor="test")


def test_a_file_that_was_carried_too_long_is_refused_and_says_what_to_do(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    create(
        file,
        [desk[one].home.path for one in (CA, HK)],
        name="late",
        problem="x",
        now=desk.clock() - 30 * HOUR,
    )
    with pytest.raises(FrozenRegister) as refusal:
        join(desk[CA], file, actor="test")
    assert "fresh file" in refusal.value.next_step


def test_joining_twice_is_one_event(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    create(file, [desk[one].home.path for one in (CA, HK)], name="again", problem="x", now=desk.clock())
    for _ in range(3):
        join(desk[CA], file, actor="test")
    joined = [one for one in desk.events(CA, "compact.joined") if one.body["compact"] == "again"]
    assert len(joined) == 1


def test_a_kill_between_file_and_event_is_made_good(
    desk: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.json"
    create(file, [desk[one].home.path for one in (CA, HK)], name="killed", problem="x", now=desk.clock())
    monkeypatch.setattr("comity.node.registers.admit.save_joined", _dies_after(save_joined))
    with pytest.raises(KeyboardInterrupt):
        join(desk[CA], file, actor="test")
    monkeypatch.setattr("comity.node.registers.admit.save_joined", save_joined)
    assert "killed" in desk[CA].compacts()
    join(desk[CA], file, actor="test")
    assert len([one for one in desk.events(CA, "compact.joined") if one.body["compact"] == "killed"]) == 1


def test_a_kill_between_a_later_version_and_its_event_is_made_good_at_the_start(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = desk[TH]
    monkeypatch.setattr(register_publish, "save_joined", _dies_after(save_joined))
    with pytest.raises(KeyboardInterrupt):
        propose_change(node, DESK, revoking(TH, "x"), key=root_key(node, None), file=None, actor="test")
    before = len(desk.events(TH, "register.updated"))
    for _ in range(2):
        make_good(node)
        (event,) = desk.events(TH, "register.updated")[before:]
        assert event.body["digest"] == node.registers()[DESK].digest


def told_of(town: Town, node_id: str) -> list[str]:
    return sorted(
        one.body["peer"] for one in town.events(node_id, "message.queued") if one.body["type"] == CHANGED
    )


@pytest.mark.parametrize("then", ["started again", "repeated"])
def test_the_notice_of_a_version_is_sent_though_its_publisher_was_killed(
    desk: Town, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Under the key that the others know, and they take it over from the notice, with nobody's mirror in reach."""
    monkeypatch.setattr(register_publish, "save_joined", _dies_after(save_joined))
    with pytest.raises(KeyboardInterrupt):
        rotate(desk[HK], overlap=DAY, key=root_key(desk[HK], None), actor="test")
    monkeypatch.setattr(register_publish, "save_joined", save_joined)
    node = desk.reopen(HK)
    assert told_of(desk, HK) == [], "the notices were rolled back, the file is there"
    if then == "repeated":
        rotate(node, overlap=DAY, key=root_key(node, None), actor="test")
    for _ in range(2):
        make_good(node)
        assert told_of(desk, HK) == sorted([CA, TH, WATCH])
    desk.settle()
    for other in (CA, TH, WATCH):
        assert desk[other].registers()[DESK].digest == node.registers()[DESK].digest
        assert "notice of" in desk.events(other, "register.updated")[-1].body["source"]


def test_a_version_that_another_published_is_not_told_again(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    monkeypatch.setattr("comity.node.registers.update.save_joined", _dies_after(save_joined))
    with pytest.raises(KeyboardInterrupt):
        tell(desk, TH, CA)
    make_good(desk[CA])
    assert desk.events(CA, "register.updated")[-1].body["source"] == "found at the start"
    assert told_of(desk, CA) == []


def test_a_slow_mirror_holds_no_lock(desk: Town) -> None:
    """While one mirror is asked, what another brings is taken over."""
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    files, locked = load_joined(desk[TH].home.compacts / DESK).files, list[bool]()

    def slow(path: str) -> bytes | None:
        descriptor = os.open(desk[HK].home.compacts / DESK / ".lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            locked.append(True)
        finally:
            os.close(descriptor)
        return files.get(path)

    (desk[HK].home.compacts / DESK / ".lock").touch()
    assert update(desk[HK], DESK, slow, actor="test", source="slow").newer
    assert not locked


def test_a_mirror_that_takes_too_long_is_given_up(desk: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.node.registers.update.FETCH_SECONDS", -1.0)
    with pytest.raises(NetworkError, match="not come whole"):
        update(desk[HK], DESK, lambda _: None, actor="test", source="slow")


def _dies_after(step: Any) -> Any:
    def dying(*arguments: Any) -> None:
        step(*arguments)
        raise KeyboardInterrupt

    return dying


# Changing, and how it spreads


def test_a_revocation_by_the_state_is_published_and_spreads_by_any_mirror(desk: Town) -> None:
    node = desk[TH]
    done = propose_change(
        node, DESK, revoking(TH, "key stolen"), key=root_key(node, None), file=None, actor="test"
    )
    assert done.compact is not None
    tell(desk, TH, HK)
    assert TH not in ids(desk[HK])
    event = desk.events(HK, "register.updated")[-1]
    assert event.body["revoked"] == [{"member": TH, "reason": "key stolen"}]
    assert ask(desk[CA], DESK, desk[CA].compact(DESK).member(HK), mirror(desk, down=(TH, WATCH)))
    assert TH not in ids(desk[CA])


def test_the_notice_carries_just_the_changed_files_and_is_taken_by_the_same_rules(desk: Town) -> None:
    before = load_joined(desk[TH].home.compacts / DESK).files
    node = desk[TH]
    propose_change(node, DESK, revoking(TH, "key stolen"), key=root_key(node, None), file=None, actor="test")
    after = load_joined(node.home.compacts / DESK).files
    sent = {path: text.decode() for path, text in after.items() if before.get(path) != text}
    assert len(sent) == 3, sorted(sent)
    assert take_changed(desk[HK], DESK, {"files": sent}, peer=TH).newer
    assert not take_changed(desk[HK], DESK, {"files": sent}, peer=TH).newer
    for broken in (
        {},
        {"files": 7},
        {"files": {"../x": "y"}},
        {"files": {**sent, "metadata/timestamp.json": "{}"}},
    ):
        with pytest.raises((InputError, TrustError)):
            take_changed(desk[CA], DESK, broken, peer=TH)
    assert TH in ids(desk[CA])


def test_a_notice_is_queued_for_every_remaining_member(desk: Town) -> None:
    node = desk[TH]
    propose_change(node, DESK, revoking(TH, "key stolen"), key=root_key(node, None), file=None, actor="test")
    queued = [one for one in desk.events(TH, "message.queued") if one.body["type"] == CHANGED]
    assert sorted(one.body["peer"] for one in queued) == sorted([CA, HK, WATCH])


def test_a_state_cannot_revoke_anothers_member(desk: Town) -> None:
    node = desk[CA]
    with pytest.raises(InputError, match="can sign"):
        propose_change(node, DESK, revoking(TH, "x"), key=root_key(node, None), file=None, actor="test")


def test_a_state_leaves_by_the_threshold(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    with pytest.raises(InputError, match="file for the proposal"):
        propose_change(desk[CA], DESK, removing(TH), key=root_key(desk[CA], None), file=None, actor="test")
    done = propose_change(desk[CA], DESK, removing(TH), key=root_key(desk[CA], None), file=file, actor="test")
    assert done.compact is None
    assert TH in ids(desk[CA])
    assert sign_file(desk[HK], file, key=root_key(desk[HK], None), actor="test").compact is None
    assert sign_file(desk[WATCH], file, key=root_key(desk[WATCH], None), actor="test").compact is not None
    assert TH not in ids(desk[WATCH])
    tell(desk, WATCH, CA, HK)
    assert TH not in ids(desk[CA]) + ids(desk[HK])
    key = read_card(desk[TH].home.card.read_text().strip()).signing_key_id
    logged = desk[CA].compact(DESK).member_by_key_at(key, desk.clock() - HOUR)
    assert logged is not None, "what it signed before it left is still judged"
    assert desk[CA].compact(DESK).member_by_key_at(key, desk.clock() + HOUR) is None


def test_a_new_state_comes_in_by_the_threshold_and_its_own_word(desk: Town, tmp_path: Path) -> None:
    ports = free_ports(2)
    settings = settings_of(CA, (ports[0], ports[1]))
    settings = replace(
        settings, authority=replace(settings.authority, id="jp-police", jurisdiction="JP"), covers=("JP",)
    )
    new = found(tmp_path / "jp", settings).node
    new.clock = desk.clock
    file = tmp_path / "in.json"
    propose_change(
        desk[CA], DESK, adding([new.home.card]), key=root_key(desk[CA], None), file=file, actor="test"
    )
    for node in (desk[HK], new, desk[WATCH]):
        done = sign_file(node, file, key=root_key(node, None), actor="test")
    assert done.compact is not None
    join(new, file, actor="test")
    tell(desk, WATCH, CA)
    assert "jp-police" in ids(desk[CA])
    assert new.compact(DESK).fingerprint == desk[CA].compact(DESK).fingerprint
    new.records.close()


def test_an_older_register_is_refused_and_changes_nothing(desk: Town) -> None:
    before = dict(load_joined(desk[HK].home.compacts / DESK).files)
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    tell(desk, TH, HK)
    with pytest.raises(RegisterRollback):
        update(desk[HK], DESK, before.get, actor="test", source="an attacker")
    assert TH not in ids(desk[HK])


def test_two_states_that_publish_at_the_same_time_are_both_heard(desk: Town) -> None:
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    desk.clock.advance(seconds=2)
    rotate(desk[HK], overlap=DAY, key=root_key(desk[HK], None), actor="test")
    tell(desk, TH, CA)
    desk.clock.advance(seconds=2)
    tell(desk, HK, CA)
    assert TH not in ids(desk[CA])
    assert desk[CA].compact(DESK).member(HK) == desk[HK].compact(DESK).member(HK)
    tell(desk, CA, HK)
    assert TH not in ids(desk[HK])


def test_a_proposal_from_before_another_change_of_the_same_part_is_refused(
    desk: Town, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for file in (first, second):
        propose_change(desk[CA], DESK, removing(TH), key=root_key(desk[CA], None), file=file, actor="test")
        desk.clock.advance(hours=1)
    for file in (first, second):
        sign_file(desk[HK], file, key=root_key(desk[HK], None), actor="test")
    sign_file(desk[WATCH], first, key=root_key(desk[WATCH], None), actor="test")
    with pytest.raises(Conflict, match=r"proposal made from|root version"):
        sign_file(desk[WATCH], second, key=root_key(desk[WATCH], None), actor="test")


def test_a_proposal_made_before_another_part_changed_still_holds(desk: Town, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    propose_change(desk[CA], DESK, removing(TH), key=root_key(desk[CA], None), file=file, actor="test")
    desk.clock.advance(seconds=2)
    rotate(desk[HK], overlap=DAY, key=root_key(desk[HK], None), actor="test")
    sign_file(desk[WATCH], file, key=root_key(desk[WATCH], None), actor="test")
    done = sign_file(desk[HK], file, key=root_key(desk[HK], None), actor="test")
    assert done.compact is not None
    assert TH not in ids(desk[HK])
    assert len([card for card in desk[HK].compact(DESK).cards if card.member.id == HK]) == 2, (
        "its new card stays"
    )


# Rotation


def test_after_a_rotation_old_and_new_keys_work_and_then_only_the_new(desk: Town) -> None:
    node = desk[HK]
    old = node.compact(DESK).member(HK)
    rotate(node, overlap=2 * DAY, key=root_key(node, None), actor="test")
    new = node.compact(DESK).member(HK)
    assert {new.signing_key, new.sealing_key} & {old.signing_key, old.sealing_key} == set()
    assert node.keys.signing.public_key().public_bytes_raw() == new.signing_key
    assert [key.public for key in node.keys.openers] == [new.sealing_key, old.sealing_key]
    assert node.keys.signing_for(old.signing_key).public_key().public_bytes_raw() == old.signing_key
    tell(desk, HK, CA)
    there = desk[CA].compact(DESK)
    assert {old.signing_key_id, new.signing_key_id} <= set(there.signing_keys)
    assert there.certificates(HK) == (new.tls_certificate, old.tls_certificate)
    desk.clock.advance(days=3)
    assert old.signing_key_id not in desk[CA].compact(DESK).signing_keys
    assert read_card(node.home.card.read_text().strip()) == new


def test_peers_see_the_old_certificate_until_it_has_retired(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = desk[HK]
    loaded: list[Path] = []
    real = ssl.SSLContext.load_cert_chain

    def noted(context: ssl.SSLContext, certfile: Path, *more: Any, **others: Any) -> None:
        loaded.append(certfile)
        real(context, certfile, *more, **others)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", noted)

    def shown() -> str:
        client_context(node.home.keys, passphrase(node.home), node.compact(DESK).member(CA).tls_certificate)
        return loaded[-1].read_text()

    before = shown()
    rotate(node, overlap=2 * DAY, key=root_key(node, None), actor="test")
    finish_rotation(node)
    assert shown() == before
    desk.clock.advance(days=2, seconds=5)
    finish_rotation(node)
    assert shown() == node.compact(DESK).member(HK).tls_certificate != before


@pytest.mark.parametrize("step", ["prepare_generation", "publish", "use_generation", "write_durably"])
def test_a_rotation_that_was_killed_is_finished_by_repeating_it(
    desk: Town, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    node = desk[HK]
    real = getattr(register_publish, step)

    def dying(*arguments: Any, **more: Any) -> Any:
        real(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(register_publish, step, dying)
    with pytest.raises(KeyboardInterrupt):
        rotate(node, overlap=DAY, key=root_key(node, None), actor="test")
    monkeypatch.setattr(register_publish, step, real)
    node = desk.reopen(HK)
    mine = node.compact(DESK).member(HK)
    assert node.keys.signing_for(mine.signing_key), "whatever the register says, the node has the key for it"
    rotate(node, overlap=DAY, key=root_key(node, None), actor="test")
    cards = [card for card in node.compact(DESK).cards if card.member.id == HK]
    if step != "write_durably" and step != "use_generation":
        assert len(cards) == 2
    assert node.keys.signing.public_key().public_bytes_raw() == node.compact(DESK).member(HK).signing_key


# Freshness, mirrors, no centre


def test_a_node_alone_grows_stale_however_often_it_signs_itself(desk: Town) -> None:
    node, alone = desk[CA], mirror(desk, down=(HK, TH, WATCH))
    keeping = Keeping()
    tiers = []
    for _ in range(20):
        tiers.append(node.compact(DESK).tier(node.clock()))
        keeping.step(node, alone)
        desk.clock.advance(hours=5)
    assert tiers == [Tier.FULL] * 5 + [Tier.REPLIES] * 10 + [Tier.CLOSED] * 5
    Keeping().step(desk[HK], mirror(desk))
    Keeping().step(node, mirror(desk))
    assert node.compact(DESK).tier(node.clock()) is Tier.FULL, "two nodes suffice, whichever they are"


@pytest.mark.parametrize("dead", [(CA,), (HK,), (WATCH,), (CA, HK)])
def test_whoever_is_down_the_others_stay_fresh(desk: Town, dead: tuple[str, ...]) -> None:
    alive = [one for one in EVERYBODY if one not in dead]
    keeping = {one: Keeping() for one in alive}
    for _ in range(16):
        desk.clock.advance(hours=3)
        for one in alive:
            desk.clock.advance(seconds=2)
            keeping[one].step(desk[one], mirror(desk, down=dead))
    for one in alive:
        assert desk[one].compact(DESK).tier(desk[one].clock()) is Tier.FULL


def test_a_node_that_was_off_for_days_catches_up_with_everything(desk: Town) -> None:
    desk.clock.advance(days=5)
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    for one in (HK, WATCH, CA):
        desk.clock.advance(seconds=2)
        Keeping().step(desk[one], mirror(desk))
    assert TH not in ids(desk[CA])
    assert desk[CA].compact(DESK).tier(desk[CA].clock()) is Tier.FULL


def test_a_compact_whose_nodes_were_all_off_for_a_week_wakes_by_itself(desk: Town) -> None:
    desk.clock.advance(days=7)
    assert {desk[one].compact(DESK).tier(desk.clock()) for one in EVERYBODY} == {Tier.CLOSED}
    keeping = {one: Keeping() for one in EVERYBODY}
    for _ in range(2):
        for one in EVERYBODY:
            desk.clock.advance(minutes=1)
            keeping[one].step(desk[one], mirror(desk))
    assert {desk[one].compact(DESK).tier(desk.clock()) for one in EVERYBODY} == {Tier.FULL}


def test_a_mirror_serves_files_of_the_register_and_nothing_else(desk: Town) -> None:
    files = load_joined(desk[CA].home.compacts / DESK).files
    assert all(register_file(desk[CA], DESK, path) == text for path, text in files.items())
    for path in (
        "",
        "../../node.toml",
        "metadata/../../x",
        "metadata/99.root.json",
        STAMP,
        "/etc/passwd",
        "metadata/",
    ):
        assert register_file(desk[CA], DESK, path) is None
    assert register_file(desk[CA], "nowhere", "metadata/timestamp.json") is None
    assert mirror_path(DESK, "metadata/timestamp.json") == f"/peer/register/{DESK}/metadata/timestamp.json"


def _is(caller: str) -> Callable[[Any], str]:
    return lambda _: caller


def test_only_members_of_a_compact_are_served_its_register(desk: Town, tmp_path: Path) -> None:
    """Through the peer surface's route; who is on the connection is the TLS layer's word."""
    file = tmp_path / "c.json"
    create(file, [desk[one].home.path for one in (CA, HK)], name="two-only", problem="x", now=desk.clock())
    join(desk[CA], file, actor="test")
    for caller, name, status in (
        (HK, "two-only", 200),
        (TH, "two-only", 404),
        (TH, DESK, 200),
        (TH, "nowhere", 404),
    ):
        app = Litestar([register_handler(desk[CA], _is(caller))], openapi_config=None)
        with TestClient(app) as client:
            answer = client.get(mirror_path(name, "metadata/timestamp.json"))
            assert answer.status_code == status, (caller, name)
            assert client.get(mirror_path(name, "../../node.toml")).status_code == 404
            assert client.get(mirror_path(name, "..%2f..%2fnode.toml")).status_code == 404
        if status == 200:
            assert answer.content == register_file(desk[CA], name, "metadata/timestamp.json")


def test_a_lying_mirror_is_believed_in_nothing_and_the_next_is_asked(desk: Town) -> None:
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    good: Mirror = mirror(desk)

    def lying(member: Member, path: str) -> bytes | None:
        content = good(member, path)
        return content if member.id != HK or content is None else content.replace(b"a", b"b")

    tell(desk, TH, WATCH)
    desk.clock.advance(days=2)
    for honest in (HK, WATCH):
        sign_timestamp(desk[honest], DESK)
    Keeping().step(desk[CA], lying)
    assert TH not in ids(desk[CA])


def test_a_node_without_a_say_signs_nothing(desk: Town) -> None:
    assert sign_timestamp(desk[CA], DESK)
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")
    desk.clock.advance(seconds=5)
    assert not sign_timestamp(desk[TH], DESK), "revoked"


# This node's own word


def test_refusing_pinning_and_trusting_a_peer(desk: Town) -> None:
    node = desk[CA]
    refuse(node, TH, actor="test")
    assert TH not in ids(node)
    assert TH in {member.id for member in node.registers()[DESK].members}
    trust(node, TH, actor="test")
    assert TH in ids(node)
    pin(node, HK, actor="test")
    assert HK in ids(node)
    rotate(desk[HK], overlap=DAY, key=root_key(desk[HK], None), actor="test")
    tell(desk, HK, CA)
    assert HK not in ids(node), "its key is another: suspended"
    pin(node, HK, actor="test")
    assert HK in ids(node)
    kinds = [event.kind for event in desk.events(CA) if event.kind.startswith("peer.")]
    assert kinds == ["peer.refused", "peer.trusted", "peer.pinned", "peer.pinned"]
    with pytest.raises(NotFound):
        trust(node, TH, actor="test")
    with pytest.raises(NotFound):
        refuse(node, "nobody-here", actor="test")
    with pytest.raises(InputError, match="another member"):
        refuse(node, CA, actor="test")


# Storage


def test_a_full_disk_while_updating_keeps_the_old_version_and_the_next_try_works(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose_change(desk[TH], DESK, revoking(TH, "x"), key=root_key(desk[TH], None), file=None, actor="test")

    def full(*_: object) -> None:
        raise StorageError("the disk refused: No space left on device")

    monkeypatch.setattr("comity.node.registers.update.save_joined", full)
    with pytest.raises(StorageError):
        tell(desk, TH, CA)
    monkeypatch.undo()
    assert TH in ids(desk[CA])
    assert not desk.events(CA, "register.updated")
    tell(desk, TH, CA)
    assert TH not in ids(desk[CA])


def test_the_store_is_one_file_and_a_half_written_one_is_never_read(desk: Town) -> None:
    folder = desk[CA].home.compacts / DESK
    (folder / f".{STAMP}.dead.draft").write_bytes(b'{"v":1,"files":{')
    assert read_joined(folder).name == DESK
    assert DESK in open_node(desk.folder / CA).compacts()
