"""Import files of transfers, in any format that is read, into the node's own book: all of them or none."""

import csv
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.backends.files import sync_folder
from comity.backends.sql import BookPart
from comity.backends.transfers.entries import Conventions
from comity.backends.transfers.files import Reading, Reject, read_assets, read_balances, read_transfers
from comity.backends.transfers.formats import named
from comity.backends.transfers.ivms101 import attach, read_parties
from comity.backends.transfers.originals import rows_named
from comity.backends.transfers.papers import read_contracts
from comity.backends.transfers.zones import Zone
from comity.errors import Conflict, InputError, StorageError
from comity.model import CRYPTO_ASSETS
from comity.node.bootstrap import Node
from comity.node.statement_openings import moments_of, taken
from comity.tracing import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    rows: int
    balances: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...] = ()
    """What whoever imported should know: what was left out, rounded, or not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What whoever imports says of the files: the format, what it leaves open, and who the parties are."""

    format_name: str = ""
    conventions: Conventions = field(default_factory=Conventions)
    parties: Path | None = None
    """IVMS101: who sent and received transfers of this import."""


def said_of(
    *, format_name: str = "", zone: str = "", assets: Path | None = None, schema: Path | None = None,
    parties: Path | None = None,
) -> Said:  # fmt: skip
    """From what somebody wrote on the command line; empty or None where nothing was said."""
    conventions = Conventions(
        assets=read_assets(assets) if assets else CRYPTO_ASSETS, zone=Zone.named(zone) if zone else None,
        schema=schema, contracts=read_contracts(assets) if assets else {},
    )  # fmt: skip
    return Said(
        format_name=named(format_name) if format_name else "", conventions=conventions, parties=parties
    )


def import_transfers(
    node: Node,
    files: Sequence[Path],
    *,
    said: Said | None = None,
    balances: Path | None = None,
    rejects: Path | None = None,
    actor: str,
    on_progress: Callable[[int], None] | None = None,
) -> Imported:
    """Add files to the book. All or nothing, unless `rejects` names a new file for the broken rows: then they
    are left out, and are in that file before the others are in the book.

    The Parquet part is durable before the transaction that names it: a crash between leaves a file that is
    no part of the book. A transfer that the book already has is a `Conflict`.
    """
    with node.records.reading() as tx:
        before = tx.book.all()
    said = said or Said()
    reading = _read(node, files, said, skip_bad=rejects is not None, on_progress=on_progress)
    opening = read_balances(balances, said.conventions.assets) if balances else {}
    merged = pa.concat_tables([node.book.table(), reading.table])
    with node.records.reading() as tx:
        known = tx.book.balances()
    found = taken(
        reading.openings, fresh=reading.table, merged=merged, known={**known, **opening},
        moments=moments_of(node.home.book, before),
    )  # fmt: skip
    opening |= {pot: one.minor for pot, one in found.new.items()}
    replaced = {pot: one.minor for pot, one in found.replaced.items()}
    Book.from_table(merged, balances={**known, **opening, **replaced}, covers=frozenset(node.settings.covers))
    if rejects is not None and reading.rejects:
        _write_rejects(rejects, reading.rejects)
    part = _write_part(node.home.book, node.new_id("part"), found.marked(reading.table))
    try:
        with node.records.transaction() as tx:
            _refuse_overtaken(before, tx.book.all())
            tx.book.add(part, node.clock())
            tx.book.add_balances(opening)
            tx.book.replace_balances(replaced)
            for case in tx.cases.all():
                if case.origin == node.id:
                    tx.cases.want_pursuit(case.id)
            node.record(
                tx, "book.imported", actor=actor, part=part.id, rows=part.rows, sha256=part.sha256,
                balances=len(opening | replaced), rejected=len(reading.rejects),
                files=[file.name for file in files],
            )  # fmt: skip
    except Conflict:
        (node.home.book / part.file).unlink(missing_ok=True)
        raise
    return Imported(
        rows=part.rows, balances=len(opening | replaced), rejects=reading.rejects,
        notes=(*reading.notes, *found.notes),
    )  # fmt: skip


def _read(
    node: Node,
    files: Sequence[Path],
    said: Said,
    *,
    skip_bad: bool,
    on_progress: Callable[[int], None] | None,
) -> Reading:
    """The files, with parties where they were said: transfers that are the book's business, and new to it."""
    reading = read_transfers(
        files, conventions=said.conventions, format_name=said.format_name, skip_bad=skip_bad,
        originals=lambda ids: rows_named([node.book.table()], ids), on_progress=on_progress,
    )  # fmt: skip
    if said.parties is not None:
        attached = attach(reading.table, read_parties(said.parties), str(said.parties))
        reading = replace(reading, table=attached)
    _refuse_foreign(reading.table, node.settings.covers)
    _refuse_known(node.book.table(), reading.table)
    return reading


def _write_rejects(file: Path, rejects: Sequence[Reject]) -> None:
    """File, line, reason and the row as it stood; never over a file that is there."""
    try:
        with file.open("x", newline="", encoding="utf-8") as written:
            rows = csv.writer(written)
            rows.writerow(["file", "line", "reason", "row"])
            rows.writerows([one.file, one.line, one.reason, one.row_text] for one in rejects)
    except OSError as error:
        raise InputError.because(
            expected="a new file for the rejected rows", got=error.strerror or str(error), where=str(file),
            remedy="Name another with --rejects; nothing was imported.",
        ) from error  # fmt: skip


def _refuse_foreign(fresh: pa.Table, covers: Sequence[str]) -> None:
    """A book holds what touches its own countries; a row without a country is at home."""
    own = pa.array(covers, type=pa.string())
    home = [
        pc.or_kleene(pc.is_null(fresh[side]), pc.is_in(fresh[side], value_set=own))
        for side in ("from_country", "to_country")
    ]
    foreign = fresh.filter(pc.invert(pc.or_(home[0], home[1])))
    if foreign.num_rows:
        row = foreign.slice(0, 1).to_pylist()[0]
        raise InputError.because(
            expected=f"transfers from or to {', '.join(covers) or 'a country that this node covers'}",
            got=f"{foreign.num_rows} between others, the first {row['transfer_id']!r} "
            f"({row['from_country']} to {row['to_country']})",
            remedy="Leave these rows out: they belong in other nodes' books. Nothing was imported.",
        )


def _refuse_known(book: pa.Table, fresh: pa.Table) -> None:
    again = pc.is_in(fresh["transfer_id"], value_set=book["transfer_id"].combine_chunks())
    count = pc.sum(again).as_py() or 0
    if count:
        first = fresh.filter(again)["transfer_id"][0].as_py()
        raise Conflict.because(
            expected="transfers that this book does not have yet",
            got=f"{count} that it has, the first {first!r}",
            remedy="Import each file once; nothing of this import was kept.",
        )


def _refuse_overtaken(before: Sequence[BookPart], now: Sequence[BookPart]) -> None:
    """What this import was compared with must still be the whole book."""
    if {part.id for part in before} != {part.id for part in now}:
        raise Conflict.because(
            expected="the book as it was when this import began", got="another import meanwhile",
            remedy="Import again; nothing of this import was kept.",
        )  # fmt: skip


def _write_part(folder: Path, part_id: str, table: pa.Table) -> BookPart:
    file = folder / f"{part_id}.parquet"
    draft = folder / f".{part_id}.draft"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, draft, compression="zstd")
        with draft.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            os.fsync(written.fileno())
        draft.rename(file)
        sync_folder(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error
    return BookPart(id=part_id, file=file.name, rows=table.num_rows, sha256=digest)
