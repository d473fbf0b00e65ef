"""How ISO 20022 names payments, accounts, institutions and times, in every message alike."""

from collections.abc import Mapping

from comity.backends.transfers.xml_stream import Part
from comity.backends.transfers.zones import Zone, day, day_of, instant
from comity.errors import InputError

NOT_PROVIDED = ("", "NOTPROVIDED")


def payment_id(part: Part, prefix: str = "") -> str:
    """The UETR, else the transaction's, the end-to-end or the instruction's id; `prefix` is `Orgnl` for another's."""
    for name in ("UETR", "TxId", "EndToEndId", "InstrId"):
        found = part.text(f"{prefix}{name}")
        if found not in NOT_PROVIDED:
            return found.lower() if name == "UETR" else found
    return ""


def needed_id(part: Part, within: str) -> str:
    found = payment_id(part)
    if not found:
        raise InputError.because(
            expected=f"an id in {within} (UETR, TxId, EndToEndId or InstrId)", got="none"
        )
    return found


def account(part: Part | None) -> str:
    """The IBAN (without spaces), or the other identification."""
    if part is None:
        return ""
    return part.text("Id/IBAN").replace(" ", "") or part.text("Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN")


def agent(part: Part | None) -> str:
    """The BIC, else the member id of a clearing system, else the name."""
    if part is None:
        return ""
    return part.text(
        "FinInstnId/BICFI", "FinInstnId/BIC", "FinInstnId/ClrSysMmbId/MmbId", "FinInstnId/Nm",
        "FinInstnId/CmbndId/BIC", "FinInstnId/CmbndId/Nm",
    )  # fmt: skip


def country(cash_account: Part | None, institution: Part | None) -> str:
    """Of an account: as its IBAN begins; else as its institution's BIC or address says."""
    iban = cash_account.text("Id/IBAN").replace(" ", "") if cash_account is not None else ""
    if len(iban) > 4 and iban[:2].isalpha():
        return iban[:2].upper()
    return country_of_agent(institution)


def country_of_agent(institution: Part | None) -> str:
    if institution is None:
        return ""
    bic = institution.text("FinInstnId/BICFI", "FinInstnId/BIC", "FinInstnId/CmbndId/BIC")
    return country_of_bic(bic) or institution.text("FinInstnId/PstlAdr/Ctry")


def country_of_bic(bic: str) -> str:
    return bic[4:6].upper() if len(bic) in (8, 11, 12) and bic[4:6].isalpha() else ""


def booked_at(part: Part, header: Mapping[str, str], zone: Zone | None) -> str:
    """When an interbank payment is taken to be booked: spec/formats.md, "When"."""
    said = part.text("SttlmTmIndctn/CdtDtTm", "SttlmTmIndctn/DbtDtTm", "AccptncDtTm")
    if said:
        return instant(said, zone)
    settled = part.text("IntrBkSttlmDt") or header.get("settled", "")
    created = header.get("created", "")
    if not settled:
        raise InputError.because(expected="IntrBkSttlmDt", got="none")
    if created and day_of(created) == day_of(settled):
        return instant(created, zone)
    return day(settled, zone)


def remittance(part: Part) -> str:
    """What was written with the payment: unstructured lines, else the creditor's reference."""
    lines = [one.element.text.strip() for one in part.parts("RmtInf/Ustrd") if one.element.text]
    return " ".join(lines) or part.text("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
