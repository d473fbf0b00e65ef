"""Taking a register over: every attack that TUF and spec/register.md promise to refuse, tried.

What is held is a genuine register of four states; what is offered was signed with the keys that the attacker
of each test is said to have. The attacker always controls the way the files take.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from comity.backends.register_files import STAMP, Joined, changing, load_joined, read_joined, save_joined
from comity.backends.register_updates import (
    FrozenRegister,
    OversizeRegister,
    RegisterRollback,
    _Fetcher,
    take_over,
)
from comity.errors import ComityError, NetworkError, NotFound, StorageError
from comity.exchange.register.bundle import MAX_FILE
from comity.exchange.register.change import (
    propose_removal,
    propose_renewal,
    propose_revocation,
)
from comity.exchange.register.read import (
    BrokenRegister,
    ForeignCard,
    OtherRegister,
    WrongThreshold,
    read_register,
)
from comity.exchange.register.write import complete, renew_snapshot, renew_timestamp, sign
from tests.unit.test_register import DAY, HOUR, changed, formed, proposal
from tests.vectors.forger import CANADA, HONG_KONG, NOW, STRANGER, THAILAND, WATCH, Identity
from tests.vectors.register_forger import Forged

Files = dict[str, bytes]
HELD: Files = dict(formed().files)
ANCHOR = HELD["metadata/1.root.json"]


def taking(
    offered: Mapping[str, bytes], *, held: Mapping[str, bytes] = HELD, now: datetime = NOW + HOUR
) -> Files:
    return take_over(ANCHOR, held, dict(offered).get, now=now)


def revoking(
    one: Identity = THAILAND, *, base: Mapping[str, bytes] = HELD, after: timedelta = HOUR / 2
) -> Files:
    offered = propose_revocation(base, one.id, at=NOW + after, reason="key stolen")
    return dict(changed(offered, one, now=after).files)


def test_the_first_time_everything_is_taken_from_the_anchor_on() -> None:
    assert taking(HELD, held={}) == HELD


def test_a_genuine_successor_is_taken() -> None:
    later = revoking()
    taken = taking(later)
    assert taken == later
    assert THAILAND.id not in {one.id for one in read_register(taken).members}


def test_a_newer_timestamp_alone_is_taken() -> None:
    fresher = renew_timestamp(HELD, [HONG_KONG.online], now=NOW + 20 * HOUR)
    assert taking(fresher, now=NOW + 21 * HOUR) == fresher


def test_after_days_away_a_node_takes_what_is_fresh_now() -> None:
    """Its own timestamp has long expired; the root chain and everything else are as held."""
    later = renew_timestamp(revoking(), [HONG_KONG.online], now=NOW + 9 * DAY)
    assert taking(later, now=NOW + 9 * DAY) == later


def test_only_what_is_new_is_fetched() -> None:
    asked: list[str] = []
    later = revoking()

    def fetch(path: str) -> bytes | None:
        asked.append(path)
        return later.get(path)

    take_over(ANCHOR, HELD, fetch, now=NOW + HOUR)
    assert [path for path in asked if "targets/" in path] == []
    assert len(asked) == 4, asked  # next root (none), timestamp, snapshot, Thailand's role


# Rollback and freeze


def test_an_older_register_is_refused() -> None:
    with pytest.raises(RegisterRollback):
        taking(HELD, held=revoking())


def test_an_older_role_under_a_newer_snapshot_is_refused() -> None:
    """Whoever holds one online key can sign snapshots and timestamps, and still not undo a revocation."""
    later = revoking()
    with pytest.raises(RegisterRollback):
        taking(renew_snapshot({**HELD}, [CANADA.online], now=NOW + HOUR), held=later, now=NOW + HOUR)


def test_a_register_that_nobody_vouches_for_any_more_is_refused() -> None:
    with pytest.raises(FrozenRegister) as refusal:
        taking(HELD, held={}, now=NOW + 25 * HOUR)
    assert "fresh file" in refusal.value.next_step
    with pytest.raises(FrozenRegister):
        taking(revoking(), now=NOW + 26 * HOUR)


@pytest.mark.parametrize("days", [2, 365])
def test_a_timestamp_that_claims_to_hold_longer_than_a_day_is_refused(days: int) -> None:
    forged = Forged(
        signed_at=NOW, change={"timestamp": lambda one: one.update(expires=_day(NOW + days * DAY))}
    )
    files = forged.files()
    with pytest.raises(BrokenRegister, match="at most 1 day"):
        take_over(files["metadata/1.root.json"], {}, files.get, now=NOW)


def test_a_timestamp_of_the_future_is_refused_so_that_it_cannot_bar_honest_ones() -> None:
    ahead = renew_timestamp(HELD, [HONG_KONG.online], now=NOW + 10 * HOUR)
    with pytest.raises(BrokenRegister, match="timestamp signed by") as refusal:
        taking(ahead)
    assert "clock" in refusal.value.next_step
    assert taking(renew_timestamp(HELD, [HONG_KONG.online], now=NOW + HOUR + timedelta(minutes=4)))


# Thresholds and foreign hands


def test_a_root_that_too_few_states_signed_is_refused() -> None:
    offered = sign(sign(propose_removal(HELD, THAILAND.id, now=NOW), CANADA.root), HONG_KONG.root)
    every = {**HELD, **offered.proposed}
    with pytest.raises(ComityError) as refusal:
        taking(renew_snapshot(every, [CANADA.online], now=NOW + HOUR))
    assert refusal.value.code == "register.broken"


def test_a_root_that_lowers_the_threshold_to_one_is_refused_even_with_every_signature() -> None:
    def lower(root: dict[str, object]) -> None:
        root["version"] = 2
        for role in ("root", "targets"):
            root["roles"][role]["threshold"] = 1  # type: ignore[index]

    forged = Forged(signed_at=NOW)
    first = forged.files()
    forged.change["root"] = lower
    second = forged.files()
    offered = {**second, "metadata/1.root.json": first["metadata/1.root.json"]}
    offered["metadata/2.root.json"] = second["metadata/1.root.json"]
    with pytest.raises(WrongThreshold):
        take_over(first["metadata/1.root.json"], {}, offered.get, now=NOW)


def test_a_strangers_whole_register_does_not_follow_on_ours() -> None:
    bundle = sign(sign(proposal(STRANGER, CANADA), STRANGER.root), CANADA.root)
    theirs = dict(complete(bundle, [CANADA.online, STRANGER.online], now=NOW + HOUR / 2).files)
    with pytest.raises(ComityError) as refusal:
        taking(theirs)
    assert refusal.value.code in {"register.broken", "register.rollback"}
    assert taking(formed(STRANGER, CANADA, threshold=2).files) == HELD, "nothing newer: nothing taken"
    mixed = {**theirs, "metadata/2.root.json": theirs["metadata/1.root.json"], "metadata/1.root.json": ANCHOR}
    with pytest.raises(BrokenRegister):
        taking(mixed)


@pytest.mark.parametrize(
    "path", ["hk/hk-impostor/1.card.jws", "hk/hk-anti-deception/2.card.jws", "ca/x-x-x/1.card.jws"]
)
def test_a_state_that_signs_a_card_under_anothers_path_is_refused(path: str) -> None:
    """Thailand's own key signs Thailand's role, which lists a card under another state's path."""
    forged = Forged(signed_at=NOW)
    forged.cards["th"].append((path, HONG_KONG.card(), forged.cards["th"][0][2]))
    files = forged.files()
    with pytest.raises(ForeignCard):
        take_over(files["metadata/1.root.json"], {}, files.get, now=NOW)


