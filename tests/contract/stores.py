"""Values that stores are asked to keep, and databases that fail when told to."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, event

from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace, Deadline, Hold, Request
from comity.exchange import NO_PREVIOUS, Opened, Outgoing
from comity.model import Crossing, Event, Flow, Gap, Holding, Move, Piece, Total, Trace
from tests.contract.postgres_server import unprivileged
from tests.unit import exchange_world
from tests.vectors.forger import CANADA

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=72)
SOON = NOW + timedelta(seconds=40)
PEER = "hk-unit"
COMPACT = "test-compact"


def case(**changes: Any) -> Case:
    given = Case(
        id="case-1", compact=COMPACT, origin="ca-centre", origin_case="case-1", title="Überweisung 詐騙", summary="",
        offence="cyber_fraud", rule="fifo", report={"report_id": "R-1", "claims": {"T-1": None, "T-2": 5}},
        reported_at=NOW, opened_at=NOW, pursuit_wanted=1, pursuit_done=0,
    )  # fmt: skip
    return replace(given, **changes)


def request(**changes: Any) -> Request:
    given = Request(
        id="request-1", case_id="case-1", direction="out", procedure="trace_and_hold", peer=PEER, state="sent",
        message_id="message-1", drafted_by="node", basis={"instrument": "UNTOC", "usable": True},
        payload={"crossings": [], "urgent": True}, answer=None, refusal=None, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(given, **changes)


def hold(**changes: Any) -> Hold:
    given = Hold(
        id="hold-1", holder="ca-centre", case_id="case-1", request_id="", account="ca-1", institution="",
        currency="USD", amount_minor=2**63 - 1, state="held", placed_at=NOW, lapses_at=LATER,
        facts={"own_case": True, "order": {"court": "x"}},
    )  # fmt: skip
    return replace(given, **changes)


def deadline(**changes: Any) -> Deadline:
    given = Deadline(
        id="deadline-1", subject="hold", subject_id="hold-1", rule="urgent_freeze/1/hold-lapse", event="lapse",
        kind="T", source="policy", set_at=NOW, due_at=LATER, state="pending",
    )  # fmt: skip
    return replace(given, **changes)


def crossing(**changes: Any) -> Crossing:
    given = Crossing(
        transfer_id="T-1", booked_at=NOW, from_country="CA", to_account="hk-1", to_institution="Bank",
        to_country="HK", currency="USD",
        pieces=(Piece(amount_minor=5, tainted=False), Piece(amount_minor=7, tainted=True)),
    )  # fmt: skip
    return replace(given, **changes)


def trace(**changes: Any) -> CaseTrace:
    given = CaseTrace(
        case_id="case-1", source=PEER, inflows=(crossing(),), at=NOW,
        trace=Trace(
            rule="fifo",
            totals=(Total(currency="USD", reported_minor=0, held_minor=7, reported_again_minor=0),),
            holdings=(
                Holding(
                    account="hk-1", institution="Bank", country="HK", currency="USD", tainted_minor=7,
                    balance_minor=12,
                ),
            ),
            flows=(Flow(transfer_id="T-2", tainted_minor=3),),
            gaps=(Gap(transfer_id="T-3", account="hk-1", currency="USD", unexplained_minor=1),),
            exits=(crossing(transfer_id="T-4"),), unmatched=(crossing(transfer_id="T-5"),),
        ),
        moves=(
            Move(
                transfer_id="T-2", at=NOW, from_account="hk-1", from_institution="Bank", from_country="HK",
                to_account="hk-2", to_institution="", to_country="HK", currency="USD", tainted_minor=3,
                to_currency="HKD", arrived_minor=23, channel="wire",
            ),
        ),
    )  # fmt: skip
    return replace(given, **changes)


def happening(number: int = 1, **changes: Any) -> Event:
    given = Event(
        id=f"event-{number}", at=NOW, kind="case.opened", case_id="case-1", actor="node", body={"n": number}
    )
    return replace(given, **changes)


def outgoing(sequence: int = 1, **changes: Any) -> Outgoing:
    given = Outgoing(
        compact=COMPACT, receiver=PEER, message_id=f"message-{sequence}", type="receipt", case_id="", sequence=sequence,
        digest=f"{sequence:064x}", wire=b"wire \x00\xff", expires=LATER,
    )  # fmt: skip
    return replace(given, **changes)


def arrive(tx: Transaction, sequence: int) -> None:
    """Put a message into the inbox as if `receive` had checked it."""
    member = exchange_world.compact().member(CANADA.id)
    opened = Opened(
        compact=COMPACT, sender=member, message=exchange_world.message(id=f"message-{sequence}"),
        sequence=sequence, previous=previous_of(sequence), digest=f"{sequence:064x}",
        recipients=(PEER,), jws="", unknown={},
    )  # fmt: skip
    tx.inbox.take(opened, receipt="", now=NOW)


def previous_of(sequence: int) -> str:
    return NO_PREVIOUS if sequence == 1 else f"{sequence - 1:064x}"


def limit(connection: Connection, room: int) -> None:
    """Let this transaction's database grow by so many MiB and no further."""
    if connection.dialect.name == "sqlite":
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={used + room * 256}")
        return
    process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    size = (16 + room) * 2**20  # a file's: those of the server's own log (16 MiB) must stay whole
    subprocess.run(["prlimit", "--pid", str(process), f"--fsize={size}:"], check=True, **unprivileged())


@contextmanager
def failing(engine: Engine, when: str, how: Callable[[], Exception]) -> Iterator[None]:
    """Make the next commit fail: `before` it is done, or `after` it is durable (the answer is lost)."""

    def before(_connection: Any) -> None:
        raise how()

    real = engine.dialect.do_commit

    def after(connection: Any) -> None:
        real(connection)
        raise how()

    if when == "before":
        event.listen(engine, "commit", before)
    else:
        setattr(engine.dialect, "do_commit", after)  # noqa: B010 - the driver's own commit
    try:
        yield
    finally:
        if when == "before":
            event.remove(engine, "commit", before)
        else:
            engine.dialect.do_commit = real  # type: ignore[method-assign] # put back
