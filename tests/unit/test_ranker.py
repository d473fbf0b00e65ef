"""The learned ranker: it learns, it is the same again, its files are checked, and it sees no names or countries."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from comity.backends.labels import read_labels
from comity.errors import InputError, NotFound, TrustError
from comity.node.detect import detect, load_ranker, train_ranker
from comity.tracing.typologies.calibration import (
    average_precision,
    best_threshold,
    calibrate,
    f1_score,
    judge,
)
from comity.tracing.typologies.columns import Columns
from comity.tracing.typologies.features import MANY, features
from comity.tracing.typologies.ranker import train
from tests.unit.typology_world import START, row, table


def labelled(seed: int) -> Any:
    """150 days: standing orders among 80 accounts, and each week somebody whom new accounts pay in a few days."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    pairs = rng.integers(0, 80, (160, 2))
    for day in range(150):
        for payer, receiver in pairs[rng.random(160) < 0.08].tolist():
            rows.append((day + rng.random(), f"a{payer}", f"a{receiver}", int(rng.integers(1_000, 90_000))))
            labels.append(False)
    for week in range(20):
        hub = int(rng.integers(0, 80))
        for turn in range(8):
            rows.append(
                (
                    7 * week + 5 * rng.random(),
                    f"new{week}-{turn}",
                    f"a{hub}",
                    int(rng.integers(1_000, 90_000)),
                )
            )
            labels.append(True)
    made = table(rows)
    return made.append_column("is_laundering", pa.array(labels))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("learned")
    pq.write_table(labelled(1), folder / "book.parquet")
    return (
        folder / "book.parquet",
        folder / "model",
        train_ranker(folder / "book.parquet", folder / "model", seed=3),
    )


def test_it_learns_what_is_to_be_seen(learned: tuple[Path, Path, dict[str, Any]]) -> None:
    _, _, made = learned
    assert made["judged"]["f1"] > 0.8
    assert made["judged"]["pr_auc"] > 0.9
    assert sum(made["importance"].values()) == pytest.approx(1, abs=1e-3)


def test_the_card_says_what_it_is_not_for(learned: tuple[Path, Path, dict[str, Any]]) -> None:
    _, folder, made = learned
    card = (folder / "MODEL_CARD.md").read_text()
    for text in (
        "must not be used for",
        "It decides nothing",
        made["model"],
        made["data"]["sha256"],
        "PR-AUC",
    ):
        assert text in card
    assert "{digest}" not in card


