import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F

from ingestion.events.builders import arrivals, row
from lifestage.ingestion.sources.quarantine import decrypt_raw, to_rejected
from lifestage.ingestion.sources.tables import REJECTED_EVENTS
from lifestage.platform.run import Secrets
from lifestage.platform.storage.contracts import conform
from support.frames import assert_frames, assert_rows, shuffled

QUARANTINE_KEY, OTHER_KEY = b"q" * 64, b"o" * 64
LINE = "r1,Anna Müller,x"
BAD = {"reasons": ["not_a_decimal:amount"]}

# A line twice in one file and once in another, the same line of another source, and bytes that are not UTF-8.
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


def test_each_row_has_a_unique_id_within_its_delivery(lines):
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


def test_the_encrypted_bytes_do_not_depend_on_row_order(lines):
    assert_frames(rejected(shuffled(lines)), rejected(lines))


def test_the_text_is_hidden_and_the_key_restores_it_byte_for_byte(lines):
    kept = rejected(lines)
    plain = {LINE.encode().hex().upper(), "FFFE2C31"}
    assert kept.where(F.hex("raw").rlike("|".join([*plain, b"Anna".hex().upper()]))).isEmpty()
    texts = decrypt_raw(kept, QUARANTINE_KEY).select(F.hex("raw").alias("raw")).distinct()
    assert_rows(texts, [(text,) for text in plain])


def test_another_key_decrypts_nothing(lines):
    with pytest.raises(PythonException, match="InvalidTag"):
        decrypt_raw(rejected(lines), OTHER_KEY).collect()
