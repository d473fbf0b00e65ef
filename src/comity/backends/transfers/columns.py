"""Columns of many rows at once: texts that are kept as codes, and whether ids are all different."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.tracing import BOOK_SCHEMA

CODED = ("from_account", "to_account", "currency")
"""Texts that come again and again. Parquet has them as codes already, and a book makes codes of them."""


def clean_codes(column: Any) -> bool:
    """True for a column of codes whose texts are valid, and neither empty nor nothing nor with a NUL."""
    if not pa.types.is_dictionary(column.type) or not pa.types.is_string(column.type.value_type):
        return False
    texts = column.dictionary
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return (
        texts.null_count == 0
        and not holds_nul(texts)
        and not pc.any(pc.equal(pc.binary_length(texts), 0)).as_py()
    )


def holds_nul(texts: Any) -> bool:
    """Look at the bytes of all texts at once: nearly always there is none, and rows need not be looked at."""
    if not pa.types.is_string(texts.type) or not len(texts) or texts.buffers()[2] is None:
        return bool(pc.any(pc.match_substring(texts, "\0")).as_py())
    _, offsets, letters = texts.buffers()
    first, last = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]].tolist()
    return not np.frombuffer(letters, np.uint8)[first:last].all()


def joined(tables: Sequence[Any], *, coded: bool) -> Any:
    """Put tables of `BOOK_SCHEMA` one after the other; where `coded`, columns that are codes in all of them stay
    so, and those that are empty throughout are left out.
    """
    tables = [table for table in tables if table.num_rows]
    schema = BOOK_SCHEMA
    if coded:
        schema = pa.schema(
            [field for field in BOOK_SCHEMA if not field.nullable or _is_there(tables, field.name)]
        )
    for name in CODED:
        kinds = {table.schema.field(name).type for table in tables}
        if coded and len(kinds) == 1 and pa.types.is_dictionary(next(iter(kinds))):
            at = schema.get_field_index(name)
            schema = schema.set(at, pa.field(name, next(iter(kinds)), nullable=False))
    return pa.concat_tables(
        [schema.empty_table(), *(table.select(schema.names).cast(schema) for table in tables)]
    )


def _is_there(tables: Sequence[Any], name: str) -> bool:
    return any(table[name].null_count < table.num_rows for table in tables)


@lru_cache(maxsize=8)
def nothing(size: int, kind: Any) -> Any:
    """A column of nothing; blocks of one size share it."""
    return pa.nulls(size, kind)


def all_different(texts: Any) -> bool:
    """True if no text is there twice. Different fingerprints are proof; the same ones are looked into."""
    from comity.tracing.kernels.texts import fingerprints

    found = [np.empty(0, np.uint64)]
    for chunk in texts.chunks:
        _, offsets, letters = chunk.buffers()
        if not len(chunk):
            continue
        if letters is None or chunk.null_count:
            return bool(pc.count_distinct(texts).as_py() == len(texts))
        begins = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
        found.append(fingerprints(begins, np.frombuffer(letters, np.uint8)))
    marks = np.sort(np.concatenate(found))
    if (marks[1:] != marks[:-1]).all():
        return True
    return bool(pc.count_distinct(texts).as_py() == len(texts))
