"""Messages and statements of banks as transfers: what each becomes, and one case for each way to refuse."""

from pathlib import Path
from typing import Any

import pytest

from comity.backends.transfers.entries import Conventions
from comity.backends.transfers.files import Reading, read_transfers
from comity.backends.transfers.formats import format_of, read_recalls
from comity.backends.transfers.zones import Zone
from comity.errors import InputError
from tests.unit import format_samples as samples
from tests.unit.format_samples import ALICE, BOB, CAROL, OTHER_UETR, UETR, entry, statement

PARIS = Conventions(zone=Zone.named("Europe/Paris"))


def put(folder: Path, content: bytes, name: str = "f.xml") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def read(folder: Path, *contents: bytes, conventions: Conventions = PARIS, **more: Any) -> Reading:
    files = [put(folder, content, f"f{place}") for place, content in enumerate(contents)]
    return read_transfers(files, conventions=conventions, **more)


def rows(reading: Reading) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if value is not None}
        | {"booked_at": row["booked_at"].isoformat()}
        for row in reading.table.to_pylist()
    ]


def refused(folder: Path, *contents: bytes, **more: Any) -> str:
    with pytest.raises(InputError) as problem:
        read(folder, *contents, **more)
    return f"{problem.value} → {problem.value.next_step}"


ALICE_PAID_BOB = {
    "transfer_id": UETR, "booked_at": "2025-06-02T08:30:00+00:00", "from_account": ALICE, "to_account": BOB,
    "amount_minor": 100_000, "currency": "EUR", "from_institution": "COBADEFFXXX", "to_institution": "PSSTFRPPXXX",
    "from_country": "DE", "to_country": "FR", "channel": "pacs.008", "reference": "Invoice 4562",
}  # fmt: skip


@pytest.mark.parametrize("version", ["08", "09", "10", "12"])
def test_a_credit_transfer(tmp_path: Path, version: str) -> None:
    assert rows(read(tmp_path, samples.pacs008(version), conventions=Conventions())) == [ALICE_PAID_BOB]


@pytest.mark.parametrize("version", ["02", "03", "06"])
def test_an_old_credit_transfer_has_no_uetr(tmp_path: Path, version: str) -> None:
    (row,) = rows(read(tmp_path, samples.pacs008(version)))
    assert row == {**ALICE_PAID_BOB, "transfer_id": "TX-1"}


