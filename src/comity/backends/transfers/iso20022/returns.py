"""pacs.004, a payment return: money goes back from the original's creditor to its debtor, as a transfer of its own.

It names the original: `{original}/return/{RtrId}`. Where it does not repeat the original's accounts, they are looked up
among the transfers that are known.
"""

from collections.abc import Mapping

from comity.backends.transfers.entries import Entry, given, plain_decimal
from comity.backends.transfers.iso20022.names import account, agent, booked_at, country, payment_id
from comity.backends.transfers.xml_stream import Part
from comity.backends.transfers.zones import Zone
from comity.errors import InputError


def returned(part: Part, number: int, header: Mapping[str, str], zone: Zone | None) -> Entry:
    """`InputError` where it does not say which payment is returned, or how much."""
    original = payment_id(part, "Orgnl")
    if not original:
        raise InputError.because(
            expected="the returned payment's id (OrgnlUETR, OrgnlTxId, OrgnlEndToEndId or OrgnlInstrId)",
            got="none",
        )
    amount, currency = part.text("RtrdIntrBkSttlmAmt"), part.attribute("RtrdIntrBkSttlmAmt", "Ccy")
    if not amount or not currency:
        raise InputError.because(expected="RtrdIntrBkSttlmAmt with its Ccy", got="none")
    reason = part.text("RtrRsnInf/Rsn/Cd", "RtrRsnInf/Rsn/Prtry") or "no reason given"
    row = given(
        transfer_id=f"{original}/return/{part.text('RtrId') or header.get('id', '') or number}",
        booked_at=booked_at(part, header, zone), amount=plain_decimal(amount), currency=currency,
        channel="pacs.004", reference=f"return of {original}: {reason}",
    )  # fmt: skip
    return Entry(number=number, row={**row, **_accounts(part)}, original=original)


def _accounts(part: Part) -> dict[str, str]:
    """The original's debtor and creditor with their parts swapped, if the message repeats both."""
    debtor, creditor = part.part("OrgnlTxRef/DbtrAcct"), part.part("OrgnlTxRef/CdtrAcct")
    if not account(debtor) or not account(creditor):
        return {}
    debtor_agent, creditor_agent = part.part("OrgnlTxRef/DbtrAgt"), part.part("OrgnlTxRef/CdtrAgt")
    return given(
        from_account=account(creditor), to_account=account(debtor),
        from_institution=agent(creditor_agent), to_institution=agent(debtor_agent),
        from_country=country(creditor, creditor_agent), to_country=country(debtor, debtor_agent),
    )  # fmt: skip
