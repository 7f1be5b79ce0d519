"""Build the Spark session. No other module does."""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from lifestage.platform.errors import LifestageError

# Settings that silence Spark's and Java's warnings until the session exists and its log level is set.
QUIET_START = Path(__file__).parent / "spark"
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"

# Settings that results depend on. Operators may change all others.
SEMANTIC_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Adaptive planning makes a daily run 5 % slower, and with four partitions it has little to decide.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
    # Delta reads its log with 50 partitions by default; one is enough for a log of daily commits.
    "spark.databricks.delta.snapshotPartitions": "1",
    # The JVM does not compile methods beyond 8,000 bytes. Under Spark's limit of 65,535, the wide projections of
    # ingest run interpreted and take twice as long.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # A daily run generates about 600 classes and Spark caches 100. Cached, they compile once for many runs.
    "spark.sql.codegen.cache.maxEntries": "3000",
    "spark.driver.memory": "3g",
    # A local run spends more time compiling than in its tasks. With less inlining, compilation takes a third less
    # time and the code is as fast. A heap and metaspace of their final size need no collections while they grow.
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -Xms2g -XX:MetaspaceSize=512m "
    "-XX:ReservedCodeCacheSize=512m "
    "-XX:MaxInlineLevel=5 -XX:InlineSmallCode=1000 -XX:FreqInlineSize=150",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
}

# For commands of a few small queries: they end before the optimising compiler pays off, and generating code for each
# query takes longer than running without it.
BRIEF_SETTINGS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m",
}


def build_session(name: str = "lifestage", settings: Mapping[str, str] | None = None) -> SparkSession:
    """Build a session that reads and writes Delta, with UTC as session time zone.

    Under spark-submit, the cluster's settings apply. Started from plain Python, the session is local.

    Args:
        name: Application name.
        settings: Spark settings of the configuration. They override the local defaults, but never the settings that
            results depend on.

    Raises:
        LifestageError: if Java does not start.

    Example: spark = build_session("report", {"spark.sql.shuffle.partitions": "8"})
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if "SPARK_HOME" not in os.environ:  # An installed Spark has its own settings
        os.environ.setdefault("SPARK_CONF_DIR", str(QUIET_START))
    builder = SparkSession.builder.appName(name)
    for key, value in _merge_settings(settings or {}).items():
        builder = builder.config(key, value)
    spark = _start_session(builder)
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark also writes each analysis error to stderr as JSON; lifestage reports errors itself.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    # At DEBUG, py4j logs the arguments of every call, secret keys included; at INFO, each closed thread.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    return spark


def _start_session(builder: SparkSession.Builder) -> SparkSession:
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise LifestageError(
            "Java did not start, and Spark needs Java 17 or 21: set JAVA_HOME to its folder or put it on PATH. If you "
            "set spark.driver.memory, set it to 2g or more. Java's own message is above"
        ) from error


def _merge_settings(settings: Mapping[str, str]) -> dict[str, str]:
    submitted = "SPARK_ENV_LOADED" in os.environ and "PYSPARK_GATEWAY_PORT" in os.environ
    if submitted:
        return {**settings, **SEMANTIC_SETTINGS}
    master = {"spark.master": os.environ.get("SPARK_MASTER", "local[*]")}
    return {**master, **LOCAL_SETTINGS, **_delta_jars(), **settings, **SEMANTIC_SETTINGS}


def _delta_jars() -> dict[str, str]:
    """Return the settings that load Delta: downloaded JARs if there are any, which saves 4-6 s a start, else Maven."""
    folder = os.environ.get("LIFESTAGE_JARS")
    jars = sorted(str(jar) for jar in Path(folder).glob("delta-*.jar")) if folder else []
    if not jars:
        return {"spark.jars.packages": DELTA_PACKAGE}
    path = os.pathsep.join(jars)
    return {"spark.driver.extraClassPath": path, "spark.executor.extraClassPath": path}
