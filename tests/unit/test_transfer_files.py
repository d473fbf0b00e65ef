"""Files of transfers: what is read, and one case for each way in which a file or a row is refused."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.backends.transfers import csv as transfer_csv
from comity.backends.transfers.amounts import minor_from_decimals, minor_from_text, times_from_text
from comity.backends.transfers.files import (
    read_assets,
    read_balances,
    read_report,
    read_transfers,
)
from comity.errors import InputError, NotFound
from comity.model import parse_amount
from comity.tracing import BOOK_SCHEMA, read_time
from comity.tracing.book import EPOCH

MAX = 2**63 - 1
HEADER = "transfer_id,booked_at,from_account,to_account,amount,currency"
WHEN = datetime(2025, 6, 1, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def csv(folder: Path, *lines: str, header: str = HEADER, name: str = "t.csv") -> Path:
    file = folder / name
    file.write_bytes("\n".join([header, *lines, ""]).encode("utf-8", "surrogateescape"))
    return file


def line(
    name: str = "T1", when: str = "2025-06-01T10:00:00+08:00", *, amount: str = "1.50", currency: str = "EUR"
) -> str:
    return f"{name},{when},A,B,{amount},{currency}"


def rows(*paths: Path, **more: Any) -> list[dict[str, Any]]:
    return list(read_transfers(paths, **more).table.to_pylist())


def refused(*paths: Path, **more: Any) -> str:
    with pytest.raises(InputError) as problem:
        read_transfers(paths, **more)
    return str(problem.value)


def test_a_row_of_csv(folder: Path) -> None:
    header = f"{HEADER},to_amount,to_currency,from_institution,to_institution,from_country,to_country"
    header += ",channel,reference,x"
    file = csv(
        folder, f'{line()},12.345678,USDT,"Bank, of\nAll ""things""",,CA,TH,swift,é,ignored', header=header
    )
    reading = read_transfers([file])
    assert reading.table.schema.equals(BOOK_SCHEMA)
    assert reading.rejects == ()
    assert reading.table.to_pylist() == [
        {
            "transfer_id": "T1",
            "booked_at": WHEN,
            "from_account": "A",
            "to_account": "B",
            "amount_minor": 150,
            "currency": "EUR",
            "to_amount_minor": 12_345_678,
            "to_currency": "USDT",
            "from_institution": 'Bank, of\nAll "things"',
            "to_institution": None,
            "from_country": "CA",
            "to_country": "TH",
            "channel": "swift",
            "reference": "é",
        }
    ]


