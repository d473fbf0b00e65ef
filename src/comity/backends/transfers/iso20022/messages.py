"""Which messages are read, by namespace, and each one's transfers in the order in which they stand."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from comity.backends.transfers.entries import Broken, Conventions, Entry, Item, attempt
from comity.backends.transfers.iso20022.credit_transfers import credit_transfer
from comity.backends.transfers.iso20022.returns import returned
from comity.backends.transfers.iso20022.statements import Statement
from comity.backends.transfers.xml_stream import Part, parts_of
from comity.errors import InputError

MESSAGES: Mapping[str, tuple[int, int]] = {
    "pacs.008": (2, 13), "pacs.004": (2, 14), "camt.053": (2, 12), "camt.056": (1, 11), "camt.029": (3, 13),
}  # fmt: skip
"""Message → the versions whose structure is known, first and last."""
RECALLS = ("camt.056", "camt.029")
PREFIX = "urn:iso:std:iso:20022:tech:xsd:"
_MESSAGE = re.compile(r"([a-z]{4}\.\d{3})\.001\.(\d\d)")
_STATEMENT = ("Acct", "Bal", "Ntry", "Stmt", "FrToDt")
_ROOTS = ("FIToFICstmrCdtTrf", "PmtRtr", "BkToCstmrStmt", "FIToFIPmtCxlReq", "RsltnOfInvstgtn")


def message_of(namespace: str, where: str) -> str:
    """The message that a namespace names (`pacs.008`); `InputError` if it is none that is read."""
    found = _MESSAGE.fullmatch(namespace.removeprefix(PREFIX)) if namespace.startswith(PREFIX) else None
    versions = MESSAGES.get(found[1]) if found else None
    if found is None or versions is None or not versions[0] <= int(found[2]) <= versions[1]:
        known = ", ".join(f"{name}.001.{first:02}–{last:02}" for name, (first, last) in MESSAGES.items())
        raise InputError.because(
            expected=f"an ISO 20022 message: {known}",
            got=repr(namespace.removeprefix(PREFIX)[:80]),
            where=where,
        )
    return found[1]


def items(path: Path, conventions: Conventions) -> Iterator[Item]:
    """Every transfer, return and booked entry of a file, which may have several messages in an envelope."""
    names = ("GrpHdr", "CdtTrfTxInf", "TxInf", *_STATEMENT, *_ROOTS)
    reading = _Reading(path, conventions)
    for part in parts_of(path, names):
        yield from reading.take(part)
    if not reading.messages:
        raise InputError.because(
            expected="an ISO 20022 message with its transfers", got="none that ended", where=str(path)
        )


class _Reading:
    """What was said before, at the head of a message or statement, and how many entries there were."""

    def __init__(self, path: Path, conventions: Conventions) -> None:
        self.messages = 0
        self._path, self._conventions = path, conventions
        self._header: dict[str, str] = {}
        self._statement: Statement | None = None
        self._number = 0

    def take(self, part: Part) -> Iterator[Item]:
        if part.name in _ROOTS:
            self._end_message(part)
        elif part.name == "GrpHdr":
            message_of(part.namespace, str(self._path))
            self._header = _header_of(part)
        elif part.name in _STATEMENT:
            yield from self._take_statement(part)
        elif part.name in ("CdtTrfTxInf", "TxInf") and part.within != "Undrlyg":
            yield self._transfer(part)

    def _end_message(self, part: Part) -> None:
        message = message_of(part.namespace, str(self._path))
        if message in RECALLS:
            raise InputError.because(
                expected="transfers", got=f"{message}, which recalls a transfer or answers a recall",
                where=str(self._path), remedy="Look at it: comity recall show FILE",
            )  # fmt: skip
        self.messages += 1
        self._header = {}

    def _transfer(self, part: Part) -> Entry | Broken:
        message = message_of(part.namespace, str(self._path))
        self._number += 1
        read: Any = {"pacs.008": credit_transfer, "pacs.004": returned}.get(message)
        if read is None:
            return Broken(number=self._number, reason=f"expected no {part.name} in {message}, got one")
        number, header, zone = self._number, self._header, self._conventions.zone
        return attempt(number, partial(read, part, number, header, zone))

    def _take_statement(self, part: Part) -> Iterator[Item]:
        if part.name != "Stmt" and part.within != "Stmt":
            return
        message_of(part.namespace, str(self._path))
        if self._statement is None:
            self._statement = Statement(self._path, self._conventions)
        if part.name == "Stmt":
            yield from self._statement.end()
            self._statement = None
        elif part.name == "Ntry":
            for item in self._statement.entry(part, self._number):
                self._number += isinstance(item, (Entry, Broken))
                yield item
        else:
            self._statement.head(part)


def _header_of(part: Part) -> dict[str, str]:
    return {
        "id": part.text("MsgId"), "created": part.text("CreDtTm"), "settled": part.text("IntrBkSttlmDt"),
        "from": part.text("InstgAgt/FinInstnId/BICFI", "InstgAgt/FinInstnId/BIC"),
        "to": part.text("InstdAgt/FinInstnId/BICFI", "InstdAgt/FinInstnId/BIC"),
    }  # fmt: skip
