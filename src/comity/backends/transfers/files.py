"""Read transfers from CSV files, Parquet files or folders of them, strictly by the trace contract
(spec/trace.md).

What is wrong with a file as a whole (missing columns, another encoding, floats for money) is always raised.
What is wrong with a row is raised with all other such rows, or, with `skip_bad`, handed back with line and
reason while the rest is read. Nothing is guessed and no value is mended.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.backends.transfers.csv import read_blocks, text_of_rows
from comity.backends.transfers.papers import read_assets, read_balances, read_report
from comity.backends.transfers.parquet import is_parquet, read_row_blocks, row_as_text
from comity.backends.transfers.rows import KNOWN, Checked, check_columns, check_rows
from comity.errors import InputError, NotFound
from comity.model import CRYPTO_ASSETS
from comity.tracing import BOOK_SCHEMA
from comity.tracing.book import Ints

__all__ = ["Reading", "Reject", "read_assets", "read_balances", "read_report", "read_transfers"]

_SHOWN = 20
_ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that breaks the contract: where it starts (a line of CSV, a row of Parquet; from 1), why, as it
    is.
    """

    file: str
    line: int
    reason: str
    row_text: str
    counted: Literal["line", "row"] = "line"

    def __str__(self) -> str:
        return f"{self.file}, {self.counted} {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`table` has `BOOK_SCHEMA`; its rows are in the order they were read, which means nothing."""

    table: Any
    rejects: tuple[Reject, ...]


def read_transfers(
    paths: Sequence[Path],
    *,
    assets: Mapping[str, int] = CRYPTO_ASSETS,
    skip_bad: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read files and folders (with their subfolders) into one table.

    `assets`: id → decimals of what is no ISO 4217 currency. `on_progress` is called with the number of rows
    read so far. Raises `InputError` with the first bad rows and their number; with `skip_bad` they are in
    `rejects`.
    """
    told = on_progress or (lambda _rows: None)
    sheets: list[_Part] = []
    rejects: list[Reject] = []
    rows = 0
    for path in _files(paths):
        for part, refused in _parts(path, assets):
            sheets.append(part)
            rejects += refused
            rows += part.table.num_rows + len(refused)
            told(rows)
    table = pa.concat_tables([BOOK_SCHEMA.empty_table(), *(sheet.table for sheet in sheets)])
    table, again = _each_once(table, sheets)
    rejects += again
    if rejects and not skip_bad:
        _raise(rejects, rows)
    return Reading(table=table, rejects=tuple(_with_text(rejects)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows that were kept, and on which lines (or rows) of which file they are."""

    path: Path
    counted: Literal["line", "row"]
    table: Any
    lines: Ints

    def reject(self, line: int, reason: str) -> Reject:
        return Reject(file=str(self.path), line=line, reason=reason, row_text="", counted=self.counted)


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if _is_transfer_file(file, path)]
            if not inside:
                raise InputError.because(
                    expected="CSV or Parquet files in the folder", got="none", where=str(path)
                )
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


def _is_transfer_file(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in _ENDINGS and file.is_file()


def _parts(path: Path, assets: Mapping[str, int]) -> Iterator[tuple[_Part, list[Reject]]]:
    try:
        parquet = is_parquet(path)
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error
    return _parquet_parts(path, assets) if parquet else _csv_parts(path, assets)


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
        kept = np.array([place not in dict(broken) for place in checked.good.tolist()], bool)
        if not kept.all():
            checked = replace(checked, table=checked.table.filter(pa.array(kept)), good=checked.good[kept])
        yield _part(path, "row", checked, np.arange(before + 1, before + size + 1), [])
        before += size


def _part(
    path: Path,
    counted: Literal["line", "row"],
    checked: Checked,
    lines: Ints,
    broken: Iterable[tuple[int, str]],
) -> tuple[_Part, list[Reject]]:
    part = _Part(path=path, counted=counted, table=checked.table, lines=lines[checked.good])
    wrong = sorted([*broken, *((int(lines[place]), reason) for place, reason in checked.reasons.items())])
    return part, [part.reject(line, reason) for line, reason in wrong]


def _each_once(table: Any, parts: Sequence[_Part]) -> tuple[Any, list[Reject]]:
    """Keep the first row of each transfer_id; refuse the others, naming the first."""
    if pc.count_distinct(table["transfer_id"]).as_py() == table.num_rows:
        return table, []
    first: dict[str, tuple[_Part, int]] = {}
    keep = np.ones(table.num_rows, bool)
    rejects = []
    row = 0
    for part in parts:
        for transfer_id, line in zip(part.table["transfer_id"].to_pylist(), part.lines.tolist(), strict=True):
            known = first.setdefault(transfer_id, (part, line))
            if known != (part, line):
                keep[row] = False
                there = f"{known[0].path}, {known[0].counted} {known[1]}"
                rejects.append(
                    part.reject(
                        line,
                        f"transfer_id: expected each once, got {transfer_id[:60]!r} again, as in {there}",
                    )
                )
            row += 1
    return table.filter(pa.array(keep)), rejects


def _raise(rejects: Sequence[Reject], rows: int) -> None:
    lines = [f"{len(rejects)} of {rows} rows break the contract of transfers:"]
    lines += [f"  {reject}" for reject in rejects[:_SHOWN]]
    if len(rejects) > _SHOWN:
        lines.append(f"  and {len(rejects) - _SHOWN} more")
    raise InputError(
        "\n".join(lines), remedy="Correct these rows (spec/trace.md) and try again; nothing was read."
    )


def _with_text(rejects: Sequence[Reject]) -> list[Reject]:
    texts: dict[tuple[str, int], str] = {}
    for file, counted in {(reject.file, reject.counted) for reject in rejects}:
        lines = {reject.line for reject in rejects if reject.file == file}
        found = (text_of_rows if counted == "line" else row_as_text)(Path(file), lines)
        texts |= {(file, line): text for line, text in found.items()}
    return [replace(reject, row_text=texts.get((reject.file, reject.line), "")) for reject in rejects]
