"""Law 10: Spark DataFrame and SQL, Delta's documented API and Arrow; nothing behind them."""

import re
from pathlib import Path

import lifestage

BEHIND = re.compile(
    r"\b(_jvm|_jdf|_jsc|_jsparkSession|_sc)\b|\.rdd\b|\bJavaObject\b|\bSparkContext\b|import_module\(.py4j"
)
SOURCES = sorted(Path(lifestage.__file__).parent.rglob("*.py"))


def behind(text):
    return [line.strip() for line in text.splitlines() if BEHIND.search(line)]


def test_the_search_finds_what_it_looks_for():
    used = ["spark._jvm.java", "frame._jdf", "frame.rdd.map", "SparkContext.getOrCreate()"]
    assert behind("\n".join(used)) == used


def test_no_source_file_reaches_behind_the_public_apis():
    assert len(SOURCES) > 50
    assert {file.name: found for file in SOURCES if (found := behind(file.read_text()))} == {}


def test_of_the_bridge_only_an_exception_is_known():
    imports = [
        line
        for file in SOURCES
        for line in file.read_text().splitlines()
        if "import" in line and "py4j" in line
    ]
    assert set(imports) == {"from py4j.protocol import Py4JJavaError"}
