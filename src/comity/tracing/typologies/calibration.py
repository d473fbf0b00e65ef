"""From scores to probabilities, and how good they are: Platt's sigmoid, F1, PR-AUC, Brier score, reliability. Pure."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from comity.tracing.typologies.columns import Flags, Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class Sigmoid:
    """p = 1 / (1 + exp(−(slope · margin + offset))); Platt, "Probabilistic Outputs for SVMs" (1999)."""

    slope: float
    offset: float

    def apply(self, margin: Reals) -> Reals:
        return np.asarray(1 / (1 + np.exp(-np.clip(self.slope * margin + self.offset, -35, 35))))


def calibrate(margin: Reals, labels: Flags) -> Sigmoid:
    """Fit by Newton's method with Platt's targets, which keep few labels from giving certainties.

    Margins that do not order the labels (slope ≤ 0) give a flat sigmoid: the share of labels.
    """
    hits, others = int(labels.sum()), int((~labels).sum())
    target = np.where(labels, (hits + 1) / (hits + 2), 1 / (others + 2))
    at = np.column_stack([margin, np.ones(len(margin))])
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        probability = Sigmoid(slope=weights[0], offset=weights[1]).apply(margin)
        spread = np.maximum(probability * (1 - probability), 1e-12)
        gradient = at.T @ (probability - target)
        step = np.linalg.solve(at.T @ (at * spread[:, None]) + 1e-9 * np.eye(2), gradient)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    if weights[0] <= 0:
        share = (hits + 1) / (hits + others + 2)
        return Sigmoid(slope=0.0, offset=float(np.log(share / (1 - share))))
    return Sigmoid(slope=float(weights[0]), offset=float(weights[1]))


def best_threshold(labels: Flags, scores: Reals) -> float:
    """The middle (in log-odds) of the thresholds whose F1 is within 1 % of the best: the edge of a plateau is luck."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.r_[ranked[1:] != ranked[:-1], True]
    f1 = 2 * np.cumsum(labels[order]) / (np.arange(1, len(order) + 1) + max(int(labels.sum()), 1))
    good = ranked[last & (f1 >= 0.99 * f1[last].max())]
    odds = np.log(np.clip(good, 1e-12, 1 - 1e-12) / (1 - np.clip(good, 1e-12, 1 - 1e-12)))
    return float(1 / (1 + np.exp(-(odds.min() + odds.max()) / 2)))


def f1_score(labels: Flags, scores: Reals, threshold: float) -> float:
    chosen = scores >= threshold
    return float(2 * (chosen & labels).sum() / max(int(chosen.sum()) + int(labels.sum()), 1))


def average_precision(labels: Flags, scores: Reals) -> float:
    """PR-AUC as the mean precision at each labelled transfer (no interpolation); ties count as one step."""
    if not labels.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.r_[ranked[1:] != ranked[:-1], True]
    hits, count = np.cumsum(labels[order])[last], np.flatnonzero(last) + 1
    return float((hits / count * np.diff(hits, prepend=0)).sum() / labels.sum())


def judge(labels: Flags, scores: Reals, threshold: float) -> dict[str, Any]:
    """F1, precision, recall, PR-AUC, Brier score and reliability at a threshold."""
    chosen = scores >= threshold
    right = int((chosen & labels).sum())
    return {
        "transfers": len(labels),
        "laundering": int(labels.sum()),
        "threshold": round(threshold, 6),
        "f1": round(f1_score(labels, scores, threshold), 4),
        "precision": round(right / max(int(chosen.sum()), 1), 4),
        "recall": round(right / max(int(labels.sum()), 1), 4),
        "pr_auc": round(average_precision(labels, scores), 4),
        "brier": round(float(np.mean((scores - labels) ** 2)), 6) if len(labels) else 0.0,
        "reliability": reliability(labels, scores),
    }


def reliability(labels: Flags, scores: Reals) -> list[dict[str, Any]]:
    """By range of the score: how many transfers, what the score promised, and what was so."""
    edges = [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0000001]
    rows = []
    for low, high in pairwise(edges):
        some = (scores >= low) & (scores < high)
        if some.any():
            rows.append(
                {
                    "from": low, "to": min(high, 1.0), "transfers": int(some.sum()),
                    "promised": round(float(scores[some].mean()), 4), "found": round(float(labels[some].mean()), 4),
                }
            )  # fmt: skip
    return rows
