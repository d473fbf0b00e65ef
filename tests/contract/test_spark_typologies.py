"""The typologies' Ibis expressions give on real Spark, in local mode, what they give on DuckDB, row for row.

Needs Java 17 and pyspark (`comity[spark]`). One session; its files stay in pytest's own folder.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from comity.backends.analysis import DuckDbEngine, SparkEngine
from comity.tracing.typologies.catalogue import RELATIONAL
from comity.tracing.typologies.relational import SCHEMA
from tests.contract.spark_session import MISSING, find_java, local_session
from tests.unit.test_typologies import HITS
from tests.unit.typology_world import random_book, table

pytestmark = [
    pytest.mark.skipif(find_java() is None, reason=MISSING),
    # Libraries under pyspark and ibis, which call what Python, pandas and pyarrow are about to remove.
    pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pyspark.*"),
    pytest.mark.filterwarnings("ignore::UserWarning:pyspark.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    with local_session(tmp_path_factory.mktemp("spark")) as session:
        yield SparkEngine(session)


@pytest.fixture(scope="module")
def book() -> Any:
    """Every hand-made hit under accounts of its own, and a random book with conversions."""
    parts = [random_book(3, accounts=8, transfers=120, days=30, currencies=3)]
    for name in RELATIONAL:
        rows = table(HITS[name][0]).to_pylist()
        for one in rows:
            for column in ("transfer_id", "from_account", "to_account"):
                one[column] = f"{name}:{one[column]}"
        parts.append(pa.Table.from_pylist(rows, schema=parts[0].schema))
    return pa.concat_tables(parts).select(list(SCHEMA.names)).combine_chunks()


@pytest.mark.parametrize("name", RELATIONAL)
def test_an_expression_gives_the_same_on_duckdb_and_on_spark(
    name: str, book: Any, spark: SparkEngine
) -> None:
    expression = {name: RELATIONAL[name]().expression()}
    ((_, here),) = DuckDbEngine(threads=1).run(book, expression)
    ((_, there),) = spark.run(book, expression)
    assert here.num_rows >= len(HITS[name][0]) - 1
    assert there.schema.names == here.schema.names
    assert sorted(map(str, there.to_pylist())) == sorted(map(str, here.to_pylist()))