def test_messages_in_an_envelope(tmp_path: Path) -> None:
    """As they come with business application headers, several in one file."""
    bodies = [samples.pacs008(uetr=UETR), samples.pacs008("10", uetr=OTHER_UETR)]
    inner = b"".join(body.split(b"?>", 1)[1] for body in bodies)
    header = (
        b'<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02"><BizMsgIdr>1</BizMsgIdr></AppHdr>'
    )
    reading = read(tmp_path, b"<BizMsgEnvlp>" + header + inner + b"</BizMsgEnvlp>")
    assert [row["transfer_id"] for row in rows(reading)] == [UETR, OTHER_UETR]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'Ccy="EUR"', b'Ccy="EUX"', "'EUX'"),
        (b"1000.00", b"1000.001", "at most 2 decimal digits"),
        (b"1000.00", b"-1", "an amount such as 1234.56, got '-1'"),
        (b"1000.00", b"1e3", "'1e3'"),
        (b"<IntrBkSttlmDt>2025-06-02</IntrBkSttlmDt>", b"", "expected IntrBkSttlmDt, got none"),
        (
            b"<IntrBkSttlmDt>2025-06-02</IntrBkSttlmDt>",
            b"<IntrBkSttlmDt>2025-06-31</IntrBkSttlmDt>",
            "2025-06-31",
        ),
        (b"<PmtId>", b"<PmtIdx>", "Opening and ending tag mismatch"),
        (b"pacs.008.001.08", b"pacs.008.001.99", "an ISO 20022 message"),
        (b"pacs.008.001.08", b"pain.001.001.03", "got 'pain.001.001.03'"),
        (b":xsd:pacs", b":}xsd:pacs", "a namespace without braces"),
    ],
)
def test_credit_transfers_that_are_refused(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    problem = refused(tmp_path, samples.pacs008().replace(old, new))
    assert says in problem
    assert str(tmp_path / "f0") in problem


def test_zeros_that_mean_nothing_in_xml(tmp_path: Path) -> None:
    paid = samples.pacs008(amount="1000.00000").replace(b'Ccy="EUR"', b'Ccy="JPY"')
    (row,) = rows(read(tmp_path, paid))
    assert (row["amount_minor"], row["currency"]) == (1000, "JPY")


def test_a_date_without_a_time_needs_a_zone(tmp_path: Path) -> None:
    later = samples.pacs008().replace(b"<IntrBkSttlmDt>2025-06-02", b"<IntrBkSttlmDt>2025-06-03")
    assert "--zone Europe/Berlin" in refused(tmp_path, later, conventions=Conventions())
    (row,) = rows(read(tmp_path, later))
    assert row["booked_at"] == "2025-06-02T22:00:00+00:00"


def test_a_conversion_only_where_the_account_is_in_the_instructed_currency(tmp_path: Path) -> None:
    instructed = samples.pacs008().replace(b"<ChrgBr>", b'<InstdAmt Ccy="USD">1100.00</InstdAmt><ChrgBr>')
    assert "to_currency" not in rows(read(tmp_path, instructed))[0]
    account = f"<IBAN>{ALICE}</IBAN></Id>".encode()
    (row,) = rows(read(tmp_path, instructed.replace(account, account + b"<Ccy>USD</Ccy>")))
    assert [row[name] for name in ("amount_minor", "currency", "to_amount_minor", "to_currency")] == [
        110_000, "USD", 100_000, "EUR",
    ]  # fmt: skip


def test_parties_without_accounts_are_accounts_of_their_own(tmp_path: Path) -> None:
    nameless = samples.pacs008().replace(b"DbtrAcct", b"DbtrAgtAcct").replace(b"CdtrAcct", b"CdtrAgtAcct")
    (row,) = rows(read(tmp_path, nameless))
    assert (row["from_account"], row["to_account"]) == (
        f"(not stated) from {UETR}",
        f"(not stated) to {UETR}",
    )


# --- returns -----------------------------------------------------------------------------------------------------

BOB_RETURNED = {
    "transfer_id": f"{UETR}/return/R-77", "booked_at": "2025-06-05T09:00:00+00:00", "from_account": BOB,
    "to_account": ALICE, "amount_minor": 40_000, "currency": "EUR", "from_institution": "PSSTFRPPXXX",
    "to_institution": "COBADEFFXXX", "from_country": "FR", "to_country": "DE", "channel": "pacs.004",
    "reference": f"return of {UETR}: FOCR",
}  # fmt: skip


@pytest.mark.parametrize("version", ["02", "09", "14"])
def test_a_return_goes_the_other_way(tmp_path: Path, version: str) -> None:
    assert rows(read(tmp_path, samples.pacs004(version))) == [BOB_RETURNED]


@pytest.mark.parametrize("first", ["original", "return"])
def test_a_return_finds_its_original_in_the_import(tmp_path: Path, first: str) -> None:
    contents = [samples.pacs008(), samples.pacs004(accounts=False)]
    reading = read(tmp_path, *(contents if first == "original" else contents[::-1]))
    assert sorted(rows(reading), key=lambda row: len(row["transfer_id"])) == [ALICE_PAID_BOB, BOB_RETURNED]


def test_a_return_finds_its_original_in_the_book(tmp_path: Path) -> None:
    book = read(tmp_path, samples.pacs008()).table
    asked: list[str] = []

    def known(ids: Any) -> list[dict[str, Any]]:
        asked.extend(ids)
        return list(book.to_pylist())

    assert rows(read(tmp_path, samples.pacs004(accounts=False), originals=known)) == [BOB_RETURNED]
    assert asked == [UETR]


def test_a_return_of_what_nobody_knows(tmp_path: Path) -> None:
    problem = refused(tmp_path, samples.pacs004(accounts=False))
    assert f"its original '{UETR}' in this import or in the book, got neither" in problem
    assert "OrgnlUETR" in refused(
        tmp_path, samples.pacs004().replace(b"OrgnlUETR", b"X").replace(b"OrgnlEndToEndId", b"Y")
    )


# --- statements --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["02", "06", "08", "12"])
def test_a_statement(tmp_path: Path, version: str) -> None:
    content = samples.bobs_statement().replace(b"camt.053.001.08", f"camt.053.001.{version}".encode())
    if int(version) < 8:
        content = content.replace(b"<Sts><Cd>BOOK</Cd></Sts>", b"<Sts>BOOK</Sts>").replace(
            b"<Sts><Cd>PDNG</Cd></Sts>", b"<Sts>PDNG</Sts>"
        )
    reading = read(tmp_path, content)
    short = [
        [row[name] for name in ("transfer_id", "from_account", "to_account", "amount_minor", "booked_at")]
        for row in rows(reading)
    ]
    assert short == [
        [UETR, ALICE, BOB, 100_000, "2025-06-01T22:00:00+00:00"],
        [f"{BOB}/B2", BOB, CAROL, 30_000, "2025-06-01T22:00:00.000001+00:00"],
        [f"{BOB}/B3", BOB, f"(not stated) to {BOB}/B3", 500, "2025-06-01T22:00:00.000002+00:00"],
    ]
    (opening,) = reading.openings
    assert (opening.account, opening.currency, opening.minor) == (BOB, "EUR", 50_000)
    assert opening.at.isoformat() == "2025-06-01T21:59:59.999999+00:00"


def test_entries_must_lead_to_the_closing_balance(tmp_path: Path) -> None:
    short = samples.bobs_statement().replace(b"1195.00", b"1195.01")
    problem = refused(tmp_path, short)
    assert "expected entries that lead from 50000 to 119501 EUR (minor units), got 119500" in problem
    assert "ask the bank for it again" in problem


def test_an_overdrawn_account_opens_with_nothing(tmp_path: Path) -> None:
    content = samples.camt053(statement(BOB, entry("30", "CRDT", "B1"), opening="20.00", closing="10.00"))
    content = content.replace(b"</Amt>\n    <CdtDbtInd>CRDT", b"</Amt>\n    <CdtDbtInd>DBIT", 1)
    (opening,) = read(tmp_path, content).openings
    assert opening.minor == 0


@pytest.mark.parametrize(("kind", "at"), [("OPBD", "2025-06-01T21"), ("PRCD", "2025-06-02T21")])
def test_a_balance_that_closed_a_day_opens_the_next(tmp_path: Path, kind: str, at: str) -> None:
    """PRCD is dated by the day that it closed, with all its entries (ISO 20022, external balance types)."""
    (opening,) = read(tmp_path, samples.bobs_statement().replace(b"OPBD", kind.encode())).openings
    assert opening.at.isoformat() == f"{at}:59:59.999999+00:00"


@pytest.mark.parametrize(("kind", "when"), [("OPBD", "0001-01-01"), ("PRCD", "9999-12-31")])
def test_a_balance_at_the_edge_of_time_is_refused(tmp_path: Path, kind: str, when: str) -> None:
    content = samples.bobs_statement().replace(b"OPBD", kind.encode())
    content = content.replace(b"<Dt><Dt>2025-06-02", f"<Dt><Dt>{when}".encode(), 1)
    problem = refused(tmp_path, content, conventions=Conventions(zone=Zone.named("Z")))
    assert f"expected a year from 1 to 9999, got '{when}'" in problem


def test_details_of_a_collected_entry_are_transfers_of_their_own(tmp_path: Path) -> None:
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>E{place}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>'
        f"<RltdPties><CdtrAcct><Id><Othr><Id>ACC-{place}</Id></Othr></Id></CdtrAcct></RltdPties></TxDtls>"
        for place, amount in ((1, "10.00"), (2, "20.00"))
    )
    collected = entry("30.00", "DBIT", "B1")
    start, end = collected.index("<TxDtls>"), collected.index("</NtryDtls>")
    content = samples.camt053(statement(BOB, collected[:start] + details + collected[end:]))
    found = [
        (row["transfer_id"], row["to_account"], row["amount_minor"]) for row in rows(read(tmp_path, content))
    ]
    assert found == [(f"{BOB}/B1/1", "ACC-1", 1000), (f"{BOB}/B1/2", "ACC-2", 2000)]
    assert "details that sum to the entry's 30.01" in refused(tmp_path, content.replace(b"30.00", b"30.01"))


