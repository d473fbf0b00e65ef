"""What a node may disclose waits for its witnesses: around every corner, and shut where anything is unclear."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.backends.witness_folder import WitnessFolder, create_witness
from comity.entrypoints.witness.app import create_witness_app
from comity.errors import InputError
from comity.ledger import LogRolledBack, PolicyRefused, read_checkpoint
from comity.node.bootstrap import Node
from comity.node.log.prove import Cosigning, witness_key
from comity.node.log.publish import log_signer, publish_log
from comity.node.log.quorum import (
    PolicyGone,
    install,
    is_witnessed,
    policy,
    policy_file,
    remove,
    standing,
    witnessed_file,
    witnessed_size,
)
from comity.node.log.rollback import contradicted_file
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import SignedNote, VerifierKey, sign_note, verifier_of
from tests.nodes.serving import courier_of, peer_surface
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town
from tests.unit.ledger_serving import serving_app
from tests.unit.ledger_stores import key_of

STRANGER = cosigner_of(key_of("stranger.example"))


def members_policy(town: Town, *ids: str, rule: str = "all") -> bytes:
    peers = town[CA].peers()
    lines = [f"witness {one} {witness_key(peers[one])}" for one in ids]
    lines += [f"group g {rule} {' '.join(ids)}", "quorum g"]
    return "".join(f"{line}\n" for line in lines).encode()


def do_something(node: Node) -> int:
    """An event, and its number."""
    with node.records.transaction() as tx:
        node.record(tx, "test.done", actor="test", what="x")
    with node.records.reading() as tx:
        return tx.events.after(0)[-1][0]


def cosign_all(town: Town, node_id: str = CA) -> None:
    publish_log(town[node_id])
    cosigning = Cosigning()
    cosigning.gather(town[node_id], town.wires.of(node_id))  # type: ignore[arg-type] # stands in for PeerCourier
    cosigning.close()


def published_size(node: Node) -> int:
    found = read_checkpoint(node.log, verifier_of(log_signer(node)))
    return found[0].size if found else 0


def test_without_a_policy_nothing_is_required(town: Town) -> None:
    node = town[CA]
    assert policy(node) is None
    assert is_witnessed(node, do_something(node))
    assert (standing(node).policy, standing(node).problem) == (None, "")


def test_quorum_none_requires_nothing_either(town: Town) -> None:
    install(town[CA], b"quorum none\n", actor="test")
    assert is_witnessed(town[CA], do_something(town[CA]))


def test_an_event_is_witnessed_once_a_quorum_has_cosigned_it_and_stays_so(town: Town) -> None:
    node = town[CA]
    install(node, members_policy(town, HK, TH, WATCH, rule="2"), actor="test")
    event = do_something(node)
    assert not is_witnessed(node, event)
    publish_log(node)
    assert not is_witnessed(node, event)
    town.wires.down = {HK, TH}
    cosign_all(town)
    assert not is_witnessed(node, event)
    town.wires.down = {TH}
    cosign_all(town)
    assert is_witnessed(node, event)
    later = do_something(node)
    publish_log(node)
    assert not is_witnessed(node, later)
    assert is_witnessed(node, event)
    node = town.reopen(CA)
    assert is_witnessed(node, event)
    assert not is_witnessed(node, later)
    assert not is_witnessed(node, 10**12)


def test_another_policy_is_asked_of_what_was_witnessed_before(town: Town) -> None:
    """The kept checkpoint is judged anew: a stricter policy shuts at once, a laxer one opens at once."""
    node = town[CA]
    install(node, members_policy(town, HK), actor="test")
    event = do_something(node)
    town.wires.down = {TH, WATCH}
    cosign_all(town)
    assert is_witnessed(node, event)
    install(node, members_policy(town, HK, TH), actor="test")
    assert not is_witnessed(node, event)
    install(node, f"witness s {STRANGER}\nquorum s\n".encode(), actor="test")
    assert not is_witnessed(node, event)
    install(node, members_policy(town, HK, TH, rule="any"), actor="test")
    assert is_witnessed(node, event)


def test_cosignatures_by_others_do_not_count_though_they_hold(town: Town) -> None:
    node = town[CA]
    install(node, f"witness s {STRANGER}\nquorum s\n".encode(), actor="test")
    event = do_something(node)
    cosign_all(town)
    assert not is_witnessed(node, event)
    assert standing(node).finding is not None


@pytest.mark.parametrize(
    "content", [b"", b"quorum x\n", b"witness\n", b"\xff\n", b"quorum none", b"quorum none\r\n"]
)
def test_a_policy_that_cannot_be_read_lets_nothing_through(town: Town, content: bytes) -> None:
    node = town[CA]
    install(node, members_policy(town, HK), actor="test")
    event = do_something(node)
    cosign_all(town)
    assert is_witnessed(node, event)
    policy_file(node).write_bytes(content)
    assert not is_witnessed(node, event)
    with pytest.raises(PolicyRefused):
        policy(node)
    assert "expected" in standing(node).problem
    cosign_all(town)  # and nothing else stands still for it


def test_a_policy_that_is_a_folder_or_gone_lets_nothing_through(town: Town) -> None:
    node = town[CA]
    install(node, members_policy(town, HK), actor="test")
    event = do_something(node)
    cosign_all(town)
    policy_file(node).unlink()
    assert not is_witnessed(node, event)
    with pytest.raises(PolicyGone):
        policy(node)
    policy_file(node).mkdir()
    assert not is_witnessed(node, event)
    policy_file(node).rmdir()
    remove(node, actor="test")
    assert is_witnessed(node, event)
    assert [one.kind for one in town.events(CA, "witness-policy.installed", "witness-policy.removed")] == [
        "witness-policy.installed", "witness-policy.removed",
    ]  # fmt: skip


def test_what_is_refused_is_not_installed(town: Town) -> None:
    node = town[CA]
    good = members_policy(town, HK)
    install(node, good, actor="test")
    own = cosigner_of(log_signer(node))
    for bad in (
        b"nonsense\n",
        good[:-1],
        f"witness w {own}\nquorum w\n".encode(),
        f"log {verifier_of(key_of('x'))}\n".encode() + good,
    ):
        with pytest.raises(InputError):
            install(node, bad, actor="test")
    assert policy_file(node).read_bytes() == good


def forged(node: Node, size: int, *, sign: bool) -> bytes:
    """A checkpoint of this log with cosignatures by members' names that nobody made."""
    text = Checkpoint(origin=log_signer(node).name, size=size, root=bytes(32)).text
    signer = log_signer(node) if sign else key_of(log_signer(node).name)
    lines = [sign_note(text, signer)]
    for member in node.peers().values():
        key = witness_key(member)
        fake = cosign(text, key_of(key.name), at=datetime(2025, 6, 20, tzinfo=UTC))
        lines.append(type(fake)(name=key.name, key_id=key.key_id, signature=fake.signature))
    return SignedNote(text=text, signatures=tuple(lines)).encode()


