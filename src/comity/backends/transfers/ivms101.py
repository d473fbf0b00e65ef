"""Who sent and who received a transfer, as virtual asset service providers tell one another: IVMS101 in JSON.

IVMS101 says nothing of amounts or times: it belongs to a transfer, which each line names:
`{"transfer_id": "…", "ivms101": {"originator": …, "beneficiary": …, "originatingVASP": …, "beneficiaryVASP": …}}`.
Data elements: interVASP Messaging Standards, IVMS101 (2020) and 101.2023.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from comity.backends.transfers.json_lines import objects_of
from comity.errors import InputError

Way = Literal["from", "to"]
_WAYS: Mapping[Way, tuple[str, str, str]] = {
    "from": ("originator", "originatorPersons", "originatingVASP"),
    "to": ("beneficiary", "beneficiaryPersons", "beneficiaryVASP"),
}
_MOST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side: the accounts it may be under, names of its persons, its provider and that one's country."""

    accounts: frozenset[str]
    names: tuple[str, ...]
    provider: str
    country: str


Parties = Mapping[Way, Party]


def read_parties(path: Path) -> dict[str, tuple[int, Parties]]:
    """Transfer id → the line, and both sides. All or nothing: one bad line refuses the file."""
    found: dict[str, tuple[int, Parties]] = {}
    for line, value in objects_of(path):
        where = f"{path}, line {line}"
        if isinstance(value, InputError):
            raise InputError(value.problem, where=where)
        name, message = value.get("transfer_id"), value.get("ivms101")
        if not isinstance(name, str) or not name or not isinstance(message, dict):
            raise InputError.because(
                expected='{"transfer_id": "…", "ivms101": {…}}', got=f"the keys {', '.join(sorted(value))[:100]}",
                where=where,
            )  # fmt: skip
        if name in found:
            raise InputError.because(
                expected="each transfer once", got=f"{name[:60]!r} as in line {found[name][0]}", where=where
            )
        found[name] = (line, {way: _party(message, way, where) for way in _WAYS})
    return found


def attach(table: Any, parties: Mapping[str, tuple[int, Parties]], where: str) -> Any:
    """The table with institutions and countries where it had none, and the names after its references.

    Accounts that IVMS101 gives must include the transfer's. A transfer that the table does not have is an error.
    """
    ids = table["transfer_id"].to_pylist()
    row_of = {name: row for row, name in enumerate(ids) if name in parties}
    columns = {name: table[name].to_pylist() for name in _CHANGED}
    accounts = {way: table[f"{way}_account"] for way in _WAYS}
    for name, (line, sides) in parties.items():
        if name not in row_of:
            raise InputError.because(
                expected="a transfer of this import", got=repr(name[:60]), where=f"{where}, line {line}"
            )
        row = row_of[name]
        for way, side in sides.items():
            account = accounts[way][row].as_py()
            if side.accounts and account not in side.accounts:
                raise InputError.because(
                    expected=f"{_WAYS[way][0]}.accountNumber with {account[:60]!r}",
                    got=", ".join(sorted(side.accounts))[:100], where=f"{where}, line {line}",
                )  # fmt: skip
            columns[f"{way}_institution"][row] = columns[f"{way}_institution"][row] or side.provider or None
            columns[f"{way}_country"][row] = columns[f"{way}_country"][row] or side.country or None
        said = [f"{_WAYS[way][0]}: {', '.join(side.names)}" for way, side in sides.items() if side.names]
        columns["reference"][row] = "; ".join(filter(None, (columns["reference"][row], *said))) or None
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return table


_CHANGED = ("from_institution", "to_institution", "from_country", "to_country", "reference")


def _party(message: Mapping[str, Any], way: Way, where: str) -> Party:
    role, persons, vasp = _WAYS[way]
    side = _object(message, role, where)
    accounts = side.get("accountNumber", [])
    if not isinstance(accounts, list) or not all(isinstance(one, str) and one for one in accounts):
        raise InputError.because(
            expected=f"{role}.accountNumber as a list of texts", got=repr(accounts)[:60], where=where
        )
    people = side.get(persons, [])
    if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
        raise InputError.because(expected=f"{role}.{persons} as a list", got=repr(people)[:60], where=where)
    provider = _object(message, vasp, where)
    provider = _object(provider, vasp, where) or provider
    return Party(
        accounts=frozenset(accounts), names=tuple(filter(None, (_name(one, where) for one in people))),
        provider=_name(provider, where),
        country=_text(_object(provider, "legalPerson", where), "countryOfRegistration", where),
    )  # fmt: skip


def _name(person: Mapping[str, Any], where: str) -> str:
    """The legal name if there is one, else the first."""
    natural, legal = _object(person, "naturalPerson", where), _object(person, "legalPerson", where)
    names = (natural or legal).get("name", {})
    if isinstance(names, dict):
        names = names.get("nameIdentifier", [])
    if not isinstance(names, list) or not all(isinstance(one, dict) for one in names):
        raise InputError.because(expected="name.nameIdentifier as a list", got=repr(names)[:60], where=where)
    kinds = ("nameIdentifierType", "naturalPersonNameIdentifierType", "legalPersonNameIdentifierType")
    names = sorted(names, key=lambda one: not any(one.get(kind) in ("LEGL", 4) for kind in kinds))
    if not names:
        return ""
    parts = ("secondaryIdentifier", "primaryIdentifier") if natural else ("legalPersonName",)
    return " ".join(filter(None, (_text(names[0], part, where) for part in parts)))[:_MOST_NAME]


def _object(found: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """An object by its name, written originator or Originator; empty if it is not there."""
    value = found.get(name, found.get(name[0].upper() + name[1:]))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError.because(expected=f"{name} as an object", got=repr(value)[:60], where=where)
    return value


def _text(found: Mapping[str, Any], name: str, where: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str) or "\0" in value:
        raise InputError.because(expected=f"{name} as text", got=repr(value)[:60], where=where)
    return value.strip()