def test_columns_in_any_order_and_amounts_in_minor_units(folder: Path) -> None:
    file = csv(
        folder,
        "JPY,150,B,A,2025-06-01T02:00:00Z,T1,,",
        "JPY,150,B,A,2025-06-01T02:00:00Z,T2,7,BTC",
        header="currency,amount_minor,to_account,from_account,booked_at,transfer_id,to_amount_minor,to_currency",
    )
    assert [(row["amount_minor"], row["to_amount_minor"], row["to_currency"]) for row in rows(file)] == [
        (150, None, None),
        (150, 7, "BTC"),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_endings_byte_order_mark_and_blank_lines(folder: Path, ending: str, mark: bytes) -> None:
    file = folder / "t.csv"
    file.write_bytes(mark + ending.join([HEADER, line("T1"), "", line("T2"), "", "T3"]).encode())
    reading = read_transfers([file], skip_bad=True)
    assert reading.table["transfer_id"].to_pylist() == ["T1", "T2"]
    assert [(reject.line, reject.row_text) for reject in reading.rejects] == [(6, "T3")]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("T9", "expected 6 fields, got 1"),
        (line("T9") + ",more", "expected 6 fields, got 7"),
        (line(""), "transfer_id: expected text, got nothing"),
        ("T9,2025-06-01T10:00:00Z,,B,1,EUR", "from_account: expected text, got nothing"),
        ("T9,2025-06-01T10:00:00Z,A,,1,EUR", "to_account: expected text, got nothing"),
        (line("T9", "2025-06-01T10:00:00"), "ISO 8601 with offset"),
        (line("T9", "2025-06-31T10:00:00Z"), "2025-06-31"),
        (line("T9", "2025-06-01T10:00:00.1234567Z"), "microseconds"),
        (line("T9", ""), "booked_at"),
        (line("T9", amount=""), "amount: expected an amount, got nothing"),
        (line("T9", amount="-1"), "not negative"),
        (line("T9", amount="1.505"), "at most 2 decimal digits"),
        (line("T9", amount="1.500"), "at most 2 decimal digits"),
        (line("T9", amount="1.0", currency="JPY"), "at most 0 decimal digits"),
        (line("T9", amount="1e3"), "'1e3'"),
        (line("T9", amount="NaN"), "'NaN'"),
        (line("T9", amount=" 1"), "' 1'"),
        (line("T9", amount="1."), "'1.'"),
        (line("T9", amount=".5"), "'.5'"),
        (line("T9", amount="+1"), "'+1'"),
        (line("T9", amount="١"), "'١'"),
        (line("T9", amount="92233720368547758.08"), "64 bits"),
        (line("T9", amount="9" * 5000), "64 bits"),
        (line("T9", currency="EURO"), "'EURO'"),
        (line("T9", currency="eur"), "'eur'"),
        (line("T9", currency="XAU"), "'XAU'"),
        (line("T9", currency=""), "currency: expected text, got nothing"),
        (line("T\0"), "NUL"),
        (line("T\udce9"), "expected text in UTF-8"),
        ('T9,"2025"x,A,B,1,EUR', "RFC 4180"),
        (line("T1"), "expected each once, got 'T1' again"),
    ],
)
def test_bad_rows(folder: Path, bad: str, says: str) -> None:
    file = csv(folder, line("T1"), bad, line("T2"))
    problem = refused(file)
    assert says in problem
    assert f"{file}, line 3:" in problem
    assert "1 of 3 rows" in problem
    reading = read_transfers([file], skip_bad=True)
    assert reading.table["transfer_id"].to_pylist() == ["T1", "T2"]
    (reject,) = reading.rejects
    assert (reject.file, reject.line, reject.counted) == (str(file), 3, "line")
    assert says in reject.reason
    assert reject.row_text == bad.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("1,", "both or neither"),
        (",HKD", "both or neither"),
        ("1.001,HKD", "at most 2 decimal digits"),
        ("1,QQQ", "'QQQ'"),
        ("x,HKD", "to_amount: "),
    ],
)
def test_bad_conversions(folder: Path, more: str, says: str) -> None:
    assert says in refused(csv(folder, f"{line()},{more}", header=f"{HEADER},to_amount,to_currency"))


def test_conversion_columns_that_are_half_there(folder: Path) -> None:
    assert "both or neither" in refused(csv(folder, f"{line()},HKD", header=f"{HEADER},to_currency"))
    assert rows(csv(folder, f"{line()},", header=f"{HEADER},to_currency"))[0]["to_currency"] is None


def test_rows_over_many_lines_are_where_they_start(folder: Path) -> None:
    header = f"{HEADER},reference"
    file = csv(
        folder,
        line("T1") + ',"a\nb\nc"',
        line("T2", amount="x") + ',"d\ne"',
        line("T3", amount="y") + ",",
        header=header,
    )
    reading = read_transfers([file], skip_bad=True)
    assert [(reject.line, reject.row_text) for reject in reading.rejects] == [
        (5, line("T2", amount="x") + ',"d\ne"'),
        (7, line("T3", amount="y") + ","),
    ]


def test_an_open_quote_is_one_reject_and_not_silence(folder: Path) -> None:
    file = csv(folder, line("T1"), '"T2,' + line("x"), line("T3"))
    reading = read_transfers([file], skip_bad=True)
    assert reading.table["transfer_id"].to_pylist() == ["T1"]
    (reject,) = reading.rejects
    assert reject.line == 3
    assert line("T3") in reject.row_text


