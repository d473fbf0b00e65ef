"""The offence catalogue: ICCS v1.0 codes where known, conduct elements, and each jurisdiction's provision and maximum
penalty as gathered.

Shows what the data holds; `dual_criminality` compares. A code that is unverified is `None`, never a guess.
"""

from dataclasses import dataclass
from functools import cache

from comity.errors import InputError
from comity.law.elements import Requirement, requirements
from comity.law.files import exact_keys, read_json
from comity.law.parties import name_of
from comity.law.register import Register, StatuteRow, register


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """`iccs` with `tag` is the class (fraud with the tag `cyber` is cyber-enabled fraud). `area` is one of
    the five crime areas or None. `statutes` is the key of the rows in statutes.csv. `conduct` is the harmonised
    definition, which is nobody's law: it says in which elements the provisions are compared.
    """

    id: str
    iccs: str | None
    tag: str | None
    name: str
    area: str | None
    statutes: str
    source: str
    confidence: str
    conduct: tuple[Requirement, ...]
    verified: bool


_SHAPE: dict[str, type | tuple[type, ...]] = {
    "id": str, "iccs": (str, type(None)), "tag": (str, type(None)), "name": str, "area": (str, type(None)),
    "statutes": str, "source": str, "confidence": str, "conduct": str, "verified": bool,
}  # fmt: skip


@cache
def offences() -> tuple[Offence, ...]:
    """The catalogue, in the order of its file."""
    rows = [exact_keys(row, _SHAPE, where="offences.json") for row in read_json("offences.json")]
    ids = [row["id"] for row in rows]
    if len(set(ids)) != len(ids):
        raise InputError.because(expected="each offence once", got=repr(ids), where="offences.json")
    return tuple(
        Offence(**{**row, "conduct": requirements(row["conduct"], where=f"offences.json {row['id']}")})
        for row in rows
    )


def offence(id_: str) -> Offence:
    """Return one offence; `InputError` that lists the known ids if there is none."""
    for found in offences():
        if found.id == id_:
            return found
    raise InputError.because(expected=f"one of {', '.join(row.id for row in offences())}", got=repr(id_))


def statutes(party: str, offence_id: str, *, data: Register | None = None) -> tuple[StatuteRow, ...]:
    """The provisions of `party` for this offence; empty where the data holds none (unknown, not absent)."""
    name_of(party)
    key = offence(offence_id).statutes
    rows = (data or register()).statutes
    return tuple(row for row in rows if row.party == party and row.offence == key)
