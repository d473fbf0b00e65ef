"""What each multilateral instrument and each channel allows, read from `data/uses.json`; articles are named
there.

An instrument of instruments.csv without an entry here is an error, except listings (FATF), which are no
basis of anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from comity.errors import InputError
from comity.law.files import exact_keys, read_json, texts
from comity.law.parties import known_jurisdictions
from comity.law.register import register

PURPOSES = (
    "freeze", "mla", "extradition", "preservation", "asset_recovery", "joint_team", "police_information",
    "fiu_information",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What an instrument does for one purpose.

    `serves` is "basis" (by itself), "complement" (only beside a treaty in force between the two: UNTOC 16(3)
    and the like) or "no". `offences` None: any offence within its scope; otherwise only these, with `limit`
    as the reason, and `needs_offence` says that it counts only once the offence is named. `notification`
    cites the rule that hangs on each state's notification.
    """

    serves: str
    reasons: tuple[str, ...]
    offences: tuple[str, ...] | None = None
    needs_offence: bool = False
    limit: str = ""
    notification: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """`circle` lists who may become party (None: any state). `between_states` is False where not states but
    their units or centres are the members. `channel` names the kind of authority whose channel it is.
    """

    id: str
    title: str
    kind: str
    in_force: bool
    force: str
    circle: frozenset[str] | None
    between_states: bool
    channel: str | None
    uses: Mapping[str, Use]


_SHAPE: dict[str, type | tuple[type, ...]] = {
    "instrument": str, "title": str, "kind": str, "in_force": bool, "force": str,
    "circle": (list, type(None)), "between_states": bool, "channel": (str, type(None)),
    "uses": dict, "source": str, "confidence": str,
}  # fmt: skip
_USE_KEYS = {"serves", "reasons", "offences", "unstated", "limit", "notification"}


@cache
def instruments() -> tuple[Instrument, ...]:
    """All instruments, in the order of the file, which is also the order of preference among equals."""
    found = load_instruments(read_json("uses.json"))
    gathered = {row.instrument for row in register().parties if row.type != "listing"}
    described = {row.id for row in found}
    if gathered != described:
        raise InputError.because(
            expected="a description of every gathered instrument",
            got=f"a difference in {sorted(gathered ^ described)}",
            where="uses.json",
        )
    return found


def load_instruments(rows: Any) -> tuple[Instrument, ...]:
    """Read the parsed file, strictly."""
    return tuple(_instrument(exact_keys(row, _SHAPE, where="uses.json")) for row in rows)


def _instrument(row: dict[str, Any]) -> Instrument:
    where = f"uses.json {row['instrument']}"
    circle = None if row["circle"] is None else frozenset(texts(row["circle"], where=where))
    if row["kind"] not in ("multilateral", "arrangement") or set(row["uses"]) != set(PURPOSES):
        raise InputError.because(
            expected=f"a kind and uses for {PURPOSES}", got=str(sorted(row["uses"])), where=where
        )
    if circle is not None and not circle <= set(known_jurisdictions()):
        raise InputError.because(
            expected="known jurisdictions in circle", got=str(sorted(circle)), where=where
        )
    return Instrument(
        id=row["instrument"],
        title=row["title"],
        kind=row["kind"],
        in_force=row["in_force"],
        force=row["force"],
        circle=circle,
        between_states=row["between_states"],
        channel=row["channel"],
        uses={purpose: _use(row["uses"][purpose], where) for purpose in PURPOSES},
    )


def _use(row: dict[str, Any], where: str) -> Use:
    if not set(row) <= _USE_KEYS or row.get("serves") not in ("basis", "complement", "no"):
        raise InputError.because(expected=f"keys of {sorted(_USE_KEYS)}", got=str(sorted(row)), where=where)
    if row["serves"] == "complement" and not row.get("notification"):
        raise InputError.because(expected="the rule on notification", got="none", where=where)
    limited = "offences" in row
    if limited and (row.get("unstated") not in ("usable", "unusable") or not row.get("limit")):
        raise InputError.because(expected="a limit and what holds unstated", got=str(row)[:80], where=where)
    return Use(
        serves=row["serves"],
        reasons=texts(row["reasons"], where=where),
        offences=texts(row["offences"], where=where) if limited else None,
        needs_offence=row.get("unstated") == "unusable",
        limit=row.get("limit", ""),
        notification=row.get("notification", ""),
    )
