"""Small files as banks, FIUs and exporters write them, made after the published structure of each format."""

import io
import json
from datetime import datetime
from typing import Any

import openpyxl

UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"
OTHER_UETR = "8a562c67-ca16-48ba-b074-65581be6f001"
ALICE, BOB, CAROL = "DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300"
PREFIX = "urn:iso:std:iso:20022:tech:xsd:"


def agent(bic: str, tag: str = "BICFI") -> str:
    return f"<FinInstnId><{tag}>{bic}</{tag}></FinInstnId>"


def pacs008(version: str = "08", *, more: str = "", uetr: str = UETR, amount: str = "1000.00") -> bytes:
    """A customer credit transfer from Alice to Bob."""
    tag = "BIC" if int(version) < 3 else "BICFI"
    named = f"<UETR>{uetr}</UETR>" if int(version) >= 7 else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PREFIX}pacs.008.001.{version}">
 <FIToFICstmrCdtTrf>
  <GrpHdr>
   <MsgId>BBBB/150928-CT/EUR/912</MsgId><CreDtTm>2025-06-02T10:30:00+02:00</CreDtTm><NbOfTxs>1</NbOfTxs>
   <SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf>
  </GrpHdr>
  <CdtTrfTxInf>
   <PmtId><InstrId>BBBB/1</InstrId><EndToEndId>ABC/4562/2025-06-02</EndToEndId><TxId>TX-1</TxId>{named}</PmtId>
   <IntrBkSttlmAmt Ccy="EUR">{amount}</IntrBkSttlmAmt>
   <IntrBkSttlmDt>2025-06-02</IntrBkSttlmDt>
   <ChrgBr>SHAR</ChrgBr>
   <Dbtr><Nm>Alice</Nm></Dbtr>
   <DbtrAcct><Id><IBAN>{ALICE}</IBAN></Id></DbtrAcct>
   <DbtrAgt>{agent("COBADEFFXXX", tag)}</DbtrAgt>
   <CdtrAgt>{agent("PSSTFRPPXXX", tag)}</CdtrAgt>
   <Cdtr><Nm>Bob</Nm></Cdtr>
   <CdtrAcct><Id><IBAN>{BOB}</IBAN></Id></CdtrAcct>
   <RmtInf><Ustrd>Invoice 4562</Ustrd></RmtInf>
  </CdtTrfTxInf>{more}
 </FIToFICstmrCdtTrf>
</Document>""".encode()


def pacs004(version: str = "09", *, accounts: bool = True, original: str = UETR) -> bytes:
    """Bob's bank returns 400 of what Alice paid."""
    named = (
        f"<OrgnlUETR>{original}</OrgnlUETR>" if int(version) >= 9 else f"<OrgnlTxId>{original}</OrgnlTxId>"
    )
    repeated = f"""<OrgnlTxRef>
    <DbtrAcct><Id><IBAN>{ALICE}</IBAN></Id></DbtrAcct><DbtrAgt>{agent("COBADEFFXXX")}</DbtrAgt>
    <CdtrAgt>{agent("PSSTFRPPXXX")}</CdtrAgt><CdtrAcct><Id><IBAN>{BOB}</IBAN></Id></CdtrAcct></OrgnlTxRef>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PREFIX}pacs.004.001.{version}"><PmtRtr>
  <GrpHdr><MsgId>RET-1</MsgId><CreDtTm>2025-06-05T09:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs>
   <SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf></GrpHdr>
  <TxInf>
   <RtrId>R-77</RtrId><OrgnlEndToEndId>ABC/4562/2025-06-02</OrgnlEndToEndId>{named}
   <RtrdIntrBkSttlmAmt Ccy="EUR">400</RtrdIntrBkSttlmAmt><IntrBkSttlmDt>2025-06-05</IntrBkSttlmDt>
   <RtrRsnInf><Rsn><Cd>FOCR</Cd></Rsn></RtrRsnInf>{repeated if accounts else ""}
  </TxInf></PmtRtr></Document>""".encode()


