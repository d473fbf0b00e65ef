"""Check a published log from its files alone; name the first thing that is wrong (spec/log.md §6).

Every hash tile of every level, full or not, is made anew from the entries and compared byte for byte; the
root and the signatures follow. No network and no database: a reader hands in the files. What lies beyond the
signed size is ahead of the checkpoint; where files can be listed, it must follow from what was signed. A log that
is whole may still show others another tree: only cosignatures by witnesses, or a checkpoint kept from before,
speak to that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from comity.errors import InputError, TrustError
from comity.ledger.cosign import cosignatures_on
from comity.ledger.extra_files import LogFolder, check_extra_files, hidden_strangers
from comity.ledger.fault import Fault, LogWrong, wrong
from comity.ledger.ports import LogReader
from comity.ledger.quorum import Finding, Policy, judge
from comity.ledger.signed_tiles import TileFiles, lies_under
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.cosignature import Cosignature
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.note import COSIGNATURE, SignedNote, VerifierKey
from comity.proofs.tiles import ENTRIES, WIDTH, RightEdge, Tile, leaf_hashes, tile_at

CHECKPOINT = "checkpoint"
KEY = "key"
CLOCK_STEP = timedelta(minutes=1)
"""How far a log's clock may have been set back between two checkpoints."""

_ASK_WITNESSES = (
    "The log itself holds. If it just grew, check again when its witnesses have answered; if it stays so, ask "
    "them which tree they saw."
)
_KEEP_BOTH = (
    "Keep both checkpoints: they are by the same key and contradict each other (`comity log misconduct`). "
    "Ask the log's operator and its witnesses."
)

_TELL_OPERATOR = (
    "Whoever takes the key from this file checks another log. If it is your own log, restore the file "
    "from a backup; if not, ask its operator which key is right."
)

ExpectedEntries = Callable[[int, int], list[bytes]]
"""`(start, end)` → the entries that the node's own database has at these places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was checked. `checkpoint` is None if none could be read and its signature held."""

    key: VerifierKey
    checkpoint: Checkpoint | None = None
    dated: datetime | None = None
    """When the log says it signed, by its own dated signature."""
    cosigned: tuple[Cosignature, ...] = ()
    missing: tuple[VerifierKey, ...] = ()
    """Those of the named witnesses that did not cosign."""
    finding: Finding | None = None
    """What the quorum policy says, if one was given."""
    entries_checked: int = 0
    fault: Fault | None = None
    hidden: tuple[str, ...] = ()
    """Hidden files in the log's directory that no writer of a log leaves behind. No fault, and no part of the log."""

    @property
    def holds(self) -> bool:
        return self.fault is None


