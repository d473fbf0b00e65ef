"""Every typology by name, and looking for all of them in one book."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import NotFound
from comity.tracing.typologies.alerts import Finding, Measures
from comity.tracing.typologies.columns import Columns, Ints
from comity.tracing.typologies.crypto import CryptoInOut
from comity.tracing.typologies.cycles import Cycles
from comity.tracing.typologies.dormant import DormantActive
from comity.tracing.typologies.fan import FanIn, FanOut
from comity.tracing.typologies.gather_scatter import GatherScatter
from comity.tracing.typologies.mule_ring import MuleRing
from comity.tracing.typologies.pass_through import PassThrough
from comity.tracing.typologies.peel_chain import PeelChain
from comity.tracing.typologies.ports import Engine
from comity.tracing.typologies.relational import SCHEMA, measured
from comity.tracing.typologies.round_trip import RoundTrip
from comity.tracing.typologies.scatter_gather import ScatterGather
from comity.tracing.typologies.structuring import Structuring


class Typology(Protocol):
    """A pattern with its parameters (the fields of the dataclass are the thresholds)."""

    name: ClassVar[str]

    def sentence(self, found: Measures) -> str: ...


class Relational(Typology, Protocol):
    """One Ibis expression (`relational`)."""

    measures: ClassVar[tuple[str, ...]]

    def expression(self) -> Any: ...

    def strength(self, found: Measures) -> float: ...


class PathLike(Typology, Protocol):
    """A kernel over columns."""

    def find(self, columns: Columns) -> Iterator[Finding]: ...


RELATIONAL: Mapping[str, Callable[[], Relational]] = {
    kind.name: kind
    for kind in (
        FanIn,
        FanOut,
        GatherScatter,
        PassThrough,
        Structuring,
        RoundTrip,
        DormantActive,
        CryptoInOut,
    )
}
PATH_LIKE: Mapping[str, Callable[[], PathLike]] = {
    kind.name: kind for kind in (ScatterGather, Cycles, PeelChain, MuleRing)
}
NAMES = tuple(sorted([*RELATIONAL, *PATH_LIKE]))


def typology(name: str) -> Relational | PathLike:
    """The typology with its defaults; `NotFound` if there is none of that name."""
    kind = RELATIONAL.get(name) or PATH_LIKE.get(name)
    if kind is None:
        raise NotFound.because(
            expected=f"one of {', '.join(NAMES)}",
            got=repr(name[:60]),
            remedy="Name a pattern from this list.",
        )
    return kind()


def find_all(
    columns: Columns, engine: Engine, typologies: Sequence[Relational | PathLike]
) -> Iterator[tuple[Relational | PathLike, list[Finding]]]:
    """Look for each typology in the book: first the relational ones, in the engine, then the kernels."""
    relational = {one.name: cast(Relational, one) for one in typologies if one.name in RELATIONAL}
    if relational:
        table = columns.table.select(list(SCHEMA.names))
        expressions = {name: one.expression() for name, one in relational.items()}
        for name, rows in engine.run(table, expressions):
            yield relational[name], findings(rows, relational[name], columns)
    for one in typologies:
        if one.name not in relational:
            yield one, list(cast(PathLike, one).find(columns))


def findings(rows: Any, one: Relational, columns: Columns) -> list[Finding]:
    """Group the rows of an expression's result by hit, in order of events."""
    if rows.num_rows == 0:
        return []
    event = _positions(rows["transfer_id"], columns.table["transfer_id"])
    account = _positions(rows["account"], columns.accounts)
    currency = _positions(rows["currency"], columns.currencies)
    order = np.lexsort((event, currency, account))
    pot = (account * len(columns.currencies) + currency)[order]
    begins = np.flatnonzero(np.r_[True, pot[1:] != pot[:-1]])
    heads = rows.take(pa.array(order[begins])).to_pylist()
    found: list[Finding] = []
    for row, events in zip(heads, np.split(event[order], begins[1:]), strict=True):
        measures = measured(row, one.measures)
        found.append(
            Finding(
                accounts=_accounts(int(account[order[begins[len(found)]]]), events, columns),
                events=tuple(events.tolist()),
                transfers_in_all=int(row["transfers_in_all"]),
                strength=one.strength(measures),
                measured=measures,
            )
        )
    return found


def _accounts(focus: int, events: Ints, columns: Columns) -> tuple[int, ...]:
    """The account a hit is about, then the others in the order in which they appear."""
    both = np.column_stack([columns.sender[events], columns.receiver[events]]).ravel()
    return tuple(dict.fromkeys([focus, *both.tolist()]))


def _positions(values: Any, among: Any) -> Ints:
    found = pc.index_in(values.cast(pa.string()), value_set=among)
    return np.asarray(found.to_numpy(), np.int64)
