from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from ingestion.sources.landing import Landing, layout
from lifestage.ingestion.sources.readers import joined_reasons, listed_reasons
from support.frames import assert_rows


@pytest.fixture
def landing(spark, tmp_path: Path) -> Landing:
    return Landing(spark, tmp_path)


def column(landing, kind, texts, **changes):
    """One column `x` of a type, and what becomes of each text."""
    described = layout(columns={"x": kind, "last": "string"}, **changes)
    landing.put("a.csv", "x,last\n" + "".join(f'"{text}",.\n' for text in texts))
    return described


# Type: texts with their values, and texts that are not of it.
TEXTS = {
    "int": ({"1": 1, "-7": -7}, ["1.5", "x", "3000000000", "0x1F"]),
    "bigint": ({"3000000000": 3_000_000_000}, ["99999999999999999999", "1,000"]),
    "decimal(6,2)": ({"1.25": Decimal("1.25"), "-3": Decimal("-3.00")}, ["1,50", "12345.00", "12 EUR"]),
    "double": ({"1.5": 1.5, "1e3": 1000.0}, ["x", "1,5"]),
    "boolean": ({"true": True, "F": False, "1": True}, ["maybe", "2"]),
    "date": ({"2026-02-28": date(2026, 2, 28)}, ["2026-02-30", "28.02.2026", "20260228"]),
}


def test_a_text_has_its_declared_type_or_a_reason(landing):
    kinds = {f"x{number}": kind for number, kind in enumerate(TEXTS)}
    lines, values, reasons = [], [], []
    for name, kind in kinds.items():
        good, bad = TEXTS[kind]
        for text in [*good, *bad]:
            lines.append(",".join(f'" {text} "' if other == name else "" for other in kinds))
            values.append(tuple(good.get(text) if other == name else None for other in kinds))
            reasons.append(([f"not_a_{kind.split('(')[0]}:{name}"] if text in bad else [],))
    landing.put("a.csv", "\n".join([",".join(kinds), *lines]))
    described = layout(columns=kinds)
    assert_rows(landing.values(described), values)
    assert_rows(landing.reasons(described), reasons)


def test_an_instant_needs_an_offset(landing):
    good = {
        "2026-03-08T02:30:00-05:00": datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
        "2026-03-08 10:00:00.123456Z": datetime(2026, 3, 8, 10, 0, 0, 123456, tzinfo=UTC),
        "2026-03-08T10:00:00+0100": datetime(2026, 3, 8, 9, tzinfo=UTC),
    }
    bad = ["2026-03-08 10:00:00", "2026-03-08", "2026-03-08T25:00:00Z", "1767000000"]
    described = column(landing, "timestamp", [*good, *bad])
    assert_rows(
        landing.judged(described).where("size(reasons) > 0"), [(t, ["not_a_timestamp:x"]) for t in bad]
    )
    instants = landing.values(described).where("x IS NOT NULL").select(F.unix_micros("x").alias("x"))
    assert_rows(instants, [(round(moment.timestamp() * 1_000_000),) for moment in good.values()])


def test_local_time_is_of_the_zone_and_of_two_instants_the_earlier_is_taken(landing):
    described = column(
        landing, "local_timestamp", ["2026-01-05 10:00:00", "2026-11-01 01:30:00", "2026-07-01"]
    )
    utc = landing.values(described).select(F.col("x").cast("string"))
    assert_rows(utc, [("2026-01-05 15:00:00",), ("2026-11-01 05:30:00",), ("2026-07-01 04:00:00",)])


def test_a_source_has_a_zone_of_its_own(landing):
    described = column(landing, "local_timestamp", ["2026-03-08 02:30:00"], time_zone="Europe/Berlin")
    assert_rows(landing.values(described).select(F.col("x").cast("string")), [("2026-03-08 01:30:00",)])


def test_a_local_time_that_the_clocks_skip_is_rejected_for_that_reason(landing):
    texts = ["2026-03-08 02:30:00", "2026-03-08 01:59:59", "2026-03-08 03:00:00", "2026-02-30 10:00:00"]
    described = column(landing, "local_timestamp", texts)
    expected = [
        (texts[0], ["local_time_does_not_exist:x"]),
        (texts[1], []),
        (texts[2], []),
        (texts[3], ["not_a_local_timestamp:x"]),
    ]
    assert_rows(landing.judged(described), expected)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("timestamp", ["10:00:00.000Z", "T09:00Z", "2026Z", "2026-03-08Z", "-0044-03-15T10:00:00Z"]),
        ("local_timestamp", ["10:00:00", "T09:00", "2026", "2026-03", "294247-01-10T04:00:00"]),
        ("date", ["2026", "2026-03", "10:00:00", "today", "now"]),
    ],
)
def test_what_a_text_leaves_out_is_not_filled_in(landing, kind, texts):
    """Least of all from a clock."""
    described = column(landing, kind, texts)
    assert_rows(landing.judged(described), [(text, [f"not_a_{kind}:x"]) for text in texts])


def test_a_local_time_with_an_offset_is_not_one(landing):
    described = column(landing, "local_timestamp", ["2026-03-08 10:00:00-05:00", "2026-03-08 10:00:00Z"])
    assert_rows(landing.reasons(described).distinct(), [(["not_a_local_timestamp:x"],)])


def test_patterns_read_dates_and_times_as_they_are_written(landing):
    formats = {"t": "dd.MM.yyyy HH:mm XXX", "l": "dd.MM.yyyy HH:mm", "d": "d/M/yy"}
    described = layout(columns={"t": "timestamp", "l": "local_timestamp", "d": "date"}, formats=formats)
    landing.put("a.csv", "t,l,d\n05.01.2026 10:00 +01:00,05.01.2026 10:00,5/1/26\n2026-01-05,x,5.1.26\n")
    texts = (
        landing.values(described)
        .where("d IS NOT NULL")
        .select(*[F.col(name).cast("string") for name in "tld"])
    )
    assert_rows(texts, [("2026-01-05 09:00:00", "2026-01-05 15:00:00", "2026-01-05")])
    bad = landing.reasons(described).where("size(reasons) > 0")
    assert_rows(bad, [(["not_a_date:d", "not_a_local_timestamp:l", "not_a_timestamp:t"],)])


def test_reasons_are_listed_sorted_whatever_empty_texts_lie_between(spark):
    texts = ["", "b", "\nb\n\na", "c\n", "a"]
    rows = spark.createDataFrame([(text,) for text in texts], "text string")
    listed = rows.select("text", listed_reasons(F.col("text")).alias("reasons"))
    expected = [("", []), ("b", ["b"]), ("\nb\n\na", ["a", "b"]), ("c\n", ["c"]), ("a", ["a"])]
    assert_rows(listed, expected)
    joined = rows.limit(1).select(
        joined_reasons([F.lit("a"), F.lit(None).cast("string"), F.lit("b")]).alias("x")
    )
    assert_rows(joined, [("a\nb",)])
