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
from support.sessions import SUITE

# Fixed keys: the same pseudonyms in every run, so that expected rows can be written down.
os.environ.setdefault("LIFESTAGE_PSEUDONYM_KEY", "11" * 32)
os.environ.setdefault("LIFESTAGE_QUARANTINE_KEY", "22" * 32)
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")


@pytest.fixture(scope="session")
def spark_session() -> Iterator[SparkSession]:
    spark = build_session("lifestage-tests", SUITE)
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
