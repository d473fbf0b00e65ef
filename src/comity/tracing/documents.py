"""What a trace looks like in JSON, for programs and for other nodes. Pure.

`read_report` and `trace_document` are the trace contract's input and output; the others are what crosses
between nodes (spec/trace.md, "Wire documents"). Readers treat what they get as hostile: wrong types, unknown
or missing keys, negative or oversized amounts, endless lists and texts, times without an offset are each an
`InputError`. What they cannot see is whether a peer tells the truth: only `follow` compares it with our own
book.
"""

from datetime import datetime
from typing import Any

from comity.errors import InputError
from comity.model import Claim, Crossing, Gap, Holding, Piece, Report, Trace
from comity.model.money import MAX_MINOR
from comity.tracing.bounds import Bounds
from comity.tracing.times import read_time, time_text
from comity.tracing.victims import Shared

MAX_PIECES = 10_000
MAX_TEXT = 200


def trace_document(trace: Trace, *, report_id: str) -> dict[str, Any]:
    """Return the trace contract's JSON object."""
    return {
        "rule": trace.rule,
        "report_id": report_id,
        "totals": [
            {
                "currency": total.currency,
                "reported_minor": total.reported_minor,
                "held_minor": total.held_minor,
                "reported_again_minor": total.reported_again_minor,
            }
            for total in trace.totals
        ],
        "holdings": [
            {
                "account": held.account,
                "currency": held.currency,
                "tainted_minor": held.tainted_minor,
                "balance_minor": held.balance_minor,
            }
            for held in trace.holdings
        ],
        "flows": [
            {"transfer_id": flow.transfer_id, "tainted_minor": flow.tainted_minor} for flow in trace.flows
        ],
        "gaps": [gap_document(gap) for gap in trace.gaps],
    }


def bounds_document(bounds: Bounds) -> dict[str, Any]:
    """Two more keys of the trace contract's object. `most_minor` null: no upper limit."""
    missing = bounds.missing
    return {
        "bounds": [
            {
                "account": one.account,
                "currency": one.currency,
                "least_minor": one.least_minor,
                "most_minor": one.most_minor,
                "exact": one.exact,
            }
            for one in bounds.bounds
        ],
        "missing": None
        if missing is None
        else {
            "document": "opening balance",
            "account": missing.account,
            "currency": missing.currency,
            "depends_minor": missing.depends_minor,
        },
    }


def shared_document(shared: Shared) -> dict[str, Any]:
    """Three more keys of the trace contract's object: what each victim lost, and takes."""
    return {
        "losses": [
            {"report_id": one.report_id, "currency": one.currency, "lost_minor": one.lost_minor}
            for one in shared.losses
        ],
        "shares": [
            {
                "report_id": one.report_id,
                "account": one.account,
                "currency": one.currency,
                "share_minor": one.share_minor,
            }
            for one in shared.shares
        ],
        "unshared": [{"account": account, "currency": currency} for account, currency in shared.unshared],
    }


def read_report(document: Any, *, where: str = "report") -> Report:
    """Return the report in the trace contract's REPORT form; other keys are left to others.

    A transfer named twice is claimed once. Whether a claim fits the book is for `claims_of` and `follow`.
    """
    if not isinstance(document, dict):
        raise InputError.because(expected="a JSON object", got=_kind(document), where=where)
    report_id, transfers = document.get("report_id"), document.get("transfers")
    amounts = document.get("amounts", {})
    if not isinstance(report_id, str):
        raise InputError.because(expected="text", got=_kind(report_id), where=f"{where}, report_id")
    if not isinstance(transfers, list) or not all(isinstance(name, str) for name in transfers):
        raise InputError.because(
            expected="a list of transfer ids (text)", got=_kind(transfers), where=f"{where}, transfers"
        )
    if not isinstance(amounts, dict):
        raise InputError.because(expected="an object", got=_kind(amounts), where=f"{where}, amounts")
    for name, amount in amounts.items():
        if name not in transfers:
            raise InputError.because(
                expected="amounts of transfers that the report names",
                got=repr(name),
                where=f"{where}, amounts",
            )
        if not isinstance(amount, str):
            raise InputError.because(
                expected='a decimal written as text, such as "1000.00"',
                got=_kind(amount),
                where=f"{where}, amount of {name!r}",
            )
    return Report(
        report_id=report_id,
        claims=tuple(Claim(transfer_id=name, amount=amounts.get(name)) for name in dict.fromkeys(transfers)),
    )


def crossing_document(crossing: Crossing) -> dict[str, Any]:
    return {
        "transfer_id": crossing.transfer_id,
        "booked_at": time_text(crossing.booked_at),
        "from_country": crossing.from_country,
        "to_account": crossing.to_account,
        "to_institution": crossing.to_institution,
        "to_country": crossing.to_country,
        "currency": crossing.currency,
        "pieces": [
            {"amount_minor": piece.amount_minor, "tainted": piece.tainted} for piece in crossing.pieces
        ],
        "sent_currency": crossing.sent_currency,
        "sent_minor": crossing.sent_minor,
    }


def read_crossing(document: Any, *, where: str = "crossing") -> Crossing:
    """Return the crossing a peer told; at most 10,000 pieces that together fit 64 bits."""
    fields = _fields(
        document,
        where,
        "transfer_id", "booked_at", "from_country", "to_account", "to_institution", "to_country",
        "currency", "pieces", "sent_currency", "sent_minor",
    )  # fmt: skip
    return Crossing(
        transfer_id=_text(fields, "transfer_id", where),
        booked_at=_time(fields, "booked_at", where),
        from_country=_text(fields, "from_country", where, may_be_empty=True),
        to_account=_text(fields, "to_account", where),
        to_institution=_text(fields, "to_institution", where, may_be_empty=True),
        to_country=_text(fields, "to_country", where, may_be_empty=True),
        currency=_text(fields, "currency", where),
        pieces=_pieces(fields["pieces"], f"{where}.pieces"),
        sent_currency=_text(fields, "sent_currency", where, may_be_empty=True),
        sent_minor=_amount(fields, "sent_minor", where),
    )