def test_twenty_bad_rows_are_shown_and_all_are_counted(folder: Path) -> None:
    problem = refused(csv(folder, *(line(f"T{number}", amount="x") for number in range(50)), line()))
    assert "50 of 51 rows" in problem
    assert "line 21:" in problem
    assert "line 22:" not in problem
    assert "and 30 more" in problem


def test_bad_rows_beyond_the_first_block(folder: Path) -> None:
    count = transfer_csv.BLOCK_ROWS
    lines = [line(f"T{number}") for number in range(count + 10)]
    lines[count - 1] = line("last", "2025-02-30T10:00:00Z")
    lines[count] = line("T5")
    lines[count + 4] = "ragged"
    reading = read_transfers([csv(folder, *lines)], skip_bad=True)
    assert [reject.line for reject in reading.rejects] == [count + 1, count + 6, count + 2]
    assert reading.table.num_rows == count + 7


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"\n", "an empty file or line"),
        (b"\xff\xfet\x00r\x00", "UTF-16"),
        (b"\xfe\xff\x00t", "UTF-16"),
        (b"\x1f\x8b\x08\x00gzip,\x00", "CSV in UTF-8"),
        ("transfér_id,booked_at".encode("latin-1"), "CSV in UTF-8"),
        (b'"transfer_id,booked_at', "header"),
        (HEADER.replace("booked_at", "time").encode(), "no booked_at among"),
        (HEADER.replace(",", ";").encode(), "no transfer_id"),
        (HEADER.replace("amount", "sum").encode(), "amount or amount_minor, got neither"),
        (f"{HEADER},amount_minor".encode(), "amount or amount_minor, got both"),
        (f"{HEADER},to_amount,to_amount_minor".encode(), "to_amount or to_amount_minor, got both"),
        (f"{HEADER},currency".encode(), "currency twice"),
        (b"PAR1 is no parquet file", "a Parquet file that can be read"),
    ],
)
def test_files_that_are_refused_whole_even_when_skipping(folder: Path, content: bytes, says: str) -> None:
    file = folder / "t.csv"
    file.write_bytes(content)
    problem = refused(file, skip_bad=True)
    assert says in problem
    assert str(file) in problem


def test_other_columns_may_be_there_twice(folder: Path) -> None:
    assert len(rows(csv(folder, line() + ",1,2,", header=f"{HEADER},note,note,"))) == 1


def test_a_header_alone_is_an_empty_book(folder: Path) -> None:
    table = read_transfers([csv(folder)]).table
    assert (table.num_rows, table.schema.equals(BOOK_SCHEMA)) == (0, True)


def test_no_such_file(folder: Path) -> None:
    with pytest.raises(NotFound, match="nothing"):
        read_transfers([folder / "nothing"])
    with pytest.raises(InputError, match="at least one"):
        read_transfers([])


def test_a_folder_stands_for_its_files(folder: Path) -> None:
    csv(folder, line("T1"), name="a.CSV")
    (folder / "sub").mkdir()
    pq.write_table(columns(transfer_id=["T2"]), folder / "sub" / "b.parquet")
    for name in ("_SUCCESS.csv", ".hidden.csv", "notes.txt"):
        (folder / name).write_text("not transfers")
    assert [row["transfer_id"] for row in rows(folder)] == ["T1", "T2"]
    csv(folder, line("T2"), name="c.csv")
    assert f"{folder / 'sub' / 'b.parquet'}, row 1: transfer_id: expected each once" in refused(folder)
    (folder / "empty").mkdir()
    assert "none" in refused(folder / "empty")


def test_progress_counts_rows(folder: Path) -> None:
    seen: list[int] = []
    read_transfers([csv(folder, line("T1"), line("T2"))], on_progress=seen.append)
    assert seen == [2]


def columns(**change: Any) -> Any:
    """A table of one row; a list or an array replaces a column, None takes it out."""
    given: dict[str, Any] = {
        "transfer_id": ["T1"],
        "booked_at": pa.array([WHEN], pa.timestamp("us", "UTC")),
        "from_account": ["A"],
        "to_account": ["B"],
        "amount_minor": [150],
        "currency": ["EUR"],
        **change,
    }
    return pa.table({name: column for name, column in given.items() if column is not None})


