"""`comity log prove`, `check-proof`, `misconduct`, `mirror` and `policy`, and `comity witness`, as people use them."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from comity.backends.log_files import FileTileStore
from comity.entrypoints.cli import app
from comity.entrypoints.cli.log_check_proof import QuorumNotMet
from comity.entrypoints.cli.log_disclose import NotWitnessed
from comity.errors import Conflict, InputError, NotFound, TrustError
from comity.ledger import MirrorRefused, add_cosignatures, publish, verify_log
from comity.node.log.prove import Cosigning
from comity.node.log.publish import log_signer, publish_log
from comity.node.log.quorum import install
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import UnknownKey, verifier_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.unit.ledger_serving import serving
from tests.unit.ledger_stores import NOW, MemoryEvents, entry, key_of
from tests.unit.test_node_quorum import members_policy

LOG = key_of("log.example")
KEY = verifier_of(LOG)
WITNESS = key_of("witness.example")
WITNESS_KEY = cosigner_of(WITNESS)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def as_json(*arguments: object) -> dict[str, Any]:
    found = json.loads(run(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def publish_at(folder: Path, *sizes: int, story: str = "") -> Path:
    tiles, events = FileTileStore(folder), MemoryEvents(max(sizes), story=story)
    whole = events.committed
    for size in sizes:
        events.committed = whole[:size]
        checkpoint = publish(events, tiles, LOG, now=NOW)
        assert checkpoint is not None
        line = str(cosign(checkpoint.text, WITNESS, at=NOW))
        add_cosignatures(tiles, line, on=checkpoint, log=KEY, witnesses=[WITNESS_KEY])
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return publish_at(tmp_path / "log", 300)


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    file = tmp_path / "witnesses.policy"
    file.write_text(f"log {KEY}\nwitness W {WITNESS_KEY}\nquorum W\n")
    return file


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_proof_is_made_from_a_directory_or_a_url_and_checked_offline(
    log: Path, asked: Path, tmp_path: Path, index: int
) -> None:
    file = tmp_path / "x.tlog-proof"
    run("log", "prove", log, index, "--key", KEY, "--out", file)
    with serving(log) as url:
        run("log", "prove", url, index, "--key", KEY, "--out", tmp_path / "y.tlog-proof")
    assert (tmp_path / "y.tlog-proof").read_bytes() == file.read_bytes()
    assert file.read_text().startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
    found = as_json("log", "check-proof", file, "--entry", entry(index).hex(), "--policy", asked)
    assert (found["ok"], found["index"], found["size"], found["quorum"]["met"]) == (True, index, 300, True)
    assert "the proof holds" in run("log", "check-proof", file, "--entry", entry(index).hex(), "--key", KEY)
    with pytest.raises(TrustError):
        run("log", "check-proof", file, "--entry", entry(index + 1).hex(), "--key", KEY)


def test_a_proof_under_too_few_cosignatures_does_not_pass(log: Path, tmp_path: Path) -> None:
    file, strict = tmp_path / "x.tlog-proof", tmp_path / "strict.policy"
    run("log", "prove", log, 7, "--key", KEY, "--out", file)
    other = cosigner_of(key_of("other.example"))
    strict.write_text(f"log {KEY}\nwitness W {WITNESS_KEY}\nwitness V {other}\ngroup g all W V\nquorum g\n")
    with pytest.raises(QuorumNotMet, match="V did not cosign") as caught:
        run("log", "check-proof", file, "--entry", entry(7).hex(), "--policy", strict)
    assert caught.value.exit_status == 3


def test_a_proof_of_another_log_or_of_nothing_is_refused(log: Path, asked: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.tlog-proof"
    run("log", "prove", log, 7, "--key", KEY, "--out", file)
    with pytest.raises(UnknownKey):
        run(
            "log",
            "check-proof",
            file,
            "--entry",
            entry(7).hex(),
            "--key",
            verifier_of(key_of("other.example")),
        )
    for wrong in (["--entry", "00"], ["--entry", "z" * 64], [], ["--entry", entry(7).hex(), "--event", file]):
        with pytest.raises(InputError):
            run("log", "check-proof", file, *wrong, "--key", KEY)
    with pytest.raises(InputError):
        run("log", "check-proof", file, "--entry", entry(7).hex())
    with pytest.raises(InputError, match="lists"):
        run(
            "log",
            "check-proof",
            file,
            "--entry",
            entry(7).hex(),
            "--policy",
            asked,
            "--key",
            verifier_of(key_of("x")),
        )
    file.write_bytes(file.read_bytes().replace(b"index 7\n", b"extra !\nindex 7\n"))
    with pytest.raises(InputError):
        run("log", "check-proof", file, "--entry", entry(7).hex(), "--key", KEY)
    for place in ("300", "-1", "event-1", "007"):
        with pytest.raises(InputError):
            run("log", "prove", log, "--", place)


def test_extra_data_in_a_proof_is_carried_and_not_believed(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.tlog-proof"
    run("log", "prove", log, 7, "--key", KEY, "--out", file)
    extra = b"extra " + b64encode(b"index 8") + b"\nindex 7\n"
    file.write_bytes(file.read_bytes().replace(b"index 7\n", extra))
    assert as_json("log", "check-proof", file, "--entry", entry(7).hex(), "--key", KEY)["index"] == 7


def test_an_event_of_a_node_is_proved_under_what_was_witnessed(town: Town, tmp_path: Path) -> None:
    node = town[CA]
    asked = members_policy(town, HK)
    install(node, asked, actor="test")
    publish_log(node)
    cosigning = Cosigning()
    cosigning.gather(node, town.wires.of(CA))  # type: ignore[arg-type] # stands in for PeerCourier
    with node.records.transaction() as tx:
        node.record(tx, "test.done", actor="test", what="later")
    publish_log(node)  # larger, and cosigned by nobody yet
    with node.records.reading() as tx:
        first, last = tx.events.after(0)[0][1], tx.events.after(0)[-1][1]
        place = tx.events.opening(first.id)
    assert place is not None
    key = verifier_of(log_signer(node))
    file, policy = tmp_path / "x.tlog-proof", tmp_path / "p"
    policy.write_bytes(f"log {key}\n".encode() + asked)
    run("log", "prove", node.home.path, first.id, "--out", file)
    found = as_json("log", "check-proof", file, "--entry", place.entry.hex(), "--policy", policy)
    assert (found["index"], found["quorum"]["met"]) == (place.log_index, True)
    run("log", "prove", node.home.path, last.id, "--out", file)
    assert b"/witness" not in file.read_bytes()
    with pytest.raises(NotFound):
        run("log", "prove", node.home.path, "event-of-nobody")


def test_nothing_is_disclosed_before_the_quorum_has_cosigned_it(town: Town, tmp_path: Path) -> None:
    node, file = town[CA], tmp_path / "x.json"
    install(node, members_policy(town, HK), actor="test")
    publish_log(node)
    with node.records.reading() as tx:
        event = tx.events.after(0)[0][1].id
    with pytest.raises(NotWitnessed):
        run("log", "disclose", node.home.path, event, "--field", "kind", "--out", file)
    assert not file.exists()
    Cosigning().gather(node, town.wires.of(CA))  # type: ignore[arg-type] # stands in for PeerCourier
    run("log", "disclose", node.home.path, event, "--field", "kind", "--out", file)
    assert file.exists()


def test_two_notes_become_a_proof_that_anybody_checks(tmp_path: Path) -> None:
    ours = publish_at(tmp_path / "ours", 300) / "checkpoint"
    theirs = publish_at(tmp_path / "theirs", 300, story="another") / "checkpoint"
    more = publish_at(tmp_path / "more", 300, 301) / "checkpoint"
    proof = tmp_path / "proof.txt"
    run("log", "misconduct", ours, theirs, "--key", KEY, "--out", proof)
    found = as_json("log", "misconduct", proof, "--key", KEY)
    assert (found["origin"], found["key_pinned"], found["first"]["size"]) == ("log.example", True, 300)
    assert "pin it with --key" in run("log", "misconduct", proof)
    for wrong in ([ours, ours], [ours, more], [ours, proof]):
        with pytest.raises((InputError, TrustError)):
            run("log", "misconduct", *wrong, "--key", KEY)
    for bad in (
        ["--key", verifier_of(key_of("log.example2"))],
        ["--key", WITNESS_KEY],
        ["--key", "nonsense"],
    ):
        with pytest.raises(InputError):
            run("log", "misconduct", proof, *bad)
    with pytest.raises(InputError):
        run("log", "misconduct", ours, theirs)
    with pytest.raises(InputError):
        run("log", "misconduct", ours, theirs, more, "--key", KEY)
    proof.write_bytes(proof.read_bytes().replace(b"\n300\n", b"\n301\n", 1))
    with pytest.raises(TrustError):
        run("log", "misconduct", proof, "--key", KEY)


def test_a_mirror_over_http_grows_and_keeps_the_proof_of_a_fork(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for sizes in ((300,), (300, 1000)):
        with serving(publish_at(tmp_path / f"log{sizes}", *sizes)) as url:
            found = as_json("log", "mirror", url, copy, "--key", KEY)
    assert (found["before"], found["size"]) == (300, 1000)
    assert verify_log(FileTileStore(copy), KEY).holds
    assert "the log holds" in run("log", "verify", copy, "--key", KEY, "--witness", WITNESS_KEY)
    checkpoint = (copy / "checkpoint").read_bytes()
    with serving(publish_at(tmp_path / "fork", 700, story="another")) as url, pytest.raises(MirrorRefused):
        run("log", "mirror", url, copy, "--key", KEY)
    with serving(publish_at(tmp_path / "older", 700)) as url, pytest.raises(MirrorRefused):
        run("log", "mirror", url, copy, "--key", KEY)
    (proof,) = copy.glob(".misconduct-*.txt")
    assert len(list(copy.glob(".refused-*.checkpoint"))) == 2
    assert as_json("log", "misconduct", proof, "--key", KEY)["second"]["size"] == 1000
    assert (copy / "checkpoint").read_bytes() == checkpoint
    assert "the log holds" in run("log", "verify", copy, "--key", KEY)
    with serving(copy) as url:
        assert as_json("log", "verify", url, "--key", KEY)["ok"]
    with pytest.raises(InputError, match="--key"):
        run("log", "mirror", url, copy)


def test_a_policy_is_shown_set_and_removed(town: Town, tmp_path: Path) -> None:
    node, file = town[CA], tmp_path / "witnesses.policy"
    assert as_json("log", "policy", node.home.path)["required"] is False
    assert "no witnesses are required" in run("log", "policy", node.home.path)
    file.write_bytes(members_policy(town, HK))
    found = as_json("log", "policy", node.home.path, "--set", file)
    assert (found["required"], found["quorum"], found["problem"]) == (True, "g", None)
    publish_log(node)
    Cosigning().gather(node, town.wires.of(CA))  # type: ignore[arg-type] # stands in for PeerCourier
    found = as_json("log", "policy", node.home.path)
    assert found["published"]["met"]
    assert found["witnessed_size"] > 0
    assert "quorum g: met" in run("log", "policy", node.home.path)
    file.write_text("quorum nobody\n")
    with pytest.raises(InputError, match="line 1"):
        run("log", "policy", node.home.path, "--set", file)
    (node.home.path / "witnesses.policy").unlink()
    assert "nothing counts as witnessed" in run("log", "policy", node.home.path)
    assert as_json("log", "policy", node.home.path)["required"] is True
    assert as_json("log", "policy", node.home.path, "--remove")["required"] is False


def test_a_witness_is_made_told_of_logs_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_PASSPHRASE", "secret")
    folder = tmp_path / "watch"
    made = as_json("witness", "init", folder, "--name", "watch.example/w1")
    assert made["key"].startswith("watch.example/w1+")
    run("witness", "add", folder, KEY, "--follow", "https://log.example/log")
    found = as_json("witness", "show", folder)
    assert (found["key"], found["logs"][0]["origin"], found["misconduct"]) == (made["key"], "log.example", [])
    assert "nothing seen yet" in run("witness", "show", folder)
    for bad in ([WITNESS_KEY], ["nonsense"], [KEY, "--follow", "file:///etc"]):
        with pytest.raises(InputError):
            run("witness", "add", folder, *bad)
    with pytest.raises(Conflict):
        run("witness", "init", folder, "--name", "watch.example/w1")
    with pytest.raises(NotFound):
        run("witness", "show", tmp_path / "nowhere")
