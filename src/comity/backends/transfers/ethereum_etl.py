"""Ethereum and its like in the layout of ethereum-etl: transactions.csv, receipts.csv, token_transfers.csv together.

What moves: the value of each transaction that succeeded (a receipt's `status` 1), each token transfer of a declared
contract, and the fee, which a failed transaction pays too. What contracts pay one another in the native asset is in
none of these tables.

Amounts are integers of up to 256 bits in the chain's own smallest unit. An asset is declared with the decimals that
the book shall have: fewer than the chain's drops the digits beyond, rounded down, and says how often; an amount that
still does not fit 64 bits is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from comity.backends.transfers.csv import check_names, read_blocks
from comity.backends.transfers.entries import Broken, Conventions, Entry, Item, Note, Source
from comity.errors import InputError
from comity.model.money import MAX_MINOR

TRANSACTIONS = (
    "hash", "block_number", "transaction_index", "from_address", "to_address", "value", "block_timestamp",
)  # fmt: skip
RECEIPTS = ("transaction_hash", "gas_used", "contract_address", "status", "effective_gas_price")
TOKEN_TRANSFERS = ("token_address", "from_address", "to_address", "value", "transaction_hash", "log_index")
TABLES: Mapping[str, tuple[str, ...]] = {
    "transactions": TRANSACTIONS, "receipts": RECEIPTS, "token_transfers": TOKEN_TRANSFERS,
}  # fmt: skip
NATIVE = "native"
_MOST_DIGITS = 78
_NOBODY = "0x" + "0" * 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)


def table_of(names: Sequence[str]) -> str:
    """Which of the tables has these columns; empty if none."""
    return next((table for table, needed in TABLES.items() if set(needed) <= set(names)), "")


def sources(paths: Mapping[str, Sequence[Path]], conventions: Conventions) -> Iterator[Source]:
    """The tables of one chain together. `paths`: table → its files. `InputError` where one is missing."""
    for needed in ("transactions", "receipts"):
        if not paths.get(needed):
            raise InputError.because(
                expected="transactions.csv and receipts.csv of the same blocks, with token_transfers.csv or without",
                got=f"no {needed}", remedy="Name the folder with all of them: only receipts say what failed.",
            )  # fmt: skip
    if not conventions.contracts:
        raise InputError.because(
            expected="the assets that are taken from the chain", got="none",
            remedy="Declare them: --assets FILE with the columns id,decimals,contract,contract_decimals.",
        )  # fmt: skip
    chain = _Chain(conventions)
    for path in paths["transactions"]:
        chain.take_transactions(path)
    chain.order()
    for path in paths["receipts"]:
        chain.take_receipts(path)
    yield paths["transactions"][0], chain.native()
    for path in paths.get("token_transfers", ()):
        yield path, chain.tokens(path)


@dataclass(slots=True)
class _Transaction:
    place: tuple[int, int]
    seconds: int
    sender: str
    receiver: str
    value: int
    line: int
    micros: int = 0
    succeeded: bool | None = None
    fee: int = 0


@dataclass(slots=True)
class _Chain:
    """Transactions by hash with their receipts, in the order of the chain."""

    conventions: Conventions
    by_hash: dict[str, _Transaction] = field(default_factory=dict)
    rounded: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    def take_transactions(self, path: Path) -> None:
        for line, row in _rows(path, TRANSACTIONS):
            where = f"{path}, line {line}"
            name = _matching(_HASH, row["hash"], "hash", where)
            if name in self.by_hash:
                raise InputError.because(expected="each transaction once", got=f"{name} again", where=where)
            self.by_hash[name] = _Transaction(
                place=(
                    _number(row["block_number"], "block_number", where),
                    _number(row["transaction_index"], "transaction_index", where),
                ),
                seconds=_seconds(row["block_timestamp"], where), sender=_address(row["from_address"], where),
                receiver=_address(row["to_address"], where) if row["to_address"] else "",
                value=_number(row["value"], "value", where), line=line,
            )  # fmt: skip

    def order(self) -> None:
        """Give each transaction its moment, after all of them were taken."""
        last = -1
        for one in sorted(self.by_hash.values(), key=lambda one: one.place):
            one.micros = last = max(one.seconds * 1_000_000, last + 1)

    def take_receipts(self, path: Path) -> None:
        for line, row in _rows(path, RECEIPTS):
            where = f"{path}, line {line}"
            one = self.by_hash.get(row["transaction_hash"].lower())
            if one is None:
                continue
            if row["status"] not in ("0", "1"):
                raise InputError.because(
                    expected="status 1 (succeeded) or 0 (failed)", got=repr(row["status"][:20]), where=where,
                    remedy="Receipts have it since the Byzantium fork; before, take a table that fills it in.",
                )  # fmt: skip
            one.succeeded = row["status"] == "1"
            price = _number(row["effective_gas_price"], "effective_gas_price", where)
            one.fee = _number(row["gas_used"], "gas_used", where) * price
            if not one.receiver and row["contract_address"]:
                one.receiver = _address(row["contract_address"], where)

    def native(self) -> Iterator[Item]:
        """Values and fees, in the order of the chain, numbered by the line of transactions.csv."""
        for name, one in sorted(self.by_hash.items(), key=lambda pair: pair[1].place):
            if one.succeeded is None:
                yield Broken(number=one.line, reason=f"expected a receipt of {name}, got none")
                continue
            moves = [(f"{name}/fee", f"fees:{one.place[0]}", one.fee)]
            if one.succeeded and one.value:
                moves.append((name, one.receiver or f"created:{name}", one.value))
            for transfer_id, receiver, value in moves:
                yield from self._moved(one.line, transfer_id, one, NATIVE, (one.sender, receiver, value))
        yield from self._notes()

    def tokens(self, path: Path) -> Iterator[Item]:
        """Token transfers of declared contracts, numbered by line."""
        self.rounded, self.left_out = {}, 0
        for line, row in _rows(path, TOKEN_TRANSFERS):
            try:
                yield from self._token(row, line)
            except InputError as error:
                yield Broken(number=line, reason=error.problem)
        yield from self._notes(path)

    def _token(self, row: Mapping[str, str], line: int) -> Iterator[Item]:
        contract = _address(row["token_address"], "")
        if contract not in self.conventions.contracts:
            self.left_out += 1
            return
        name = row["transaction_hash"].lower()
        one = self.by_hash.get(name)
        if one is None or one.succeeded is None:
            raise InputError.because(expected="its transaction and receipt", got=f"neither of {name[:70]!r}")
        if not one.succeeded:
            raise InputError.because(
                expected="transfers of transactions that succeeded", got=f"{name} failed"
            )
        sender, receiver = _address(row["from_address"], ""), _address(row["to_address"], "")
        value = _number(row["value"], "value", "")
        index = _number(row["log_index"], "log_index", "")
        ends = (
            f"minted:{contract}" if sender == _NOBODY else sender,
            f"burnt:{contract}" if receiver == _NOBODY else receiver,
            value,
        )
        yield from self._moved(line, f"{name}/log/{index:06}", one, contract, ends)

    def _moved(
        self, line: int, name: str, one: _Transaction, contract: str, ends: tuple[str, str, int]
    ) -> Iterator[Item]:
        declared = self.conventions.contracts.get(contract)
        if declared is None:
            self.left_out += 1
            return
        asset, decimals = declared
        sender, receiver, value = ends
        minor = value * 10 ** self.conventions.assets[asset]
        minor, lost = divmod(minor, 10**decimals)
        if minor > MAX_MINOR:
            yield Broken(
                number=line,
                reason=f"{name}: expected an amount of {asset} that fits 64 bits with "
                f"{self.conventions.assets[asset]} decimals, got {value} (10^-{decimals}): declare fewer decimals",
            )
            return
        if lost:
            self.rounded[asset] = self.rounded.get(asset, 0) + 1
        if minor:
            when = _EPOCH + timedelta(microseconds=one.micros)
            yield Entry(number=line, row={
                "transfer_id": name, "booked_at": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "from_account": sender,
                "to_account": receiver, "amount_minor": str(minor), "currency": asset, "channel": "ethereum",
            })  # fmt: skip

    def _notes(self, path: Path | None = None) -> Iterator[Note]:
        where = f"{path}: " if path else ""
        for asset, count in sorted(self.rounded.items()):
            digits = self.conventions.assets[asset]
            yield Note(text=f"{where}{count} amounts of {asset} were rounded down to {digits} decimals")
        if self.left_out:
            yield Note(text=f"{where}{self.left_out} transfers of assets that are not declared were left out")


def _rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    def check(header: Sequence[str], where: str) -> None:
        check_names(header, where, needed, needed)

    for block in read_blocks(path, known=needed, check=check):
        if block.broken:
            line, reason = min(block.broken)
            raise InputError(reason, where=f"{path}, line {line}")
        columns: list[list[Any]] = [block.columns[name].to_pylist() for name in needed]
        for line, *values in zip(block.lines, *columns, strict=True):
            yield line, dict(zip(needed, values, strict=True))


def _matching(pattern: re.Pattern[str], text: str, what: str, where: str) -> str:
    found = text.lower()
    if not pattern.fullmatch(found):
        raise InputError.because(
            expected=f"{what} such as 0x1f… in hexadecimal", got=repr(text[:80]), where=where
        )
    return found


def _address(text: str, where: str) -> str:
    return _matching(_ADDRESS, text, "an address", where)


def _number(text: str, what: str, where: str) -> int:
    """An integer below 2^256, in decimal digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) < 1 << 256):
        raise InputError.because(expected=f"{what}, an integer below 2^256", got=repr(text[:90]), where=where)
    return int(text)


def _seconds(text: str, where: str) -> int:
    """`block_timestamp`: seconds since 1970, or `2025-06-01 02:00:00 UTC` as BigQuery writes it."""
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return int(text)
    try:
        found = datetime.strptime(text.removesuffix("+00:00").removesuffix(" UTC"), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
    except ValueError as error:
        raise InputError.because(
            expected="block_timestamp, seconds since 1970", got=repr(text[:40]), where=where
        ) from error
    return int(found.replace(tzinfo=UTC).timestamp())