def test_a_forged_note_beside_the_policy_opens_nothing(town: Town) -> None:
    node = town[CA]
    install(node, members_policy(town, HK), actor="test")
    event = do_something(node)
    publish_log(node)
    for content in (b"", b"nonsense", forged(node, 10**6, sign=False), forged(node, 10**6, sign=True)):
        witnessed_file(node).write_bytes(content)
        assert not is_witnessed(node, event)


def test_a_log_that_was_put_back_is_not_witnessed_by_what_it_once_was(town: Town, tmp_path: Path) -> None:
    """The note of the larger log holds in every signature; the places under it now belong to other events."""
    node = town[CA]
    install(node, members_policy(town, HK), actor="test")
    do_something(node)
    cosign_all(town)
    backup = tmp_path / "backup"
    town.close()
    shutil.copytree(town.folder / CA, backup)
    node = town.reopen(CA)
    for _ in range(5):
        do_something(node)
    cosign_all(town)
    kept = witnessed_file(node).read_bytes()
    assert witnessed_size(node) == published_size(node)
    town.close()
    shutil.rmtree(town.folder / CA)
    shutil.copytree(backup, town.folder / CA)
    node = town.reopen(CA)
    witnessed_file(node).write_bytes(kept)
    event = do_something(node)
    assert not is_witnessed(node, event)
    for _ in range(10):
        do_something(node)
    publish_log(node)  # larger than what was witnessed, but another log
    assert not is_witnessed(node, event)
    assert "does not continue" in standing(node).problem


