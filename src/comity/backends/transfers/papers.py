"""Read the small papers beside a book of transfers: opening balances, declared assets, a report.

All or nothing: one bad row refuses the file, with its line.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from comity.backends.transfers.csv import check_names, read_blocks
from comity.errors import InputError
from comity.model import CRYPTO_ASSETS, Report, digits_of, parse_amount
from comity.proofs.canonical import parse_strict
from comity.tracing import read_report as report_from

_MOST_DECIMALS = 18
_CONTRACT = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_LONGEST_AMOUNT = 60


def read_balances(path: Path, assets: Mapping[str, int] = CRYPTO_ASSETS) -> dict[tuple[str, str], int]:
    """Return (account, currency) → clean minor units before the first transfer, from CSV
    `account,currency,amount`.
    """
    balances: dict[tuple[str, str], int] = {}
    for where, (account, currency, amount) in _rows(path, ("account", "currency", "amount")):
        if not account:
            raise InputError.because(expected="an account", got="nothing", where=where)
        if (account, currency) in balances:
            raise InputError.because(
                expected="one balance for each account and currency",
                got=f"{account!r} {currency} twice",
                where=where,
            )
        if len(amount) > _LONGEST_AMOUNT:
            raise InputError.because(
                expected="an amount that fits 64 bits", got=f"{len(amount)} characters", where=where
            )
        try:
            balances[account, currency] = parse_amount(amount, digits_of(currency, assets))
        except InputError as error:
            raise InputError(error.problem, where=where) from error
    return balances


def read_assets(path: Path) -> dict[str, int]:
    """Return declared assets, id → decimals, from CSV `id,decimals`, together with those every node knows."""
    declared: dict[str, int] = {}
    for where, (name, decimals) in _rows(path, ("id", "decimals")):
        if not name or name in declared:
            got = f"{name!r} twice" if name else "nothing"
            raise InputError.because(expected="each asset's id once", got=got, where=where)
        if not (
            decimals.isascii()
            and decimals.isdigit()
            and len(decimals) <= 2
            and int(decimals) <= _MOST_DECIMALS
        ):
            raise InputError.because(
                expected=f"decimals from 0 to {_MOST_DECIMALS}", got=repr(decimals[:40]), where=where
            )
        if _is_currency(name):
            raise InputError.because(
                expected="an asset that is no ISO 4217 currency",
                got=repr(name),
                where=where,
                remedy="ISO 4217 sets the digits of currencies; declare only other assets.",
            )
        declared[name] = int(decimals)
    return {**CRYPTO_ASSETS, **declared}


def read_contracts(path: Path) -> dict[str, tuple[str, int]]:
    """Return the contracts of declared assets on a chain, contract → (asset id, decimals there), from the columns
    `contract` and `contract_decimals` of the file of assets; nothing where it has no such columns. `native` is the
    chain's own asset.
    """
    if "contract" not in _header(path):
        return {}
    contracts: dict[str, tuple[str, int]] = {}
    for where, (name, contract, decimals) in _rows(path, ("id", "contract", "contract_decimals")):
        key = contract.lower()
        if not contract:
            continue
        if key != "native" and not _CONTRACT.fullmatch(key):
            raise InputError.because(
                expected="native, or a contract such as 0x1f…", got=repr(contract[:60]), where=where
            )
        if key in contracts:
            raise InputError.because(expected="each contract once", got=f"{contract[:60]} again", where=where)
        if not (decimals.isascii() and decimals.isdigit() and len(decimals) <= 2):
            raise InputError.because(
                expected="contract_decimals from 0 to 99", got=repr(decimals[:40]), where=where
            )
        contracts[key] = (name, int(decimals))
    return contracts


def _header(path: Path) -> Sequence[str]:
    found: list[str] = []

    def check(header: Sequence[str], _: str) -> None:
        found.extend(header)

    next(read_blocks(path, known=(), check=check), None)
    return found


def read_report(path: Path) -> Report:
    """Return the report in a JSON file (trace contract, REPORT)."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error
    return report_from(parse_strict(content, where=str(path)), where=str(path))


def _is_currency(name: str) -> bool:
    try:
        digits_of(name, {})
    except InputError:
        return False
    return True


def _rows(path: Path, names: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    def check(header: Sequence[str], where: str) -> None:
        check_names(header, where, names, names)

    for block in read_blocks(path, known=names, check=check):
        if block.broken:
            line, reason = min(block.broken)
            raise InputError(reason, where=f"{path}, line {line}")
        for line, *values in zip(
            block.lines, *(block.columns[name].to_pylist() for name in names), strict=True
        ):
            where = f"{path}, line {line}"
            if any("\0" in value for value in values):
                raise InputError.because(expected="text", got="a NUL", where=where)
            yield where, tuple(values)