def parquet(folder: Path, **change: Any) -> Path:
    file = folder / "t.parquet"
    pq.write_table(columns(**change), file)
    return file


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"amount_minor": pa.array([150], pa.int16())},
        {"amount_minor": pa.array([150], pa.uint64())},
        {"amount_minor": ["150"]},
        {"amount_minor": None, "amount": ["1.50"]},
        {"amount_minor": None, "amount": pa.array([Decimal("1.5")], pa.decimal128(2, 1))},
        {"amount_minor": None, "amount": pa.array([Decimal("1.500000")], pa.decimal128(38, 6))},
        {"amount_minor": None, "amount": pa.array([Decimal("1.50")], pa.decimal256(9, 2))},
        {"booked_at": pa.array([WHEN], pa.timestamp("s", "Asia/Hong_Kong"))},
        {"booked_at": pa.array([WHEN], pa.timestamp("ms", "+08:00"))},
        {"booked_at": pa.array([WHEN], pa.timestamp("ns", "UTC"))},
        {
            "currency": pa.array(["EUR"]).dictionary_encode(),
            "from_account": pa.array(["A"], pa.large_string()),
        },
        {"channel": pa.nulls(1), "reference": [""], "is_laundering": [True], "note": [1.5]},
        {"to_amount": pa.nulls(1, pa.decimal128(9, 2)), "to_currency": pa.nulls(1, pa.string())},
    ],
)
def test_rows_of_parquet(folder: Path, change: dict[str, Any]) -> None:
    (row,) = rows(parquet(folder, **change))
    assert (row["transfer_id"], row["booked_at"], row["amount_minor"]) == ("T1", WHEN, 150)
    assert (row["currency"], row["from_account"]) == ("EUR", "A")
    assert row["channel"] is row["reference"] is row["to_amount_minor"] is row["to_currency"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"booked_at": pa.array([WHEN], pa.timestamp("us"))}, "timestamp with its zone"),
        ({"booked_at": ["2025-06-01T10:00:00Z"]}, "timestamp with its zone"),
        ({"booked_at": pa.array([20_000], pa.date32())}, "timestamp with its zone"),
        ({"amount_minor": [1.5]}, "column amount_minor: expected 64-bit integers"),
        ({"amount_minor": None, "amount": [1.5]}, "never floats"),
        ({"amount_minor": None, "amount": [15]}, "decimals or text"),
        ({"amount_minor": None}, "amount or amount_minor, got neither"),
        ({"amount": ["1"]}, "got both"),
        ({"from_account": [12]}, "column from_account: expected text"),
        ({"reference": [[1]]}, "column reference: expected text"),
        ({"currency": None}, "no currency"),
    ],
)
def test_parquet_files_that_are_refused_whole(folder: Path, change: dict[str, Any], says: str) -> None:
    problem = refused(parquet(folder, **change), skip_bad=True)
    assert says in problem
    assert "t.parquet" in problem


def utc(unit: str, *counts: int | None) -> Any:
    return pa.array(counts, pa.timestamp(unit, "UTC"))