def test_a_quorum_comes_together_on_a_log_that_never_rests(town: Town) -> None:
    """The log grows between any two witnesses; they are all asked about one checkpoint all the same."""
    node = town[CA]
    install(node, members_policy(town, HK, TH, WATCH), actor="test")
    event = do_something(node)
    publish_log(node)
    true_cosign = town.wires.cosign

    def growing(sender: str, receiver: str, body: bytes) -> tuple[int, str, bytes]:
        do_something(node)
        publish_log(node)
        return true_cosign(sender, receiver, body)

    town.wires.cosign = growing  # type: ignore[method-assign]
    Cosigning().gather(node, town.wires.of(CA))  # type: ignore[arg-type] # stands in for PeerCourier
    assert is_witnessed(node, event)
    assert witnessed_size(node) < published_size(node)


# --- witnesses on their own ---


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[WitnessFolder]:
    made = create_witness(tmp_path / "watch", "watch.example/w1", b"secret")
    yield made
    made.records.close()


def test_a_witness_of_the_policy_is_asked_at_its_address(town: Town, watch: WitnessFolder) -> None:
    node = town[CA]
    app = create_witness_app(watch, watch.signer(b"secret"), clock=lambda: datetime.now(UTC))
    with serving_app(app) as url:
        install(node, f"witness W {watch.key} {url}\nquorum W\n".encode(), actor="test")
        event = do_something(node)
        cosign_all(town)
        assert not is_witnessed(node, event)  # it does not know the log yet
        watch.records.add_log(verifier_of(log_signer(node)), follow="", now=datetime.now(UTC))
        cosign_all(town)
        assert is_witnessed(node, event)
        later = do_something(node)
        cosign_all(town)
        assert is_witnessed(node, later)
    more = do_something(node)
    cosign_all(town)  # nobody is there any more
    assert not is_witnessed(node, more)
    assert is_witnessed(node, later)


def test_an_answer_by_somebody_else_at_that_address_does_not_count(town: Town, watch: WitnessFolder) -> None:
    node = town[CA]
    watch.records.add_log(verifier_of(log_signer(node)), follow="", now=datetime.now(UTC))
    app = create_witness_app(watch, watch.signer(b"secret"), clock=lambda: datetime.now(UTC))
    with serving_app(app) as url:
        posing = VerifierKey(name=watch.key.name, kind=4, public=STRANGER.public)
        install(node, f"witness W {posing} {url}\nquorum W\n".encode(), actor="test")
        event = do_something(node)
        cosign_all(town)
    assert not is_witnessed(node, event)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://user@x/", "nonsense"])
def test_an_address_that_is_none_is_not_asked_and_stops_nothing(town: Town, url: str) -> None:
    node = town[CA]
    install(node, members_policy(town, HK) + f"witness W {STRANGER} {url}\n".encode(), actor="test")
    event = do_something(node)
    cosign_all(town)
    assert is_witnessed(node, event)


# --- our log was put back ---


def put_back(town: Town, tmp_path: Path) -> Node:
    """Cosigned with five events more than it now has."""
    town.close()
    shutil.copytree(town.folder / CA, tmp_path / "older")
    node = town.reopen(CA)
    for _ in range(5):
        do_something(node)
    cosign_all(town)
    town.close()
    shutil.copytree(town.folder / CA, tmp_path / "newer")
    restore(town, tmp_path / "older")
    return town.reopen(CA)


