"""A learned order of alerts: LightGBM over `features`, in two steps. Pure: columns and labels in, a model out.

The first step scores each transfer by what happens around it; the second adds how suspicious the first found the
*other* transfers of its sender and receiver (`features.company`). To judge honestly, the book is cut in time: 60 % of
the transfers teach, the next 20 % stop the learning, calibrate and set the threshold, the last 20 % are only judged.

Each part is measured in the book as it stood when its last transfer was booked, and no book over a longer time than the
one that taught (`Ranker.history`). The teaching part is measured at three moments, so that the model learns transfers
whose future is not known yet, as it will meet them.

The model orders alerts for people. It decides nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from comity.errors import InputError
from comity.tracing.typologies.calibration import Sigmoid, best_threshold, calibrate
from comity.tracing.typologies.columns import Columns, Flags, Reals
from comity.tracing.typologies.features import COMPANY, Matrix, company, features

TEACHING, CHECKING = 0.6, 0.8
MOMENTS = ((0.0, 0.4), (0.3, 0.5), (0.4, 0.6))
"""Shares of the transfers, in order of events: which are taught, as measured at the moment when the last is booked."""
BAG = 3
LEAST_LABELS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """Boosters as LightGBM's text, calibration, and the threshold that gave the best F1 on the checking part."""

    names: tuple[str, ...]
    first: str
    second: tuple[str, ...]
    sigmoid: Sigmoid
    threshold: float
    history: int
    """Microseconds: over how long a time before its end a book is measured."""

    def scores(self, columns: Columns) -> Reals:
        """A calibrated probability for each transfer of the book, half a `history` at a time."""
        found = np.zeros(len(columns))
        done = 0
        while done < len(columns):
            length = self.history if done == 0 else self.history // 2
            end = max(
                int(np.searchsorted(columns.at, int(columns.at[done]) + length, side="right")), done + 1
            )
            found[done:end] = self._score(_seen(columns, done, end, self.history))
            done = end
        return found

    def _score(self, part: "_Part") -> Reals:
        if part.names != self.names:
            raise InputError.because(
                expected=f"a model of these {len(part.names)} features", got=f"one of {len(self.names)}",
                remedy="Train the model again with this version: comity detect train.",
            )  # fmt: skip
        rows = _second_rows(part, _predict(_booster(self.first), part.matrix))
        return self.sigmoid.apply(_mean_margin([_booster(text) for text in self.second], rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A ranker, and what it said about the checking and the judged part (labels beside it)."""

    ranker: Ranker
    checked: tuple[Flags, Reals]
    judged: tuple[Flags, Reals]
    splits: tuple[int, int]
    """Microseconds: where checking and where judging begins."""
    importance: Mapping[str, float]
    """Share of the gain, by feature, largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The transfers `begin` to `end` of the whole book, in the book as it stood when the last of them was booked."""

    begin: int
    end: int
    columns: Columns
    matrix: Matrix
    names: tuple[str, ...]

    @property
    def earlier(self) -> int:
        """How many transfers of `columns` come before the part's own."""
        return len(self.columns) - (self.end - self.begin)

    @property
    def rows(self) -> Matrix:
        return self.matrix[self.earlier :]


def train(columns: Columns, labels: Flags, *, seed: int = 1, rounds: int = 400) -> Trained:
    """Learn from a labelled book. Deterministic: the same book and seed give the same model (one thread).

    `InputError` where a part has fewer than `LEAST_LABELS` labelled transfers.
    """
    _enough(columns, labels)
    history = int(columns.at[-1] - columns.at[0])

    def seen(begin: float, end: float) -> _Part:
        return _seen(columns, _cut(columns, begin), _cut(columns, end), history)

    taught = [seen(*shares) for shares in MOMENTS]
    checked, judged = seen(TEACHING, CHECKING), seen(CHECKING, 1.0)
    first = _first_step(taught, labels, seed)
    rows = np.concatenate([_second_rows(part, _out_of_fold(part, taught, labels, seed)) for part in taught])
    known = np.concatenate([labels[part.begin : part.end] for part in taught])
    check, is_so = _second_rows(checked, _predict(first, checked.matrix)), labels[checked.begin : checked.end]
    every = (*checked.names, *COMPANY)
    second = [_fit(rows, known, every, seed + turn, rounds, (check, is_so)) for turn in range(BAG)]
    margin = _mean_margin(second, check)
    sigmoid = calibrate(margin, is_so)
    ranker = Ranker(
        names=checked.names,
        first=_text(first),
        second=tuple(_text(one) for one in second),
        sigmoid=sigmoid,
        threshold=best_threshold(is_so, sigmoid.apply(margin)),
        history=history,
    )
    return Trained(
        ranker=ranker,
        checked=(is_so, sigmoid.apply(margin)),
        judged=(labels[judged.begin :], ranker._score(judged)),
        splits=(int(columns.at[checked.begin]), int(columns.at[judged.begin])),
        importance=_importance(second, every),
    )


def _cut(columns: Columns, share: float) -> int:
    """The event at which a share of the book is over; transfers of one instant stay together."""
    if share >= 1:
        return len(columns)
    return int(np.searchsorted(columns.at, columns.at[int(share * len(columns))]))


def _seen(columns: Columns, begin: int, end: int, history: int) -> _Part:
    start = min(int(np.searchsorted(columns.at, int(columns.at[end - 1]) - history)), begin)
    stood = columns.cut(start, end)
    matrix, names = features(stood)
    return _Part(begin=begin, end=end, columns=stood, matrix=matrix, names=names)


def _enough(columns: Columns, labels: Flags) -> None:
    if len(columns) < 100:
        raise InputError.because(expected="at least 100 transfers to learn from", got=str(len(columns)))
    cuts = [0, _cut(columns, TEACHING), _cut(columns, CHECKING), len(columns)]
    counts = [int(labels[a:b].sum()) for a, b in pairwise(cuts)]
    if min(counts) < LEAST_LABELS or labels.all():
        raise InputError.because(
            expected=f"at least {LEAST_LABELS} transfers labelled as laundering, and others, in each part in time "
            "(60 %, 20 %, 20 %)",
            got=f"{counts[0]}, {counts[1]} and {counts[2]} of {len(columns)}",
            remedy="Label more transfers, or bring a longer book.",
        )


def _first_step(parts: Sequence[_Part], labels: Flags, seed: int, but: range = range(0)) -> Any:
    """Learn from parts, but not from the transfers of the whole book in `but`."""
    rows, known = [], []
    for part in parts:
        event = np.arange(part.begin, part.end)
        kept = (event < but.start) | (event >= but.stop)
        rows.append(part.rows[kept])
        known.append(labels[part.begin : part.end][kept])
    return _fit(np.concatenate(rows), np.concatenate(known), parts[0].names, seed, 80, None)


def _out_of_fold(part: _Part, parts: Sequence[_Part], labels: Flags, seed: int) -> Reals:
    """First scores in a part's book by a model that never saw the part's own labels."""
    return _predict(_first_step(parts, labels, seed, range(part.begin, part.end)), part.matrix)


def _second_rows(part: _Part, score: Reals) -> Matrix:
    return np.concatenate([part.rows, company(part.columns, score, first=part.earlier)], axis=1)


def _fit(
    rows: Matrix,
    labels: Flags,
    names: Sequence[str],
    seed: int,
    rounds: int,
    check: tuple[Matrix, Flags] | None,
) -> Any:
    import lightgbm

    settings = {
        "objective": "binary", "metric": "average_precision", "learning_rate": 0.08, "num_leaves": 31,
        "min_data_in_leaf": 30, "feature_fraction": 0.4, "bagging_fraction": 0.8, "bagging_freq": 1,
        "lambda_l2": 5.0, "verbose": -1, "seed": seed, "deterministic": True, "force_row_wise": True,
        "num_threads": 1,
    }  # fmt: skip
    taught = _dataset(rows, labels, names, seed, 60)
    if check is None:
        return lightgbm.train(settings, taught, rounds)
    return lightgbm.train(
        settings, taught, rounds, valid_sets=[_dataset(*check, names, seed, 200, reference=taught)],
        callbacks=[lightgbm.early_stopping(40, verbose=False)],
    )  # fmt: skip


def _dataset(
    rows: Matrix, labels: Flags, names: Sequence[str], seed: int, clean_each: int, reference: Any = None
) -> Any:
    """All labelled rows and some of the others, at most `clean_each` for each and weighted for those left out."""
    import lightgbm

    clean = np.flatnonzero(~labels)
    kept = min(len(clean), max(clean_each * int(labels.sum()), 30_000))
    some = np.random.default_rng(seed).choice(clean, kept, replace=False)
    chosen = np.sort(np.concatenate([np.flatnonzero(labels), some]))
    weight = np.where(labels[chosen], 1.0, len(clean) / max(kept, 1))
    return lightgbm.Dataset(
        rows[chosen], labels[chosen].astype(np.float64), weight=weight, feature_name=list(names),
        reference=reference, params={"verbose": -1},
    )  # fmt: skip


def _predict(booster: Any, rows: Matrix) -> Reals:
    return np.asarray(booster.predict(rows, num_threads=1), np.float64) if len(rows) else np.zeros(0)


def _mean_margin(boosters: Sequence[Any], rows: Matrix) -> Reals:
    """The mean log-odds over the bag."""
    if not len(rows):
        return np.zeros(0)
    margins = [np.asarray(one.predict(rows, raw_score=True, num_threads=1), np.float64) for one in boosters]
    return np.asarray(np.mean(margins, axis=0))


def _text(booster: Any) -> str:
    return str(booster.model_to_string(num_iteration=booster.best_iteration or None))


def _booster(text: str) -> Any:
    import lightgbm

    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise InputError.because(
            expected="a model in LightGBM's text format", got=str(error)[:200],
            remedy="Train the model again: comity detect train.",
        ) from error  # fmt: skip


def _importance(boosters: Sequence[Any], names: Sequence[str]) -> dict[str, float]:
    gain = np.sum([one.feature_importance("gain") for one in boosters], axis=0)
    share = gain / max(gain.sum(), 1e-12)
    order = np.argsort(-share, kind="stable")
    return {names[place]: round(float(share[place]), 6) for place in order.tolist() if share[place] > 0}


def labels_digest(columns: Columns, labels: Flags) -> str:
    """SHA-256 over the transfers in order (id, time, accounts, amount, currency) and their labels."""
    digest = hashlib.sha256()
    names = ("transfer_id", "from_account", "to_account", "currency")
    texts = [columns.table[name].to_pylist() for name in names]
    numbers = zip(columns.at.tolist(), columns.amount.tolist(), labels.tolist(), strict=True)
    for words, (at, amount, label) in zip(zip(*texts, strict=True), numbers, strict=True):
        digest.update("\0".join([*words, str(at), str(amount), str(int(label))]).encode() + b"\n")
    return digest.hexdigest()
