"""The witness: every status of C2SP tlog-witness, and what a log makes of the answers."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError, NetworkError, TrustError
from comity.ledger import (
    Behind,
    Cosigned,
    WitnessAnswer,
    WitnessRefused,
    add_checkpoint,
    add_cosignatures,
    check_split_view,
    prove_growth,
    publish,
    read_answer,
    read_checkpoint,
    request_body,
    verify_log,
)
from comity.ledger.request import MAX_BODY_BYTES, parse_request
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.merkle import EMPTY_ROOT
from comity.proofs.note import (
    BadSignature,
    KeySigner,
    SignedNote,
    UnknownKey,
    parse_note,
    sign_note,
    verifier_of,
)
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, MemoryWitness, key_of

LOG = key_of("log.example")
LOG_KEY = verifier_of(LOG)
WITNESS = key_of("witness.example")
WITNESS_KEY = cosigner_of(WITNESS)
KNOWN = {"log.example": LOG_KEY}


class Story:
    """A log and its published sizes, kept apart from any witness."""

    def __init__(self, name: str = "") -> None:
        self.events = MemoryEvents(story=name)
        self.tiles = MemoryTiles()
        self.name = name

    def at(self, size: int) -> bytes:
        self.events.committed = MemoryEvents(size, story=self.name).committed
        publish(self.events, self.tiles, LOG, now=NOW)
        return self.tiles.files["checkpoint"]

    def request(self, old: int, size: int) -> bytes:
        note = self.at(size)
        return request_body(old, prove_growth(self.tiles, old, size), note)


def ask(body: bytes, store: MemoryWitness) -> WitnessAnswer:
    return add_checkpoint(body, logs=KNOWN, store=store, signer=WITNESS, now=NOW)


def checkpoint_note(size: int, root: bytes, *extensions: str) -> bytes:
    text = Checkpoint(origin="log.example", size=size, root=root, extensions=extensions).text
    return SignedNote(text=text, signatures=(sign_note(text, LOG),)).encode()


def test_a_growing_log_is_cosigned_and_the_store_follows() -> None:
    story, store = Story(), MemoryWitness()
    old = 0
    for size in (1, 5, 5, 256, 300, 1000):
        answer = ask(story.request(old, size), store)
        assert (answer.status, answer.evidence) == (200, None)
        assert answer.checkpoint is not None
        assert store.known["log.example"].size == size == answer.checkpoint.size
        found = read_answer(
            200, answer.content_type, answer.body, checkpoint=answer.checkpoint, witnesses=[WITNESS_KEY]
        )
        assert found == Cosigned(lines=answer.body.decode())
        old = size


def test_the_newest_note_is_kept_with_the_logs_signature_only() -> None:
    story, store = Story(), MemoryWitness()
    note = parse_note(story.at(5))
    stranger = sign_note(note.text, key_of("stranger.example"))
    crowded = SignedNote(text=note.text, signatures=(stranger, *note.signatures, stranger)).encode()
    assert ask(request_body(0, (), crowded), store).status == 200
    kept = parse_note(store.known["log.example"].note)
    assert [line.name for line in kept.signatures] == ["log.example"]
    assert kept.text == note.text


def test_404_for_an_unknown_log() -> None:
    answer = add_checkpoint(
        Story().request(0, 5), logs={"other.example": LOG_KEY}, store=MemoryWitness(), signer=WITNESS, now=NOW
    )
    assert (answer.status, answer.checkpoint) == (404, None)


def test_403_without_a_signature_that_holds() -> None:
    store = MemoryWitness()
    body = Story().request(0, 5)
    signature = sign_note("other\n", LOG)
    text = parse_note(parse_request(body).note).text
    forged = SignedNote(text=text, signatures=(signature,)).encode()
    stranger = SignedNote(text=text, signatures=(sign_note(text, key_of("stranger.example")),)).encode()
    for note in (forged, stranger):
        assert ask(request_body(0, (), note), store).status == 403
    assert store.known == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n@",
        b"old -1\n\n@",
        b"old +1\n\n@",
        b"old 1 \n\n@",
        b"old  1\n\n@",
        b"Old 1\n\n@",
        b"1\n\n@",
        b"old 9223372036854775808\n\n@",
        b"old " + b"9" * 5000 + b"\n\n@",
        b"old 0\r\n\n@",
        b"old 1\nAAAA\n\n@",
        b"old 1\n" + b64encode(bytes(31)) + b"\n\n@",
        b"old 1\n" + b64encode(bytes(33)) + b"\n\n@",
        b"old 1\n" + b64encode(bytes(32)) + b" \n\n@",
        b"old 1\n" + b64encode(bytes(32))[:-2] + b"B=\n\n@",
        b"old 1\n\xff\xff\n\n@",
        b"old 1\n" + (b64encode(bytes(32)) + b"\n") * 64 + b"\n@",
        b"@",
        b"old 0\n@",
        b"old 0\n\n\n@",
        b"old 0\n\n" + b"x" * MAX_BODY_BYTES,
    ],
)
def test_400_for_malformed_requests(body: bytes) -> None:
    store = MemoryWitness()
    answer = ask(body.replace(b"@", Story().at(5)), store)
    assert answer.status in (400, 404)
    assert (answer.status == 404) == (body == b"old 0\n\n\n@")
    assert store.known == {}


def test_400_for_a_signed_note_that_is_no_checkpoint() -> None:
    for text in ("log.example\n", "log.example\n05\n" + b64encode(bytes(32)).decode() + "\n"):
        note = SignedNote(text=text, signatures=(sign_note(text, LOG),)).encode()
        assert ask(request_body(0, (), note), MemoryWitness()).status == 400


def test_400_for_an_old_size_beyond_the_checkpoint() -> None:
    assert ask(request_body(6, (), Story().at(5)), MemoryWitness()).status == 400


@given(st.binary(max_size=200))
def test_garbage_is_answered_with_a_status(raw: bytes) -> None:
    for body in (raw, b"old 0\n\n" + raw, b"old 0\n" + raw + b"\n\nlog.example\n"):
        assert ask(body, MemoryWitness()).status in (400, 404)


def test_the_first_check_that_fails_decides() -> None:
    """tlog-witness states the order: origin, signature, old size against the checkpoint, against the record, proof.

    Each request has every later fault as well.
    """
    story, store = Story(), MemoryWitness()
    assert ask(story.request(0, 10), store).status == 200
    junk = (bytes(32),)
    five, twenty = story_at(5), story_at(20)
    unsigned = five.replace("— log.example ".encode(), "— gol.example ".encode())
    cases = [
        (b"old 99\n" + b"@\n\n" + unsigned.replace(b"log.example\n", b"unknown\n", 1), 400),
        (request_body(99, junk, unsigned.replace(b"log.example\n", b"unknown\n", 1)), 404),
        (request_body(99, junk, unsigned), 403),
        (request_body(99, junk, five), 400),
        (request_body(9, junk, twenty), 409),
        (request_body(10, junk, twenty), 422),
        (request_body(10, (), Story("another").at(10)), 409),
        (request_body(10, junk, story_at(10)), 422),
        (request_body(10, (), story_at(10)), 200),
    ]
    for body, status in cases:
        answer = ask(body, store)
        assert answer.status == status, answer.body
        assert (answer.content_type == "text/x.tlog.size") is (body.startswith(b"old 9\n"))
        assert (answer.checkpoint is not None) is (status == 200)
    assert store.known["log.example"].size == 10


def story_at(size: int) -> bytes:
    return Story().at(size)


def test_several_keys_signed_and_only_the_known_one_counts() -> None:
    """Signatures by unknown keys are ignored, before and after, also in the log's own name."""
    note = parse_note(Story().at(5))
    imposter = sign_note(note.text, replace_name(key_of("imposter"), "log.example"))
    lines = (imposter, sign_note(note.text, key_of("stranger.example")), *note.signatures, imposter)
    crowded = SignedNote(text=note.text, signatures=lines).encode()
    assert ask(request_body(0, (), crowded), MemoryWitness()).status == 200
    alone = SignedNote(text=note.text, signatures=(imposter,)).encode()
    assert ask(request_body(0, (), alone), MemoryWitness()).status == 403


