"""Write a request to recall payments: ISO 20022 camt.056.001.08, FI to FI payment cancellation request, reason FRAD.

Its elements and their order are those of the message's schema; lengths are checked before anything is written. It says
what a bank's own system needs to find the payments; whoever sends it is a bank, and signs it as banks do.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from lxml import etree

from comity.errors import InputError

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.056.001.08"
FRAUD = "FRAD"
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_UETR = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ID, _NAME, _LINE = 35, 140, 105


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledPayment:
    """`id`: a UETR, or what the banks of the payment know it by. `amount`: of the whole payment, decimal."""

    id: str
    amount: str
    currency: str
    settled_on: date
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallMessage:
    """`asked_by` asks `asked_of` (a BIC, or a name) for `payments`, in the case that is called `case`."""

    id: str
    case: str
    asked_by: str
    asked_of: str
    at: datetime
    payments: Sequence[RecalledPayment]


def recall_bytes(message: RecallMessage) -> bytes:
    """The message in UTF-8. `InputError` for what ISO 20022 has no place for."""
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item] # the default namespace
    body = _add(root, "FIToFIPmtCxlReq")
    assignment = _add(body, "Assgnmt")
    _text(assignment, "Id", _fitting(message.id, _ID, "the message's id"))
    _name(_add(_add(assignment, "Assgnr"), "Pty"), message.asked_by)
    _agent(_add(_add(assignment, "Assgne"), "Agt"), message.asked_of)
    _text(assignment, "CreDtTm", message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    case = _add(body, "Case")
    _text(case, "Id", _fitting(message.case, _ID, "the case's id"))
    _name(_add(_add(case, "Cretr"), "Pty"), message.asked_by)
    _text(_add(body, "CtrlData"), "NbOfTxs", str(len(message.payments)))
    underlying = _add(body, "Undrlyg")
    if not message.payments:
        raise InputError.because(expected="at least one payment to recall", got="none")
    for place, payment in enumerate(message.payments, start=1):
        _payment(_add(underlying, "TxInf"), payment, f"{message.id[: _ID - 6]}-{place}", message.asked_by)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _payment(parent: etree._Element, payment: RecalledPayment, name: str, asked_by: str) -> None:
    if not _CURRENCY.fullmatch(payment.currency):
        raise InputError.because(
            expected="a payment in an ISO 4217 currency: banks recall no other",
            got=repr(payment.currency[:20]),
        )
    _text(parent, "CxlId", name)
    if _UETR.fullmatch(payment.id):
        _text(parent, "OrgnlUETR", payment.id)
    else:
        _text(parent, "OrgnlTxId", _fitting(payment.id, _ID, "the payment's id"))
    _text(parent, "OrgnlIntrBkSttlmAmt", payment.amount).set("Ccy", payment.currency)
    _text(parent, "OrgnlIntrBkSttlmDt", payment.settled_on.isoformat())
    reason = _add(parent, "CxlRsnInf")
    _name(_add(reason, "Orgtr"), asked_by)
    _text(_add(reason, "Rsn"), "Cd", FRAUD)
    for line in payment.why:
        _text(reason, "AddtlInf", _fitting(line, _LINE, "additional information"))


def _agent(parent: etree._Element, institution: str) -> None:
    inside = _add(parent, "FinInstnId")
    if _BIC.fullmatch(institution):
        _text(inside, "BICFI", institution)
    else:
        _name(inside, institution)


def _name(parent: etree._Element, name: str) -> None:
    _text(parent, "Nm", _fitting(name, _NAME, "a name"))


def _fitting(text: str, most: int, what: str) -> str:
    if not 0 < len(text) <= most:
        raise InputError.because(
            expected=f"{what} of 1 to {most} characters, as ISO 20022 has it",
            got=f"{len(text)}: {text[:60]!r}",
        )
    return text


def _add(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = _add(parent, name)
    try:
        element.text = text
    except ValueError as error:
        raise InputError.because(
            expected=f"text for {name} that XML can hold", got=repr(text[:60])
        ) from error
    return element
