"""Files made to harm whoever reads them: each ends in a clear error, soon, in a memory that does not grow with them.

The large ones are made as streams and read by a process of its own that may not have more memory.
"""

import io
import re
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

from comity.backends.transfers import archives
from comity.backends.transfers.archives import check_workbook
from comity.backends.transfers.entries import Conventions
from comity.backends.transfers.files import read_transfers
from comity.backends.transfers.xml_guard import Guarded
from comity.backends.transfers.zones import Zone
from comity.errors import InputError
from tests.unit import format_samples as samples

UTC = Conventions(zone=Zone.named("Z"))


def refused(folder: Path, content: bytes, name: str = "f", format_name: str = "") -> str:
    file = folder / name
    file.write_bytes(content)
    with pytest.raises(InputError) as problem:
        read_transfers([file], conventions=UTC, format_name=format_name)
    assert str(file) in str(problem.value)
    return str(problem.value)


LAUGHS = b'<!DOCTYPE Document [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(12)
)


@pytest.mark.parametrize(
    "declared",
    [
        LAUGHS + b"]>",
        b'<!DOCTYPE Document [<!ENTITY m SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        b'<!DOCTYPE Document [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
    ],
)
@pytest.mark.parametrize("far", [False, True])
def test_entities_of_any_kind(tmp_path: Path, declared: bytes, far: bool) -> None:
    """Also where the document type stands far behind the head at which the format was recognised."""
    body = samples.pacs008().split(b"?>", 1)[1].replace(b"Invoice 4562", b"&m;")
    space = b"<!--" + b" " * 100_000 + b"-->" if far else b""
    problem = refused(tmp_path, b'<?xml version="1.0"?>' + space + declared + body, format_name="iso20022")
    assert "XML without a document type, got a DOCTYPE" in problem


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (samples.pacs008().decode().encode("utf-16"), "UTF-16"),
        (samples.pacs008().decode().encode("utf-16-le"), "UTF-16"),
        (samples.pacs008().decode().encode("utf-32"), "UTF-16 or UTF-32"),
        (samples.pacs008().replace(b"Invoice", b"Factur\xe9"), "Invalid bytes in character encoding"),
        (samples.pacs008().replace(b"UTF-8", b"UTF-7"), "got UTF-7"),
        (samples.pacs008().replace(b"UTF-8", b"EBCDIC-CP-BE"), "got EBCDIC-CP-BE"),
        (samples.pacs008()[:-40], "well-formed XML"),
        (samples.pacs008()[:-12], "Premature end"),
        (b"<Document>" * 10_000, "Excessive depth"),
        (b"<Document a='" + b"x" * 11_000_000 + b"'/>", "at most 8 MiB"),
        (b"<" + b"n" * 200_000 + b"/>", "too long"),
        (b"<Document " + b" ".join(b"a%d='1'" % n for n in range(100_000)) + b"/>", "at most 5000 names"),
        (
            b"<Document>" + b"".join(b"<n%d/>" % n for n in range(6_000)) + b"</Document>",
            "at most 5000 names",
        ),
        (
            b"<Document>" + b"".join(b"<?p%d x?>" % n for n in range(6_000)) + b"</Document>",
            "at most 5000 names",
        ),
        (
            b"<D>" + b"".join(b"<a x='>' xmlns:p='u%d'/>" % n for n in range(6_000)) + b"</D>",
            "at most 5000 names",
        ),
    ],
    ids=range(15),
)
def test_xml_that_is_none_or_too_much(tmp_path: Path, content: bytes, says: str) -> None:
    assert says.lower() in refused(tmp_path, content, format_name="iso20022").lower()


@pytest.mark.parametrize(
    "content", [b"<" + b"a" * 400_000 + b"<b/>", b"<a b='1' " + b"a" * 400_000 + b"><b/>"]
)
def test_one_long_name_is_looked_at_once(tmp_path: Path, content: bytes) -> None:
    began = time.process_time()
    refused(tmp_path, b'<?xml version="1.0"?>' + content, format_name="iso20022")
    assert time.process_time() - began < 5


