"""Read transfers from files in any format that is known (`formats`), or folders of them, strictly by the trace
contract (spec/trace.md, spec/formats.md).

What is wrong with a file as a whole (missing columns, another encoding, floats for money) is always raised.
What is wrong with a row is raised with all other such rows, or, with `skip_bad`, handed back with line and
reason while the rest is read. Nothing is guessed and no value is mended.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from comity.backends.transfers.columns import all_different, joined
from comity.backends.transfers.csv import read_blocks, text_of_rows
from comity.backends.transfers.entries import Batch, Conventions, Entry, Item, Opening, batches
from comity.backends.transfers.formats import CSV, FORMATS, PARQUET, format_of, named, sources
from comity.backends.transfers.originals import Originals, completed, lacks_accounts, rows_named
from comity.backends.transfers.papers import read_assets, read_balances, read_report
from comity.backends.transfers.parquet import read_row_blocks, row_as_text
from comity.backends.transfers.rows import KNOWN, Checked, check_columns, check_rows
from comity.errors import InputError, NotFound
from comity.model import CRYPTO_ASSETS
from comity.tracing.positions import Ints

__all__ = ["Reading", "Reject", "files_of", "read_assets", "read_balances", "read_report", "read_transfers"]

_SHOWN = 20
_ENDINGS = (".csv", ".parquet")
_MOST_REJECTS = 1_000
"""Broken rows after which reading ends, where one is enough to refuse the file."""
_MOST_SKIPPED = 1_000_000
"""The same where they are left out: such a file is not what it is said to be."""

Counted = Literal["line", "row", "entry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that breaks the contract: where it starts (a line of CSV, a row of Parquet, an entry of another format;
    from 1), why, as it is.
    """

    file: str
    line: int
    reason: str
    row_text: str
    counted: Counted = "line"

    def __str__(self) -> str:
        return f"{self.file}, {self.counted} {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`table` has `BOOK_SCHEMA`; its rows are in the order they were read, which means nothing.

    `openings`: what statements say was in an account before their first entry, the earliest for each account and
    currency. `notes`: what whoever reads the files should know.
    """

    table: Any
    rejects: tuple[Reject, ...]
    openings: tuple[Opening, ...] = ()
    notes: tuple[str, ...] = ()


def read_transfers(
    paths: Sequence[Path],
    *,
    assets: Mapping[str, int] = CRYPTO_ASSETS,
    conventions: Conventions | None = None,
    format_name: str = "",
    originals: Originals | None = None,
    skip_bad: bool = False,
    coded: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read files and folders (with their subfolders) into one table.

    `assets`: id → decimals of what is no ISO 4217 currency. `conventions`: these and what else a format leaves open
    (then `assets` is not looked at). `format_name`: instead of looking at each file. `originals` finds transfers of
    the book that a return may be of. `coded`: accounts and currencies may stay codes. `on_progress` is called with
    the number of rows read so far. Raises `InputError` with the first bad rows and their number; with `skip_bad`
    they are in `rejects`.
    """
    told = on_progress or (lambda _rows: None)
    gathered = _Gathered(conventions=conventions or Conventions(assets=assets), skip_bad=skip_bad)
    for name, files in _by_format(_files(paths, format_name), format_name):
        for part, refused in _parts(name, files, gathered):
            gathered.take(part, refused)
            told(gathered.rows)
    for part, refused in _returns(gathered, originals):
        gathered.take(part, refused)
    table = joined([part.table for part in gathered.parts], coded=coded)
    table, again = _each_once(table, gathered.parts)
    rejects = [*gathered.rejects, *again]
    if rejects and not skip_bad:
        _raise(rejects, gathered.rows)
    return Reading(
        table=table, rejects=tuple(_with_text(rejects)), openings=tuple(gathered.earliest()),
        notes=tuple(gathered.notes),
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """What was read so far."""

    conventions: Conventions
    skip_bad: bool
    parts: list["_Part"] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    rows: int = 0
    openings: list[Opening] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    waiting: list[tuple[Path, Entry]] = field(default_factory=list)
    """Returns whose accounts are their original's."""

    def take(self, part: "_Part", refused: Sequence[Reject]) -> None:
        self.parts.append(part)
        self.rejects += refused
        self.rows += part.table.num_rows + len(refused)
        if len(self.rejects) > (_MOST_SKIPPED if self.skip_bad else _MOST_REJECTS):
            _raise(self.rejects, self.rows)

    def earliest(self) -> list[Opening]:
        """One opening balance for each account and currency."""
        found: dict[tuple[str, str], Opening] = {}
        for one in sorted(self.openings, key=lambda one: one.at):
            found.setdefault((one.account, one.currency), one)
        return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows that were kept, and on which lines (rows, entries) of which file they are.

    `sides`: for rows of a statement, which side told of them; empty for other files.
    """

    path: Path
    counted: Counted
    table: Any
    lines: Ints
    sides: Sequence[str] = ()

    def reject(self, line: int, reason: str) -> Reject:
        return Reject(file=str(self.path), line=line, reason=reason, row_text="", counted=self.counted)


def files_of(paths: Sequence[Path], format_name: str = "") -> list[Path]:
    """Return the files that `read_transfers` reads for these paths, in its order."""
    return _files(paths, format_name)


def _files(paths: Sequence[Path], format_name: str) -> list[Path]:
    files: list[Path] = []
    endings = FORMATS[named(format_name)].endings if format_name else _ENDINGS
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if _is_transfer_file(file, path, endings)]
            if not inside:
                wanted = f"{' or '.join(endings)} files" if format_name else "CSV or Parquet files"
                raise InputError.because(expected=f"{wanted} in the folder", got="none", where=str(path))
            files += inside
        elif path.exists():
            files.append(path)
        else:
            raise NotFound.because(
                expected="a file or folder of transfers",
                got="nothing of that name",
                where=str(path),
                remedy="Check the path.",
            )
    if not files:
        raise InputError.because(expected="at least one file of transfers", got="none")
    return files


def _is_transfer_file(file: Path, folder: Path, endings: Sequence[str]) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in endings and file.is_file()


def _by_format(files: Sequence[Path], format_name: str) -> Iterator[tuple[str, list[Path]]]:
    """The files of each format, in the order of the first of each."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        groups.setdefault(format_name or format_of(file), []).append(file)
    yield from groups.items()


def _parts(name: str, files: Sequence[Path], gathered: _Gathered) -> Iterator[tuple["_Part", list[Reject]]]:
    assets = gathered.conventions.assets
    if name in (CSV, PARQUET):
        for file in files:
            yield from (_csv_parts if name == CSV else _parquet_parts)(file, assets)
        return
    for path, items in sources(name, files, gathered.conventions):
        yield from _entry_parts(path, items, gathered)


def _entry_parts(
    path: Path, items: Iterator[Item], gathered: _Gathered
) -> Iterator[tuple["_Part", list[Reject]]]:
    for batch in batches(_without_waiting(path, items, gathered)):
        gathered.openings += batch.openings
        gathered.notes += batch.notes
        yield _entry_part(path, batch, gathered.conventions.assets)


def _without_waiting(path: Path, items: Iterator[Item], gathered: _Gathered) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Entry) and lacks_accounts(item):
            gathered.waiting.append((path, item))
        else:
            yield item