def test_the_same_again_from_rows_in_another_order(
    learned: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    file, _, made = learned
    rows = pq.read_table(file)
    pq.write_table(
        rows.take(pa.array(np.random.default_rng(0).permutation(rows.num_rows))), tmp_path / "b.parquet"
    )
    assert train_ranker(tmp_path / "b.parquet", tmp_path / "model", seed=3)["model"] == made["model"]


def test_it_orders_alerts_and_scores_another_book(
    learned: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    _, folder, made = learned
    other = labelled(2)
    pq.write_table(other, tmp_path / "other.parquet")
    found = detect(tmp_path / "other.parquet", model=folder, patterns=["fan-in"])
    assert found.model == made["model"]
    labels = read_labels(tmp_path / "other.parquet", found.transfer_ids)
    assert average_precision(labels, found.scores) > 0.8
    score = dict(zip(found.transfer_ids.to_pylist(), found.scores.tolist(), strict=True))
    for alert in found.alerts:
        assert alert.score == pytest.approx(np.mean([score[one] for one in alert.transfer_ids]), abs=1e-6)


def test_a_changed_file_is_not_used(learned: tuple[Path, Path, dict[str, Any]], tmp_path: Path) -> None:
    _, folder, _ = learned
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    changed = tmp_path / "second-1.txt"
    changed.write_text(changed.read_text().replace("tree", "tree ", 1))
    with pytest.raises(TrustError, match="expected the file with SHA-256"):
        load_ranker(tmp_path)
    changed.unlink()
    with pytest.raises(NotFound):
        load_ranker(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"files": {}}', '{"format": "comity-ranker-1", "files": {"../x": "0"}}']
)
def test_a_description_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(InputError):
        load_ranker(tmp_path)


def test_a_model_is_not_written_over(learned: tuple[Path, Path, dict[str, Any]]) -> None:
    file, folder, _ = learned
    before = json.loads((folder / "model.json").read_text())
    with pytest.raises(InputError, match="without a model"):
        train_ranker(file, folder)
    assert json.loads((folder / "model.json").read_text()) == before


def test_too_few_labels_are_refused() -> None:
    rows = labelled(1)
    columns = Columns.from_table(rows)
    with pytest.raises(InputError, match="at least 10 transfers labelled"):
        train(columns, np.zeros(len(columns), bool))
    with pytest.raises(InputError, match="at least 100 transfers"):
        train(Columns.from_table(rows.slice(0, 40)), np.ones(40, bool))


def test_features_see_no_names_countries_or_institutions() -> None:
    plain = labelled(1)
    matrix, names = features(Columns.from_table(plain))
    words = {word for name in names for word in name.split("_")}
    assert not words & {"country", "institution", "currency", "id", "name", "hour", "channel", "reference"}
    other = plain
    for side in ("from", "to"):
        name = pc.binary_join_element_wise("z", pc.utf8_reverse(other[f"{side}_account"]), "")
        other = other.set_column(other.schema.get_field_index(f"{side}_account"), f"{side}_account", name)
        for what in ("country", "institution"):
            place = other.schema.get_field_index(f"{side}_{what}")
            other = other.set_column(
                place, f"{side}_{what}", pa.array([f"{n % 7}" for n in range(len(other))])
            )
    again, _ = features(Columns.from_table(other))
    assert np.array_equal(matrix, again, equal_nan=True)


def test_windows_count_what_a_plain_count_finds() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (float(rng.integers(0, 400)) / 10, f"a{rng.integers(0, 6)}", f"a{rng.integers(0, 6)}", 100)
        for _ in range(120)
    ]
    columns = Columns.from_table(table(rows))
    matrix, names = features(columns)
    ordered = columns.table.to_pylist()
    for event, one in enumerate(ordered):
        low = one["booked_at"] - timedelta(days=10)
        before = [
            x for x in ordered[:event] if x["from_account"] == one["from_account"] and x["booked_at"] >= low
        ]
        assert matrix[event, names.index("sender_paid_before_10d_count")] == len(before)
        assert matrix[event, names.index("sender_paid_before_10d_others")] == len(
            {x["to_account"] for x in before}
        )
        pair = [
            x
            for x in ordered[:event]
            if (x["from_account"], x["to_account"]) == (one["from_account"], one["to_account"])
        ]
        assert matrix[event, names.index("pair_before")] == min(len(pair), MANY)


def test_labels_are_read_strictly(tmp_path: Path) -> None:
    rows = table([(0.0, "a", "b", 1), (1.0, "b", "c", 2)])
    ids = rows["transfer_id"]
    file = tmp_path / "l.csv"
    file.write_text("transfer_id,is_laundering\nT00001,1\nT00000,false\n")
    assert read_labels(file, ids).tolist() == [False, True]
    file.write_text("transfer_id,is_laundering\nT00001,yes\nT00000,false\n")
    with pytest.raises(InputError, match="expected true or false"):
        read_labels(file, ids)
    file.write_text("transfer_id,is_laundering\nT00001,1\n")
    with pytest.raises(InputError, match="expected a label for every transfer, got 1 without one"):
        read_labels(file, ids)
    file.write_text("transfer_id\nT00001\n")
    with pytest.raises(InputError, match="expected the columns transfer_id and is_laundering"):
        read_labels(file, ids)
    pq.write_table(rows, tmp_path / "l.parquet")
    with pytest.raises(InputError, match="expected the columns transfer_id and is_laundering"):
        read_labels(tmp_path / "l.parquet", ids)


def test_calibration_finds_the_sigmoid_behind_the_labels() -> None:
    rng = np.random.default_rng(5)
    margin = rng.normal(0, 3, 50_000)
    labels = rng.random(50_000) < 1 / (1 + np.exp(-(0.5 * margin - 1)))
    found = calibrate(margin, labels)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(-1, abs=0.05)
    assert calibrate(-margin, labels).slope == 0


def test_measures_by_hand() -> None:
    labels = np.array([True, False, True, False, False])
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    assert average_precision(labels, scores) == pytest.approx((1 + 2 / 3) / 2)
    assert f1_score(labels, scores, 0.75) == 0.5
    assert 0.2 < best_threshold(labels, scores) <= 0.7
    assert judge(labels, scores, 0.5)["recall"] == 1
    assert row(0, (1, "a", "b", 1))["booked_at"] > START
