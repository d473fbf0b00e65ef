"""Files of other formats than tables: messages, statements, workbooks, chains. Each is read from a file of its own."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from comity.backends.transfers.entries import Conventions
from comity.backends.transfers.files import read_transfers
from comity.backends.transfers.formats import read_recalls
from comity.backends.transfers.ivms101 import read_parties
from comity.backends.transfers.schemas import read_schema
from comity.backends.transfers.zones import Zone
from tests.fuzz.engine import Target
from tests.fuzz.file_targets import scratch
from tests.unit import format_samples as samples

ZONE = Zone.named("Europe/Paris")
CONTRACTS = {"native": ("ETH", 18), samples.TOKEN: ("USDT", 6)}
SHEET = "xl/worksheets/sheet1.xml"


def format_targets() -> list[Target]:
    statement = samples.bobs_statement()
    return [
        _target(
            "ISO 20022 transfers", [samples.pacs008(), samples.pacs004(), statement], reader("iso20022"), 0.3
        ),
        _target("ISO 20022 recalls", [samples.camt056(), samples.camt029()], recalls, 0.3),
        _target("SWIFT MT", [samples.mt103(), samples.mt103() + samples.mt199()], reader("mt"), 0.3),
        _target("SWIFT MT recalls", [samples.mt199(), samples.mt196()], recalls, 0.5),
        _target("workbook", [samples.usual_workbook()], reader("xlsx"), 0.1),
        _target("sheet of a workbook", [part_of(samples.usual_workbook())], sheet, 0.1),
        _target("goAML", [samples.GOAML], goaml, 0.2),
        _target("XML Schema", [samples.GOAML_PARTIES_XSD], read_schema, 0.2),
        _target("IVMS101", [samples.ivms101()], read_parties, 0.5),
        _target("bitcoin-etl", [samples.bitcoin_lines()], reader("bitcoin-etl"), 0.2),
        *(
            _target(f"ethereum-etl {name}", [table], chain(name), 0.2)
            for name, table in samples.ethereum().items()
        ),
        _target("any format", [samples.pacs008(), samples.mt103(), samples.bitcoin_lines()], reader(""), 0.2),
    ]


def reader(name: str) -> Callable[[Path], object]:
    return lambda file: answer_of([file], Conventions(zone=ZONE), name)


def answer_of(files: list[Path], conventions: Conventions, name: str = "") -> str:
    """What was wrong with each entry, without what it was: another such answer is worth keeping its input for."""
    reading = read_transfers(files, conventions=conventions, format_name=name, skip_bad=True)
    reasons = {reject.reason.partition(", got")[0][-60:] for reject in reading.rejects}
    return f"{min(reading.table.num_rows, 1)} {' | '.join(sorted(reasons))[:200]}"


def recalls(file: Path) -> object:
    return list(read_recalls(file))


def goaml(file: Path) -> object:
    schema = scratch() / "goaml.xsd"
    if not schema.exists():
        (scratch() / "parties.xsd").write_bytes(samples.GOAML_PARTIES_XSD)
        schema.write_bytes(samples.GOAML_XSD)
    return answer_of([file], Conventions(zone=ZONE, schema=schema), "goaml")


def part_of(workbook: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(workbook)).read(SHEET)


def sheet(file: Path) -> object:
    """The mutated sheet in an otherwise whole workbook: mutations of a packed file seldom get past its checksum."""
    usual = zipfile.ZipFile(io.BytesIO(samples.usual_workbook()))
    place = scratch() / "whole.xlsx"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in usual.namelist():
            whole.writestr(name, file.read_bytes() if name == SHEET else usual.read(name))
    return answer_of([place], Conventions(zone=ZONE))


def chain(changed: str) -> Callable[[Path], object]:
    """One mutated table beside two whole ones."""

    def read(file: Path) -> object:
        files = [file]
        for name, table in samples.ethereum().items():
            if name != changed:
                files.append(scratch() / f"whole-{name}")
                files[-1].write_bytes(table)
        conventions = Conventions(assets={"ETH": 9, "USDT": 6}, contracts=CONTRACTS)
        return answer_of(files, conventions, "ethereum-etl")

    return read


def _target(name: str, given: list[bytes], read: Callable[[Path], object], weight: float) -> Target:
    def read_bytes(raw: bytes) -> object:
        place = scratch() / "format"
        place.write_bytes(raw)
        return read(place)

    return Target(name=name, samples=given, read=read_bytes, weight=weight)
