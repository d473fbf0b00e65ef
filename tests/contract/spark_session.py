"""Real Spark, in local mode, for tests: one session whose files stay in the folder given. Needs Java 17."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "SPARK TESTS SKIPPED: no `java` on this machine (Debian: apt-get install openjdk-17-jre-headless)"


def find_java() -> str | None:
    return shutil.which("java")


@contextmanager
def local_session(folder: Path) -> Iterator[object]:
    """One core, no pages, no shuffling into many parts: small tables, quick answers."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1", "spark.sql.session.timeZone": "UTC", "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1", "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false", "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.local.dir": str(folder), "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} -Dderby.system.home={folder}",
        "spark.log.level": "ERROR",
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pyspark's own start
        building = SparkSession.builder.master("local[1]").appName("comity")
        for name, value in settings.items():
            building = building.config(name, value)
        session = building.getOrCreate()
    try:
        yield session
    finally:
        session.stop()
