"""Identifiers by which two nodes may find that they work the same target, each in the one form that is compared.

Exact only: what is not surely of its kind is refused, since a form that differs by one letter is never found. Rules:
IBAN ISO 13616 with its check digits (ISO 7064 mod 97-10), phone numbers ITU-T E.164 with the country code, e-mail the
whole address in lower case, bank accounts by the institution's own code, documents and plates by the country that gave
them (ISO 3166-1 alpha-2), wallets by the form of their chain.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comity.errors import InputError

LONGEST = 120


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Identifier:
    """`value` is in the form of its `kind` (`identifier` makes it)."""

    kind: str
    value: str


def identifier(text: str) -> Identifier:
    """Read `KIND:VALUE` as a person writes it, for example `phone:+66 2 123 4567`; `InputError` says what is wrong."""
    kind, colon, value = text.partition(":")
    form = _FORMS.get(kind.strip().lower())
    if not colon or form is None:
        raise InputError.because(
            expected=f"KIND:VALUE with one of the kinds {', '.join(KINDS)}", got=repr(text[:80]),
            remedy="For example: phone:+6621234567, iban:GB82WEST12345698765432, passport:TH:AA1234567",
        )  # fmt: skip
    value = unicodedata.normalize("NFKC", value).strip()
    if not 0 < len(value) <= LONGEST:
        raise InputError.because(expected=f"1 to {LONGEST} characters", got=str(len(value)), where=kind)
    return Identifier(kind=kind.strip().lower(), value=form(value))


def bare(text: str) -> str:
    """Letters and digits only, in one case: whether some text names an identifier, however it is written there."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _iban(text: str) -> str:
    value = _compact(text)
    if re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}", value, re.ASCII) is None:
        raise _wrong("iban", "an IBAN such as GB82 WEST 1234 5698 7654 32", text)
    digits = "".join(str(int(one, 36)) for one in value[4:] + value[:4])
    if int(digits) % 97 != 1:
        raise _wrong("iban", "an IBAN whose check digits are right", text)
    return value


def _account(text: str) -> str:
    bank, slash, number = text.rpartition("/")
    bank, number = _compact(bank), _compact(number)
    if not slash or not bank or re.fullmatch(r"[A-Z0-9]{4,34}", number, re.ASCII) is None:
        raise _wrong("account", "BANK/NUMBER with the bank's code, such as BKKBTHBK/1234567890", text)
    return f"{bank}/{number}"


def _phone(text: str) -> str:
    value = re.sub(r"[\s().\-/]", "", text)
    value = f"+{value[2:]}" if value.startswith("00") else value
    if re.fullmatch(r"\+[1-9]\d{6,14}", value, re.ASCII) is None:
        raise _wrong("phone", "an E.164 number with its country code, such as +66 2 123 4567", text)
    return value


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    if not (at and local and "." in domain) or re.search(r"[\s<>\"@]", local):
        raise _wrong("email", "one address such as office@example.org", text)
    return f"{local.casefold()}@{domain}"


_WALLETS: Mapping[str, tuple[re.Pattern[str], bool]] = {
    "EVM": (re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII), True),
    "bech32": (re.compile(r"(?:bc1|ltc1)[02-9ac-hj-np-z]{8,87}", re.ASCII | re.IGNORECASE), True),
    "base58": (re.compile(r"[1-9A-HJ-NP-Za-km-z]{25,60}", re.ASCII), False),
}
"""By the form that addresses of a chain have, and whether upper and lower case mean the same in it."""


def _wallet(text: str) -> str:
    for form, folds in _WALLETS.values():
        if form.fullmatch(text):
            return text.lower() if folds else text
    raise _wrong("wallet", "an address of an EVM chain (0x…), bech32 (bc1…) or base58 (1…, 3…, T…)", text)


def _numbered(kind: str) -> Callable[[str], str]:
    """What a country gave a number to: `TH:AA1234567`."""

    def form(text: str) -> str:
        country, _, number = text.partition(":")
        number = "".join(one for one in number.upper() if one.isalnum())
        country = country.strip().upper()
        if re.fullmatch(r"[A-Z]{2}", country, re.ASCII) is None or not 2 <= len(number) <= 20:
            raise _wrong(kind, "COUNTRY:NUMBER, such as TH:AA1234567", text)
        return f"{country}:{number}"

    return form


def _compact(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text).upper()


def _wrong(kind: str, expected: str, got: str) -> InputError:
    return InputError.because(expected=expected, got=repr(got[:80]), where=kind)


_FORMS: Mapping[str, Callable[[str], str]] = {
    "iban": _iban, "account": _account, "phone": _phone, "email": _email, "wallet": _wallet,
    "plate": _numbered("plate"), "passport": _numbered("passport"),
}  # fmt: skip
KINDS = tuple(_FORMS)
