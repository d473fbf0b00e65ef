"""Check a published log from its files alone; name the first thing that is wrong (spec/log.md §6).

Every hash tile of every level, full or not, is made anew from the entries and compared byte for byte; the
root and the signatures follow. No network and no database: a reader hands in the files. What lies beyond the
signed size is ahead of the checkpoint and is not looked at. A log that is whole may still show others another
tree: only cosignatures by witnesses speak to that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity.errors import InputError, TrustError
from comity.ledger.cosign import cosignatures_on
from comity.ledger.entry import ENTRY_SIZE
from comity.ledger.ports import LogReader
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.cosignature import Cosignature
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.note import COSIGNATURE, SignedNote, VerifierKey
from comity.proofs.tiles import (
    ENTRIES,
    WIDTH,
    RightEdge,
    Tile,
    decode_bundle,
    leaf_hashes,
    sized,
    subtree_root,
    tile_at,
)

CHECKPOINT = "checkpoint"

_ASK_WITNESSES = (
    "The log itself holds. If it just grew, check again when its witnesses have answered; if it stays so, ask "
    "them which tree they saw."
)

ExpectedEntries = Callable[[int, int], list[bytes]]
"""`(start, end)` → the entries that the node's own database has at these places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing that is wrong: in which file, and where in the log if it is one entry or one hash."""

    file: str
    index: int | None
    problem: str
    remedy: str = ""
    """What to do, if it is not what is to be done about any wrong log."""

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class LogWrong(TrustError):
    """A published log does not hold."""

    code = "ledger.log-wrong"
    remedy = (
        "Copy the directory as it is and keep the copy. "
        "If it is your own log, stop the node and restore the file; if not, ask its operator."
    )

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.problem, where=fault.file, remedy=fault.remedy)
        self.fault = fault


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
    entries_checked: int = 0
    fault: Fault | None = None

    @property
    def holds(self) -> bool:
        return self.fault is None


