"""The node's book: what an import adds, all or nothing, and what a crash or a second importer leaves."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from comity.backends.sql.book_parts import SqlBookParts
from comity.errors import Conflict, InputError, StorageError
from comity.node.import_book import import_transfers
from tests.nodes.story import CA, row, rows_of, write_book
from tests.nodes.town import Town

HEADER = "transfer_id,booked_at,from_account,to_account,amount,currency,from_country,to_country\n"
GOOD = "U-1,2026-03-05T10:00:00Z,ca-a,ca-b,10.00,USD,CA,CA\n"
BAD = "U-2,yesterday,ca-a,ca-b,10.00,USD,CA,CA\n"


def size(town: Town) -> int:
    return int(town[CA].book.table().num_rows)


def parts(town: Town) -> int:
    return len(list(town[CA].home.book.iterdir()))


def csv(town: Town, text: str, name: str = "more.csv") -> Path:
    file = town.folder / name
    file.write_text(HEADER + text)
    return file


def test_an_import_is_in_the_book_at_once_and_an_event(town: Town) -> None:
    before = size(town)
    done = import_transfers(town[CA], [csv(town, GOOD)], actor="clerk")
    assert (done.rows, size(town)) == (1, before + 1)
    event = town.events(CA, "book.imported")[-1]
    assert (event.actor, event.body["rows"], event.body["files"]) == ("clerk", 1, ["more.csv"])
    file = town[CA].home.book / f"{event.body['part']}.parquet"
    assert pq.read_metadata(file).num_rows == 1


def test_one_broken_row_keeps_all_out(town: Town) -> None:
    before, files = size(town), parts(town)
    with pytest.raises(InputError, match="line 3"):
        import_transfers(town[CA], [csv(town, GOOD + BAD)], actor="test")
    assert (size(town), parts(town)) == (before, files)


def test_broken_rows_can_be_left_out_and_are_handed_back(town: Town) -> None:
    before = size(town)
    done = import_transfers(
        town[CA], [csv(town, GOOD + BAD)], rejects=town[CA].home.path / "rejects.csv", actor="test"
    )
    assert size(town) == before + 1
    (reject,) = done.rejects
    assert reject.line == 3
    assert "yesterday" in reject.reason + reject.row_text
    assert town.events(CA, "book.imported")[-1].body["rejected"] == 1


def test_a_transfer_enters_once(town: Town) -> None:
    file, before = csv(town, GOOD), size(town)
    import_transfers(town[CA], [file], actor="test")
    with pytest.raises(Conflict, match="U-1"):
        import_transfers(town[CA], [file], actor="test")
    assert size(town) == before + 1


def test_opening_balances_stay_what_they_were(town: Town) -> None:
    balances = town.folder / "balances.csv"
    balances.write_text("account,currency,amount\nca-a,USD,5.00\n")
    files = parts(town)
    import_transfers(town[CA], [csv(town, GOOD)], balances=balances, actor="test")
    balances.write_text("account,currency,amount\nca-a,USD,6.00\n")
    with pytest.raises(Conflict, match="opening balance"):
        import_transfers(town[CA], [csv(town, GOOD.replace("U-1", "U-3"))], balances=balances, actor="test")
    assert parts(town) == files + 1


def test_an_account_in_two_countries_is_refused(town: Town) -> None:
    """Found while the book is put together, before anything is written."""
    before, files = size(town), parts(town)
    torn = row("U-9", 30, "ca-firm>ca-x", 100, from_country="HK")
    with pytest.raises(InputError, match="one country"):
        import_transfers(town[CA], [write_book(town.folder / "torn.parquet", [torn])], actor="test")
    assert (size(town), parts(town)) == (before, files)


def test_two_imports_of_one_file_at_once_add_it_once(town: Town) -> None:
    file, before = csv(town, GOOD), size(town)
    ends: list[Any] = []

    def one() -> None:
        try:
            ends.append(import_transfers(town[CA], [file], actor="test"))
        except Conflict as error:
            ends.append(error)

    workers = [threading.Thread(target=one) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(isinstance(end, Conflict) for end in ends) == 2
    assert size(town) == before + 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_disk_that_refuses_leaves_nothing_or_everything(
    town: Town, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A database that fails before its commit keeps nothing; one that fails after it keeps the whole part."""
    before, real = size(town), SqlBookParts.add

    def add(self: Any, part: Any, now: Any) -> None:
        real(self, part, now)
        if moment == "after":
            self._connection.commit()
        raise StorageError("disk full")

    monkeypatch.setattr(SqlBookParts, "add", add)
    with pytest.raises(StorageError):
        import_transfers(town[CA], [csv(town, GOOD)], actor="test")
    monkeypatch.undo()
    town.reopen(CA)
    assert size(town) == before + (moment == "after")


def test_killed_between_the_file_and_the_database_leaves_no_transfer(town: Town) -> None:
    """The process dies with the part on disk and the transaction not begun: the book is what it was."""
    before, files = size(town), parts(town)
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from comity.backends.sql.book_parts import SqlBookParts
        from comity.node.import_book import import_transfers
        from comity.node.bootstrap import open_node
        SqlBookParts.add = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        import_transfers(open_node(Path(sys.argv[1])), [Path(sys.argv[2])], actor="test")
    """)
    file = csv(town, GOOD)
    done = subprocess.run([sys.executable, "-c", program, str(town.folder / CA), str(file)], check=False)
    assert done.returncode == -9
    assert parts(town) == files + 1
    town.reopen(CA)
    assert size(town) == before
    import_transfers(town[CA], [file], actor="test")
    assert size(town) == before + 1


def test_a_part_that_vanished_is_a_storage_error_that_names_it(town: Town) -> None:
    (part,) = town[CA].home.book.glob("*.parquet")
    part.unlink()
    town.reopen(CA)
    with pytest.raises(StorageError, match=part.name):
        size(town)


def test_a_foreign_file_in_the_folder_is_no_part_of_the_book(town: Town) -> None:
    before = size(town)
    write_book(town[CA].home.book / "part-foreign.parquet", rows_of("CA"))
    town.reopen(CA)
    assert size(town) == before


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_a_full_disk_is_a_storage_error_and_leaves_no_file(
    town: Town, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before, files = size(town), parts(town)
    file = csv(town, GOOD)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(*{"fsync": (os, "fsync", full), "open": (pq, "write_table", full)}[call])
        with pytest.raises(StorageError, match="No space left"):
            import_transfers(town[CA], [file], actor="test")
    assert (size(town), parts(town)) == (before, files)
