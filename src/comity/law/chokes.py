"""What would pierce an account at which tracing ends: which records, from whom, on what footing.

It names the request; it sends none, and says nothing of whether a court would grant it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from comity.errors import InputError
from comity.law.files import exact_keys, read_json
from comity.model import ChokeKind

_FILE = "chokes.json"
_SHAPE: dict[str, type | tuple[type, ...]] = dict.fromkeys(
    ("kind", "meaning", "request", "addressee", "basis", "confidence", "source"), str
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piercing:
    """`request` is what to ask for, of `addressee`, on `basis` (recommendations and articles)."""

    kind: ChokeKind
    meaning: str
    request: str
    addressee: str
    basis: str
    confidence: str
    source: str


def piercing(kind: ChokeKind) -> Piercing:
    return _known()[kind]


@cache
def _known() -> Mapping[ChokeKind, Piercing]:
    rows = [exact_keys(row, _SHAPE, where=_FILE) for row in read_json(_FILE)]
    found = {ChokeKind(row["kind"]): Piercing(**{**row, "kind": ChokeKind(row["kind"])}) for row in rows}
    if len(found) != len(rows) or set(found) != set(ChokeKind):
        raise InputError.because(
            expected=f"each of {', '.join(ChokeKind)} once",
            got=", ".join(row["kind"] for row in rows),
            where=_FILE,
        )
    return found
