"""Excel, goAML, IVMS101 and blockchain tables as transfers: what each becomes, and one case for each way to refuse."""

import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from comity.backends.transfers.entries import Conventions
from comity.backends.transfers.files import Reading, read_assets, read_transfers
from comity.backends.transfers.ivms101 import attach, read_parties
from comity.backends.transfers.papers import read_contracts
from comity.backends.transfers.zones import Zone
from comity.errors import InputError
from comity.tracing import Book, Rule, follow
from tests.unit import format_samples as samples
from tests.unit.format_samples import ALICE, LATER, PAYMENT, TOKEN, transaction_hash, wallet

BANGKOK = Zone.named("Asia/Bangkok")


def put(folder: Path, content: bytes, name: str) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def said(problem: Any) -> str:
    return f"{problem.value} → {problem.value.next_step}"


def short(reading: Reading) -> list[list[Any]]:
    names = ("transfer_id", "from_account", "to_account", "amount_minor", "currency")
    return [[row[name] for name in names] for row in reading.table.to_pylist()]


# --- Excel -------------------------------------------------------------------------------------------------------


def excel(folder: Path, *rows: tuple[Any, ...], zone: Zone | None = BANGKOK, **more: Any) -> Reading:
    file = put(folder, samples.workbook(*rows, **more), "book.xlsx")
    return read_transfers([file], conventions=Conventions(zone=zone))


def test_a_workbook(tmp_path: Path) -> None:
    file = put(tmp_path, samples.usual_workbook(), "anything")
    reading = read_transfers([file], conventions=Conventions(zone=BANGKOK))
    assert short(reading) == [["T1", "A", "B", 150, "EUR"], ["T2", "B", "C", 10, "EUR"]]
    assert [row["booked_at"].isoformat() for row in reading.table.to_pylist()] == [
        "2025-06-01T02:00:00+00:00", "2025-06-01T05:30:00+00:00",
    ]  # fmt: skip


def test_days_keep_the_order_of_the_rows(tmp_path: Path) -> None:
    day = date(2025, 6, 1)
    reading = excel(tmp_path, ("Z", day, "A", "B", 1, "EUR"), ("A", day, "B", "C", 1, "EUR"))
    times = {row["transfer_id"]: row["booked_at"].isoformat() for row in reading.table.to_pylist()}
    assert times == {"Z": "2025-05-31T17:00:00+00:00", "A": "2025-05-31T17:00:00.000001+00:00"}


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(samples.usual_workbook()))
    book.create_sheet("notes").append(["nothing"])
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(
        InputError, match="one sheet, or one that is named 'transfers', got 'Sheet1', 'notes'"
    ):
        read_transfers([tmp_path / "two.xlsx"])
    book["Sheet1"].title = "transfers"
    book.save(tmp_path / "two.xlsx")
    assert len(short(read_transfers([tmp_path / "two.xlsx"], conventions=Conventions(zone=BANGKOK)))) == 2


WHEN = "2025-06-01T10:00:00Z"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("T9", WHEN, 1234567, "B", 1, "EUR"), "from_account: expected text (format the cells as text"),
        (("T9", WHEN, "A", "B", 123456789012.12345, "EUR"), "a number of at most 15 digits"),
        (("T9", WHEN, "A", "B", 1.005, "EUR"), "at most 2 decimal digits"),
        (("T9", WHEN, "A", "B", -1, "EUR"), "not negative"),
        (("T9", WHEN, "A", "B", True, "EUR"), "got the truth value True"),
        (("T9", WHEN, "A", "B", "1,5", "EUR"), "'1,5'"),
        (("T9", 45000.5, "A", "B", 1, "EUR"), "a date and time, or text, got the number"),
        (("T9", WHEN, "A", "=B2", 1, "EUR"), "to_account: expected text, got nothing"),
    ],
)
def test_rows_of_excel_that_are_refused(tmp_path: Path, row: tuple[Any, ...], says: str) -> None:
    with pytest.raises(InputError) as problem:
        excel(tmp_path, ("T1", WHEN, "A", "B", "1.50", "EUR"), row)
    assert says in str(problem.value)
    assert "book.xlsx, entry 3:" in str(problem.value)


