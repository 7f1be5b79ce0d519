"""Settings of Spark sessions for tiny data."""

import json
from collections.abc import Mapping

TINY = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    # Tiny frames are interpreted in less time than it takes to generate and compile code for them.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # The line of each call, for error messages: three calls to the JVM for each expression.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
# A suite spends its time planning queries, which the optimising compiler makes faster after a few minutes.
# Less inlining takes a third off the time that compiling takes, as in a local run.
LONG_JVM = (
    "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=512m "
    "-XX:MaxInlineLevel=5 -XX:InlineSmallCode=1000 -XX:FreqInlineSize=150"
)
# A process that ends within a minute ends before the optimising compiler pays off.
BRIEF_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m -XX:MetaspaceSize=256m"
# One core and tiny data, for the whole suite and for processes that a test starts.
SUITE = TINY | {
    "spark.master": "local[1]",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": LONG_JVM,
}
BRIEF = SUITE | {"spark.driver.memory": "1g", "spark.driver.extraJavaOptions": BRIEF_JVM}


def to_yaml(settings: Mapping[str, str]) -> str:
    """The settings as a section of a project's main file."""
    return f"spark: {json.dumps(settings)}\n"