def verify_log(
    reader: LogReader,
    key: VerifierKey,
    witnesses: Sequence[VerifierKey] = (),
    *,
    quorum: int = 0,
    expected_entries: ExpectedEntries | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Check the whole log that `key` signs; at least `quorum` of `witnesses` (cosignature keys) must cosign.

    `progress` is told how many of how many entries are checked. What the reader raises passes through.
    """
    verdict = Verdict(key=key)
    try:
        checkpoint, note = _opened(reader, key)
        verdict = replace(verdict, checkpoint=checkpoint)
        for checked in _check_tree(reader, checkpoint, expected_entries):
            verdict = replace(verdict, entries_checked=checked)
            if progress is not None:
                progress(checked, checkpoint.size)
        return _check_cosignatures(verdict, note, witnesses, quorum)
    except LogWrong as error:
        return replace(verdict, fault=error.fault)


def _opened(reader: LogReader, key: VerifierKey) -> tuple[Checkpoint, SignedNote]:
    raw = reader.read(CHECKPOINT)
    if raw is None:
        raise _wrong(CHECKPOINT, "missing")
    try:
        return open_checkpoint(raw, [key])
    except (InputError, TrustError) as error:
        raise _wrong(CHECKPOINT, str(error)) from error


def _check_tree(reader: LogReader, checkpoint: Checkpoint, expected: ExpectedEntries | None) -> Iterator[int]:
    """Make the tree anew, bundle by bundle; yield how many entries are checked so far."""
    edge = RightEdge()
    while edge.size < checkpoint.size:
        bundle = tile_at(ENTRIES, edge.size // WIDTH, checkpoint.size)
        entries = _read_bundle(reader, bundle)
        if expected is not None:
            _compare_entries(bundle, entries, expected(bundle.start, bundle.start + bundle.width))
        for tile, content in edge.append(leaf_hashes(entries)):
            _compare_tile(reader, checkpoint, tile, content)
        yield edge.size
    for tile, content in edge.unfinished():
        _compare_tile(reader, checkpoint, tile, content)
    if edge.root() != checkpoint.root:
        raise _wrong(
            CHECKPOINT, f"the root is {checkpoint.root.hex()}, but the entries give {edge.root().hex()}"
        )


def _read_bundle(reader: LogReader, bundle: Tile) -> list[bytes]:
    path, raw = _read(reader, bundle)
    whole = bundle if path == bundle.path else bundle.full
    try:
        entries = decode_bundle(raw, whole.width)[: bundle.width]
    except InputError as error:
        raise _wrong(path, error.problem) from error
    for index, entry in enumerate(entries, bundle.start):
        if len(entry) != ENTRY_SIZE:
            raise _wrong(path, f"entry {index}: expected {ENTRY_SIZE} bytes, got {len(entry)}", index)
    return entries


def _compare_entries(bundle: Tile, entries: list[bytes], expected: list[bytes]) -> None:
    for index, (entry, known) in enumerate(zip(entries, expected, strict=False), bundle.start):
        if entry != known:
            raise _wrong(bundle.path, f"entry {index} is not the one in the node's database", index)
    if len(expected) != len(entries):
        index = bundle.start + len(expected)
        raise _wrong(bundle.path, f"entry {index} is not in the node's database", index)


def _compare_tile(reader: LogReader, checkpoint: Checkpoint, tile: Tile, content: bytes) -> None:
    path, stored = _read_hashes(reader, tile)
    if stored == content:
        return
    place = next(at for at in range(tile.width) if _hash(stored, at) != _hash(content, at))
    index = tile.start + place
    if not _is_signed(reader, checkpoint, tile):
        raise _wrong(
            path,
            f"hash {index} is {_hash(stored, place).hex()}, expected {_hash(content, place).hex()}",
            index,
        )
    if tile.level == 0:
        bundle = tile_at(ENTRIES, tile.index, checkpoint.size)
        raise _wrong(bundle.path, f"entry {index} is not the one that was signed", index)
    below = Tile(tile.level - 1, index)
    raise _wrong(below.path, "its hashes and the entries under it are not those that were signed", index)


def _is_signed(reader: LogReader, checkpoint: Checkpoint, tile: Tile) -> bool:
    """Does the stored `tile` lie under the signed root, going up through the tiles as stored?"""
    try:
        while tile.width == WIDTH:
            root = subtree_root(_read_hashes(reader, tile)[1])
            above = tile_at(tile.level + 1, tile.index // WIDTH, checkpoint.size)
            if _hash(_read_hashes(reader, above)[1], tile.index % WIDTH) != root:
                return False
            tile = above
        edge = RightEdge.read(checkpoint.size, lambda each: _read_hashes(reader, each)[1])
    except LogWrong:
        return False
    return edge.root() == checkpoint.root


def _read_hashes(reader: LogReader, tile: Tile) -> tuple[str, bytes]:
    path, raw = _read(reader, tile)
    try:
        raw = sized(raw, tile if path == tile.path else tile.full)
    except InputError as error:
        raise _wrong(path, error.problem) from error
    return path, raw[: tile.width * HASH_SIZE]


def _read(reader: LogReader, tile: Tile) -> tuple[str, bytes]:
    """The tile's file; for an unfinished one that is gone, the full one (tlog-tiles, “Partial Tiles”)."""
    for path in dict.fromkeys((tile.path, tile.full.path)):
        raw = reader.read(path)
        if raw is not None:
            return path, raw
    raise _wrong(tile.path, "missing")


def _check_cosignatures(
    verdict: Verdict, note: SignedNote, witnesses: Sequence[VerifierKey], quorum: int
) -> Verdict:
    """Fill in who cosigned, when the log dated itself, and the fault if too few did; `LogWrong` on a bad one."""
    own = VerifierKey(name=verdict.key.name, kind=COSIGNATURE, public=verdict.key.public)
    named = tuple(dict.fromkeys(key for key in witnesses if key != own))
    try:
        dated = cosignatures_on(note, [own])
        cosigned = cosignatures_on(note, named)
    except TrustError as error:
        raise _wrong(CHECKPOINT, str(error)) from error
    missing = tuple(key for key in named if key not in [each.key for each in cosigned])
    fault = None
    if len(cosigned) < quorum:
        names = ", ".join(key.name for key in missing) or "further witnesses"
        problem = (
            f"expected {quorum} or more of the witnesses to have cosigned, got {len(cosigned)}; not {names}"
        )
        fault = Fault(file=CHECKPOINT, index=None, problem=problem, remedy=_ASK_WITNESSES)
    at = dated[0].at if dated else None
    return replace(verdict, dated=at, cosigned=cosigned, missing=missing, fault=fault)


def _hash(hashes: bytes, place: int) -> bytes:
    return hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE]


def _wrong(file: str, problem: str, index: int | None = None) -> LogWrong:
    return LogWrong(Fault(file=file, index=index, problem=problem))
