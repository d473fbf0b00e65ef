"""Transactions of a goAML report (UNODC's XML for financial intelligence units), checked against the FIU's own XSD.

Each FIU has its own schema, so none is shipped, and a report without one is not read. Two-sided transactions
(`t_from`, `t_to`, and those of "my client") are transfers; where a side is a person without an account, it has an
account of its own.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from comity.backends.transfers.entries import (
    Conventions,
    Entry,
    Item,
    attempt,
    given,
    not_stated,
    plain_decimal,
)
from comity.backends.transfers.schemas import read_schema
from comity.backends.transfers.xml_stream import Part, parts_of
from comity.backends.transfers.zones import Zone, instant
from comity.errors import InputError


def items(path: Path, conventions: Conventions) -> Iterator[Item]:
    """Each transaction of the report."""
    if conventions.schema is None:
        raise InputError.because(
            expected="the FIU's schema of its goAML reports (--schema FILE.xsd)", got="none", where=str(path),
            remedy="Each FIU publishes its own; with it, name the report again.",
        )  # fmt: skip
    head: dict[str, str] = {}
    number = 0
    names = ("rentity_id", "currency_code_local", "transaction", "report")
    for part in parts_of(path, names, schema=read_schema(conventions.schema)):
        if part.name == "transaction" and part.within == "report":
            number += 1
            yield attempt(number, partial(_transaction, part, number, head, conventions.zone))
        elif part.name in ("rentity_id", "currency_code_local") and part.within == "report":
            head[part.name] = (part.element.text or "").strip()


def _transaction(part: Part, number: int, head: Mapping[str, str], zone: Zone | None) -> Entry:
    sender, receiver = part.part("t_from_my_client", "t_from"), part.part("t_to_my_client", "t_to")
    if sender is None or receiver is None:
        raise InputError.because(
            expected="a transaction from one party to another (t_from, t_to)", got="one of several parties"
        )
    name = "/".join(filter(None, (head.get("rentity_id", ""), part.text("transactionnumber"))))
    if not part.text("transactionnumber"):
        raise InputError.because(expected="transactionnumber", got="none")
    local = {
        "amount": plain_decimal(part.text("amount_local")), "currency": head.get("currency_code_local", ""),
    }  # fmt: skip
    row = given(
        transfer_id=name, booked_at=instant(part.text("date_transaction"), zone),
        from_account=_account(sender, "from") or not_stated(name, "from"),
        to_account=_account(receiver, "to") or not_stated(name, "to"),
        from_institution=_institution(sender, "from"), to_institution=_institution(receiver, "to"),
        from_country=sender.text("from_country"), to_country=receiver.text("to_country"),
        channel=f"goAML {part.text('transmode_code')}".strip(), reference=part.text("transaction_description"),
    )  # fmt: skip
    return Entry(
        number=number,
        row={**row, **_amounts(_foreign(sender, "from", local), _foreign(receiver, "to", local))},
    )


def _account(side: Part, way: str) -> str:
    return side.text(f"{way}_account/account", f"{way}_account/iban", f"{way}_account_my_client/account")


def _institution(side: Part, way: str) -> str:
    return side.text(
        f"{way}_account/swift", f"{way}_account/institution_code", f"{way}_account/institution_name",
        f"{way}_account_my_client/swift", f"{way}_account_my_client/institution_name",
    )  # fmt: skip


def _foreign(side: Part, way: str, local: Mapping[str, str]) -> Mapping[str, str]:
    """A side's amount: in the currency in which it was, else in the report's."""
    foreign = side.part(f"{way}_foreign_currency")
    if foreign is None:
        return local
    return {
        "amount": plain_decimal(foreign.text("foreign_amount")), "currency": foreign.text("foreign_currency_code"),
    }  # fmt: skip


def _amounts(sent: Mapping[str, str], arrived: Mapping[str, str]) -> dict[str, str]:
    if sent["currency"] == arrived["currency"]:
        return dict(sent)
    return {**sent, "to_amount": arrived["amount"], "to_currency": arrived["currency"]}