def replace_name(signer: KeySigner, name: str) -> KeySigner:
    return KeySigner(name, signer.private)


def test_409_with_the_size_for_another_old_size() -> None:
    story, store = Story(), MemoryWitness()
    assert ask(story.request(0, 10), store).status == 200
    for old in (0, 9, 11):
        answer = ask(story.request(old, 20), store)
        assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", b"10\n")
        assert answer.evidence is None
        found = read_answer(
            409, "text/x.tlog.size", answer.body, checkpoint=Checkpoint(origin="x", size=20, root=bytes(32)),
            witnesses=[WITNESS_KEY],
        )  # fmt: skip
        assert found == Behind(size=10)
    fresh = ask(story.request(10, 20), MemoryWitness())
    assert (fresh.status, fresh.body) == (409, b"0\n")
    assert store.known["log.example"].size == 10


def test_422_for_a_proof_that_does_not_hold() -> None:
    story, store = Story(), MemoryWitness()
    assert ask(request_body(0, (bytes(32),), story.at(10)), store).status == 422
    assert ask(story.request(0, 10), store).status == 200
    good = parse_request(story.request(10, 20))
    for proof in ((), good.proof[:-1], (*good.proof, bytes(32)), (bytes(32), *good.proof[1:])):
        answer = ask(request_body(10, proof, good.note), store)
        assert answer.status == 422
        assert answer.evidence is not None
        assert not answer.evidence.conclusive
    assert ask(request_body(10, (bytes(32),), story_at_ten()), store).status == 422
    assert store.known["log.example"].size == 10