def raw(*texts: bytes) -> Any:
    return pa.array(texts).view(pa.string())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"transfer_id": ["T0", None]}, "transfer_id"),
        ({"transfer_id": ["T0", ""]}, "transfer_id"),
        ({"to_account": ["B", None]}, "to_account"),
        ({"booked_at": utc("us", 0, None)}, "booked_at"),
        ({"booked_at": utc("ns", 0, 1)}, "whole microseconds"),
        ({"booked_at": utc("ms", 0, 2**62)}, "years 1 to 9999"),
        ({"booked_at": utc("us", 0, -(2**62))}, "years 1 to 9999"),
        ({"amount_minor": [1, -1]}, "minor units"),
        ({"amount_minor": pa.array([1, 2**63], pa.uint64())}, "minor units"),
        ({"amount_minor": [1, None]}, "got nothing"),
        ({"amount_minor": None, "amount": [Decimal("1.500"), Decimal("1.505")]}, "at most 2"),
        ({"amount_minor": None, "amount": [Decimal("1.5"), Decimal("-1.5")]}, "not negative"),
        (
            {"amount_minor": None, "amount": pa.array([Decimal(1), Decimal(MAX + 1)], pa.decimal128(38, 0))},
            "64 bits",
        ),
        ({"amount_minor": None, "amount": pa.array([Decimal(1), None], pa.decimal128(9, 2))}, "got nothing"),
        ({"to_amount_minor": [None, 5]}, "both or neither"),
        ({"from_country": ["CA", "C\0"]}, "NUL"),
        ({"from_account": raw(b"A", b"\xff")}, "UTF-8"),
        ({"reference": raw(b"", b"\xff")}, "UTF-8"),
    ],
)
def test_bad_rows_of_parquet(folder: Path, change: dict[str, Any], says: str) -> None:
    two: dict[str, Any] = {
        "transfer_id": ["T0", "T1"],
        "booked_at": utc("us", 0, 0),
        "from_account": ["A", "A"],
        "to_account": ["B", "B"],
        "amount_minor": [1, 1],
        "currency": ["EUR", "EUR"],
    }
    file = parquet(folder, **(two | change))
    problem = refused(file)
    assert says in problem
    assert f"{file}, row 2:" in problem
    reading = read_transfers([file], skip_bad=True)
    assert reading.table["transfer_id"].to_pylist() == ["T0"]
    (reject,) = reading.rejects
    assert (reject.line, reject.counted) == (2, "row")
    assert "to_account=" in reject.row_text


def test_a_cut_parquet_file(folder: Path) -> None:
    file = parquet(folder)
    file.write_bytes(file.read_bytes()[:-9])
    assert "a Parquet file that can be read" in refused(file)


def test_declared_assets(folder: Path) -> None:
    file = folder / "assets.csv"
    file.write_text("id,decimals\nETH,18\nUSDT,18\n")
    assets = read_assets(file)
    assert (assets["ETH"], assets["USDT"], assets["BTC"]) == (18, 18, 8)
    transfers = csv(folder, line(amount="0.000000000000000001", currency="ETH"))
    assert rows(transfers, assets=assets)[0]["amount_minor"] == 1
    assert "'ETH'" in refused(transfers)


@pytest.mark.parametrize("text", ["EUR,2", "ETH,19", "ETH,-1", "ETH,x", "ETH,", ",3", "ETH,1\nETH,1", "ETH"])
def test_assets_that_are_refused(folder: Path, text: str) -> None:
    file = folder / "assets.csv"
    file.write_text(f"id,decimals\n{text}\n")
    with pytest.raises(InputError, match="line"):
        read_assets(file)


def test_balances(folder: Path) -> None:
    file = folder / "balances.csv"
    file.write_text("amount,account,currency,note\n1.5,A,EUR,x\n7,A,JPY,\n0,B,EUR,\n")
    assert read_balances(file) == {("A", "EUR"): 150, ("A", "JPY"): 7, ("B", "EUR"): 0}


@pytest.mark.parametrize(
    "text",
    [
        "A,EUR,-1",
        "A,EUR,1.001",
        "A,EURO,1",
        ",EUR,1",
        "A,EUR,1\nA,EUR,2",
        "A,EUR",
        "A\0,EUR,1",
        "A,EUR," + "9" * 5000,
    ],
)
def test_balances_that_are_refused(folder: Path, text: str) -> None:
    file = folder / "balances.csv"
    file.write_text(f"account,currency,amount\n{text}\n")
    with pytest.raises(InputError, match="line"):
        read_balances(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"report_id": "R", "transfers": ["T"], "transfers": []}', "twice"),
        ('{"report_id": "R", "transfers": ["T"], "amounts": {"T": 1.5}}', "1.5"),
        ("not json", "JSON"),
        ("[]", "object"),
    ],
)
def test_reports_that_are_refused(folder: Path, text: str, says: str) -> None:
    file = folder / "report.json"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        read_report(file)
    with pytest.raises(InputError, match="can be read"):
        read_report(folder / "none.json")


