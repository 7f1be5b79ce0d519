"""One Spark session for the whole run, tuned for tiny data."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lifestage.platform.runtime.session import build_session
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.platform.storage.store import Store

# Fixed keys: the same pseudonyms in every run, so that expected rows can be written down.
os.environ.setdefault("LIFESTAGE_PSEUDONYM_KEY", "11" * 32)
os.environ.setdefault("LIFESTAGE_QUARANTINE_KEY", "22" * 32)
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

TINY = {
    "spark.master": "local[1]",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.driver.memory": "2g",
    # Half the CPU on tiny data; never for real jobs, which it makes twice as slow. Of itself that compiler has room for
    # 48 MB of code, which the suite fills: what was compiled is thrown out, and compiled again.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=512m "
    "-XX:MetaspaceSize=512m",
}


@pytest.fixture(scope="session")
def spark_session() -> Iterator[SparkSession]:
    spark = build_session("lifestage-tests", TINY)
    yield spark
    spark.stop()


@pytest.fixture
def spark(spark_session: SparkSession) -> Iterator[SparkSession]:
    yield spark_session
    spark_session.catalog.clearCache()


@pytest.fixture
def store(spark: SparkSession, tmp_path: Path) -> Store:
    return DeltaStore(spark, Location(root=str(tmp_path / "tables")))
