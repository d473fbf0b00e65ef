"""What logs and witnesses show: notes, checkpoints, cosignatures, proofs, policies, tiles, and a whole log."""

from functools import partial

from comity.ledger import prove_entry, prove_growth, publish, request_body, verify_log
from comity.ledger.disclose import (
    DisclosureFile,
    check_disclosure,
    check_disclosure_file,
    disclose,
    parse_disclosure,
    parse_disclosure_file,
)
from comity.ledger.entry import commit, event_bytes
from comity.ledger.misconduct import check_split_view
from comity.ledger.prove import parse_proof, verify_proof
from comity.ledger.quorum import parse_policy
from comity.ledger.request import parse_request, read_answer
from comity.ledger.witness import add_checkpoint
from comity.model import Event
from comity.proofs.checkpoint import open_checkpoint, parse_checkpoint
from comity.proofs.cosignature import cosign, cosigner_of, verify_cosignature
from comity.proofs.note import SignedNote, VerifierKey, parse_note, parse_signatures, sign_note, verifier_of
from comity.proofs.tiles import decode_bundle, encode_bundle, parse_tile_path
from tests.fuzz.engine import Target
from tests.fuzz.exchange_targets import text
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, MemoryWitness, entry, key_of

SIGNER, WITNESS = key_of("node.example/log"), key_of("witness.example/w")
KEY, COSIGNER = verifier_of(SIGNER), cosigner_of(WITNESS)
ENTRIES = 300
SALT = bytes(range(32))
POLICY = f"""# two domestic, one foreign
log {KEY} https://node.example/log
witness w1 {COSIGNER} https://witness.example/
witness w2 {cosigner_of(key_of("other.example/w"))}
group domestic any w1 w2
witness w3 {cosigner_of(key_of("third.example/w"))}
group most 2 domestic w3
quorum most
"""