def test_a_role_signed_by_another_state_is_refused() -> None:
    forged = Forged(signed_at=NOW, signers={"hk": [THAILAND.root]})
    files = forged.files()
    with pytest.raises(BrokenRegister, match="enough states"):
        take_over(files["metadata/1.root.json"], {}, files.get, now=NOW)


def test_a_role_of_another_compact_of_the_same_states_is_refused() -> None:
    """The same keys signed it, with a higher version: TUF alone would take it."""
    other = Forged(signed_at=NOW, version=9, binding="other-desk 2025-05-04T10:15:30.000000Z").files()
    mixed = {**HELD, "metadata/9.th.json": other["metadata/9.th.json"]}
    mixed |= {path: text for path, text in other.items() if path.startswith("targets/th/")}
    with pytest.raises(OtherRegister):
        taking(renew_snapshot(mixed, [CANADA.online], now=NOW + HOUR))


def test_a_revoked_node_cannot_keep_the_register_looking_fresh() -> None:
    later = revoking()
    still = renew_timestamp(later, [THAILAND.online], now=NOW + 2 * HOUR)
    with pytest.raises(BrokenRegister, match="present member"):
        taking(still, held=later, now=NOW + 2 * HOUR)


# Mix and match, altered and endless files


@pytest.mark.parametrize("role", ["targets", "hk", "snapshot"])
def test_files_of_two_versions_cannot_be_mixed(role: str) -> None:
    """Two genuine versions of a file under one version number: only the one the timestamp vouches for is taken."""
    other = dict(changed(propose_renewal(HELD, now=NOW), *_everybody(), now=HOUR / 2).files)
    path = next(one for one in other if one.endswith(f".{role}.json"))
    twin = dict(
        changed(propose_renewal(HELD, now=NOW + timedelta(minutes=1)), *_everybody(), now=HOUR / 2).files
    )
    assert twin[path] != other[path]
    with pytest.raises(BrokenRegister):
        taking({**other, path: twin[path]})


