"""pacs.008, a customer credit transfer between institutions: one transfer for each CdtTrfTxInf."""

from collections.abc import Mapping

from comity.backends.transfers.entries import Entry, given, not_stated, plain_decimal
from comity.backends.transfers.iso20022.names import (
    account,
    agent,
    booked_at,
    country,
    needed_id,
    remittance,
)
from comity.backends.transfers.xml_stream import Part
from comity.backends.transfers.zones import Zone
from comity.errors import InputError


def credit_transfer(part: Part, number: int, header: Mapping[str, str], zone: Zone | None) -> Entry:
    """`InputError` where what a transfer needs is not there; the contract judges the values."""
    ids = part.part("PmtId")
    if ids is None:
        raise InputError.because(expected="PmtId", got="none")
    name = needed_id(ids, "PmtId")
    debtor, creditor = part.part("DbtrAcct"), part.part("CdtrAcct")
    row = given(
        transfer_id=name, booked_at=booked_at(part, header, zone),
        from_account=account(debtor) or not_stated(name, "from"),
        to_account=account(creditor) or not_stated(name, "to"),
        from_institution=agent(part.part("DbtrAgt")), to_institution=agent(part.part("CdtrAgt")),
        from_country=country(debtor, part.part("DbtrAgt")), to_country=country(creditor, part.part("CdtrAgt")),
        channel="pacs.008", reference=remittance(part),
    )  # fmt: skip
    return Entry(number=number, row={**row, **_amounts(part)})


def _amounts(part: Part) -> dict[str, str]:
    """What was settled; a conversion only where the debtor's account is said to be in the instructed currency."""
    settled = {"amount": part.text("IntrBkSttlmAmt"), "currency": part.attribute("IntrBkSttlmAmt", "Ccy")}
    if not all(settled.values()):
        raise InputError.because(expected="IntrBkSttlmAmt with its Ccy", got="none")
    instructed, paid = part.text("InstdAmt"), part.attribute("InstdAmt", "Ccy")
    if paid and paid != settled["currency"] and part.text("DbtrAcct/Ccy") == paid:
        return {
            "amount": plain_decimal(instructed), "currency": paid,
            "to_amount": plain_decimal(settled["amount"]), "to_currency": settled["currency"],
        }  # fmt: skip
    return {**settled, "amount": plain_decimal(settled["amount"])}
