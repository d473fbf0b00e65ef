"""Files of banks, FIUs and exporters in a node's book: balances of statements, returns, parties, and the command."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.errors import Conflict, InputError
from comity.node.import_book import Imported, Said, import_transfers, said_of
from tests.nodes.story import CA
from tests.nodes.town import Town
from tests.unit import format_samples as samples
from tests.unit.format_samples import ALICE, BOB, UETR, entry, statement


def put(town: Town, content: bytes, name: str = "f.xml") -> Path:
    file = town.folder / name
    file.write_bytes(content)
    return file


def at_home(content: bytes) -> bytes:
    """The same accounts in Canada's book: no countries are said."""
    for old, new in ((ALICE, "ACC-ALICE"), (BOB, "ACC-BOB"), (samples.CAROL, "ACC-CAROL")):
        content = content.replace(f"<IBAN>{old}</IBAN>".encode(), f"<Othr><Id>{new}</Id></Othr>".encode())
    return content.replace(b"COBADEFFXXX", b"BANKCAFFXXX").replace(b"PSSTFRPPXXX", b"BANKCAPPXXX")


def taken(town: Town, *contents: bytes, said: Said | None = None) -> Imported:
    files = [put(town, content, f"f{place}.xml") for place, content in enumerate(contents)]
    return import_transfers(town[CA], files, said=said or said_of(zone="Europe/Paris"), actor="clerk")


def balances(town: Town) -> dict[tuple[str, str], int]:
    with town.looking(CA) as tx:
        return dict(tx.book.balances())


def test_a_statement_brings_its_opening_balance(town: Town) -> None:
    done = taken(town, at_home(samples.bobs_statement()))
    assert (done.rows, done.balances, done.notes) == (3, 1, ())
    assert balances(town)["ACC-BOB", "EUR"] == 50_000


def test_the_next_statement_needs_none(town: Town) -> None:
    """The book shows how its balance came about, and the first stays what it was."""
    taken(town, at_home(samples.bobs_statement()))
    july = at_home(
        samples.camt053(statement(BOB, entry("1", "DBIT", "J1", when="2025-07-01"), opening="1195.00"))
    )
    done = taken(town, july.replace(b"<Dt>2025-06-02", b"<Dt>2025-07-01"))
    assert (done.rows, done.balances) == (1, 0)
    assert "the opening balance of ACC-BOB in EUR is known already" in done.notes[0]
    assert balances(town)["ACC-BOB", "EUR"] == 50_000


def test_a_balance_in_the_middle_of_what_is_known_is_not_used(town: Town) -> None:
    taken(town, at_home(samples.pacs008()), said=said_of())
    later = at_home(
        samples.camt053(statement(BOB, entry("1", "DBIT", "J1", when="2025-07-01"), opening="9.00"))
    )
    done = taken(town, later.replace(b"<Dt>2025-06-02", b"<Dt>2025-07-01"))
    assert "the book has earlier transfers of ACC-BOB" in done.notes[0]
    assert ("ACC-BOB", "EUR") not in balances(town)


def july(*more: str) -> bytes:
    content = samples.camt053(
        statement(BOB, entry("1.00", "DBIT", "J1", when="2025-07-01"), *more, opening="1195.00")
    )
    return at_home(content).replace(b"<Dt>2025-06-02", b"<Dt>2025-07-01")


def now_in(town: Town, account: str) -> int:
    """What the book shows in an account, in cents."""
    table = town[CA].book.table().to_pylist()
    received = sum(row["amount_minor"] for row in table if row["to_account"] == account)
    paid = sum(row["amount_minor"] for row in table if row["from_account"] == account)
    return int(balances(town).get((account, "EUR"), 0) + received - paid)


def test_statements_together_may_come_in_any_order(town: Town) -> None:
    assert taken(town, july(), at_home(samples.bobs_statement())).notes == ()
    assert now_in(town, "ACC-BOB") == 119_400


def test_an_earlier_statement_afterwards_replaces_the_opening_balance(town: Town) -> None:
    """In whichever order, the book ends where the bank does; what was indexed before is indexed anew."""
    taken(town, july())
    assert now_in(town, "ACC-BOB") == 119_400
    town[CA].book.book()
    done = taken(town, at_home(samples.bobs_statement()))
    assert (now_in(town, "ACC-BOB"), balances(town)["ACC-BOB", "EUR"]) == (119_400, 50_000)
    assert (done.balances, len(done.notes)) == (1, 1)
    assert "takes the place of a later one" in done.notes[0]
    book = town[CA].book.book()
    assert 50_000 in book.opening.tolist()
    assert 119_500 not in book.opening.tolist()