def entry(
    amount: str, side: str, reference: str, *, other: str = "", when: str = "2025-06-02", uetr: str = "",
    more: str = "", status: str = "<Sts><Cd>BOOK</Cd></Sts>",
) -> str:  # fmt: skip
    role = "Cdtr" if side == "DBIT" else "Dbtr"
    party = f"<RltdPties><{role}Acct><Id><IBAN>{other}</IBAN></Id></{role}Acct></RltdPties>" if other else ""
    named = f"<UETR>{uetr}</UETR>" if uetr else ""
    booked = f"<DtTm>{when}</DtTm>" if "T" in when else f"<Dt>{when}</Dt>"
    return f"""<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}
    <BookgDt>{booked}</BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId>{named}</Refs>{party}
    <RmtInf><Ustrd>Rent</Ustrd></RmtInf></TxDtls></NtryDtls>{more}</Ntry>"""


def balance(kind: str, amount: str, *, side: str = "CRDT", when: str = "2025-06-02") -> str:
    return f"""<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
    <CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{when}</Dt></Dt></Bal>"""


def statement(account: str, *entries: str, opening: str = "", closing: str = "") -> str:
    return f"""<Stmt><Id>S-1</Id><CreDtTm>2025-06-03T04:00:00+02:00</CreDtTm>
   <Acct><Id><IBAN>{account}</IBAN></Id><Ccy>EUR</Ccy><Svcr>{agent("PSSTFRPPXXX")}</Svcr></Acct>
   {balance("OPBD", opening) if opening else ""}{balance("CLBD", closing) if closing else ""}
   {"".join(entries)}</Stmt>"""


def camt053(*statements: str, version: str = "08") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PREFIX}camt.053.001.{version}"><BkToCstmrStmt>
  <GrpHdr><MsgId>M-1</MsgId><CreDtTm>2025-06-03T04:00:00+02:00</CreDtTm></GrpHdr>
  {"".join(statements)}</BkToCstmrStmt></Document>""".encode()


def bobs_statement() -> bytes:
    """500 of his own; 1000 from Alice; 300 to Carol, 5 of charges; 50 is pending."""
    return camt053(
        statement(
            BOB,
            entry("1000.00", "CRDT", "B1", other=ALICE, uetr=UETR),
            entry("300.00", "DBIT", "B2", other=CAROL),
            entry("5.00", "DBIT", "B3"),
            entry("50.00", "DBIT", "B4", other=CAROL, status="<Sts><Cd>PDNG</Cd></Sts>"),
            opening="500.00", closing="1195.00",
        )
    )  # fmt: skip


def camt056(version: str = "08") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PREFIX}camt.056.001.{version}"><FIToFIPmtCxlReq>
  <Assgnmt><Id>CXL-1</Id><Assgnr><Agt>{agent("COBADEFFXXX")}</Agt></Assgnr>
   <Assgne><Agt>{agent("PSSTFRPPXXX")}</Agt></Assgne><CreDtTm>2025-06-03T08:00:00Z</CreDtTm></Assgnmt>
  <Case><Id>CASE-9</Id><Cretr><Agt>{agent("COBADEFFXXX")}</Agt></Cretr></Case>
  <Undrlyg><TxInf><CxlId>C-1</CxlId><OrgnlEndToEndId>ABC/4562/2025-06-02</OrgnlEndToEndId><OrgnlTxId>TX-1</OrgnlTxId>
   <OrgnlUETR>{UETR}</OrgnlUETR><OrgnlIntrBkSttlmAmt Ccy="EUR">1000.00</OrgnlIntrBkSttlmAmt>
   <OrgnlIntrBkSttlmDt>2025-06-02</OrgnlIntrBkSttlmDt>
   <CxlRsnInf><Rsn><Cd>FRAD</Cd></Rsn><AddtlInf>Invoice fraud</AddtlInf></CxlRsnInf></TxInf></Undrlyg>
 </FIToFIPmtCxlReq></Document>""".encode()


