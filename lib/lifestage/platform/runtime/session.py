"""Build the Spark session. Only this module builds one."""

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from lifestage.platform.errors import LifestageError

# Settings that silence Spark's and Java's warnings until the session exists and its log level is set.
QUIET_START = Path(__file__).parent / "spark"
DELTA_PACKAGE = "io.delta:delta-spark_4.2_2.13:4.4.0"
DELTA_JARS = ("delta-spark_4.2_2.13-4.4.0.jar", "delta-storage-4.4.0.jar")
# Spark already contains the other dependencies of Delta.
NOT_DELTA = "org.*:*,com.*:*,javax.*:*,commons-*:*,io.airlift:*,io.unitycatalog:*,io.delta:delta-kernel*"
OLDEST_JAVA = 17

logger = logging.getLogger(__name__)

# Settings that results depend on. Operators may change all others.
SEMANTIC_SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    # The names of folders are text: as a number, day=0105 would lose its zero.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # Other engines write timestamps in nanoseconds, which Spark reads as whole numbers or not at all.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
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

    Under spark-submit and on Databricks, the cluster's settings apply. Started from plain Python, the session is local.

    Args:
        name: Application name.
        settings: Spark settings of the configuration. They override the local defaults, but never the settings that
            results depend on.

    Raises:
        LifestageError: if Java does not start.

    Example: spark = build_session("report", {"spark.sql.shuffle.partitions": "8"})
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if "SPARK_HOME" not in os.environ:  # An installed Spark has settings of its own.
        os.environ.setdefault("SPARK_CONF_DIR", str(QUIET_START))
    builder = SparkSession.builder.appName(name)
    combined = _merge_settings(settings or {})
    for key, value in combined.items():
        builder = builder.config(key, value)
    try:
        spark = builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise LifestageError(_explain_failed_start(combined.get("spark.jars.packages"))) from error
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark also writes each analysis error to stderr as JSON; lifestage reports errors itself.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    # At DEBUG, py4j logs the arguments of every call, secret keys included; at INFO, each closed thread.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    return spark


def _explain_failed_start(packages: str | None) -> str:
    java = _java_version()
    if java is None or java < OLDEST_JAVA:
        found = "no working Java was found" if java is None else f"Java {java} was found"
        return f"Spark needs Java 17 or 21, but {found}: set JAVA_HOME to the folder of a newer one, or put it on PATH"
    if packages:
        return (
            f"Spark did not start. It had to download {packages}; if the lines above say `unresolved dependency`, the "
            "download failed. Connect to the network, set DEFAULT_ARTIFACT_REPOSITORY to the address of your Maven mirror, "
            f"or copy {' and '.join(DELTA_JARS)} to a folder and set LIFESTAGE_JARS to it"
        )
    return (
        "Spark did not start: the lines above say why. If you set spark.driver.memory, it must be 2g or more, and the "
        "computer must have that much memory"
    )


def _java_version() -> int | None:
    """The version of the Java that Spark starts; None if there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home, "bin", "java")) if home else "java")
    if java is None:
        return None
    asked = subprocess.run([java, "-version"], check=False, capture_output=True, text=True)
    found = re.search(r'version "(?:1\.)?(\d+)', asked.stderr)
    return int(found[1]) if found else None


def _merge_settings(settings: Mapping[str, str]) -> dict[str, str]:
    submitted = "SPARK_ENV_LOADED" in os.environ and "PYSPARK_GATEWAY_PORT" in os.environ
    # On Databricks, Python joins a session that already exists.
    if submitted or "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return {**settings, **SEMANTIC_SETTINGS}
    master = {"spark.master": os.environ.get("SPARK_MASTER", "local[*]")}
    return {
        **master,
        **LOCAL_SETTINGS,
        **_warehouse(settings),
        **_delta_jars("spark.jars.packages" in settings),
        **settings,
        **SEMANTIC_SETTINGS,
    }


def _warehouse(settings: Mapping[str, str]) -> dict[str, str]:
    """A folder for Spark's empty default database, which it would create in the working directory as spark-warehouse/.

    An installed Spark and a Hive catalog decide for themselves: tables may be there.
    """
    if "SPARK_HOME" in os.environ or settings.get("spark.sql.catalogImplementation") == "hive":
        return {}
    user = getattr(os, "getuid", lambda: 0)()
    return {"spark.sql.warehouse.dir": str(Path(tempfile.gettempdir(), f"lifestage-warehouse-{user}"))}


def _delta_jars(names_packages: bool) -> dict[str, str]:
    """Settings that put Delta's two JARs on the class path, or settings with which Spark downloads them.

    JARs that an earlier start downloaded are put on the class path, which saves 4-6 s per start over resolving them again.
    A project that names packages of its own (`names_packages`) has to include Delta's package, and may need packages that
    are excluded here.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "lifestage", "ivy")
    folder = os.environ.get("LIFESTAGE_JARS")
    if folder:
        jars = sorted(Path(folder).glob("delta-*.jar"))
        if len(jars) < len(DELTA_JARS):
            raise LifestageError(
                f"LIFESTAGE_JARS={folder}: Delta's JARs are not there: copy {' and '.join(DELTA_JARS)} to this folder, or unset "
                "the variable to let Spark download them"
            )
    else:
        # Do not use ivy/jars: files there are copied in place, so a killed start leaves half a file.
        jars = sorted(jar for name in DELTA_JARS for jar in cache.glob(f"cache/io.delta/*/jars/{name}"))
    if len(jars) < len(DELTA_JARS):
        if names_packages:
            return {}
        logger.info("downloading %s", DELTA_PACKAGE)
        return {
            "spark.jars.packages": DELTA_PACKAGE,
            "spark.jars.excludes": NOT_DELTA,
            "spark.jars.ivy": str(cache),
        }
    path = os.pathsep.join(map(str, jars))
    return {"spark.driver.extraClassPath": path, "spark.executor.extraClassPath": path}