@pytest.mark.parametrize("swap", [False, True])
def test_both_sides_of_a_transfer_are_one(tmp_path: Path, swap: bool) -> None:
    """Its time is the payer's, whichever statement comes first."""
    alices = statement(
        ALICE, entry("1000.00", "DBIT", "A1", other=BOB, when="2025-06-02T09:00:00+02:00", uetr=UETR)
    )
    contents = [samples.camt053(alices), samples.bobs_statement()]
    reading = read(tmp_path, *(contents[::-1] if swap else contents))
    (both,) = [row for row in rows(reading) if row["transfer_id"] == UETR]
    assert both["booked_at"] == "2025-06-02T07:00:00+00:00"
    assert reading.table.num_rows == 3


def test_two_statements_that_disagree_about_a_transfer(tmp_path: Path) -> None:
    alices = statement(ALICE, entry("1000.01", "DBIT", "A1", other=BOB, uetr=UETR))
    assert "expected each once" in refused(tmp_path, samples.camt053(alices), samples.bobs_statement())
    assert "expected each once" in refused(tmp_path, samples.bobs_statement(), samples.bobs_statement())


def reversed_entry(side: str, *, reference: str = "R1", said: str = "true", uetr: str = "") -> str:
    """An entry that takes another back: Alice's payment to Bob. Its parties are that payment's."""
    account = "<{0}Acct><Id><IBAN>{1}</IBAN></Id></{0}Acct>"
    parties = f"<RltdPties>{account.format('Dbtr', ALICE)}{account.format('Cdtr', BOB)}</RltdPties>"
    plain = entry("1000.00", side, reference, uetr=uetr).replace("<RmtInf>", f"{parties}<RmtInf>")
    return plain.replace("</CdtDbtInd>", f"</CdtDbtInd><RvslInd>{said}</RvslInd>")