def holding_document(holding: Holding) -> dict[str, Any]:
    return {
        "account": holding.account,
        "institution": holding.institution,
        "country": holding.country,
        "currency": holding.currency,
        "tainted_minor": holding.tainted_minor,
        "balance_minor": holding.balance_minor,
    }


def read_holding(document: Any, *, where: str = "holding") -> Holding:
    """Return the holding a peer answered with."""
    fields = _fields(
        document, where, "account", "institution", "country", "currency", "tainted_minor", "balance_minor"
    )
    tainted = _amount(fields, "tainted_minor", where)
    balance = _amount(fields, "balance_minor", where)
    if tainted > balance:
        raise InputError.because(
            expected="no more tainted money than the balance", got=f"{tainted} of {balance}", where=where
        )
    return Holding(
        account=_text(fields, "account", where),
        institution=_text(fields, "institution", where, may_be_empty=True),
        country=_text(fields, "country", where, may_be_empty=True),
        currency=_text(fields, "currency", where),
        tainted_minor=tainted,
        balance_minor=balance,
    )


def gap_document(gap: Gap) -> dict[str, Any]:
    return {
        "transfer_id": gap.transfer_id,
        "account": gap.account,
        "currency": gap.currency,
        "unexplained_minor": gap.unexplained_minor,
    }


def read_gap(document: Any, *, where: str = "gap") -> Gap:
    """Return the gap a peer answered with."""
    fields = _fields(document, where, "transfer_id", "account", "currency", "unexplained_minor")
    return Gap(
        transfer_id=_text(fields, "transfer_id", where),
        account=_text(fields, "account", where),
        currency=_text(fields, "currency", where),
        unexplained_minor=_amount(fields, "unexplained_minor", where),
    )


def _fields(document: Any, where: str, *names: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InputError.because(expected="a JSON object", got=_kind(document), where=where)
    if document.keys() != set(names):
        missing, extra = sorted(set(names) - document.keys()), sorted(map(repr, document.keys() - set(names)))
        raise InputError.because(
            expected=f"the keys {', '.join(names)}",
            got=f"missing {', '.join(missing) or 'none'}, unknown {', '.join(extra)[:MAX_TEXT] or 'none'}",
            where=where,
        )
    return document


def _text(fields: dict[str, Any], name: str, where: str, *, may_be_empty: bool = False) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise InputError.because(expected="text", got=_kind(value), where=f"{where}.{name}")
    if len(value) > MAX_TEXT or "\0" in value or not (value or may_be_empty):
        got = f"{len(value)} characters" + (" with a NUL" if "\0" in value else "")
        least = "" if may_be_empty else "1 to "
        raise InputError.because(
            expected=f"text of {least}{MAX_TEXT} characters", got=got, where=f"{where}.{name}"
        )
    return value


def _amount(fields: dict[str, Any], name: str, where: str) -> int:
    value = fields[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError.because(expected="an integer", got=_kind(value), where=f"{where}.{name}")
    if not 0 <= value <= MAX_MINOR:
        raise InputError.because(
            expected="minor units from 0 to 2^63 - 1", got=_digits(value), where=f"{where}.{name}"
        )
    return value


def _digits(value: int) -> str:
    """The number, or its sign and size where Python would refuse to print it."""
    return (
        str(value) if value.bit_length() < 200 else f"{'-' if value < 0 else ''}2^{value.bit_length()} or so"
    )


def _time(fields: dict[str, Any], name: str, where: str) -> datetime:
    return read_time(_text(fields, name, where), where=f"{where}.{name}")


def _pieces(value: Any, where: str) -> tuple[Piece, ...]:
    if not isinstance(value, list):
        raise InputError.because(expected="a list of pieces", got=_kind(value), where=where)
    if not 1 <= len(value) <= MAX_PIECES:
        raise InputError.because(expected=f"1 to {MAX_PIECES} pieces", got=str(len(value)), where=where)
    pieces = tuple(_piece(item, f"{where}[{number}]") for number, item in enumerate(value))
    total = sum(piece.amount_minor for piece in pieces)
    if total > MAX_MINOR:
        raise InputError.because(expected="pieces that together fit 64 bits", got=_digits(total), where=where)
    return pieces


def _piece(value: Any, where: str) -> Piece:
    fields = _fields(value, where, "amount_minor", "tainted")
    tainted = fields["tainted"]
    if not isinstance(tainted, bool):
        raise InputError.because(expected="true or false", got=_kind(tainted), where=f"{where}.tainted")
    return Piece(amount_minor=_amount(fields, "amount_minor", where), tainted=tainted)


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "true or false",
        int: "an integer",
        float: "a float",
    }
    return names.get(type(value), "null" if value is None else type(value).__name__)


def choke_fields(document: Any, where: str) -> dict[str, Any]:
    """The fields of a choke point, each of its form; what `kind` may be is for `comity.tracing.chokes`."""
    fields = _fields(
        document, where, "account", "institution", "country", "currency", "kind", "tainted_minor", "transfers"
    )
    return {
        "account": _text(fields, "account", where),
        "institution": _text(fields, "institution", where, may_be_empty=True),
        "country": _text(fields, "country", where, may_be_empty=True),
        "currency": _text(fields, "currency", where),
        "kind": _text(fields, "kind", where),
        "tainted_minor": _amount(fields, "tainted_minor", where),
        "transfers": _amount(fields, "transfers", where),
    }
