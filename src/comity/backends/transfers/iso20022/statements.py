"""camt.053, a bank's statement of one account: each booked entry is a transfer to or from the other account it names.

The opening booked balance is handed over as such; where the closing one is there too, the entries must lead from
one to the other, to the minor unit.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from comity.backends.transfers.entries import (
    Broken,
    Conventions,
    Entry,
    Item,
    Opening,
    Side,
    given,
    not_stated,
    plain_decimal,
)
from comity.backends.transfers.iso20022.names import (
    account,
    agent,
    country,
    country_of_agent,
    payment_id,
    remittance,
)
from comity.backends.transfers.xml_stream import Part
from comity.backends.transfers.zones import day, day_of, instant
from comity.errors import InputError
from comity.model import digits_of, parse_amount
from comity.tracing import read_time

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_CASH = ("CWDL", "CDPT", "XBCW", "XBCP", "MSCD", "FCWD", "FCDP", "CHKD")
"""Sub-families of bank transaction codes that are cash paid out or in at a counter or machine."""


class Statement:
    """One Stmt while it is read."""

    def __init__(self, path: Path, conventions: Conventions) -> None:
        self._path, self._conventions = path, conventions
        self._account = self._institution = self._country = self._currency = ""
        self._balances: dict[str, tuple[int, str]] = {}
        self._sum = 0
        self._began = ""
        self._order: dict[str, int] = {}
        self._broken = False

    def head(self, part: Part) -> None:
        """Take what stands before the entries: the account, its balances, from when it is."""
        if part.name == "Acct":
            self._account, self._currency = account(part), part.text("Ccy")
            self._institution, self._country = agent(part.part("Svcr")), country(part, part.part("Svcr"))
        elif part.name == "FrToDt":
            self._began = part.text("FrDtTm", "FrDt")
        elif part.name == "Bal":
            self._take_balance(part)

    def _take_balance(self, part: Part) -> None:
        kind = part.text("Tp/CdOrPrtry/Cd", "Tp/Cd")
        currency = part.attribute("Amt", "Ccy")
        if (
            kind not in (*_OPENING, *_CLOSING)
            or part.text("CdtLn/Incl") == "true"
            or currency != self._of(currency)
        ):
            return
        minor = self._minor(part.text("Amt"), currency, f"balance {kind}")
        sign = _sign(part.text("CdtDbtInd"), f"{self._path}, balance {kind}")
        self._balances.setdefault(kind, (sign * minor, part.text("Dt/DtTm", "Dt/Dt")))

    def _of(self, currency: str) -> str:
        """The account's currency: as its head says, else that of the first balance or entry."""
        self._currency = self._currency or currency
        return self._currency

    def _minor(self, amount: str, currency: str, what: str) -> int:
        try:
            return parse_amount(plain_decimal(amount), digits_of(currency, self._conventions.assets))
        except InputError as error:
            raise InputError(
                error.problem, where=f"{self._path}, {what} of {self._account[:60]!r}"
            ) from error

    def entry(self, part: Part, before: int) -> Iterator[Item]:
        """The transfers of one Ntry: one for each of its details that has an amount, or one."""
        if part.text("Sts/Cd", "Sts") != "BOOK":
            return
        try:
            rows = self._rows(part)
        except InputError as error:
            self._broken = True
            yield Broken(number=before + 1, reason=error.problem)
            return
        side: Side = "debit" if part.text("CdtDbtInd") == "DBIT" else "credit"
        for number, row in enumerate(rows, start=before + 1):
            yield Entry(number=number, row=row, side=side)

    def _rows(self, part: Part) -> list[dict[str, str]]:
        if not self._account:
            raise InputError.because(expected="the statement's account before its entries", got="none")
        amount, currency = plain_decimal(part.text("Amt")), part.attribute("Amt", "Ccy")
        if currency != self._of(currency):
            raise InputError.because(expected=f"an entry in {self._currency}", got=repr(currency[:20]))
        minor = parse_amount(amount, digits_of(currency, self._conventions.assets))
        self._sum += _sign(part.text("CdtDbtInd"), "") * minor
        details = part.parts("NtryDtls/TxDtls")
        amounts = [_amount_of(one, currency) for one in details]
        known = [self._minor(one, currency, "entry") for one in amounts if one]
        split = len(details) > 1 and len(known) == len(details)
        if split and sum(known) != minor:
            raise InputError.because(
                expected=f"details that sum to the entry's {amount}", got=f"{sum(known)} minor units"
            )
        when = self._when(part)
        if not split:
            return [self._row(part, details[0] if len(details) == 1 else None, amount, when(), "")]
        return [
            self._row(part, one, value, when(), f"/{place}")
            for place, (one, value) in enumerate(zip(details, amounts, strict=True), start=1)
        ]

    def _when(self, part: Part) -> Callable[[], str]:
        text = part.text("BookgDt/DtTm", "BookgDt/Dt", "ValDt/DtTm", "ValDt/Dt")
        if not text:
            raise InputError.because(expected="BookgDt", got="none")

        def moment() -> str:
            if "T" in text:
                return instant(text, self._conventions.zone)
            order = self._order[text] = self._order.get(text, -1) + 1
            return day(text, self._conventions.zone, order)

        return moment

    def _row(self, part: Part, details: Part | None, amount: str, when: str, place: str) -> dict[str, str]:
        name = self._name(part, details, place)
        out = part.text("CdtDbtInd") == "DBIT"
        other, role = details, "Cdtr" if out != _is_reversal(part) else "Dbtr"
        their_account = other.part(f"RltdPties/{role}Acct") if other else None
        their_agent = other.part(f"RltdAgts/{role}Agt") if other else None
        if account(their_account) == self._account:
            raise InputError.because(
                expected=f"another account than the statement's own as {role}Acct",
                got=repr(self._account[:60]),
            )
        ours = (self._account, self._institution, self._country)
        theirs = (
            account(their_account) or not_stated(name, "to" if out else "from"), agent(their_agent),
            country(their_account, their_agent) or country_of_agent(their_agent),
        )  # fmt: skip
        sender, receiver = (ours, theirs) if out else (theirs, ours)
        return given(
            transfer_id=name, booked_at=when, amount=amount, currency=part.attribute("Amt", "Ccy"),
            from_account=sender[0], from_institution=sender[1], from_country=sender[2],
            to_account=receiver[0], to_institution=receiver[1], to_country=receiver[2],
            channel=_channel(part), reference=(remittance(details) if details else "") or part.text("AddtlNtryInf"),
        )  # fmt: skip

    def _name(self, part: Part, details: Part | None, place: str) -> str:
        """A UETR alone; any other reference is the bank's, for this account. A reversal may repeat its original's."""
        return self._reference(part, details, place) + ("/reversal" if _is_reversal(part) else "")

    def _reference(self, part: Part, details: Part | None, place: str) -> str:
        refs = details.part("Refs") if details else None
        uetr = refs.text("UETR").lower() if refs else ""
        if uetr:
            return uetr
        own = refs.text("AcctSvcrRef", "TxId") if refs else ""
        found = own or part.text("AcctSvcrRef", "NtryRef")
        if found:
            return f"{self._account}/{found}{'' if own else place}"
        named = payment_id(refs) if refs else ""
        if not named:
            raise InputError.because(
                expected="a reference of the entry (UETR, AcctSvcrRef, TxId, NtryRef, EndToEndId)", got="none"
            )
        return f"{self._account}/{named}{place}"

    def end(self) -> Iterator[Item]:
        """The opening balance; `InputError` where the entries do not lead to the closing one."""
        kind = next((kind for kind in _OPENING if kind in self._balances), "")
        opening = self._balances.get(kind)
        closing = self._balances.get("CLBD")
        if (
            opening is not None
            and closing is not None
            and not self._broken
            and opening[0] + self._sum != closing[0]
        ):
            raise InputError.because(
                expected=f"entries that lead from {opening[0]} to {closing[0]} {self._currency} (minor units)",
                got=f"{opening[0] + self._sum}", where=f"{self._path}, statement of {self._account[:60]!r}",
                remedy="The statement is not whole, or an entry was changed: ask the bank for it again.",
            )  # fmt: skip
        if opening is not None and self._account:
            yield Opening(
                account=self._account, currency=self._currency, minor=max(0, opening[0]),
                at=self._opened(opening[1], ends_that_day=kind == "PRCD"), where=str(self._path),
            )  # fmt: skip

    def _opened(self, dated: str, *, ends_that_day: bool) -> datetime:
        """From when the statement is: FrToDt, else the day of the opening balance, or the day after the one that a
        balance closed.
        """
        text, zone = self._began or dated, self._conventions.zone
        where = f"{self._path}, statement of {self._account[:60]!r}"
        try:
            closed = day_of(text) if ends_that_day and not self._began and "T" not in text else None
            if closed is not None:
                text = (closed + timedelta(days=1)).isoformat()
            begins = instant(text, zone) if "T" in text else day(text, zone)
            return read_time(begins) - timedelta(microseconds=1)
        except InputError as error:
            raise InputError(error.problem, where=where) from error
        except OverflowError as error:
            raise InputError.because(
                expected="a year from 1 to 9999", got=repr(text[:40]), where=where
            ) from error


def _amount_of(details: Part, currency: str) -> str:
    """The detail's amount in the account's currency, or nothing."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if details.attribute(path, "Ccy") == currency:
            return plain_decimal(details.text(path))
    return ""


def _is_reversal(part: Part) -> bool:
    """Whether the entry takes another back: then its parties have the roles that they had in the other."""
    said = part.text("RvslInd")
    if said not in ("", "true", "1", "false", "0"):
        raise InputError.because(expected="RvslInd true or false", got=repr(said[:20]))
    return said in ("true", "1")


def _channel(part: Part) -> str:
    code = part.text("BkTxCd/Domn/Fmly/SubFmlyCd")
    return "cash" if code in _CASH else "camt.053"


def _sign(indicator: str, where: str) -> int:
    if indicator not in ("CRDT", "DBIT"):
        raise InputError.because(expected="CdtDbtInd CRDT or DBIT", got=repr(indicator[:20]), where=where)
    return 1 if indicator == "CRDT" else -1