@pytest.mark.parametrize("said", ["true", "1"])
@pytest.mark.parametrize(("owner", "side"), [(BOB, "DBIT"), (ALICE, "CRDT")])
def test_a_reversal_goes_back_to_the_original_debtor(
    tmp_path: Path, owner: str, side: str, said: str
) -> None:
    content = samples.camt053(statement(owner, reversed_entry(side, said=said)))
    (row,) = rows(read(tmp_path, content))
    assert (row["from_account"], row["to_account"], row["amount_minor"]) == (BOB, ALICE, 100_000)
    assert row["transfer_id"] == f"{owner}/R1/reversal"


def test_a_reversal_is_no_repetition_of_its_original(tmp_path: Path) -> None:
    """It has the original's UETR; and both its statements tell of one reversal."""
    paid = entry("1000.00", "CRDT", "B1", other=ALICE, uetr=UETR)
    bobs = samples.camt053(statement(BOB, paid, reversed_entry("DBIT", uetr=UETR)))
    alices = samples.camt053(statement(ALICE, reversed_entry("CRDT", uetr=UETR)))
    found = [
        (row["transfer_id"], row["from_account"], row["to_account"])
        for row in rows(read(tmp_path, bobs, alices))
    ]
    assert found == [(UETR, ALICE, BOB), (f"{UETR}/reversal", BOB, ALICE)]


@pytest.mark.parametrize(("side", "said"), [("DBIT", "false"), ("DBIT", ""), ("CRDT", "true")])
def test_an_account_does_not_pay_itself(tmp_path: Path, side: str, said: str) -> None:
    content = samples.camt053(statement(BOB, reversed_entry(side, said=said)))
    assert "expected another account than the statement's own" in refused(tmp_path, content)


