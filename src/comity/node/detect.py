"""Look for patterns of laundering in files of transfers, and learn in which order people should look at them.

Loads Ibis, Numba and LightGBM: import this module only where something is detected.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from comity.backends.analysis import DuckDbEngine
from comity.backends.labels import read_labels
from comity.backends.model_files import load_model, save_model
from comity.backends.transfers.files import read_transfers
from comity.errors import InputError, NotFound
from comity.model import CRYPTO_ASSETS
from comity.tracing.book import EPOCH
from comity.tracing.times import time_text
from comity.tracing.typologies.alerts import (
    Alert,
    Finding,
    alert_document,
    alert_of,
    in_order,
    report_document,
    transfer_scores,
)
from comity.tracing.typologies.calibration import Sigmoid, judge
from comity.tracing.typologies.card import model_card
from comity.tracing.typologies.catalogue import NAMES, PathLike, Relational, find_all, typology
from comity.tracing.typologies.columns import Columns, Reals
from comity.tracing.typologies.crypto import CryptoInOut
from comity.tracing.typologies.ports import Engine
from comity.tracing.typologies.ranker import Ranker, Trained, labels_digest, train
from comity.tracing.typologies.structuring import Structuring

__all__ = ["NAMES", "Detected", "alert_document", "detect", "load_ranker", "report_document", "train_ranker"]

MODEL_FORMAT = "comity-ranker-1"
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """Alerts in the order in which to look at them, and a score for each transfer, in order of events."""

    alerts: tuple[Alert, ...]
    transfer_ids: Any
    """Arrow strings, beside `scores`."""
    scores: Reals
    model: str | None
    """The digest of the model that scored, if one did."""

    def named(self, alert_id: str) -> Alert:
        for alert in self.alerts:
            if alert.alert_id == alert_id:
                return alert
        raise NotFound.because(
            expected="an alert that this detection finds", got=repr(alert_id[:80]),
            remedy="Run `comity detect` on the same transfers with the same options, and copy an alert's id.",
        )  # fmt: skip


def detect(
    transfers: Path,
    *,
    patterns: Sequence[str] = (),
    model: Path | None = None,
    thresholds: Mapping[str, int] | None = None,
    assets: Mapping[str, int] = CRYPTO_ASSETS,
    engine: Engine | None = None,
    told: Told = lambda _what: None,
) -> Detected:
    """Find alerts of the named patterns (all where none is named).

    `thresholds`: currency → minor units, beside the known ones, for structuring. With `model`, scores are its
    calibrated probabilities and an alert's score is the mean over its transfers; without, see `transfer_scores`.
    """
    chosen = [_with_settings(typology(name), thresholds or {}, assets) for name in patterns or NAMES]
    ranker = load_ranker(model) if model else None
    told("reading transfers")
    columns = Columns.from_table(read_transfers([transfers], assets=assets).table)
    found: list[tuple[Relational | PathLike, Finding]] = []
    for one, hits in find_all(
        columns, engine or DuckDbEngine(), list({one.name: one for one in chosen}.values())
    ):
        told(f"{one.name}: {len(hits):,} alerts")
        found += [(one, hit) for hit in hits]
    if ranker:
        told("scoring transfers")
        scores = ranker[0].scores(columns)
    else:
        scores = transfer_scores(columns, ((one.name, hit) for one, hit in found))
    alerts = (_alert(one, hit, columns, scores if ranker else None) for one, hit in found)
    return Detected(
        alerts=tuple(in_order(alerts)),
        transfer_ids=columns.table["transfer_id"],
        scores=scores,
        model=ranker[1] if ranker else None,
    )


def _with_settings(
    one: Relational | PathLike, thresholds: Mapping[str, int], assets: Mapping[str, int]
) -> Relational | PathLike:
    if isinstance(one, Structuring):
        return replace(one, thresholds_minor={**one.thresholds_minor, **thresholds})
    return replace(one, assets=tuple(sorted(assets))) if isinstance(one, CryptoInOut) else one


def _alert(one: Relational | PathLike, hit: Finding, columns: Columns, scores: Reals | None) -> Alert:
    if scores is not None:
        hit = replace(hit, strength=float(np.mean(scores[list(hit.events)])))
    return alert_of(
        hit, columns, pattern=one.name, rule=one.sentence(hit.measured),
        thresholds=asdict(one),  # type: ignore[call-overload] # every typology is a dataclass
    )  # fmt: skip


def train_ranker(
    transfers: Path, folder: Path, *, seed: int = 1, told: Told = lambda _what: None
) -> dict[str, Any]:
    """Learn from labelled transfers and write the model; returns its description with the digest."""
    told("reading transfers")
    columns = Columns.from_table(read_transfers([transfers]).table)
    labels = read_labels(transfers, columns.table["transfer_id"])
    told(f"learning from {len(columns):,} transfers")
    trained = train(columns, labels, seed=seed)
    description = _described(trained, columns, labels_digest(columns, labels), seed, int(labels.sum()))
    boosters = {"first.txt": trained.ranker.first}
    boosters |= {f"second-{turn}.txt": text for turn, text in enumerate(trained.ranker.second)}
    digest = save_model(folder, description=description, boosters=boosters, card=model_card(description))
    return {"model": digest, **description}


def _described(trained: Trained, columns: Columns, digest: str, seed: int, laundering: int) -> dict[str, Any]:
    ranker = trained.ranker
    times = [int(columns.at[0]), *trained.splits, int(columns.at[-1])]
    return {
        "format": MODEL_FORMAT,
        "seed": seed,
        "data": {"sha256": digest, "transfers": len(columns), "laundering": laundering},
        "times": [time_text(EPOCH + np.timedelta64(at, "us").item()) for at in times],
        "checked": judge(*trained.checked, ranker.threshold),
        "judged": judge(*trained.judged, ranker.threshold),
        "importance": dict(trained.importance),
        "features": list(ranker.names),
        "sigmoid": [ranker.sigmoid.slope, ranker.sigmoid.offset],
        "threshold": ranker.threshold,
        "history_us": ranker.history,
    }


def load_ranker(folder: Path) -> tuple[Ranker, str]:
    """The ranker in a folder, and its digest."""
    description, boosters, digest = load_model(folder)
    try:
        if description["format"] != MODEL_FORMAT:
            raise ValueError(f"format {description['format']!r}")
        slope, offset = description["sigmoid"]
        return Ranker(
            names=tuple(description["features"]),
            first=boosters["first.txt"],
            second=tuple(boosters[name] for name in sorted(boosters) if name.startswith("second-")),
            sigmoid=Sigmoid(slope=float(slope), offset=float(offset)),
            threshold=float(description["threshold"]),
            history=int(description["history_us"]),
        ), digest
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.because(
            expected=f"a model of the form {MODEL_FORMAT}", got=str(error)[:200], where=str(folder),
            remedy="Train the model again with this version: comity detect train.",
        ) from error  # fmt: skip
