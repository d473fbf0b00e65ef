"""On a labelled public ledger the ranker finds the laundering. Beside other rankers: benchmarks/detection.py."""

import os
from pathlib import Path

import pytest

from comity.backends.labels import read_labels
from comity.backends.transfers.files import read_transfers
from comity.tracing.typologies.calibration import average_precision, f1_score
from comity.tracing.typologies.columns import Columns
from comity.tracing.typologies.ranker import train

PUBLIC_LEDGERS = Path(os.environ.get("COMITY_PUBLIC_LEDGERS", "no-folder"))
"""Folder with ledgers of AMLSim and AMLGentex, in the contract's columns and with `is_laundering`."""


def test_the_ranker_on_amlsim() -> None:
    file = PUBLIC_LEDGERS / "amlsim_12k.parquet"
    if not file.exists():
        pytest.skip("COMITY_PUBLIC_LEDGERS names no folder that has it: the ranker is NOT judged on AMLSim")
    columns = Columns.from_table(read_transfers([file]).table)
    labels = read_labels(file, columns.table["transfer_id"])
    made = train(columns, labels, seed=1)
    assert f1_score(*made.judged, made.ranker.threshold) > 0.95
    assert average_precision(*made.judged) > 0.98