def test_a_reversal_is_one_or_is_none(tmp_path: Path) -> None:
    content = samples.camt053(statement(BOB, reversed_entry("DBIT", said="yes")))
    assert "expected RvslInd true or false, got 'yes'" in refused(tmp_path, content)


def test_cash_is_called_cash(tmp_path: Path) -> None:
    content = samples.camt053(statement(BOB, entry("30", "DBIT", "B1")))
    content = content.replace(b"RCDT", b"CCRD").replace(b"ESCT", b"CWDL")
    assert rows(read(tmp_path, content))[0]["channel"] == "cash"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<CdtDbtInd>DBIT", b"<CdtDbtInd>BOTH", "CdtDbtInd CRDT or DBIT"),
        (b"<AcctSvcrRef>B2</AcctSvcrRef>", b"", "a reference of the entry"),
        (b'<Amt Ccy="EUR">300.00', b'<Amt Ccy="USD">300.00', "an entry in EUR, got 'USD'"),
        (b"<Dt>2025-06-02</Dt></BookgDt>", b"</BookgDt>", "BookgDt"),
    ],
)
def test_entries_that_are_refused(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    assert says in refused(tmp_path, samples.bobs_statement().replace(old, new))


@pytest.mark.parametrize(
    ("zone", "when", "says"),
    [
        ("Europe/Paris", "2025-10-26T02:30:00", "shown twice or never"),
        ("Europe/Paris", "2025-03-30T02:30:00", "shown twice or never"),
        ("Nowhere/City", "2025-06-02T02:30:00", "'Nowhere/City'"),
        ("../etc/passwd", "2025-06-02T02:30:00", "expected a time zone"),
        ("+25:00", "2025-06-02T02:30:00", "expected a time zone"),
    ],
)
def test_zones_and_times_that_are_refused(tmp_path: Path, zone: str, when: str, says: str) -> None:
    content = samples.camt053(statement(BOB, entry("30", "DBIT", "B1", when=when)))
    with pytest.raises(InputError) as problem:
        read(tmp_path, content, conventions=Conventions(zone=Zone.named(zone)))
    assert says in str(problem.value)


# --- MT ----------------------------------------------------------------------------------------------------------


def test_an_mt103(tmp_path: Path) -> None:
    assert rows(read(tmp_path, samples.mt103(), conventions=Conventions())) == [
        ALICE_PAID_BOB
        | {"channel": "MT103", "from_institution": "COBADEFF", "to_institution": "PSSTFRPP"}
        | {"reference": "INVOICE 4562 PART ONE"}
    ]


def test_many_messages_as_banks_write_them(tmp_path: Path) -> None:
    contents = [
        samples.mt103(),
        samples.mt103(uetr=OTHER_UETR, reference="BBBB-2"),
        samples.mt199(),
        samples.mt202cov(),
    ]
    for between in (b"", b"\r\n", b"$", b"\x03\x01"):
        reading = read(tmp_path, between.join(contents))
        assert [row["transfer_id"] for row in rows(reading)] == [UETR, OTHER_UETR]
        assert reading.notes[0].endswith(
            "left out 1 MT199, 1 MT202COV: banks' own transfers and covers, and words about payments "
            "(comity recall show)"
        )


def test_an_mt103_that_returns_another(tmp_path: Path) -> None:
    returned = samples.mt103(uetr="", more=":72:/RETN/59\r\n/AC03/\r\n/MREF/PAY-1\r\n")
    (row,) = rows(read(tmp_path, returned))
    assert (row["transfer_id"], row["reference"]) == ("COBADEFF/BBBB-1", "return of PAY-1")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b":32A:250602EUR1000,", b":32A:250602EUR1000", "32A such as 250601EUR1234,56"),
        (b":32A:250602EUR1000,", b":32A:250632EUR1000,", "2025-06-32"),
        (b":32A:250602EUR1000,", b":32A:250602EUR1000,555", "at most 2 decimal digits"),
        (b":32A:", b":32B:", "expected field 32A, got none"),
        (b":20:", b":2O:", "a field such as :32A:"),
        (b"+0200", b"0200", "13C such as"),
        (b"I103", b"I101", "expected MT103, got MT101"),
        (b"-}", b"}", "block 4 to end with -}"),
        (b"F01COBADEFFAXXX", b"F01COBA", "block 1 such as"),
        (b"I103PSSTFRPPXXXXN", b"I1", "block 2 such as"),
        (b"ALICE", b"ALIC\xc9", "a SWIFT message in ASCII"),
        (b"PSSTFRPP\r\n:59", b"POSTBANK PARIS\r\n:59", "a BIC in 57A"),
        (b"{5:{CHK:123456789ABC}}", b"{5:{CHK:123456789ABC}", "a block that ends with }"),
    ],
)
def test_mt_messages_that_are_refused(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    assert says in refused(tmp_path, samples.mt103().replace(old, new))


def test_a_broken_message_does_not_break_the_next(tmp_path: Path) -> None:
    contents = samples.mt103().replace(b":32A:", b":32B:") + samples.mt103(uetr=OTHER_UETR)
    reading = read(tmp_path, contents, skip_bad=True)
    assert [row["transfer_id"] for row in rows(reading)] == [OTHER_UETR]
    assert [(one.line, one.counted) for one in reading.rejects] == [(1, "entry")]


# --- recalls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["08", "11"])
def test_a_request_to_cancel(tmp_path: Path, version: str) -> None:
    (recall,) = read_recalls(put(tmp_path, samples.camt056(version)))
    assert (recall.kind, recall.id, recall.case, recall.original) == ("request", "C-1", "CASE-9", UETR)
    assert (recall.asked_by, recall.asked_of) == ("COBADEFFXXX", "PSSTFRPPXXX")
    assert (recall.amount, recall.currency, recall.reasons) == ("1000.00", "EUR", ("FRAD",))
    assert recall.text == "Invoice fraud"


@pytest.mark.parametrize("version", ["06", "09", "13"])
def test_an_answer(tmp_path: Path, version: str) -> None:
    (recall,) = read_recalls(put(tmp_path, samples.camt029(version)))
    assert (recall.kind, recall.case, recall.status, recall.reasons) == (
        "answer",
        "CASE-9",
        "RJCR",
        ("CUST",),
    )
    assert recall.original == UETR


def test_recalls_in_mt(tmp_path: Path) -> None:
    words, answer = read_recalls(put(tmp_path, samples.mt199() + samples.mt103() + samples.mt196()))
    assert (words.kind, words.original, words.reasons) == ("message", UETR, ("FRAD",))
    assert words.text == "/FRAD/ PLEASE RETURN THE FUNDS OF OUR CUSTOMER"
    assert (answer.kind, answer.original, answer.status, answer.reasons) == (
        "answer",
        "BBBB-1",
        "RJCR",
        ("CUST",),
    )
    assert (answer.asked_by, answer.asked_of) == ("PSSTFRPP", "COBADEFF")


def test_a_recall_is_no_transfer_and_a_transfer_no_recall(tmp_path: Path) -> None:
    assert "comity recall show" in refused(tmp_path, samples.camt056())
    for content in (samples.pacs008(), samples.mt103(), b"a,b\n"):
        with pytest.raises(InputError):
            list(read_recalls(put(tmp_path, content)))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (samples.pacs008(), "iso20022"), (samples.bobs_statement(), "iso20022"), (samples.mt103(), "mt"),
        (samples.usual_workbook(), "xlsx"), (samples.GOAML, "goaml"), (samples.bitcoin_lines(), "bitcoin-etl"),
        (samples.ethereum()["receipts.csv"], "ethereum-etl"), (b"transfer_id,booked_at\n", "csv"), (b"", "csv"),
        (b"\xef\xbb\xbf" + samples.pacs008(), "iso20022"), (b"PAR1", "parquet"),
    ],
)  # fmt: skip
def test_formats_are_known_by_their_content(tmp_path: Path, content: bytes, name: str) -> None:
    assert format_of(put(tmp_path, content)) == name