def story_at_ten() -> bytes:
    return Story().at(10)


def test_422_for_an_empty_tree_with_another_root_and_200_with_its_own() -> None:
    store = MemoryWitness()
    assert ask(request_body(0, (), checkpoint_note(0, bytes(32))), store).status == 422
    assert ask(request_body(0, (), checkpoint_note(0, EMPTY_ROOT)), store).status == 200
    assert store.known["log.example"].size == 0
    assert ask(Story().request(0, 5), store).status == 200


def test_a_second_tree_of_one_size_is_409_and_portable_proof() -> None:
    store = MemoryWitness()
    honest = Story().at(10)
    assert ask(Story().request(0, 10), store).status == 200
    other = Story("another").at(10)
    answer = ask(request_body(10, (), other), store)
    assert (answer.status, answer.checkpoint) == (409, None)
    assert answer.content_type != "text/x.tlog.size"
    assert answer.evidence is not None
    assert answer.evidence.conclusive
    proof = check_split_view(answer.evidence.trusted, answer.evidence.offered, LOG_KEY)
    assert (proof.origin, proof.conclusive) == ("log.example", True)
    assert parse_note(proof.trusted).text == parse_note(honest).text
    assert store.known["log.example"].root.hex() in proof_roots(proof.trusted)


def proof_roots(note: bytes) -> str:
    found = read_checkpoint(one_file(note), LOG_KEY)
    assert found is not None
    return found[0].root.hex()


def one_file(note: bytes) -> MemoryTiles:
    tiles = MemoryTiles()
    tiles.files["checkpoint"] = note
    return tiles


@pytest.mark.parametrize("old", [0, 3])
def test_a_second_tree_is_evidence_whatever_old_size_is_claimed(old: int) -> None:
    store = MemoryWitness()
    assert ask(Story().request(0, 10), store).status == 200
    answer = ask(request_body(old, (), Story("another").at(10)), store)
    assert (answer.status, answer.body) == (409, b"10\n")
    assert answer.evidence is not None
    assert answer.evidence.conclusive


def test_a_log_that_goes_another_way_is_422_and_doubtful() -> None:
    store = MemoryWitness()
    assert ask(Story().request(0, 10), store).status == 200
    answer = ask(Story("another").request(10, 20), store)
    assert answer.status == 422
    assert answer.evidence is not None
    assert not answer.evidence.conclusive


def test_the_slower_of_two_requests_gets_409_and_rolls_nothing_back() -> None:
    """tlog-witness: requests A (to 20) and B (to 30) from one old size; B is persisted between A's steps."""
    story, store = Story(), MemoryWitness()
    assert ask(story.request(0, 10), store).status == 200
    slow = story.request(10, 20)
    fast = story.request(10, 30)

    def overtake() -> None:
        store.interrupt = lambda: None
        assert ask(fast, store).status == 200

    store.interrupt = overtake
    answer = ask(slow, store)
    assert (answer.status, answer.body, answer.checkpoint) == (409, b"30\n", None)
    assert store.known["log.example"].size == 30


def test_extension_lines_are_cosigned_as_they_stand() -> None:
    tree = Story()
    tree.at(5)
    found = read_checkpoint(tree.tiles, LOG_KEY)
    assert found is not None
    answer = ask(request_body(0, (), checkpoint_note(5, found[0].root, "extension")), MemoryWitness())
    assert answer.checkpoint is not None
    assert answer.checkpoint.extensions == ("extension",)
    assert read_answer(200, "text/plain", answer.body, checkpoint=answer.checkpoint, witnesses=[WITNESS_KEY])


CHECKPOINT = Checkpoint(origin="log.example", size=5, root=bytes(32))
GOOD = str(cosign(CHECKPOINT.text, WITNESS, at=NOW))