def _entry_part(path: Path, batch: Batch, assets: Mapping[str, int]) -> tuple["_Part", list[Reject]]:
    checked = check_rows(batch.columns, assets)
    part, refused = _part(path, "entry", checked, np.array(batch.numbers, np.int64), batch.broken)
    return replace(part, sides=[batch.sides[place] for place in checked.good.tolist()]), refused


def _returns(gathered: _Gathered, originals: Originals | None) -> Iterator[tuple["_Part", list[Reject]]]:
    def find(ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        if originals is not None:
            yield from originals(ids)
        yield from rows_named([part.table for part in gathered.parts], ids)

    for path in dict.fromkeys(path for path, _ in gathered.waiting):
        waiting = [entry for where, entry in gathered.waiting if where == path]
        for batch in batches(completed(waiting, find)):
            yield _entry_part(path, batch, gathered.conventions.assets)


def _csv_parts(path: Path, assets: Mapping[str, int]) -> Iterator[tuple[_Part, list[Reject]]]:
    for block in read_blocks(path, known=KNOWN, check=check_columns):
        yield _part(
            path, "line", check_rows(block.columns, assets), np.array(block.lines, np.int64), block.broken
        )


def _parquet_parts(path: Path, assets: Mapping[str, int]) -> Iterator[tuple[_Part, list[Reject]]]:
    before = 0
    for columns, broken in read_row_blocks(path, known=KNOWN, check=check_columns):
        size = len(columns["transfer_id"])
        checked = check_rows(columns, assets)
        for place, reason in broken:
            checked.reasons[place] = reason
        if broken:
            refused = dict(broken)
            kept = np.array([place not in refused for place in checked.good.tolist()], bool)
            checked = replace(checked, table=checked.table.filter(pa.array(kept)), good=checked.good[kept])
        yield _part(path, "row", checked, np.arange(before + 1, before + size + 1), [])
        before += size


def _part(
    path: Path,
    counted: Counted,
    checked: Checked,
    lines: Ints,
    broken: Iterable[tuple[int, str]],
) -> tuple[_Part, list[Reject]]:
    part = _Part(path=path, counted=counted, table=checked.table, lines=lines[checked.good])
    wrong = sorted([*broken, *((int(lines[place]), reason) for place, reason in checked.reasons.items())])
    return part, [part.reject(line, reason) for line, reason in wrong]


def _each_once(table: Any, parts: Sequence[_Part]) -> tuple[Any, list[Reject]]:
    """Keep the first row of each transfer_id; refuse the others, naming the first.

    The statements of both its accounts tell of one transfer: then it is the payer's that is kept, and nothing is
    refused.
    """
    if all_different(table["transfer_id"]):
        return table, []
    first: dict[str, tuple[int, _Part, int, str]] = {}
    keep = np.ones(table.num_rows, bool)
    rejects = []
    row = -1
    for part in parts:
        sides = part.sides or [""] * len(part.lines)
        for transfer_id, line, side in zip(
            part.table["transfer_id"].to_pylist(), part.lines.tolist(), sides, strict=True
        ):
            row += 1
            known = first.setdefault(transfer_id, (row, part, line, side))
            if known[0] == row:
                continue
            if {known[3], side} == {"debit", "credit"} and _same_transfer(table, known[0], row):
                keep[row if side == "credit" else known[0]] = False
                first[transfer_id] = (known[0], known[1], known[2], "both")
                continue
            keep[row] = False
            there = f"{known[1].path}, {known[1].counted} {known[2]}"
            rejects.append(
                part.reject(
                    line, f"transfer_id: expected each once, got {transfer_id[:60]!r} again, as in {there}"
                )
            )
    return table.filter(pa.array(keep)), rejects


def _same_transfer(table: Any, one: int, other: int) -> bool:
    names = ("from_account", "to_account", "amount_minor", "currency")
    return all(table[name][one].as_py() == table[name][other].as_py() for name in names)


def _raise(rejects: Sequence[Reject], rows: int) -> None:
    so_far = " read so far" if len(rejects) > _MOST_REJECTS else ""
    lines = [f"{len(rejects)} of {rows} rows{so_far} break the contract of transfers:"]
    lines += [f"  {reject}" for reject in rejects[:_SHOWN]]
    if len(rejects) > _SHOWN:
        lines.append(f"  and {len(rejects) - _SHOWN} more")
    raise InputError(
        "\n".join(lines), remedy="Correct these rows (spec/trace.md) and try again; nothing was read."
    )


def _with_text(rejects: Sequence[Reject]) -> list[Reject]:
    texts: dict[tuple[str, int], str] = {}
    for file, counted in {(one.file, one.counted) for one in rejects if one.counted != "entry"}:
        lines = {reject.line for reject in rejects if reject.file == file}
        found = (text_of_rows if counted == "line" else row_as_text)(Path(file), lines)
        texts |= {(file, line): text for line, text in found.items()}
    return [replace(reject, row_text=texts.get((reject.file, reject.line), "")) for reject in rejects]
