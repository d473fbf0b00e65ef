"""Labels of transfers that were laundering, beside the transfers: column `is_laundering` of the same files.

Parquet: true or false, or integers 0 and 1. CSV: `true`, `false`, `1` or `0`. Every row has one; nothing is guessed.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from comity.backends.transfers.parquet import is_parquet
from comity.errors import InputError

COLUMN = "is_laundering"
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def read_labels(path: Path, transfer_ids: Any) -> npt.NDArray[np.bool_]:
    """The labels of these transfers (Arrow strings), in their order, from a file or a folder of files."""
    parts = [_of_file(file) for file in _files(path)]
    ids = pa.concat_arrays([part[0] for part in parts])
    flags = np.concatenate([part[1] for part in parts])
    places = pc.index_in(transfer_ids, value_set=ids)
    if places.null_count:
        raise InputError.because(
            expected="a label for every transfer", got=f"{places.null_count} without one", where=str(path)
        )
    return np.asarray(flags[places.to_numpy()], bool)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = (file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file())
    return [
        path / file
        for file in inside
        if file.suffix.lower() in (".csv", ".parquet") and not any(part[0] in "._" for part in file.parts)
    ]


def _of_file(file: Path) -> tuple[Any, npt.NDArray[np.bool_]]:
    try:
        table = _table(file)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise InputError.because(
            expected=f"the columns transfer_id and {COLUMN}", got=str(error).splitlines()[0][:200], where=str(file),
            remedy=f"Add a column {COLUMN} of true and false to learn from.",
        ) from error  # fmt: skip
    words = table[COLUMN].cast(pa.string()).combine_chunks()
    known = pc.is_in(words, value_set=pa.array(list(_WORDS)))
    wrong = np.flatnonzero(~known.to_numpy(zero_copy_only=False))
    if len(wrong):
        got = words[int(wrong[0])].as_py()
        raise InputError.because(
            expected="true or false (or 1 or 0)", got=repr(got if got is None else got[:60]),
            where=f"{file}, row {int(wrong[0]) + 1}, {COLUMN}",
        )  # fmt: skip
    true = pc.is_in(words, value_set=pa.array([word for word, value in _WORDS.items() if value]))
    return table["transfer_id"].cast(pa.string()).combine_chunks(), true.to_numpy(zero_copy_only=False)


def _table(file: Path) -> Any:
    columns = ["transfer_id", COLUMN]
    if is_parquet(file):
        return pq.ParquetFile(file).read(columns=columns).select(columns)
    return pyarrow.csv.read_csv(
        file,
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    )