def restore(town: Town, backup: Path) -> None:
    shutil.rmtree(town.folder / CA)
    shutil.copytree(backup, town.folder / CA)


@pytest.mark.parametrize("growth", [0, 2, 20])
def test_a_log_that_was_put_back_stops_until_it_is_whole(town: Town, tmp_path: Path, growth: int) -> None:
    """A witness shows what our own key signed: smaller, as large or larger by now, it is another log."""
    cosign_all(town)
    node = put_back(town, tmp_path)
    for _ in range(growth):
        do_something(node)
    cosign_all(town)
    assert contradicted_file(node).exists()
    (alarm,) = town.events(CA, "alarm.log-contradicted")
    assert log_signer(node).name in alarm.body["seen"]
    size = published_size(node)
    do_something(node)
    for _ in range(2):
        with pytest.raises(LogRolledBack):
            publish_log(node)
        node = town.reopen(CA)
    assert published_size(node) == size
    proof = contradicted_file(node).read_bytes()
    town.close()
    restore(town, tmp_path / "newer")
    node = town.reopen(CA)
    contradicted_file(node).write_bytes(proof)
    do_something(node)
    publish_log(node)
    assert not contradicted_file(node).exists()
    cosign_all(town)


def test_a_peer_shows_over_its_real_surface_what_it_saw(town: Town) -> None:
    cosign_all(town)
    node, peer = town[CA], town[CA].peers()[HK]
    with peer_surface(town[HK]), courier_of(node) as courier:
        shown = courier.newest_checkpoint(peer, log_signer(node).name)
        assert shown is not None
        assert open_checkpoint(shown, [verifier_of(log_signer(node))])[0].size == published_size(node)
        assert courier.newest_checkpoint(peer, "nobody.example") is None


def test_the_mere_word_of_a_witness_stops_nothing(town: Town, tmp_path: Path) -> None:
    cosign_all(town)
    node = put_back(town, tmp_path)
    town.wires.newest_checkpoint = lambda receiver, origin: None  # type: ignore[method-assign]
    do_something(node)
    cosign_all(town)
    assert not contradicted_file(node).exists()
    claims = town.events(CA, "alarm.log-rolled-back")
    assert {one.body["witness"] for one in claims} == {HK, TH, WATCH}
    do_something(node)
    assert publish_log(node) is not None


def test_what_a_witness_made_up_stops_nothing(town: Town, tmp_path: Path) -> None:
    """Signed by nobody, by another key, or by us and true: none of it is a proof."""
    cosign_all(town)
    true = (town[CA].home.log / "checkpoint").read_bytes()
    node = put_back(town, tmp_path)
    other = (town[HK].home.log / "checkpoint").read_bytes()
    for shown in (b"", b"nonsense", true, other, forged(node, 10**6, sign=False)):
        town.wires.newest_checkpoint = lambda receiver, origin, shown=shown: shown  # type: ignore[method-assign, misc]
        cosign_all(town)
        assert not contradicted_file(node).exists()


def test_nothing_counts_as_witnessed_while_the_log_is_contradicted(town: Town, tmp_path: Path) -> None:
    install(town[CA], members_policy(town, HK), actor="test")
    event = do_something(town[CA])
    cosign_all(town)
    assert is_witnessed(town[CA], event)
    node = put_back(town, tmp_path)
    cosign_all(town)
    assert not is_witnessed(node, event)
    assert "our log does not continue" in standing(node).problem


def test_a_junk_file_in_the_place_of_the_proof_stops_publishing(town: Town) -> None:
    """Shut where it is unclear: somebody put it there, and people must look."""
    contradicted_file(town[CA]).write_bytes(b"junk")
    with pytest.raises(LogRolledBack, match=r"log-contradicted\.note"):
        publish_log(town[CA])