def read(status: int, body: bytes, content_type: str = "text/plain") -> Cosigned | Behind:
    return read_answer(status, content_type, body, checkpoint=CHECKPOINT, witnesses=[WITNESS_KEY])


def test_lines_by_others_are_dropped_from_an_answer() -> None:
    other = str(cosign(CHECKPOINT.text, key_of("other.example"), at=NOW))
    assert read(200, (other + GOOD).encode()) == Cosigned(lines=GOOD)
    with pytest.raises(WitnessRefused, match="others"):
        read(200, other.encode())


def test_a_cosignature_of_something_else_is_refused() -> None:
    wrong = str(cosign(replace(CHECKPOINT, size=6).text, WITNESS, at=NOW))
    with pytest.raises(BadSignature):
        read(200, wrong.encode())


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 302, 204])
def test_a_refusal_is_a_trust_error(status: int) -> None:
    with pytest.raises(WitnessRefused, match=str(status)):
        read(status, b"reason\n")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_witness_that_cannot_answer_is_asked_again(status: int) -> None:
    with pytest.raises(NetworkError):
        read(status, b"")


@pytest.mark.parametrize(
    "body", [b"", b"5", b"05\n", b"5\n\n", b"-5\n", b"5 \n", b"\xff\n", b"9" * 19 + b"\n", b"9" * 30 + b"\n"]
)
def test_a_malformed_size_is_refused(body: bytes) -> None:
    with pytest.raises(WitnessRefused):
        read(409, body, "text/x.tlog.size")


def test_a_409_without_a_size_is_a_refusal() -> None:
    with pytest.raises(WitnessRefused):
        read(409, b"5\n", "text/plain")


@pytest.mark.parametrize("body", [b"", b"\n", GOOD.encode()[:-1], b"\xff", GOOD.encode() * 2000])
def test_a_malformed_answer_is_refused(body: bytes) -> None:
    with pytest.raises(WitnessRefused):
        read(200, body)


def test_cosignatures_are_added_kept_and_dropped_with_growth() -> None:
    story = Story()
    found = read_checkpoint(one_file(story.at(5)), LOG_KEY)
    assert found is not None
    five = found[0]
    line = str(cosign(five.text, WITNESS, at=NOW))

    def add(lines: str) -> int:
        return len(add_cosignatures(story.tiles, lines, on=five, log=LOG_KEY, witnesses=[WITNESS_KEY]))

    assert add(line) == 1
    assert add(line) == 0
    assert add(str(cosign(five.text, key_of("stranger.example"), at=NOW))) == 0
    with pytest.raises(BadSignature):
        add(str(cosign(replace(five, size=6).text, WITNESS, at=NOW)))
    story.at(5)
    assert [one.key for one in verify_log(story.tiles, LOG_KEY, [WITNESS_KEY], quorum=1).cosigned] == [
        WITNESS_KEY
    ]
    story.at(6)
    assert verify_log(story.tiles, LOG_KEY, [WITNESS_KEY]).missing == (WITNESS_KEY,)
    assert add(line) == 0
    assert verify_log(story.tiles, LOG_KEY).holds


def test_an_older_cosignature_does_not_replace_a_newer_one() -> None:
    story = Story()
    found = read_checkpoint(one_file(story.at(5)), LOG_KEY)
    assert found is not None
    for at in (NOW, NOW + timedelta(hours=2), NOW + timedelta(hours=1)):
        line = str(cosign(found[0].text, WITNESS, at=at))
        add_cosignatures(story.tiles, line, on=found[0], log=LOG_KEY, witnesses=[WITNESS_KEY])
    cosigned = verify_log(story.tiles, LOG_KEY, [WITNESS_KEY]).cosigned
    assert [one.at for one in cosigned] == [NOW + timedelta(hours=2)]
    note = parse_note(story.tiles.files["checkpoint"])
    assert len(note.signatures) == 3


def test_what_contradicts_nothing_is_no_misconduct() -> None:
    story = Story()
    five, six = story.at(5), story.at(6)
    for first, second in ((five, five), (five, six)):
        with pytest.raises(InputError):
            check_split_view(first, second, LOG_KEY)
    forged = Story("another").at(5).replace(b"log.example\n5", b"log.example\n6", 1)
    with pytest.raises(TrustError):
        check_split_view(six, forged, LOG_KEY)
    with pytest.raises(UnknownKey):
        check_split_view(five, Story("another").at(5), verifier_of(key_of("other.example")))