AMOUNTS = st.one_of(
    st.from_regex(r"[0-9]{1,22}(\.[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"0{0,30}[0-9]{1,20}(\.[0-9]{0,3})?", fullmatch=True),
    st.text(alphabet="0123456789.-+e ,_", max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(AMOUNTS, min_size=1, max_size=8), digits=st.integers(0, 18))
def test_columns_of_amounts_are_read_as_one_amount_is(texts: list[str], digits: int) -> None:
    numbers, wrong = minor_from_text(pa.array(texts), np.full(len(texts), digits))
    for text, number, is_wrong in zip(texts, numbers.tolist(), wrong.tolist(), strict=True):
        try:
            expected = parse_amount(text, digits)
        except InputError:
            assert is_wrong, text
        else:
            assert not is_wrong, text
            assert number == expected


@settings(max_examples=150, deadline=None)
@given(
    units=st.lists(st.integers(-5, 10**4) | st.integers(0, 10**38 - 1), min_size=1, max_size=5),
    scale=st.integers(0, 38),
    digits=st.integers(0, 18),
)
def test_columns_of_decimals_are_exact(units: list[int], scale: int, digits: int) -> None:
    values = [
        Decimal(unit).scaleb(-scale) if unit < 10**28 else Decimal(f"{unit}E-{scale}") for unit in units
    ]
    column = pa.array(values, pa.decimal128(38, scale))
    numbers, wrong = minor_from_decimals(column, np.full(len(units), digits))
    for unit, number, is_wrong in zip(units, numbers.tolist(), wrong.tolist(), strict=True):
        exact, rest = divmod(unit * 10**digits, 10**scale)
        fits = rest == 0 and 0 <= exact <= MAX
        assert fits is not is_wrong
        assert not fits or number == exact


TIMES = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda when: when.isoformat()),
    st.builds(
        lambda when, minutes, parts: (
            when.isoformat(sep=parts[0], timespec=parts[1])
            + f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{parts[2]}{abs(minutes) % 60:02d}"
        ),
        st.datetimes(),
        st.integers(-1500, 1500),
        st.tuples(
            st.sampled_from("T t"),
            st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
            st.sampled_from([":", ""]),
        ),
    ),
    st.from_regex(
        r"[0-9]{4}-[0-3][0-9]-[0-3][0-9][T ][0-2][0-9](:[0-6][0-9]){1,2}(\.[0-9]{1,7})?(Z|[+-][0-9]{2})?",
        fullmatch=True,
    ),
    st.from_regex(r"20[0-9]{6}T[0-2][0-9]{3}([0-6][0-9])?(Z|[+-][0-2][0-9]{3})", fullmatch=True),
)


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TIMES, min_size=1, max_size=4))
def test_columns_of_times_are_read_as_one_time_is(texts: Sequence[str]) -> None:
    micros, wrong = times_from_text(pa.array(list(texts)))
    for text, number, is_wrong in zip(texts, micros.tolist(), wrong.tolist(), strict=True):
        try:
            expected = read_time(text)
        except InputError:
            assert is_wrong, text
        else:
            assert not is_wrong, text
            assert number == (expected - EPOCH) // timedelta(microseconds=1)


def test_garbage_is_read_or_refused(folder: Path) -> None:
    """Hundreds of broken copies of a good file: never anything but a table or an InputError."""
    rng = random.Random(7)
    header = f"{HEADER},to_amount,to_currency,reference"
    whole = csv(folder, *(f'{line(f"T{n}")},2,HKD,"é, {n}"' for n in range(5)), header=header).read_bytes()
    file = folder / "broken.csv"
    read = 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(content))
            content[place : place + rng.randint(0, 3)] = rng.choice(
                [b"", b'"', b",", b"\n", b"\0", b"\xff", b"9", b"\r", b"-", bytes([rng.randrange(256)])]
            )
        file.write_bytes(content)
        try:
            reading = read_transfers([file], skip_bad=True)
        except InputError:
            continue
        read += 1
        assert all(reject.reason and reject.line for reject in reading.rejects)
        assert all(row["amount_minor"] >= 0 and row["from_account"] for row in reading.table.to_pylist())
    assert read > 100
