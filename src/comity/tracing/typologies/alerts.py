"""An alert: a pattern found in a book, with everything a person needs to judge it. Frozen values.

An alert is a reason to look, never a finding about a person. It names its transfers in order of events, says the rule
in a sentence with what was measured and the thresholds, and is itself a report that `comity trace` can follow.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from comity.tracing.book import EPOCH
from comity.tracing.times import time_text
from comity.tracing.typologies.columns import Columns, Ints, Reals

MOST_TRANSFERS = 200
"""An alert lists at most so many transfers, the earliest; `transfers_in_all` says how many there are."""

Measures = Mapping[str, int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a typology found, in codes: accounts (the one it is about first) and events in order."""

    accounts: tuple[int, ...]
    events: tuple[int, ...]
    transfers_in_all: int
    strength: float
    """0 to 1: how far beyond its thresholds; 0.5 is just there. Orders alerts of one pattern, no probability."""
    measured: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    alert_id: str
    pattern: str
    accounts: tuple[str, ...]
    transfer_ids: tuple[str, ...]
    transfers_in_all: int
    since: datetime
    until: datetime
    rule: str
    """One sentence: what was measured, and the thresholds it was compared with."""
    measured: Measures
    thresholds: Mapping[str, Any]
    score: float


def beyond(measured: float, threshold: float) -> float:
    """Strength of a measure that must reach a threshold: 0.5 at the threshold, towards 1 as it grows."""
    return 1.0 if threshold <= 0 else max(0.0, 1.0 - 0.5 * threshold / max(measured, 1e-9))


def alert_of(
    finding: Finding, columns: Columns, *, pattern: str, rule: str, thresholds: Mapping[str, Any]
) -> Alert:
    """Put names to codes. The id follows from the pattern and its transfers: the same alert, the same id."""
    ids = tuple(columns.ids(np.array(finding.events, np.int64)))
    accounts = tuple(columns.name(account) for account in finding.accounts)
    times = columns.at[[finding.events[0], finding.events[-1]]].astype("timedelta64[us]").tolist()
    return Alert(
        alert_id=f"{pattern}-{_digest(pattern, accounts[:1], ids)}",
        pattern=pattern,
        accounts=accounts,
        transfer_ids=ids,
        transfers_in_all=finding.transfers_in_all,
        since=EPOCH + times[0],
        until=EPOCH + times[1],
        rule=rule,
        measured=dict(finding.measured),
        thresholds=dict(thresholds),
        score=round(finding.strength, 6),
    )


def _digest(pattern: str, accounts: Sequence[str], ids: Sequence[str]) -> str:
    parts = [text.encode() for text in (pattern, *accounts, *ids)]
    return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()[:12]


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Strongest first; then earliest, then by id: the same book always gives the same order."""
    return sorted(alerts, key=lambda alert: (-alert.score, alert.since, alert.alert_id))


def transfer_scores(columns: Columns, found: Iterable[tuple[str, Finding]]) -> Reals:
    """A score per transfer without a model: 1 − ∏(1 − strength) over patterns, each pattern's strongest alert.

    It grows with the number of different patterns a transfer is part of. It orders; it is no probability.
    """
    strongest: dict[str, Reals] = {}
    for pattern, finding in found:
        scores = strongest.setdefault(pattern, np.zeros(len(columns)))
        events: Ints = np.array(finding.events, np.int64)
        scores[events] = np.maximum(scores[events], min(finding.strength, 0.99))
    left = np.ones(len(columns))
    for pattern in sorted(strongest):
        left *= 1 - strongest[pattern]
    return 1 - left


def alert_document(alert: Alert) -> dict[str, Any]:
    """The alert as JSON (spec/alert.md). `report` is what `comity trace --report` reads."""
    return {
        "alert_id": alert.alert_id,
        "pattern": alert.pattern,
        "score": alert.score,
        "accounts": list(alert.accounts),
        "transfer_ids": list(alert.transfer_ids),
        "transfers_in_all": alert.transfers_in_all,
        "since": time_text(alert.since),
        "until": time_text(alert.until),
        "rule": alert.rule,
        "measured": dict(alert.measured),
        "thresholds": dict(alert.thresholds),
        "report": report_document(alert),
    }


def report_document(alert: Alert) -> dict[str, Any]:
    """The alert as the REPORT of the trace contract: follow every transfer it names, whole."""
    return {"report_id": alert.alert_id, "transfers": list(alert.transfer_ids)}
