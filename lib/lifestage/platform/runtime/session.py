"""The one place that builds a Spark session."""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from lifestage.platform.errors import LifestageError

# A log of errors only, and no warnings of Java's own, before there is a session to be told so.
QUIET_START = Path(__file__).parent / "spark"
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"

# What every run needs for its meaning, not for its speed: an operator may tune anything else.
SEMANTIC_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

# Delta reads its own log with 50 partitions unless told otherwise; one is enough for a daily log.
LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Planning each query in stages costs a daily run a twentieth, and four partitions leave it little to decide.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "1",
    # The JVM does not compile methods beyond 8,000 bytes of code; Spark's own limit of 65,535 lets the wide
    # projections of ingest through, which then run interpreted: twice the time.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Spark keeps 100 generated classes, a daily run makes about 600: kept, they are compiled once for many runs.
    "spark.sql.codegen.cache.maxEntries": "3000",
    "spark.driver.memory": "3g",
    # Compiling takes more of a local run than its tasks do. Inlining less, the compiler has a third less to do, and
    # what it compiles is as fast. A heap and class space that begin at the size they come to are not collected while
    # they grow.
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -Xms2g -XX:MetaspaceSize=512m "
    "-XX:ReservedCodeCacheSize=512m "
    "-XX:MaxInlineLevel=5 -XX:InlineSmallCode=1000 -XX:FreqInlineSize=150",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
}

# For what ends after a few small queries: code that the second compiler would make faster is done before it is ready,
# and code made for each query takes longer to make than to do without.
BRIEF_SETTINGS = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m",
}


def build_session(name: str = "lifestage", settings: Mapping[str, str] | None = None) -> SparkSession:
    """A session that reads and writes Delta with UTC as session zone.

    Under spark-submit the cluster's own settings hold; started from plain Python it is local.
    `settings` come from the configuration and win over the local defaults, never over the semantic ones.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if "SPARK_HOME" not in os.environ:  # A Spark that somebody set up has settings of its own
        os.environ.setdefault("SPARK_CONF_DIR", str(QUIET_START))
    builder = SparkSession.builder.appName(name)
    for key, value in _all_settings(settings or {}).items():
        builder = builder.config(key, value)
    spark = _started(builder)
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark repeats each analysis error as JSON on stderr; ours are translated and shown once.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    # At DEBUG the bridge to the JVM writes every argument of every call, keys among them; at INFO, each closed thread.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    return spark


def _started(builder: SparkSession.Builder) -> SparkSession:
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise LifestageError(
            "Spark needs Java 17 or 21, which did not start: set JAVA_HOME to the folder of one, or put it on PATH; and "
            "spark.driver.memory of 2g or more, where you set it. What it said itself stands above"
        ) from error


def _all_settings(settings: Mapping[str, str]) -> dict[str, str]:
    submitted = "SPARK_ENV_LOADED" in os.environ and "PYSPARK_GATEWAY_PORT" in os.environ
    if submitted:
        return {**settings, **SEMANTIC_SETTINGS}
    master = {"spark.master": os.environ.get("SPARK_MASTER", "local[*]")}
    return {**master, **LOCAL_SETTINGS, **_delta_jars(), **settings, **SEMANTIC_SETTINGS}


def _delta_jars() -> dict[str, str]:
    """Delta's two JARs on the class path if set-up fetched them: 4-6 s less a start than resolving them."""
    folder = os.environ.get("LIFESTAGE_JARS")
    jars = sorted(str(jar) for jar in Path(folder).glob("delta-*.jar")) if folder else []
    if not jars:
        return {"spark.jars.packages": DELTA_PACKAGE}
    path = os.pathsep.join(jars)
    return {"spark.driver.extraClassPath": path, "spark.executor.extraClassPath": path}