def test_white_space_between_tags_is_not_kept(tmp_path: Path) -> None:
    """A parser keeps each different run for ever: here there are as many as entries, and they change nothing."""
    file = tmp_path / "f"
    runs = iter(range(1_000_000))

    def other(_: object) -> bytes:
        return b">" + format(next(runs), "059b").translate({48: " ", 49: "\n"}).encode() + b"<"

    text = re.sub(rb">\s+<", other, samples.pacs008())
    file.write_bytes(text)
    with file.open("rb") as raw:
        guarded = Guarded(raw, file)
        seen = b"".join(iter(guarded.read, b""))
    assert re.findall(rb">(\s+)<", seen) == [b" "] * next(runs)
    assert read_transfers([file]).table.num_rows == 1


def test_xml_in_latin_1_that_says_so(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(samples.pacs008().replace(b"UTF-8", b"ISO-8859-1").replace(b"Invoice", b"Factur\xe9"))
    assert read_transfers([file]).table["reference"].to_pylist() == ["Facturé 4562"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_csv_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    row = "T1,2025-06-01T10:00:00Z,é,B,1,EUR"
    text = f"transfer_id,booked_at,from_account,to_account,amount,currency\n{row}\n"
    assert "UTF-8" in refused(tmp_path, text.encode(encoding))


# --- workbooks ---------------------------------------------------------------------------------------------------


def changed(content: bytes, member: str, replacement: bytes) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, replacement if one == member else old.read(one))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def sheet(cells: bytes) -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return changed(samples.usual_workbook(), SHEET, head + cells + b"</sheetData></worksheet>")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (sheet(b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'), "a cell in column 16384"),
        (sheet(b'<row r="1"><c r="A1"/></row><row r="1048576"><c r="IV1048576"/></row>'), "1,048,576 rows of 256"),
        (sheet(b"<row r='99999999999999999999'><c r='A99999999999999999999'/></row>"), "rows named 1"),
        (sheet(b"<row r='1'><c r='C1000000000000000000000000000000'/></row>"), "cells named A1"),
        (sheet(b"<row r='0'><c r='A0'/></row>"), "rows named 1"),
        (sheet(b"<c r='XFD1'/>"), "a cell in column 16384"),
        (sheet(b"<row>" + b"<c/>" * 300 + b"</row>"), "a cell in column 257"),
        (changed(samples.usual_workbook(), "docProps/app.xml", b"<x><c s='1' r = 'XFD1'/></x>"), "column 16384"),
        (changed(samples.usual_workbook(), SHEET, b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>"), "a DOCTYPE"),
        (changed(samples.usual_workbook(), SHEET, "<worksheet/>".encode("utf-16-le")), "UTF-16"),
        (samples.usual_workbook()[:2_000], "an Excel workbook"),
        (b"PK\x03\x04" + b"\0" * 100, "an Excel workbook"),
        (changed(samples.usual_workbook(), SHEET, b"<worksheet><sheetData><row"), "an Excel workbook"),
    ],
    ids=range(13),
)  # fmt: skip
def test_workbooks_that_would_not_unpack_well(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in refused(tmp_path, content)


def test_a_zip_bomb_is_counted_and_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """48 MiB of spaces in a few kilobytes; then the same with sizes that say it is 1 KiB."""
    monkeypatch.setattr(archives, "MOST_BYTES", 32 << 20)
    file = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(SHEET, "w") as part,
    ):
        block = b" " * (8 << 20)
        for _ in range(6):
            part.write(block)
    honest = file.read_bytes()
    true, said = (6 * (8 << 20)).to_bytes(4, "little"), (1024).to_bytes(4, "little")
    assert honest.count(true) >= 1
    for content in (honest, honest.replace(true, said)):
        assert "at most 32 MiB unpacked" in refused(tmp_path, content, "bomb.xlsx")


def test_more_parts_than_a_workbook_has(tmp_path: Path) -> None:
    file = tmp_path / "many.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for place in range(2_001):
            archive.writestr(f"xl/{place}.xml", b"")
    with pytest.raises(InputError, match="at most 2000 parts"):
        check_workbook(file)


# --- streams -----------------------------------------------------------------------------------------------------

MEGABYTES = 256
READER = """
import resource, sys
from pathlib import Path
import comity.backends.transfers.files as files
from comity.errors import InputError
def size():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
    return int(line.split()[1]) * 1024
warm = Path(sys.argv[1] + ".csv")
warm.write_text("transfer_id,booked_at,from_account,to_account,amount,currency\\nT,2025-06-01T10:00:00Z,A,B,1,EUR\\n")
files.read_transfers([warm], format_name="csv")
most = size() + int(sys.argv[3]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    reading = files.read_transfers([Path(sys.argv[1])], format_name=sys.argv[2])
    print("read", reading.table.num_rows)
except InputError as error:
    print(type(error).__name__, str(error)[:400])
"""


def read_with_little_memory(file: Path, format_name: str, megabytes: int = 256) -> str:
    """What a process answers that may have so much more memory than after it read a small file."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READER), str(file), format_name, str(megabytes)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr[-2_000:]


def written(file: Path, start: bytes, block: bytes, megabytes: int = MEGABYTES) -> Path:
    """A file that begins with `start` and goes on with `block`. Sparse enough to be quick."""
    many = block * (max(1, (1 << 20) // len(block)))
    with file.open("wb") as out:
        out.write(start)
        while out.tell() < megabytes << 20:
            out.write(many)
    return file


HEADER = b"transfer_id,booked_at,from_account,to_account,amount,currency\n"
DOCUMENT = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>'


@pytest.mark.parametrize(
    ("name", "start", "block", "says"),
    [
        ("csv", b"", b"transfer_id,", "rows of at most 4 MiB"),
        ("csv", HEADER, b",", "rows of at most 4 MiB"),
        ("csv", HEADER, b'"a\n",', "rows of at most 4 MiB"),
        ("csv", HEADER, b"x\n", "rows read so far break the contract"),
        ("csv", HEADER + b'"', b"x\n", "break the contract"),
        ("iso20022", DOCUMENT + b"<CdtTrfTxInf>", b"<PmtId>x</PmtId>", "entries of at most 8 MiB"),
        ("iso20022", DOCUMENT, b"<Junk><Deep/></Junk>", "entries of at most 8 MiB"),
        ("iso20022", DOCUMENT, b"<CdtTrfTxInf><PmtId/></CdtTrfTxInf>", "read so far break the contract"),
        ("iso20022", DOCUMENT, b" ", "entries of at most 8 MiB"),
        ("iso20022", b"", b"<!-- nothing -->", "entries of at most 8 MiB"),
        ("mt", b"{1:F01", b"x", "messages of at most 64 KiB"),
        ("mt", b"", b"{1:F01}\n", "read so far break the contract"),
        ("bitcoin-etl", b'{"hash": "', b"a", "lines of at most 8 MiB"),
        ("bitcoin-etl", b"", b"{}\n", "read so far break the contract"),
        ("bitcoin-etl", b"", b"[[[[[[[[", "lines of at most 8 MiB"),
    ],
    ids=range(15),
)
def test_streams_that_do_not_end(tmp_path: Path, name: str, start: bytes, block: bytes, says: str) -> None:
    file = written(tmp_path / "f", start, block)
    answer = read_with_little_memory(file, name)
    file.unlink()
    assert says in answer, answer
    assert "MemoryError" not in answer


def test_many_good_entries_cost_no_more_than_their_rows(tmp_path: Path) -> None:
    """64 MiB of XML in which nearly everything is beside the point: the memory is that of the transfers."""
    padding = b"<SplmtryData>" + b"<x>padding</x>" * 20_000 + b"</SplmtryData>"
    file = tmp_path / "f"
    head, _, rest = samples.pacs008().partition(b"<CdtTrfTxInf>")
    payment = b"<CdtTrfTxInf>" + rest.partition(b"</CdtTrfTxInf>")[0] + padding + b"</CdtTrfTxInf>"
    with file.open("wb") as out:
        out.write(head)
        for number in range(240):
            out.write(payment.replace(samples.UETR.encode(), b"%036d" % number))
        out.write(rest.partition(b"</CdtTrfTxInf>")[2])
    assert file.stat().st_size > 64 << 20
    assert read_with_little_memory(file, "iso20022", 160) == "read 240\n"


def test_the_limit_can_be_felt(tmp_path: Path) -> None:
    """The reader's process does fail where memory grows: what the tests above would look like otherwise."""
    good = b"".join(b"T%d,2025-06-01T10:00:00Z,A,B,1,EUR\n" % number for number in range(800_000))
    file = tmp_path / "f"
    file.write_bytes(HEADER + good)
    assert not read_with_little_memory(file, "csv", 16).startswith("read")
    assert read_with_little_memory(file, "csv", 1_024) == "read 800000\n"
