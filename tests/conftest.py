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
    # Tiny frames are interpreted in less time than it takes to generate and compile code for them.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # The line of each call, for error messages: three calls to the JVM for each expression.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.driver.memory": "2g",
    # The suite spends its time planning queries, which the optimising compiler makes faster after a few minutes.
    # Less inlining takes a third off the time that compiling takes, as in a local run.
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=512m "
    "-XX:MaxInlineLevel=5 -XX:InlineSmallCode=1000 -XX:FreqInlineSize=150",
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no process waits for the other's longest file at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
