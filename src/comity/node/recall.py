"""Write the request by which a bank asks for a payment back, for money that is held.

It names the payments of our own book that brought stolen money into the account, and says what is held. A node
sends no bank messages: the file is for the bank of the payer, whose channel and signature it needs.
"""

from collections.abc import Mapping
from typing import Any

from comity.backends.recall_message import RecalledPayment, RecallMessage, recall_bytes
from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace, Hold
from comity.errors import Conflict
from comity.model import format_minor
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_case
from comity.node.handling.gate import HandlingForbids, barred, record_refusals
from comity.node.handling.items import made_from
from comity.node.handling.sending import tellers
from comity.node.hold import ACTIVE

_NAME = 140


def recall_message(node: Node, hold_id: str, *, recipient: str, purpose: str, actor: str) -> bytes:
    """camt.056 for an active hold of ours; `Conflict` if no payment of our book led to it.

    `recipient` gets the file: what peers told us, if the hold came of it, goes to them only as its obligations
    allow.
    """
    with node.records.reading() as tx:
        hold = tx.holds.get(node.id, hold_id)
        case = tx.cases.get(hold.case_id)
        trace = next((one for one in tx.cases.traces(case.id) if one.source == node.id), None)
    if hold.state not in ACTIVE or trace is None:
        raise Conflict.because(expected="a hold that stands", got=f"{hold.id}, {hold.state}")
    require_case(node, case.id, actor=actor)
    _require_disclosure(node, case, trace, recipient=recipient, purpose=purpose, actor=actor)
    content = recall_bytes(_message(node, hold, case, trace))
    with node.records.transaction() as tx:
        node.record(
            tx, "hold.recall-written", case_id=case.id, actor=actor, hold=hold.id, recipient=recipient,
            purpose=purpose,
        )  # fmt: skip
    return content


def _require_disclosure(
    node: Node, case: Case, trace: CaseTrace, *, recipient: str, purpose: str, actor: str
) -> None:
    """Raise `HandlingForbids`, and record it, unless `recipient` may be told of what the hold came of."""
    with node.records.reading() as tx:
        sources = made_from(tx, case.id, _told_by(node, tx, case, trace))
        found = barred(node, tx, "disclose_onward", sources, recipient=recipient, purpose=purpose)
    if found:
        record_refusals(node, case.id, found, actor=actor)
        raise HandlingForbids(found[0], where=case.id)


def _told_by(node: Node, tx: Transaction, case: Case, trace: CaseTrace) -> frozenset[str] | None:
    """Whose words the hold rests on: of another's case all of them, of our own those whose money came to us."""
    return tellers(node, tx, case.id, trace.inflows) if case.origin == node.id else None


def _message(node: Node, hold: Hold, case: Case, trace: CaseTrace) -> RecallMessage:
    rows = {row["transfer_id"]: row for row in node.book.standing().rows(_leading_to(hold, trace))}
    payments = [_payment(row, hold) for row in rows.values()]
    if not payments:
        raise Conflict.because(
            expected="payments of our own book that brought stolen money into the account",
            got=f"none into {hold.account}", remedy="The account's money came by way of others: ask them.",
        )  # fmt: skip
    return RecallMessage(
        id=node.new_id("recall")[:35], case=case.id[:35], asked_by=node.settings.authority.name,
        asked_of=hold.institution or "not stated", at=node.clock(), payments=payments,
    )  # fmt: skip


def _leading_to(hold: Hold, trace: CaseTrace) -> list[str]:
    """The transfers into the held account, in its currency, that carried stolen money."""
    moved = [
        move.transfer_id
        for move in trace.moves
        if (move.to_account, move.to_currency) == (hold.account, hold.currency)
    ]
    told = [
        one.transfer_id
        for one in trace.inflows
        if (one.to_account, one.currency) == (hold.account, hold.currency)
    ]
    return list(dict.fromkeys([*moved, *told]))


def _payment(row: Mapping[str, Any], hold: Hold) -> RecalledPayment:
    """What arrived, as the banks settled it."""
    converted = row["to_amount_minor"] is not None
    minor, currency = (
        (row["to_amount_minor"], row["to_currency"]) if converted else (row["amount_minor"], row["currency"])
    )
    return RecalledPayment(
        id=row["transfer_id"], amount=_decimal(minor, currency), currency=currency,
        settled_on=row["booked_at"].date(),
        why=("Stolen money was traced to this payment.", f"Held: {format_minor(hold.amount_minor, hold.currency)}"),
    )  # fmt: skip


def _decimal(minor: int, currency: str) -> str:
    return format_minor(minor, currency).removeprefix(f"{currency} ").replace(",", "")