def camt029(version: str = "09") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{PREFIX}camt.029.001.{version}"><RsltnOfInvstgtn>
  <Assgnmt><Id>RES-1</Id><Assgnr><Agt>{agent("PSSTFRPPXXX")}</Agt></Assgnr>
   <Assgne><Agt>{agent("COBADEFFXXX")}</Agt></Assgne><CreDtTm>2025-06-04T08:00:00Z</CreDtTm></Assgnmt>
  <Sts><Conf>RJCR</Conf></Sts>
  <CxlDtls><TxInfAndSts><CxlStsId>ST-1</CxlStsId><RslvdCase><Id>CASE-9</Id>
   <Cretr><Agt>{agent("COBADEFFXXX")}</Agt></Cretr></RslvdCase>
   <OrgnlUETR>{UETR}</OrgnlUETR>
   <CxlStsRsnInf><Rsn><Cd>CUST</Cd></Rsn><AddtlInf>The account holder refuses</AddtlInf></CxlStsRsnInf>
  </TxInfAndSts></CxlDtls></RsltnOfInvstgtn></Document>""".encode()


def mt103(
    *,
    uetr: str = UETR,
    reference: str = "BBBB-1",
    amount: str = "250602EUR1000,",
    more: str = "",
    time: str = "+0200",
) -> bytes:
    time_field = f":13C:/SNDTIME/1030{time}\r\n" if time else ""
    text = (
        "{1:F01COBADEFFAXXX0000000000}{2:I103PSSTFRPPXXXXN}{3:{108:MUR}{121:" + uetr + "}}{4:\r\n"
        f":20:{reference}\r\n{time_field}:23B:CRED\r\n:32A:{amount}\r\n:33B:EUR1000,\r\n"
        f":50K:/{ALICE}\r\nALICE\r\nHAUPTSTR. 1\r\nBERLIN\r\n"
        f":57A:PSSTFRPP\r\n:59:/{BOB}\r\nBOB\r\n:70:INVOICE 4562\r\nPART ONE\r\n:71A:SHA\r\n{more}-}}"
        "{5:{CHK:123456789ABC}}"
    )
    return text.encode()


def mt199() -> bytes:
    return (
        b"{1:F01COBADEFFAXXX0000000000}{2:I199PSSTFRPPXXXXN}{3:{121:"
        + UETR.encode()
        + b"}}{4:\r\n:20:RCL-1\r\n"
        b":21:BBBB-1\r\n:79:/FRAD/ PLEASE RETURN THE FUNDS\r\nOF OUR CUSTOMER\r\n-}"
    )


def mt196() -> bytes:
    return (
        b"{1:F01COBADEFFAXXX0000000000}{2:O1961031250603PSSTFRPPAXXX22221234562506031131N}{4:\r\n:20:ANS-1\r\n"
        b":21:BBBB-1\r\n:76:/RJCR/CUST/\r\nTHE HOLDER REFUSES\r\n-}"
    )


def mt202cov() -> bytes:
    return (
        b"{1:F01COBADEFFAXXX0000000000}{2:I202PSSTFRPPXXXXN}{3:{119:COV}{121:"
        + UETR.encode()
        + b"}}{4:\r\n:20:COV-1\r\n"
        b":21:BBBB-1\r\n:32A:250602EUR1000,\r\n:58A:PSSTFRPP\r\n:50K:/1\r\nALICE\r\n:59:/2\r\nBOB\r\n-}"
    )


GOAML_XSD = b"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
 <xs:include schemaLocation="parties.xsd"/>
 <xs:element name="report"><xs:complexType><xs:sequence>
  <xs:element name="rentity_id" type="xs:integer"/><xs:element name="submission_code" type="xs:string"/>
  <xs:element name="currency_code_local" type="xs:string"/>
  <xs:element name="transaction" maxOccurs="unbounded"><xs:complexType><xs:sequence>
   <xs:element name="transactionnumber" type="xs:string"/>
   <xs:element name="transaction_description" type="xs:string" minOccurs="0"/>
   <xs:element name="date_transaction" type="xs:dateTime"/><xs:element name="transmode_code" type="xs:string"/>
   <xs:element name="amount_local" type="xs:decimal"/>
   <xs:choice><xs:element name="t_from_my_client" type="t_from"/><xs:element name="t_from" type="t_from"/></xs:choice>
   <xs:choice><xs:element name="t_to_my_client" type="t_to"/><xs:element name="t_to" type="t_to"/></xs:choice>
  </xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def _goaml_side(way: str) -> str:
    return f"""<xs:complexType name="t_{way}"><xs:sequence>
   <xs:element name="{way}_funds_code" type="xs:string"/>
   <xs:element name="{way}_foreign_currency" type="foreign" minOccurs="0"/>
   <xs:choice><xs:element name="{way}_account" type="account"/>
    <xs:element name="{way}_person" type="person"/></xs:choice>
   <xs:element name="{way}_country" type="xs:string"/></xs:sequence></xs:complexType>"""


GOAML_PARTIES_XSD = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
 <xs:complexType name="foreign"><xs:sequence><xs:element name="foreign_currency_code" type="xs:string"/>
  <xs:element name="foreign_amount" type="xs:decimal"/><xs:element name="foreign_exchange_rate" type="xs:decimal"/>
 </xs:sequence></xs:complexType>
 <xs:complexType name="account"><xs:sequence><xs:element name="institution_name" type="xs:string"/>
  <xs:element name="swift" type="xs:string" minOccurs="0"/><xs:element name="account" type="xs:string"/>
 </xs:sequence></xs:complexType>
 <xs:complexType name="person"><xs:sequence><xs:element name="first_name" type="xs:string"/>
  <xs:element name="last_name" type="xs:string"/></xs:sequence></xs:complexType>
 {_goaml_side("from")}{_goaml_side("to")}
</xs:schema>""".encode()

