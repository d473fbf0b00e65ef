"""MT103, a single customer credit transfer: one transfer for each message.

Field numbers: SWIFT user handbook, Category 1. Which becomes which column: spec/formats.md.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from comity.backends.transfers.entries import Broken, Conventions, Entry, Item, Note, given, not_stated
from comity.backends.transfers.iso20022.names import country_of_bic
from comity.backends.transfers.swift_mt.fields import Message, raw_messages, read_message
from comity.backends.transfers.zones import Zone, day
from comity.errors import InputError

_VALUE = re.compile(r"(\d\d)(\d\d)(\d\d)([A-Z]{3})([0-9,]{2,15})", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,15}),(\d*)", re.ASCII)
_TIME = re.compile(r"/([A-Z0-9]{1,8})/(\d\d)(\d\d)([+-])(\d\d)(\d\d)", re.ASCII)
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_IBAN = re.compile(r"([A-Z]{2})\d\d[A-Z0-9]{8,30}")
_RETURN = re.compile(r"/RETN/", re.ASCII)
_RETURNED = re.compile(r"/MREF/([^\n/]{1,16})", re.ASCII)
_BETWEEN_BANKS = ("200", "202", "203", "205")
_WORDS = ("192", "195", "196", "199", "292", "295", "296", "299")


def items(path: Path, conventions: Conventions) -> Iterator[Item]:
    """A transfer for each MT103; transfers between banks and messages in words are left out, and counted."""
    left_out: Counter[str] = Counter()
    for number, raw in enumerate(raw_messages(path), start=1):
        try:
            message = read_message(raw)
            if message.kind in (*_BETWEEN_BANKS, *_WORDS):
                left_out[f"MT{message.kind}{'COV' if message.cover else ''}"] += 1
            else:
                yield _payment(message, number, conventions.zone)
        except InputError as error:
            yield Broken(number=number, reason=error.problem)
    if left_out:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(left_out.items()))
        yield Note(
            text=f"{path}: left out {counts}: banks' own transfers and covers, and words about payments "
            "(comity recall show)"
        )


def _payment(message: Message, number: int, zone: Zone | None) -> Entry:
    if message.kind != "103":
        raise InputError.because(expected="MT103", got=f"MT{message.kind}")
    reference = message.needed("20")
    name = message.uetr or f"{message.sender}/{reference}"
    date, currency, amount = value_date_amount(message.needed("32A"))
    sender, receiver = party(message, "50A", "50F", "50K"), party(message, "59", "59A", "59F")
    from_bank, to_bank = (
        institution(message, "52") or message.sender,
        institution(message, "57") or message.receiver,
    )
    returned = _RETURNED.search(message.text("72")) if _RETURN.search(message.text("72")) else None
    row = given(
        transfer_id=name, booked_at=_booked_at(message.text("13C"), date, zone), amount=amount, currency=currency,
        from_account=sender or not_stated(name, "from"), to_account=receiver or not_stated(name, "to"),
        from_institution=from_bank, to_institution=to_bank,
        from_country=_country(sender, from_bank), to_country=_country(receiver, to_bank),
        channel="MT103",
        reference=f"return of {returned[1]}" if returned else " ".join(message.text("70").split("\n")),
    )  # fmt: skip
    return Entry(number=number, row=row, original=returned[1] if returned else "")


def value_date_amount(text: str) -> tuple[str, str, str]:
    """Field 32A, 6!n3!a15d: the date as ISO 8601 (years 80 to 99 are 19xx), currency, decimal amount."""
    found = _VALUE.fullmatch(text)
    decimal = _AMOUNT.fullmatch(found[5]) if found else None
    if found is None or decimal is None:
        raise InputError.because(expected="32A such as 250601EUR1234,56", got=repr(text[:40]))
    century = "19" if int(found[1]) >= 80 else "20"
    amount = f"{decimal[1]}.{decimal[2]}" if decimal[2] else decimal[1]
    return f"{century}{found[1]}-{found[2]}-{found[3]}", found[4], amount


def _booked_at(indication: str, date: str, zone: Zone | None) -> str:
    """The value date; with the time and offset of field 13C, if it has one."""
    if not indication:
        return day(date, zone)
    found = _TIME.fullmatch(indication)
    if found is None:
        raise InputError.because(expected="13C such as /SNDTIME/1249+0200", got=repr(indication[:40]))
    return f"{date}T{found[2]}:{found[3]}:00{found[4]}{found[5]}:{found[6]}"


def party(message: Message, *tags: str) -> str:
    """The account of a customer: what follows the slash of its first line; empty if it has none."""
    first = message.text(*tags).split("\n")[0]
    return first[1:].strip() if first.startswith("/") else ""


def institution(message: Message, number: str) -> str:
    """The BIC of option A, else the first line of the name in options B, C and D."""
    text = message.text(f"{number}A", f"{number}D", f"{number}B", f"{number}C")
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    named = [line for line in lines if not line.startswith("/")]
    if named and message.text(f"{number}A") and not _BIC.fullmatch(named[0]):
        raise InputError.because(expected=f"a BIC in {number}A", got=repr(named[0][:40]))
    return (named or lines or [""])[0]


def _country(account: str, bank: str) -> str:
    iban = _IBAN.fullmatch(account)
    if iban:
        return iban[1]
    return country_of_bic(bank) if _BIC.fullmatch(bank) else ""
