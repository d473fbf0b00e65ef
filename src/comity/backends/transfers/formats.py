"""Which format a file has, by its content, and which reader reads it. `--format` names it where that is not enough."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from comity.backends.transfers import bitcoin_etl, ethereum_etl, goaml, iso20022, swift_mt, workbook
from comity.backends.transfers.entries import Conventions, Item, Source
from comity.backends.transfers.parquet import MAGIC as PARQUET_MAGIC
from comity.backends.transfers.recalls import Recall
from comity.errors import InputError

CSV, PARQUET = "csv", "parquet"
ETHEREUM = "ethereum-etl"
_HEAD = 64 * 1024
_NAMESPACE = re.compile(
    rb"""xmlns(?::\w{1,40})?\s*=\s*["'](urn:iso:std:iso:20022:tech:xsd:(?!head\.)[^"']{1,80})["']"""
)
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`read` gives a file's entries; a folder stands for its files with one of `endings`."""

    title: str
    endings: tuple[str, ...]
    read: Callable[[Path, Conventions], Iterator[Item]] | None = None


FORMATS: Mapping[str, Format] = {
    CSV: Format(title="CSV with the contract's columns", endings=(".csv",)),
    PARQUET: Format(title="Parquet with the contract's columns", endings=(".parquet",)),
    "xlsx": Format(title="Excel workbook", endings=(".xlsx",), read=workbook.items),
    "iso20022": Format(
        title="ISO 20022 pacs.008, pacs.004, camt.053", endings=(".xml",), read=iso20022.items
    ),
    "mt": Format(title="SWIFT MT103", endings=(".fin", ".mt", ".rje"), read=swift_mt.items),
    "goaml": Format(title="goAML report", endings=(".xml",), read=goaml.items),
    "bitcoin-etl": Format(
        title="bitcoin-etl transactions", endings=(".json", ".jsonl", ".parquet"), read=bitcoin_etl.items
    ),
    ETHEREUM: Format(title="ethereum-etl transactions, receipts, token transfers", endings=(".csv",)),
}
ENDINGS = frozenset(ending for one in FORMATS.values() for ending in one.endings)


def named(name: str) -> str:
    """The name of a format that there is."""
    if name not in FORMATS:
        raise InputError.because(
            expected=f"a format: {', '.join(FORMATS)}", got=repr(name[:40]), where="--format"
        )
    return name


def format_of(path: Path) -> str:
    """Look at how a file begins. What is nothing else is CSV, whose reader says what is wrong with it."""
    start = _start_of(path)
    text = start.removeprefix(_MARK).lstrip()
    if start.startswith(PARQUET_MAGIC):
        return "bitcoin-etl" if _is_bitcoin_parquet(path) else PARQUET
    if start.startswith(workbook.MAGIC):
        return "xlsx"
    if text.startswith(b"{1:"):
        return "mt"
    if text.startswith((b"<", b"<\0", b"\0<", b"\xff\xfe<", b"\xfe\xff\0<")):
        return "goaml" if _is_goaml(text) else "iso20022"
    if text.startswith(b"{"):
        return "bitcoin-etl"
    names = text.split(b"\n", 1)[0].strip().decode("utf-8", "replace").split(",")
    return ETHEREUM if ethereum_etl.table_of(names) and "transfer_id" not in names else CSV


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            return raw.read(_HEAD)
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


def _is_goaml(text: bytes) -> bool:
    return _NAMESPACE.search(text) is None and re.search(rb"<report[\s>]", text) is not None


def _is_bitcoin_parquet(path: Path) -> bool:
    try:
        return {"inputs", "outputs", "hash"} <= set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return False


def sources(name: str, paths: Sequence[Path], conventions: Conventions) -> Iterator[Source]:
    """What is in these files of one format, file by file; ethereum-etl's tables only mean something together."""
    if name == ETHEREUM:
        yield from ethereum_etl.sources(_tables(paths), conventions)
        return
    read = FORMATS[name].read
    if read is not None:
        for path in paths:
            yield path, read(path, conventions)


def _tables(paths: Sequence[Path]) -> dict[str, list[Path]]:
    tables: dict[str, list[Path]] = {}
    for path in paths:
        first = _start_of(path).removeprefix(_MARK).split(b"\n", 1)[0]
        table = ethereum_etl.table_of(first.strip().decode("utf-8", "replace").split(","))
        if not table:
            raise InputError.because(
                expected="a table of ethereum-etl (transactions, receipts, token_transfers)",
                got=f"the columns {first[:100]!r}", where=str(path),
            )  # fmt: skip
        tables.setdefault(table, []).append(path)
    return tables


def read_recalls(path: Path) -> Iterator[Recall]:
    """Requests for payments back and answers to them, in ISO 20022 or MT."""
    name = format_of(path)
    if name == "mt":
        return swift_mt.recalls(path)
    if name == "iso20022":
        return iso20022.recalls(path)
    raise InputError.because(
        expected="camt.056 or camt.029 (XML), or MT192, MT196 or MT199", got=f"what looks like {FORMATS[name].title}",
        where=str(path),
    )  # fmt: skip


__all__ = ["CSV", "ENDINGS", "FORMATS", "PARQUET", "format_of", "named", "read_recalls", "sources"]