GOAML = b"""<?xml version="1.0" encoding="UTF-8"?>
<report><rentity_id>4711</rentity_id><submission_code>E</submission_code>
 <currency_code_local>THB</currency_code_local>
 <transaction><transactionnumber>T-1</transactionnumber><transaction_description>Transfer</transaction_description>
  <date_transaction>2025-06-02T11:03:51</date_transaction><transmode_code>BA</transmode_code>
  <amount_local>36000.00</amount_local>
  <t_from><from_funds_code>E</from_funds_code><from_foreign_currency><foreign_currency_code>EUR</foreign_currency_code>
   <foreign_amount>1000</foreign_amount><foreign_exchange_rate>36</foreign_exchange_rate></from_foreign_currency>
   <from_account><institution_name>A Bank</institution_name><swift>COBADEFF</swift><account>A-1</account></from_account>
   <from_country>DE</from_country></t_from>
  <t_to_my_client><to_funds_code>E</to_funds_code><to_account><institution_name>Our Bank</institution_name>
   <account>TH-9</account></to_account><to_country>TH</to_country></t_to_my_client></transaction>
 <transaction><transactionnumber>T-2</transactionnumber><date_transaction>2025-06-02T12:00:00</date_transaction>
  <transmode_code>CW</transmode_code><amount_local>5000.00</amount_local>
  <t_from_my_client><from_funds_code>K</from_funds_code><from_account><institution_name>Our Bank</institution_name>
   <account>TH-9</account></from_account><from_country>TH</from_country></t_from_my_client>
  <t_to><to_funds_code>K</to_funds_code><to_person><first_name>Mali</first_name><last_name>S</last_name></to_person>
   <to_country>TH</to_country></t_to></transaction>
</report>"""


def ivms101(transfer_id: str = UETR, account: str = ALICE) -> bytes:
    """One line; names as in the standard's own example."""
    person = {"naturalPerson": {"name": {"nameIdentifier": [
        {"primaryIdentifier": "Wunderland", "secondaryIdentifier": "Alice", "nameIdentifierType": "LEGL"},
    ]}}}  # fmt: skip
    vasp = {"legalPerson": {"name": {"nameIdentifier": [
        {"legalPersonName": "VASP One", "legalPersonNameIdentifierType": "LEGL"},
    ]}, "countryOfRegistration": "DE"}}  # fmt: skip
    message: dict[str, Any] = {
        "originator": {"originatorPersons": [person], "accountNumber": [account]},
        "beneficiary": {"beneficiaryPersons": [], "accountNumber": [BOB]},
        "originatingVASP": {"originatingVASP": vasp},
    }
    return json.dumps({"transfer_id": transfer_id, "ivms101": message}).encode() + b"\n"


COINBASE, PAYMENT, LATER = "c" * 64, "a" * 64, "b" * 64