def test_what_is_from_before_an_opening_balance_is_refused_without_an_earlier_one(town: Town) -> None:
    """Such money is in the balance already: whoever tells of it, and whichever way it went."""
    taken(town, july())
    before = town[CA].book.table().num_rows
    alices = samples.camt053(statement(ALICE, entry("7.00", "DBIT", "A1", other=BOB, when="2025-06-30")))
    bobs = samples.bobs_statement().replace(b"OPBD", b"XXXX")
    for content in (samples.pacs008(), alices, bobs):
        with pytest.raises(
            Conflict, match=r"ACC-BOB in EUR from after 2025-06-30T21:59:59\.999999"
        ) as problem:
            taken(town, at_home(content))
        assert "with the earlier statement" in problem.value.next_step
    assert town[CA].book.table().num_rows == before
    assert balances(town)["ACC-BOB", "EUR"] == 119_500


def test_another_currency_or_account_or_later_money_may_come(town: Town) -> None:
    taken(town, july())
    dollars = samples.pacs008().replace(b'Ccy="EUR"', b'Ccy="USD"')
    others = samples.camt053(statement(ALICE, entry("7.00", "DBIT", "A1", other=samples.CAROL)))
    later = samples.camt053(statement(ALICE, entry("7", "DBIT", "A2", other=BOB, when="2025-07-01")))
    assert taken(town, *(at_home(content) for content in (dollars, others, later))).rows == 3


def test_an_opening_balance_that_replaced_another_rules_out_what_is_earlier_still(town: Town) -> None:
    taken(town, july())
    taken(town, at_home(samples.bobs_statement()))
    town.reopen(CA)
    early = samples.camt053(statement(ALICE, entry("7.00", "DBIT", "A1", other=BOB, when="2025-06-01")))
    with pytest.raises(Conflict, match=r"from after 2025-06-01T21:59:59\.999999"):
        taken(town, at_home(early))


def test_a_return_finds_the_original_that_was_imported_before(town: Town) -> None:
    taken(town, at_home(samples.pacs008()))
    taken(town, at_home(samples.pacs004(accounts=False)))
    rows = {row["transfer_id"]: row for row in town[CA].book.table().to_pylist()}
    back = rows[f"{UETR}/return/R-77"]
    assert (back["from_account"], back["to_account"], back["to_country"]) == ("ACC-BOB", "ACC-ALICE", "CA")


def test_parties_are_attached(town: Town) -> None:
    lines = samples.ivms101(account="ACC-ALICE").replace(BOB.encode(), b"ACC-BOB")
    said = said_of(parties=put(town, lines, "ivms.jsonl"))
    taken(town, at_home(samples.pacs008()), said=said)
    row = next(row for row in town[CA].book.table().to_pylist() if row["transfer_id"] == UETR)
    assert row["reference"] == "Invoice 4562; originator: Alice Wunderland"


def test_one_broken_entry_keeps_all_out(town: Town) -> None:
    before = town[CA].book.table().num_rows
    with pytest.raises(InputError, match="entry 1: amount"):
        taken(town, at_home(samples.bobs_statement()), at_home(samples.pacs008(amount="1.001")))
    assert town[CA].book.table().num_rows == before
    assert ("ACC-BOB", "EUR") not in balances(town)


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_command(town: Town) -> None:
    file = put(town, at_home(samples.bobs_statement()))
    node = str(town.folder / CA)
    refused = run("transfers", "import", node, str(file))
    assert "--zone Europe/Berlin" in str(refused.exception)
    done = run("transfers", "import", node, str(file), "--zone", "Europe/Paris", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"rows": 3, "balances": 1, "rejected": 0, "notes": []}
    wrong = run("transfers", "import", node, str(file), "--format", "mt940")
    assert "a format: csv, parquet, xlsx" in str(wrong.exception)


def test_a_folder_of_one_format(town: Town) -> None:
    folder = town.folder / "statements"
    folder.mkdir()
    (folder / "a.xml").write_bytes(at_home(samples.bobs_statement()))
    (folder / "notes.txt").write_text("nothing")
    node = str(town.folder / CA)
    assert "CSV or Parquet files in the folder" in str(
        run("transfers", "import", node, str(folder)).exception
    )
    done = run("transfers", "import", node, str(folder), "--format", "iso20022", "--zone", "Z")
    assert done.exit_code == 0, done.output


def test_recalls_are_shown(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_bytes(samples.camt056())
    (tmp_path / "a.xml").write_bytes(samples.camt029())
    done = run("recall", "show", str(tmp_path / "r.xml"), str(tmp_path / "a.xml"), "--json")
    assert [(one["kind"], one["original"], one["status"]) for one in json.loads(done.stdout)] == [
        ("request", UETR, ""), ("answer", UETR, "RJCR"),
    ]  # fmt: skip
    assert UETR in run("recall", "show", str(tmp_path / "r.xml")).stdout