class Log:
    """A log of 300 entries in memory, and two checkpoints of it."""

    def __init__(self) -> None:
        self.tiles, events = MemoryTiles(), MemoryEvents(ENTRIES // 2)
        publish(events, self.tiles, SIGNER, now=NOW)
        self.old = self.tiles.files["checkpoint"]
        events.add(ENTRIES - ENTRIES // 2)
        publish(events, self.tiles, SIGNER, now=NOW)
        self.new = self.tiles.files["checkpoint"]
        self.checkpoint, self.note = open_checkpoint(self.new, [KEY])
        self.line = str(cosign(self.checkpoint.text, WITNESS, at=NOW))

    def read_with(self, path: str, content: bytes) -> object:
        """Verify the log with one file changed."""
        changed = MemoryTiles()
        changed.files = {**self.tiles.files, path: content}
        fault = verify_log(changed, KEY).fault
        return "holds" if fault is None else f"{fault.file} {fault.problem[:20]}"


def ledger_targets() -> list[Target]:
    log = Log()
    return [*note_targets(log), *witness_targets(log), *proof_targets(log), *tile_targets(log)]


def note_targets(log: Log) -> list[Target]:
    cosigned = log.new + log.line.encode()
    return [
        Target(name="signed note", samples=[log.new, cosigned], read=parse_note),
        Target(name="checkpoint text",
               samples=[log.checkpoint.text.encode(), b"a\n0\n" + log.new.split(b"\n")[2] + b"\nx\n"],
               read=lambda raw: parse_checkpoint(text(raw))),
        Target(name="checkpoint, signed anew", samples=[log.checkpoint.text.encode()],
               read=lambda raw: open_checkpoint(resigned(text(raw)), [KEY])),
        Target(name="checkpoint", samples=[log.new, cosigned], read=lambda raw: open_checkpoint(raw, [KEY])),
        Target(name="verifier key", samples=[str(KEY).encode(), str(COSIGNER).encode()],
               read=lambda raw: VerifierKey.parse(text(raw))),
        Target(name="cosignature", samples=[log.line.encode()],
               read=lambda raw: [
                   verify_cosignature(log.checkpoint.text, one, COSIGNER) for one in parse_signatures(text(raw))
               ]),
        Target(name="misconduct", samples=[other_story(log)],
               read=lambda raw: check_split_view(log.new, raw, KEY)),
    ]  # fmt: skip


def resigned(note_text: str) -> bytes:
    return SignedNote(text=note_text, signatures=(sign_note(note_text, SIGNER),)).encode()


def other_story(log: Log) -> bytes:
    events, tiles = MemoryEvents(ENTRIES, "other"), MemoryTiles()
    publish(events, tiles, SIGNER, now=NOW)
    assert tiles.files["checkpoint"] != log.new
    return tiles.files["checkpoint"]


def witness_targets(log: Log) -> list[Target]:
    growth = request_body(ENTRIES // 2, prove_growth(log.tiles, ENTRIES // 2, ENTRIES), log.new)
    first = request_body(0, (), log.old)

    def offered(raw: bytes) -> object:
        store = MemoryWitness()
        witness = partial(add_checkpoint, logs={KEY.name: KEY}, store=store, signer=WITNESS, now=NOW)
        witness(first)
        answer = witness(raw)
        return f"{answer.status} {answer.body[:20]!r}"

    def answered(raw: bytes) -> object:
        return read_answer(200, "text/plain", raw, checkpoint=log.checkpoint, witnesses=[COSIGNER])

    return [
        Target(name="add-checkpoint request", samples=[growth, first], read=parse_request),
        Target(name="add-checkpoint", samples=[growth, first], read=offered, weight=0.5),
        Target(name="witness answer", samples=[log.line.encode()], read=answered),
        Target(name="witness size", samples=[b"150\n"], read=lambda raw: read_answer(
            409, "text/x.tlog.size", raw, checkpoint=log.checkpoint, witnesses=[COSIGNER])),
        Target(name="witness policy", samples=[POLICY.encode(), b"quorum none\n"], read=parse_policy),
    ]  # fmt: skip


def proof_targets(log: Log) -> list[Target]:
    event = event_bytes(
        Event(
            id="event-1", at=NOW, kind="hold.placed", case_id="case-1", actor="node", body={"a": 1, "b": "x"}
        )
    )
    placed, shown = commit(event, SALT), disclose(event, SALT, ["kind", "at"])
    events, tiles = MemoryEvents(7), MemoryTiles()
    events.committed[3] = placed
    publish(events, tiles, SIGNER, now=NOW)
    file = DisclosureFile(
        disclosure=shown, proof=prove_entry(tiles, 3, size=7, note=tiles.files["checkpoint"])
    )
    proofs = [
        prove_entry(log.tiles, place, size=ENTRIES, note=log.new).encode() for place in (0, 255, ENTRIES - 1)
    ]
    return [
        Target(name="tlog-proof", samples=proofs, read=parse_proof),
        Target(
            name="tlog-proof, verified",
            samples=proofs[:1],
            read=lambda raw: verify_proof(parse_proof(raw), entry(0), [KEY]),
        ),
        Target(
            name="disclosure", samples=[shown.encode()],
            read=lambda raw: check_disclosure(parse_disclosure(raw), placed),
        ),
        Target(
            name="disclosure file", samples=[file.encode()],
            read=lambda raw: check_disclosure_file(parse_disclosure_file(raw), [KEY]),
        ),
    ]  # fmt: skip


def tile_targets(log: Log) -> list[Target]:
    def whole(raw: bytes) -> object:
        path, _, content = raw.partition(b"\n")
        return log.read_with(text(path), content)

    files = [f"{path}\n".encode() + content for path, content in sorted(log.tiles.files.items())]
    return [
        Target(
            name="tile path",
            samples=[b"tile/0/x001/234.p/17", b"tile/entries/000"],
            read=lambda raw: parse_tile_path(text(raw)),
        ),
        Target(
            name="entry bundle",
            samples=[encode_bundle([entry(one) for one in range(7)])],
            read=lambda raw: decode_bundle(raw, 7),
        ),
        Target(name="published log", samples=files, read=whole, weight=0.3),
    ]