def verify_log(
    reader: LogReader,
    key: VerifierKey,
    witnesses: Sequence[VerifierKey] = (),
    *,
    quorum: int = 0,
    policy: Policy | None = None,
    seen: bytes | None = None,
    expected_entries: ExpectedEntries | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Check the whole log that `key` signs; at least `quorum` of `witnesses` (cosignature keys) must cosign.

    With `policy` its quorum must be met too. `seen` is a signed checkpoint of this log kept from before: the log
    must continue it. `progress` is told how many of how many entries are checked. What the reader raises passes
    through; a `seen` that is not by `key` is `InputError` or `TrustError`.
    """
    verdict = Verdict(key=key, hidden=hidden_strangers(reader) if isinstance(reader, LogFolder) else ())
    before = None if seen is None else open_checkpoint(seen, [key])
    try:
        checkpoint, note = _opened(reader, key)
        verdict = replace(verdict, checkpoint=checkpoint)
        _check_key_file(reader, key)
        edge = RightEdge()
        for checked in _check_tree(reader, checkpoint, edge, before and before[0], expected_entries):
            verdict = replace(verdict, entries_checked=checked)
            if progress is not None:
                progress(checked, checkpoint.size)
        verdict = _check_cosignatures(verdict, note, witnesses, quorum, policy)
        if before is not None:
            _check_date(verdict, before[1])
        if isinstance(reader, LogFolder):
            check_extra_files(reader, checkpoint, edge)
    except LogWrong as error:
        return replace(verdict, fault=error.fault)
    return verdict


def _opened(reader: LogReader, key: VerifierKey) -> tuple[Checkpoint, SignedNote]:
    raw = reader.read(CHECKPOINT)
    if raw is None:
        raise wrong(CHECKPOINT, "missing")
    try:
        return open_checkpoint(raw, [key])
    except (InputError, TrustError) as error:
        raise wrong(CHECKPOINT, str(error)) from error


def _check_key_file(reader: LogReader, key: VerifierKey) -> None:
    """`LogWrong` if the file that says which key to ask for names another one; a copy may do without the file."""
    raw = reader.read(KEY)
    if raw is not None and raw != f"{key}\n".encode():
        named = raw[:200].decode("utf-8", "replace").strip()
        raise wrong(KEY, f"it names {named!r}, but {key} signed the checkpoint", remedy=_TELL_OPERATOR)


def _check_tree(
    reader: LogReader, checkpoint: Checkpoint, edge: RightEdge, seen: Checkpoint | None,
    expected: ExpectedEntries | None,
) -> Iterator[int]:  # fmt: skip
    """Make the tree anew on `edge`, bundle by bundle; yield how many entries are checked so far."""
    files = TileFiles(reader)
    if seen is not None and seen.size > checkpoint.size:
        raise wrong(
            CHECKPOINT, f"it has {checkpoint.size} entries, fewer than the {seen.size} of the one kept before",
            remedy=_KEEP_BOTH,
        )  # fmt: skip
    while edge.size < checkpoint.size:
        bundle = tile_at(ENTRIES, edge.size // WIDTH, checkpoint.size)
        entries = files.entries(bundle)
        if expected is not None:
            _compare_entries(bundle, entries, expected(bundle.start, bundle.start + bundle.width))
        for tile, content in _grow(edge, leaf_hashes(entries), seen):
            _compare_tile(reader, files, checkpoint, tile, content)
        yield edge.size
    for tile, content in edge.unfinished():
        _compare_tile(reader, files, checkpoint, tile, content)
    if edge.root() != checkpoint.root:
        raise wrong(
            CHECKPOINT, f"the root is {checkpoint.root.hex()}, but the entries give {edge.root().hex()}"
        )


def _grow(edge: RightEdge, leaves: bytes, seen: Checkpoint | None) -> list[tuple[Tile, bytes]]:
    """Append `leaves`, with a stop at the size of `seen` to compare its root; return the tiles this fills."""
    if seen is None or not edge.size < seen.size <= edge.size + len(leaves) // HASH_SIZE:
        return edge.append(leaves)
    stop = (seen.size - edge.size) * HASH_SIZE
    filled = edge.append(leaves[:stop])
    if edge.root() != seen.root:
        raise wrong(
            CHECKPOINT,
            f"its first {seen.size} entries are not those of the checkpoint kept before: "
            f"expected root {seen.root.hex()}, got {edge.root().hex()}",
            remedy=_KEEP_BOTH,
        )
    return filled + edge.append(leaves[stop:])


def _compare_entries(bundle: Tile, entries: list[bytes], expected: list[bytes]) -> None:
    for index, (entry, known) in enumerate(zip(entries, expected, strict=False), bundle.start):
        if entry != known:
            raise wrong(bundle.path, f"entry {index} is not the one in the node's database", index)
    if len(expected) != len(entries):
        index = bundle.start + len(expected)
        raise wrong(bundle.path, f"entry {index} is not in the node's database", index)


def _compare_tile(
    reader: LogReader, files: TileFiles, checkpoint: Checkpoint, tile: Tile, content: bytes
) -> None:
    path, stored = files.hashes(tile)
    if stored == content:
        return
    place = next(at for at in range(tile.width) if _hash(stored, at) != _hash(content, at))
    index = tile.start + place
    if not lies_under(checkpoint, reader, tile):
        raise wrong(
            path,
            f"hash {index} is {_hash(stored, place).hex()}, expected {_hash(content, place).hex()}",
            index,
        )
    if tile.level == 0:
        bundle = tile_at(ENTRIES, tile.index, checkpoint.size)
        raise wrong(bundle.path, f"entry {index} is not the one that was signed", index)
    below = Tile(tile.level - 1, index)
    raise wrong(below.path, "its hashes and the entries under it are not those that were signed", index)


def _check_cosignatures(
    verdict: Verdict, note: SignedNote, witnesses: Sequence[VerifierKey], quorum: int, policy: Policy | None
) -> Verdict:
    """Fill in who cosigned, when the log dated itself, and the fault if too few did; `LogWrong` on a bad one."""
    own = VerifierKey(name=verdict.key.name, kind=COSIGNATURE, public=verdict.key.public)
    asked = (*witnesses, *(policy.keys if policy else ()))
    named = tuple(dict.fromkeys(key for key in asked if key.public != own.public))
    try:
        dated = cosignatures_on(note, [own])
        cosigned = cosignatures_on(note, named)
    except TrustError as error:
        raise wrong(CHECKPOINT, str(error)) from error
    have = [each.key for each in cosigned]
    missing = tuple(key for key in named if key not in have)
    finding = judge(policy, cosigned, log=verdict.key) if policy else None
    at = dated[0].at if dated else None
    counted = len([key for key in have if key in witnesses])
    fault = _too_few(counted, quorum, [key for key in missing if key in witnesses]) or _not_met(finding)
    return replace(verdict, dated=at, cosigned=cosigned, missing=missing, finding=finding, fault=fault)


def _too_few(counted: int, quorum: int, missing: Sequence[VerifierKey]) -> Fault | None:
    if counted >= quorum:
        return None
    names = ", ".join(key.name for key in missing) or "further witnesses"
    problem = f"expected {quorum} or more of the witnesses to have cosigned, got {counted}; not {names}"
    return Fault(file=CHECKPOINT, index=None, problem=problem, remedy=_ASK_WITNESSES)


def _not_met(finding: Finding | None) -> Fault | None:
    if finding is None or finding.met:
        return None
    problem = f"the quorum of witnesses is not met: {'; '.join(finding.reasons)}"
    return Fault(file=CHECKPOINT, index=None, problem=problem, remedy=_ASK_WITNESSES)


def _check_date(verdict: Verdict, before: SignedNote) -> None:
    """A log's own dates only go forward: `LogWrong` if this checkpoint is dated before the one kept."""
    own = VerifierKey(name=verdict.key.name, kind=COSIGNATURE, public=verdict.key.public)
    dated = cosignatures_on(before, [own])
    if dated and verdict.dated is not None and verdict.dated < dated[0].at - CLOCK_STEP:
        raise wrong(
            CHECKPOINT,
            f"it is dated {verdict.dated:%Y-%m-%dT%H:%M:%SZ}, before the one kept ({dated[0].at:%Y-%m-%dT%H:%M:%SZ})",
            remedy=_KEEP_BOTH,
        )


def _hash(hashes: bytes, place: int) -> bytes:
    return hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE]
