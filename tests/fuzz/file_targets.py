"""Files that people are given: transfers, balances, reports. Each is read from a file of its own."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.backends.transfers.files import read_assets, read_balances, read_report, read_transfers
from tests.fuzz.engine import Target
from tests.fuzz.exchange_targets import dumped
from tests.fuzz.payload_targets import REPORT

DOCS = Path(__file__).parents[2] / "docs" / "examples"


@cache
def scratch() -> Path:
    """One folder for the run; every input replaces the one before it."""
    folder = Path(tempfile.mkdtemp(prefix="comity-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def file_targets() -> list[Target]:
    transfers = (DOCS / "transfers.csv").read_bytes()
    few = b"\n".join(transfers.split(b"\n")[:4]) + b"\n"
    return [
        _file("transfers CSV", "t.csv", [few], lambda file: read_transfers([file]), weight=0.3),
        _file("transfers CSV, leniently", "l.csv", [few], leniently, weight=0.3),
        _file("transfers Parquet", "t.parquet", [parquet(few)], lambda file: read_transfers([file]), weight=0.3),
        _file("balances CSV", "b.csv", [(DOCS / "opening.csv").read_bytes()], read_balances, weight=0.5),
        _file("assets", "a.csv", [b"id,decimals\nXCOIN,8\nYCOIN,0\n"], read_assets, weight=0.5),
        _file("report", "r.json", [dumped(REPORT), (DOCS / "report.json").read_bytes()], read_report, weight=0.5),
    ]  # fmt: skip


def leniently(file: Path) -> object:
    return read_transfers([file], skip_bad=True)


def _file(
    name: str, file: str, samples: list[bytes], read: Callable[[Path], object], *, weight: float
) -> Target:
    def read_bytes(raw: bytes) -> object:
        place = scratch() / file
        place.write_bytes(raw)
        return read(place)

    return Target(name=name, samples=samples, read=read_bytes, weight=weight)


def parquet(csv: bytes) -> bytes:
    """The same rows as columns of text."""
    lines = [line.split(",") for line in csv.decode().strip().split("\n")]
    columns: dict[str, Any] = {
        name: pa.array([row[place] or None for row in lines[1:]]) for place, name in enumerate(lines[0])
    }
    columns["booked_at"] = columns["booked_at"].cast(pa.timestamp("us", "UTC"))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())