def test_an_error_of_excel_is_no_value(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without Excel's errors"):
        excel(tmp_path, ("T9", WHEN, "A", "#REF!", 1, "EUR"))


def test_excel_dates_need_a_zone(tmp_path: Path) -> None:
    when = datetime(2025, 6, 1, 12, 30)  # noqa: DTZ001 - Excel's dates have no zone
    with pytest.raises(InputError, match="--zone"):
        excel(tmp_path, ("T1", when, "A", "B", 1, "EUR"), zone=None)


def test_excel_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no from_account among 'transfer_id', 'booked_at', 'from'"):
        excel(tmp_path, header=("transfer_id", "booked_at", "from", "to_account", "amount", "currency"))


# --- goAML -------------------------------------------------------------------------------------------------------


def goaml(folder: Path, content: bytes = samples.GOAML, **schemas: bytes) -> Reading:
    named = {"main": samples.GOAML_XSD, "parties": samples.GOAML_PARTIES_XSD, **schemas}
    (folder / "xsd").mkdir(exist_ok=True)
    for name, schema in named.items():
        put(folder / "xsd", schema, f"{name}.xsd")
    conventions = Conventions(zone=BANGKOK, schema=folder / "xsd" / "main.xsd")
    return read_transfers([put(folder, content, "report.xml")], conventions=conventions)


def test_a_goaml_report(tmp_path: Path) -> None:
    reading = goaml(tmp_path)
    assert short(reading) == [
        ["4711/T-1", "A-1", "TH-9", 100_000, "EUR"],
        ["4711/T-2", "TH-9", "(not stated) to 4711/T-2", 500_000, "THB"],
    ]
    first = reading.table.to_pylist()[0]
    assert (first["to_amount_minor"], first["to_currency"]) == (3_600_000, "THB")
    assert (first["booked_at"].isoformat(), first["channel"]) == ("2025-06-02T04:03:51+00:00", "goAML BA")
    assert (first["from_institution"], first["from_country"], first["to_country"]) == ("COBADEFF", "DE", "TH")


def test_goaml_needs_the_schema_and_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--schema FILE\.xsd"):
        read_transfers([put(tmp_path, samples.GOAML, "r.xml")])
    with pytest.raises(InputError) as problem:
        goaml(tmp_path, samples.GOAML.replace(b"<amount_local>36000.00", b"<amount_local>much"))
    assert "XML that keeps its schema" in str(problem.value)
    with pytest.raises(InputError, match="amount_local"):
        goaml(tmp_path, samples.GOAML.replace(b"<amount_local>36000.00</amount_local>", b""))


@pytest.mark.parametrize(
    "location",
    [
        "../outside.xsd",
        "http://example.org/x.xsd",
        "//example.org/x.xsd",
        "file:///etc/passwd",
        "%2e%2e/o.xsd",
    ],
)
def test_a_schema_stays_in_its_folder(tmp_path: Path, location: str) -> None:
    put(tmp_path, samples.GOAML_PARTIES_XSD, "outside.xsd")
    with pytest.raises(InputError, match="only files of its own folder"):
        goaml(tmp_path, main=samples.GOAML_XSD.replace(b"parties.xsd", location.encode()))


def test_a_schema_may_not_lead_out_by_a_link_or_an_entity(tmp_path: Path) -> None:
    (tmp_path / "xsd").mkdir()
    put(tmp_path, samples.GOAML_PARTIES_XSD, "outside.xsd")
    (tmp_path / "xsd" / "link.xsd").symlink_to(tmp_path / "outside.xsd")
    with pytest.raises(InputError, match="only files of its own folder"):
        goaml(tmp_path, main=samples.GOAML_XSD.replace(b"parties.xsd", b"link.xsd"))
    entity = samples.GOAML_XSD.replace(b"<xs:schema", b'<!DOCTYPE x [<!ENTITY e SYSTEM "x">]><xs:schema', 1)
    with pytest.raises(InputError, match="without a document type"):
        goaml(tmp_path, main=entity)
    with pytest.raises(InputError, match="an XML Schema"):
        goaml(tmp_path, main=b"<nothing/>")


# --- IVMS101 -----------------------------------------------------------------------------------------------------


def with_parties(folder: Path, lines: bytes) -> dict[str, Any]:
    table = read_transfers([put(folder, samples.pacs008(), "p.xml")]).table
    table = table.set_column(8, "from_institution", pa.nulls(1, pa.string()))
    file = put(folder, lines, "ivms.jsonl")
    return dict(attach(table, read_parties(file), str(file)).to_pylist()[0])


def test_who_sent_and_received(tmp_path: Path) -> None:
    row = with_parties(tmp_path, samples.ivms101())
    assert row["from_institution"] == "VASP One"
    assert row["reference"] == "Invoice 4562; originator: Alice Wunderland"
    assert (row["from_country"], row["to_institution"]) == ("DE", "PSSTFRPPXXX")
    pascal = (
        samples.ivms101()
        .replace(b'"originator"', b'"Originator"')
        .replace(b"originatingVASP", b"OriginatingVASP")
    )
    assert with_parties(tmp_path, pascal) == row


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (samples.ivms101(account="X"), f"expected originator.accountNumber with '{ALICE}', got X"),
        (samples.ivms101("other"), "expected a transfer of this import, got 'other'"),
        (samples.ivms101() * 2, "each transfer once"),
        (b"[]\n", "a JSON object"),
        (b"{}\n", "transfer_id"),
        (
            samples.ivms101().replace(b'["' + ALICE.encode() + b'"]', b'"' + ALICE.encode() + b'"'),
            "accountNumber as a list",
        ),
        (b'{"transfer_id": "x", "ivms101": {"originator": []}}', "originator as an object"),
        (b'{"transfer_id": "x", "transfer_id": "y"}', "each key once"),
    ],
)
def test_parties_that_are_refused(tmp_path: Path, lines: bytes, says: str) -> None:
    with pytest.raises(InputError) as problem:
        with_parties(tmp_path, lines)
    assert says in str(problem.value)
    assert "ivms.jsonl, line" in str(problem.value)