def test_every_file_altered_missing_or_longer_is_refused_and_named() -> None:
    later = revoking()
    new = [path for path in later if later[path] != HELD.get(path)]
    for path in new:
        for text in (
            later[path][:-1],
            later[path].replace(b'"sig":"', b'"sig":"0', 1),
            b"",
            b"{}",
            b"\xff",
            None,
        ):
            offered = {one: content for one, content in later.items() if one != path}
            if text is not None:
                offered[path] = text
            with pytest.raises(ComityError) as refusal:
                taking(offered)
            assert refusal.value.code.startswith(("register.", "exchange.")), path


@pytest.mark.parametrize(
    "path", ["metadata/timestamp.json", "metadata/2.root.json", "metadata/1.snapshot.json"]
)
def test_a_file_without_end_is_cut_off(path: str) -> None:
    """Bytes are counted as they come; nothing waits for the end."""
    given = 0

    class Endless(_Fetcher):
        def _fetch(self, url: str) -> Iterator[bytes]:
            if not url.endswith(path.replace("1.snapshot", f"{int(NOW.timestamp())}.snapshot")):
                return super()._fetch(url)

            def forever() -> Iterator[bytes]:
                nonlocal given
                while True:
                    given += 1
                    assert given < 1000, "nobody counted"
                    yield b" " * 8192

            return forever()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("comity.backends.register_updates._Fetcher", Endless)
        with pytest.raises(OversizeRegister):
            taking(HELD, held={})
    assert given


def test_a_state_cannot_sign_for_a_card_of_a_gigabyte() -> None:
    forged = Forged(signed_at=NOW)
    forged.change["th"] = lambda role: next(iter(role["targets"].values())).update(length=10**9)
    files = forged.files()
    with pytest.raises(OversizeRegister, match=str(MAX_FILE)):
        take_over(files["metadata/1.root.json"], {}, files.get, now=NOW)


def test_what_stops_the_way_is_a_network_error_not_a_trust_error() -> None:
    def cut(path: str) -> bytes | None:
        if "timestamp" in path:
            raise NetworkError("the peer is down")
        return HELD.get(path)

    with pytest.raises(NetworkError, match="down"):
        take_over(ANCHOR, HELD, cut, now=NOW + HOUR)


# Where it is kept


def joined(files: Mapping[str, bytes] = HELD) -> Joined:
    return Joined(files=files, fresh_at=NOW)


def test_what_is_saved_is_read_and_verified_again(tmp_path: Path) -> None:
    save_joined(tmp_path / "desk", joined())
    assert load_joined(tmp_path / "desk") == joined()
    assert len(read_joined(tmp_path / "desk").members) == 4
    with pytest.raises(NotFound, match="joined"):
        read_joined(tmp_path / "elsewhere")


def test_a_changed_file_on_the_disk_is_refused(tmp_path: Path) -> None:
    save_joined(tmp_path, joined())
    file = tmp_path / STAMP
    content = file.read_bytes()
    for at in range(100, len(content), len(content) // 40):
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            read = read_joined(tmp_path)
        except ComityError:
            continue
        assert read.members == joined().compact().members


@pytest.mark.parametrize("step", ["open", "replace", "fsync"])
def test_a_full_disk_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    save_joined(tmp_path, joined())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        *{"open": (os, "open"), "replace": (Path, "replace"), "fsync": (os, "fsync")}[step], full
    )
    with pytest.raises(StorageError):
        save_joined(tmp_path, joined(revoking()))
    monkeypatch.undo()
    assert load_joined(tmp_path) == joined()
    assert [one.name for one in tmp_path.iterdir()] == [STAMP]


def test_only_one_process_changes_a_register_at_a_time(tmp_path: Path) -> None:
    with changing(tmp_path):
        child = os.fork()
        if child == 0:
            descriptor = os.open(tmp_path / ".lock", os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_old_signatures_of_members_that_left_are_still_judged(tmp_path: Path) -> None:
    gone = changed(propose_removal(HELD, THAILAND.id, now=NOW), CANADA, HONG_KONG, WATCH).files
    before = joined().compact()
    past = tuple(card for card in before.cards if card.member.id == THAILAND.id)
    save_joined(tmp_path, Joined(files=gone, fresh_at=NOW, past=past))
    key = before.member(THAILAND.id).signing_key_id
    found = read_joined(tmp_path).member_by_key_at(key, NOW)
    assert found is not None
    assert found.id == THAILAND.id
    assert key not in read_joined(tmp_path).signing_keys


def _everybody() -> tuple[Identity, ...]:
    return (CANADA, HONG_KONG, THAILAND, WATCH)


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
