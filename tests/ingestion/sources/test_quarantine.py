import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F

from ingestion.events.builders import arrivals, row
from lifestage.ingestion.sources.quarantine import decrypted, to_rejected
from lifestage.ingestion.sources.tables import REJECTED_EVENTS
from lifestage.platform.job import Secrets
from lifestage.platform.storage.contracts import conform
from support.frames import assert_frames, assert_rows, shuffled

QUARANTINE_KEY, OTHER_KEY = b"q" * 64, b"o" * 64
LINE = "r1,Anna Müller,x"
BAD = {"reasons": ["not_a_decimal:amount"]}

# A line that comes twice in one file and once in another, one of another source, bytes that are no text.
ROWS = [
    {**row(raw=LINE, identifiers={"card": "ab"}), **BAD},
    {**row(raw=LINE, identifiers={"card": "ab"}), **BAD},
    {**row(raw=LINE, delivery=2), **BAD},
    {**row("strict", raw=LINE), **BAD},
    {**row(raw=None), **BAD},
]


@pytest.fixture
def lines(spark):
    no_text = F.unhex(F.lit("FFFE2C31")).cast("string")
    return arrivals(spark, ROWS).withColumn("raw", F.coalesce("raw", no_text))


def rejected(lines):
    return to_rejected(lines, REJECTED_EVENTS, Secrets(b"p" * 32, QUARANTINE_KEY))


def test_each_row_is_kept_under_an_id_of_its_own(lines):
    kept = conform(rejected(lines), REJECTED_EVENTS).cache()
    columns = kept.select("source", "delivery_no", "reasons", "identifiers")
    reasons = ["not_a_decimal:amount"]
    expected = [
        ("plain", 1, reasons, {"card": "ab"}),
        ("plain", 1, reasons, {"card": "ab"}),
        ("plain", 2, reasons, None),
        ("strict", 1, reasons, None),
        ("plain", 1, reasons, None),
    ]
    assert_rows(columns, expected)
    same_text = kept.groupBy("rejected_id").agg(
        F.sort_array(F.collect_list("delivery_no")).alias("deliveries")
    )
    assert_rows(same_text.select("deliveries"), [([1, 2],), ([1],), ([1],), ([1],)])


def test_the_bytes_are_the_same_each_time_whatever_the_order(lines):
    assert_frames(rejected(shuffled(lines)), rejected(lines))


def test_the_text_is_not_to_be_seen_and_comes_back_byte_for_byte_with_the_key(lines):
    kept = rejected(lines)
    plain = {LINE.encode().hex().upper(), "FFFE2C31"}
    assert kept.where(F.hex("raw").rlike("|".join([*plain, b"Anna".hex().upper()]))).isEmpty()
    texts = decrypted(kept, QUARANTINE_KEY).select(F.hex("raw").alias("raw")).distinct()
    assert_rows(texts, [(text,) for text in plain])


def test_another_key_opens_nothing(lines):
    with pytest.raises(PythonException, match="InvalidTag"):
        decrypted(rejected(lines), OTHER_KEY).collect()