# --- Bitcoin -----------------------------------------------------------------------------------------------------

BITCOIN = [
    [f"{'c' * 64}/in/000000", "coinbase", f"tx:{'c' * 64}", 625_001_000],
    [f"{'c' * 64}/out/000000", f"tx:{'c' * 64}", "miner", 625_001_000],
    [f"{PAYMENT}/in/000000", "alice1", f"tx:{PAYMENT}", 3_000],
    [f"{PAYMENT}/in/000001", "alice2", f"tx:{PAYMENT}", 2_000],
    [f"{PAYMENT}/out/000000", f"tx:{PAYMENT}", "bob", 3_500],
    [f"{PAYMENT}/out/000001", f"tx:{PAYMENT}", "alice1", 500],
    [f"{PAYMENT}/out/fee", f"tx:{PAYMENT}", "fees:100", 1_000],
    [f"{LATER}/in/000000", "bob", f"tx:{LATER}", 3_500],
    [f"{LATER}/out/000000", f"tx:{LATER}", "carol", 3_400],
    [f"{LATER}/out/fee", f"tx:{LATER}", "fees:101", 100],
]


def test_bitcoin_transactions(tmp_path: Path) -> None:
    reading = read_transfers([put(tmp_path, samples.bitcoin_lines(), "transactions.json")])
    assert [row[:4] for row in short(reading)] == BITCOIN
    assert set(reading.table["currency"].to_pylist()) == {"BTC"}


def test_bitcoin_in_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(samples.bitcoin()), tmp_path / "t.parquet")
    assert [row[:4] for row in short(read_transfers([tmp_path / "t.parquet"]))] == BITCOIN


def test_bitcoin_stands_in_the_order_of_the_chain(tmp_path: Path) -> None:
    """The later block is dated earlier, and still comes after; within a transaction inputs come first."""
    table = read_transfers([put(tmp_path, samples.bitcoin_lines(), "t.json")]).table
    book = Book.from_table(table)
    ids = [book.text("transfer_id", event) for event in range(len(book))]
    assert ids == [row[0] for row in BITCOIN]


def test_stolen_bitcoin_is_followed_through_transactions(tmp_path: Path) -> None:
    """First in, first out: alice1's 3,000 go to bob first, then all of it but the fee's 100 to carol."""
    book = Book.from_table(read_transfers([put(tmp_path, samples.bitcoin_lines(), "t.json")]).table)
    found = follow(book, rule=Rule.FIFO, claims={f"{PAYMENT}/in/000000": None})
    assert {(one.account, one.tainted_minor) for one in found.holdings} == {("carol", 3_000)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hash": "xyz"}, "hash, 64 hexadecimal digits"),
        ({"block_number": None}, "block_number, an integer"),
        ({"index": 0}, "transactions in the order of the chain"),
        ({"inputs": [{"index": 0, "addresses": ["a"], "value": 1}]}, "inputs that cover the outputs"),
        ({"inputs": [{"index": 0, "addresses": ["a"]}]}, "value, an integer"),
        ({"inputs": None}, "a list of inputs"),
        ({"outputs": [{"index": 0, "addresses": "bob", "value": 1}]}, "addresses as a list"),
        ({"outputs": [{"index": 0, "value": 2**63}]}, "integers of at most 64 bits"),
        ({"outputs": [{"index": 0, "value": 1}] * 2}, "an index twice"),
        ({"block_timestamp": 10**12}, "before the year 10000"),
    ],
)
def test_bitcoin_that_is_refused(tmp_path: Path, change: Mapping[str, Any], says: str) -> None:
    transactions = samples.bitcoin()
    transactions[1] |= change
    lines = "\n".join(json.dumps(one) for one in transactions)
    with pytest.raises(InputError) as problem:
        read_transfers([put(tmp_path, lines.encode(), "t.json")])
    assert says in said(problem)


# --- Ethereum ----------------------------------------------------------------------------------------------------


