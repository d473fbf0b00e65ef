"""The figures of interception: reported, held here, held by partners, returned, and time to hold. Pure.

Each figure has one definition, which the public page prints beside it. Amounts are sums by currency; they
are never converted, as an exchange rate would be an opinion.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.model import Event
from comity.model.hold_states import COUNTED_AS_HELD

DEFINITIONS: Mapping[str, str] = {
    "reported": "Stolen money in reports that this node took, at the amount claimed.",
    "held_here": "Money under holds that this node placed and that have neither lapsed nor been released. "
    "What was returned stays counted: it was held before.",
    "held_by_partners": "The same, for holds that other nodes placed at this node's request, told it of and have not "
    "taken back. Who takes back something in a case takes back what it had said there of its holds.",
    "returned": "Money under holds that went back to the victim: holds here, and those that partners told this node "
    "of and have not taken back.",
    "time_to_hold": "From the moment the report, or a partner's first request, reached this node to the "
    "moment a hold was placed; without holds that a partner told of and has taken back.",
}

_STATES = {
    "hold.placed": "held", "hold.confirmed": "ordered", "hold.lapsed": "lapsed", "hold.released": "released",
    "hold.returned": "returned", "hold.confiscation-case": "confiscation_case",
}  # fmt: skip
_TAKEN_BACK = "holds.taken-back"
COUNTED_KINDS = frozenset({"report.received", "hold.amended", "hold.told", _TAKEN_BACK, *_STATES})
"""The events the figures are computed from; all others may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interception:
    """Sums are currency → minor units. `times` are one a hold, in the order in which they were placed."""

    cases: int
    reported: Mapping[str, int]
    held_here: Mapping[str, int]
    held_by_partners: Mapping[str, int]
    returned: Mapping[str, int]
    times: tuple[timedelta, ...]


@dataclass(slots=True)
class _Hold:
    case_id: str
    currency: str
    amount_minor: int
    state: str
    here: bool
    time: timedelta
    lapses_at: datetime

    def counts(self, now: datetime) -> bool:
        """Held as far as this node knows: a partner's hold that ran out without a word counts no more."""
        ran_out = not self.here and self.state in ("held", "ordered") and self.lapses_at <= now
        return self.state in COUNTED_AS_HELD and not ran_out


def interception(events: Iterable[Event], *, now: datetime) -> Interception:
    """Compute the figures from a node's events, in their order, as of `now`."""
    reported: dict[str, int] = {}
    holds: dict[tuple[str, str], _Hold] = {}
    cases = 0
    for event in events:
        if event.kind == "report.received":
            cases += 1
            for currency, minor in event.body["amounts"].items():
                reported[currency] = reported.get(currency, 0) + minor
        elif event.kind == _TAKEN_BACK:
            _forget_told(holds, event)
        elif event.kind in COUNTED_KINDS:
            _note_hold(holds, event)
    return Interception(
        cases=cases, reported=reported,
        held_here=_sum(hold for hold in holds.values() if hold.here and hold.counts(now)),
        held_by_partners=_sum(
            hold for hold in holds.values() if not hold.here and hold.counts(now)
        ),
        returned=_sum(hold for hold in holds.values() if hold.state == "returned"),
        times=tuple(hold.time for hold in holds.values()),
    )  # fmt: skip


def _note_hold(holds: dict[tuple[str, str], _Hold], event: Event) -> None:
    body = event.body
    here = event.kind != "hold.told"
    key = ("" if here else event.actor, body["hold"])
    known = holds.get(key)
    if known is None:
        at = event.at if here else datetime.fromisoformat(body["placed_at"])
        holds[key] = _Hold(
            case_id=event.case_id, currency=body["currency"], amount_minor=body["amount_minor"],
            state=_state(event, "held"), here=here,
            time=max(timedelta(0), at - datetime.fromisoformat(body["reported_at"])),
            lapses_at=datetime.fromisoformat(body["lapses_at"]),
        )  # fmt: skip
        return
    known.amount_minor = body["amount_minor"]
    known.state = _state(event, known.state)
    if "lapses_at" in body:
        known.lapses_at = datetime.fromisoformat(body["lapses_at"])


def _forget_told(holds: dict[tuple[str, str], _Hold], event: Event) -> None:
    """A partner took back something that it said in a case: what it said there of its holds before counts no more."""
    for key, hold in list(holds.items()):
        if key[0] == event.actor and hold.case_id == event.case_id:
            del holds[key]


def _state(event: Event, before: str) -> str:
    return str(event.body["state"]) if event.kind == "hold.told" else _STATES.get(event.kind, before)


def _sum(holds: Iterable[_Hold]) -> dict[str, int]:
    total: dict[str, int] = {}
    for hold in holds:
        total[hold.currency] = total.get(hold.currency, 0) + hold.amount_minor
    return total