def bitcoin() -> list[dict[str, Any]]:
    """A coinbase; a payment with two inputs, change and a fee; one that spends it in the next block, dated earlier."""

    def out(index: int, value: int, *addresses: str) -> dict[str, Any]:
        return {"index": index, "type": "pubkeyhash", "addresses": list(addresses), "value": value}

    def spends(index: int, name: str, output: int, value: int, *addresses: str) -> dict[str, Any]:
        return {**out(index, value, *addresses), "spent_transaction_hash": name, "spent_output_index": output}

    def transaction(name: str, block: int, index: int, at: int, **ends: Any) -> dict[str, Any]:
        return {
            "type": "transaction",
            "hash": name,
            "block_number": block,
            "index": index,
            "block_timestamp": at,
            **ends,
        }

    return [
        transaction(
            COINBASE, 100, 0, 1_748_800_000, is_coinbase=True, inputs=[], outputs=[out(0, 625_001_000, "miner")]
        ),
        transaction(
            PAYMENT, 100, 1, 1_748_800_000, is_coinbase=False,
            inputs=[spends(0, "d" * 64, 0, 3_000, "alice1"), spends(1, "e" * 64, 2, 2_000, "alice2")],
            outputs=[out(0, 3_500, "bob"), out(1, 500, "alice1"), out(2, 0)],
        ),
        transaction(
            LATER, 101, 1, 1_748_799_000, is_coinbase=False, inputs=[spends(0, PAYMENT, 0, 3_500, "bob")],
            outputs=[out(0, 3_400, "carol")],
        ),
    ]  # fmt: skip


def bitcoin_lines() -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in bitcoin())


TOKEN = "0x" + "dd" * 20
SPAM = "0x" + "ee" * 20
ETHEREUM_ASSETS = f"id,decimals,contract,contract_decimals\nETH,9,native,18\nUSDT,6,{TOKEN},6\n".encode()


def wallet(letter: str) -> str:
    return "0x" + letter * 40


def transaction_hash(number: int) -> str:
    return f"0x{number:064x}"


def ethereum() -> dict[str, bytes]:
    """Three transactions of one block: one pays 1.5 ETH and a bit, one fails, one moves tokens of two contracts."""
    head = "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input"
    head += ",block_timestamp"
    rows = [
        (1, 0, "a", "b", 1_500_000_000_000_000_007), (2, 1, "b", "c", 10**18), (3, 2, "b", "d", 0),
    ]  # fmt: skip
    transactions = [head] + [
        f"{transaction_hash(name)},0,0x1,200,{index},{wallet(sender)},{wallet(receiver)},{value},21000,1,0x,1748800000"
        for name, index, sender, receiver, value in rows
    ]
    receipts = [
        "transaction_hash,transaction_index,block_hash,block_number,cumulative_gas_used,gas_used,contract_address,root,status,"
        "effective_gas_price",
        *(
            f"{transaction_hash(name)},{index},0x1,200,1,21000,,,{status},1000000000"
            for name, index, status in ((1, 0, 1), (2, 1, 0), (3, 2, 1))
        ),
    ]
    tokens = [
        "token_address,from_address,to_address,value,transaction_hash,log_index,block_number",
        f"{TOKEN},{wallet('b')},{wallet('e')},2500000,{transaction_hash(3)},4,200",
        f"{SPAM},{wallet('b')},{wallet('e')},{2**255},{transaction_hash(3)},5,200",
        f"{TOKEN},{'0x' + '0' * 40},{wallet('e')},1,{transaction_hash(3)},6,200",
    ]
    tables = {"transactions": transactions, "receipts": receipts, "token_transfers": tokens}
    return {f"{name}.csv": "\n".join([*lines, ""]).encode() for name, lines in tables.items()}


def workbook(*rows: tuple[Any, ...], sheet: str = "Sheet1", header: tuple[str, ...] | None = None) -> bytes:
    """An Excel workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    page.append(header or ("transfer_id", "booked_at", "from_account", "to_account", "amount", "currency"))
    for row in rows:
        page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def usual_workbook() -> bytes:
    return workbook(
        ("T1", "2025-06-01T10:00:00+08:00", "A", "B", "1.50", "EUR"),
        ("T2", datetime(2025, 6, 1, 12, 30), "B", "C", 0.1, "EUR"),  # noqa: DTZ001 - Excel's dates have no zone
    )
