from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from ingestion.sources.landing import Landing, layout
from lifestage.ingestion.sources.reasons import join_reasons, split_reasons
from support.frames import assert_rows


@pytest.fixture
def landing(spark, tmp_path: Path) -> Landing:
    return Landing(spark, tmp_path)


def column(landing, kind, texts, **changes):
    """Write a file with one column `x` of the given type and texts, and return its layout."""
    file_layout = layout(columns={"x": kind, "last": "string"}, **changes)
    landing.put("a.csv", "x,last\n" + "".join(f'"{text}",.\n' for text in texts))
    return file_layout


# Per type: texts with their values, and texts that are not of the type.
TEXTS = {
    "int": ({"1": 1, "-7": -7}, ["1.5", "x", "3000000000", "0x1F"]),
    "bigint": ({"3000000000": 3_000_000_000}, ["99999999999999999999", "1,000"]),
    "decimal(6,2)": ({"1.25": Decimal("1.25"), "-3": Decimal("-3.00")}, ["1,50", "12345.00", "12 EUR"]),
    "double": ({"1.5": 1.5, "1e3": 1000.0}, ["x", "1,5"]),
    "boolean": ({"true": True, "F": False, "1": True}, ["maybe", "2"]),
    "date": ({"2026-02-28": date(2026, 2, 28)}, ["2026-02-30", "28.02.2026", "20260228"]),
}


def test_a_text_is_of_its_declared_type_or_has_a_reason(landing):
    kinds = {f"x{number}": kind for number, kind in enumerate(TEXTS)}
    lines, values, reasons = [], [], []
    for name, kind in kinds.items():
        good, bad = TEXTS[kind]
        for text in [*good, *bad]:
            lines.append(",".join(f'" {text} "' if other == name else "" for other in kinds))
            values.append(tuple(good.get(text) if other == name else None for other in kinds))
            reasons.append(([f"not_a_{kind.split('(')[0]}:{name}"] if text in bad else [],))
    landing.put("a.csv", "\n".join([",".join(kinds), *lines]))
    file_layout = layout(columns=kinds)
    assert_rows(landing.values(file_layout), values)
    assert_rows(landing.reasons(file_layout), reasons)


def test_an_instant_needs_an_offset(landing):
    good = {
        "2026-03-08T02:30:00-05:00": datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        "2026-03-08 10:00:00.123456Z": datetime(2026, 3, 8, 10, 0, 0, 123456, tzinfo=UTC),
        "2026-03-08T10:00:00+0100": datetime(2026, 3, 8, 9, tzinfo=UTC),
    }
    bad = ["2026-03-08 10:00:00", "2026-03-08", "2026-03-08T25:00:00Z", "1767000000"]
    file_layout = column(landing, "timestamp", [*good, *bad])
    assert_rows(
        landing.texts_and_reasons(file_layout).where("size(reasons) > 0"),
        [(t, ["not_a_timestamp:x"]) for t in bad],
    )
    instants = landing.values(file_layout).where("x IS NOT NULL").select(F.unix_micros("x").alias("x"))
    assert_rows(instants, [(round(moment.timestamp() * 1_000_000),) for moment in good.values()])


def test_local_time_uses_the_zone_and_the_earlier_of_two_instants(landing):
    file_layout = column(
        landing, "local_timestamp", ["2026-01-05 10:00:00", "2026-11-01 01:30:00", "2026-07-01"]
    )
    utc = landing.values(file_layout).select(F.col("x").cast("string"))
    assert_rows(utc, [("2026-01-05 15:00:00",), ("2026-11-01 05:30:00",), ("2026-07-01 04:00:00",)])


def test_a_source_may_have_its_own_zone(landing):
    file_layout = column(landing, "local_timestamp", ["2026-03-08 02:30:00"], time_zone="Europe/Berlin")
    assert_rows(landing.values(file_layout).select(F.col("x").cast("string")), [("2026-03-08 01:30:00",)])


def test_a_local_time_that_the_clocks_skip_has_its_own_reason(landing):
    texts = ["2026-03-08 02:30:00", "2026-03-08 01:59:59", "2026-03-08 03:00:00", "2026-02-30 10:00:00"]
    file_layout = column(landing, "local_timestamp", texts)
    expected = [
        (texts[0], ["local_time_does_not_exist:x"]),
        (texts[1], []),
        (texts[2], []),
        (texts[3], ["not_a_local_timestamp:x"]),
    ]
    assert_rows(landing.texts_and_reasons(file_layout), expected)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("timestamp", ["10:00:00.000Z", "T09:00Z", "2026Z", "2026-03-08Z", "-0044-03-15T10:00:00Z"]),
        ("local_timestamp", ["10:00:00", "T09:00", "2026", "2026-03", "294247-01-10T04:00:00"]),
        ("date", ["2026", "2026-03", "10:00:00", "today", "now"]),
    ],
)
def test_missing_parts_of_a_date_or_time_are_not_filled_in(landing, kind, texts):
    """Least of all with a clock."""
    file_layout = column(landing, kind, texts)
    assert_rows(landing.texts_and_reasons(file_layout), [(text, [f"not_a_{kind}:x"]) for text in texts])


def test_a_local_time_with_an_offset_is_rejected(landing):
    file_layout = column(landing, "local_timestamp", ["2026-03-08 10:00:00-05:00", "2026-03-08 10:00:00Z"])
    assert_rows(landing.reasons(file_layout).distinct(), [(["not_a_local_timestamp:x"],)])


def test_patterns_parse_dates_and_times(landing):
    formats = {"t": "dd.MM.yyyy HH:mm XXX", "l": "dd.MM.yyyy HH:mm", "d": "d/M/yy"}
    file_layout = layout(columns={"t": "timestamp", "l": "local_timestamp", "d": "date"}, formats=formats)
    landing.put("a.csv", "t,l,d\n05.01.2026 10:00 +01:00,05.01.2026 10:00,5/1/26\n2026-01-05,x,5.1.26\n")
    texts = (
        landing.values(file_layout)
        .where("d IS NOT NULL")
        .select(*[F.col(name).cast("string") for name in "tld"])
    )
    assert_rows(texts, [("2026-01-05 09:00:00", "2026-01-05 15:00:00", "2026-01-05")])
    bad = landing.reasons(file_layout).where("size(reasons) > 0")
    assert_rows(bad, [(["not_a_date:d", "not_a_local_timestamp:l", "not_a_timestamp:t"],)])


def test_reasons_are_split_and_sorted_without_empty_lines(spark):
    texts = ["", "b", "\nb\n\na", "c\n", "a"]
    rows = spark.createDataFrame([(text,) for text in texts], "text string")
    listed = rows.select("text", split_reasons(F.col("text")).alias("reasons"))
    expected = [("", []), ("b", ["b"]), ("\nb\n\na", ["a", "b"]), ("c\n", ["c"]), ("a", ["a"])]
    assert_rows(listed, expected)
    joined = rows.limit(1).select(
        join_reasons([F.lit("a"), F.lit(None).cast("string"), F.lit("b")]).alias("x")
    )
    assert_rows(joined, [("a\nb",)])