def ethereum(folder: Path, assets: bytes = samples.ETHEREUM_ASSETS, **changed: bytes) -> Reading:
    tables = folder / "tables"
    tables.mkdir(exist_ok=True)
    for name, content in {
        **samples.ethereum(),
        **{f"{name}.csv": value for name, value in changed.items()},
    }.items():
        put(tables, content, name)
    declared = put(folder, assets, "assets.csv")
    conventions = Conventions(assets=read_assets(declared), contracts=read_contracts(declared))
    return read_transfers([tables], conventions=conventions)


def test_ethereum_tables(tmp_path: Path) -> None:
    """A failed transaction moves its fee only; what is below the declared decimals is rounded down, and said."""
    reading = ethereum(tmp_path)
    fee = 21_000
    expected = [
        [transaction_hash(1), wallet("a"), wallet("b"), 1_500_000_000, "ETH"],
        [f"{transaction_hash(1)}/fee", wallet("a"), "fees:200", fee, "ETH"],
        [f"{transaction_hash(2)}/fee", wallet("b"), "fees:200", fee, "ETH"],
        [f"{transaction_hash(3)}/fee", wallet("b"), "fees:200", fee, "ETH"],
        [f"{transaction_hash(3)}/log/000004", wallet("b"), wallet("e"), 2_500_000, "USDT"],
        [f"{transaction_hash(3)}/log/000006", f"minted:{TOKEN}", wallet("e"), 1, "USDT"],
    ]
    assert sorted(short(reading)) == sorted(expected)
    ids = Book.from_table(reading.table)
    assert [ids.text("transfer_id", event) for event in range(len(ids))] == [row[0] for row in expected]
    assert [note.split(": ")[-1] for note in reading.notes] == [
        "1 amounts of ETH were rounded down to 9 decimals", "1 transfers of assets that are not declared were left out",
    ]  # fmt: skip


def test_an_amount_beyond_64_bits(tmp_path: Path) -> None:
    whole = samples.ETHEREUM_ASSETS.replace(b"ETH,9", b"ETH,18")
    huge = samples.ethereum()["transactions.csv"].replace(b"1500000000000000007", str(2**256 - 1).encode())
    with pytest.raises(InputError, match=r"fits 64 bits with 18 decimals.*declare fewer decimals"):
        ethereum(tmp_path, whole, transactions=huge)
    with pytest.raises(InputError, match=r"an integer below 2\^256"):
        ethereum(tmp_path, transactions=huge.replace(str(2**256 - 1).encode(), str(2**256).encode()))


@pytest.mark.parametrize(
    ("table", "old", "new", "says"),
    [
        ("receipts", b",1,1000000000", b",,1000000000", "status 1 (succeeded) or 0 (failed), got ''"),
        ("receipts", transaction_hash(2).encode(), transaction_hash(9).encode(), "a receipt of 0x"),
        ("token_transfers", transaction_hash(3).encode(), transaction_hash(2).encode(), "failed"),
        (
            "token_transfers",
            transaction_hash(3).encode(),
            transaction_hash(9).encode(),
            "its transaction and receipt",
        ),
        ("transactions", transaction_hash(2).encode(), transaction_hash(1).encode(), "each transaction once"),
        ("transactions", b"1748800000", b"yesterday", "block_timestamp, seconds since 1970"),
        ("transactions", wallet("a").encode(), b"0xzz", "an address such as 0x1f"),
        (
            "transactions",
            b"1000000000000000000,21000",
            b"1e18,21000",
            "value, an integer below 2^256, got '1e18'",
        ),
    ],
)
def test_ethereum_that_is_refused(tmp_path: Path, table: str, old: bytes, new: bytes, says: str) -> None:
    with pytest.raises(InputError) as problem:
        ethereum(tmp_path, **{table: samples.ethereum()[f"{table}.csv"].replace(old, new)})
    assert says in said(problem)


def test_ethereum_needs_all_its_tables_and_declared_assets(tmp_path: Path) -> None:
    alone = put(tmp_path, samples.ethereum()["transactions.csv"], "transactions.csv")
    with pytest.raises(InputError, match="no receipts"):
        read_transfers([alone])
    with pytest.raises(InputError, match="the assets that are taken from the chain") as problem:
        ethereum(tmp_path, b"id,decimals\nETH,9\n")
    assert "contract,contract_decimals" in said(problem)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"X,2,0x12,3", "native, or a contract"), (b"X,2,native,3\nY,2,NATIVE,3", "each contract once"),
        (b"X,2,native,x", "contract_decimals from 0 to 99"),
    ],
)  # fmt: skip
def test_contracts_that_are_refused(tmp_path: Path, line: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_contracts(put(tmp_path, b"id,decimals,contract,contract_decimals\n" + line + b"\n", "a.csv"))
