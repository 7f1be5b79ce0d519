import hashlib
import hmac
import io
from contextlib import redirect_stdout

import pytest
from pyspark.sql import functions as F

from lifestage.core.pseudonyms import (
    IdentifierType,
    add_normalised,
    key_fingerprint,
    keyed_hash,
    pseudonym,
    with_pads,
    without_pads,
)
from support.frames import assert_rows
from support.pseudonyms import pseudonym as pseudonym_by_python

KEY = bytes(range(100, 132))
LONG_KEY = bytes(range(64)) + b"more than a block"
VALUES = ["", "anna@example.org", "Müller ⚑", "x" * 200, "a\0b"]


def frame(spark, values):
    return spark.createDataFrame([(value,) for value in values], "value string")


@pytest.mark.parametrize("key", [KEY, KEY * 2, LONG_KEY], ids=["short", "a block", "longer"])
def test_a_pseudonym_is_the_hmac_of_type_and_value(spark, key):
    rows = with_pads(frame(spark, [*VALUES, None]), key)
    actual = without_pads(rows.select("value", pseudonym("email", F.col("value")).alias("p"), "_pads"))
    assert_rows(
        actual, [(value, pseudonym_by_python(key, "email", value)) for value in VALUES] + [(None, None)]
    )


def test_equal_values_of_two_types_and_of_two_keys_have_nothing_in_common(spark):
    rows = frame(spark, ["900"])
    kinds = with_pads(rows, KEY).select(
        *[pseudonym(kind, F.col("value")).alias(kind) for kind in ("card", "phone")]
    )
    other = with_pads(rows, LONG_KEY).select(pseudonym("card", F.col("value")).alias("other"))
    assert len({*kinds.first(), *other.first()}) == 3


def test_a_keyed_hash_takes_any_bytes(spark):
    rows = with_pads(frame(spark, ["x"]), KEY).select(keyed_hash(F.lit(b"\xff\x00")).alias("p"))
    assert_rows(rows, [(hmac.new(KEY, b"\xff\x00", hashlib.sha256).hexdigest()[:32],)])


def test_identifiers_are_normalised_before_they_are_checked(spark):
    rules = IdentifierType(priority=1, normalise="lower(trim(value))", valid="value RLIKE '^[^@ ]+@[^@ ]+$'")
    rows = frame(spark, [" Anna@Example.org ", "anna", "", None]).withColumnRenamed("value", "raw")
    actual = add_normalised(rows, "raw", "normal", rules)
    assert actual.columns == ["raw", "normal"]
    assert_rows(
        actual, [(" Anna@Example.org ", "anna@example.org"), ("anna", None), ("", None), (None, None)]
    )


def test_no_plan_shows_the_key(spark):
    rows = with_pads(frame(spark, ["x"]), KEY)
    rows = without_pads(rows.withColumn("p", pseudonym("email", F.col("value"))))
    shown = io.StringIO()
    before = spark.conf.get("spark.sql.codegen.wholeStage")
    spark.conf.set("spark.sql.codegen.wholeStage", "true")
    with redirect_stdout(shown):
        for mode in ("extended", "formatted", "cost", "codegen"):
            rows.explain(mode)
    spark.conf.set("spark.sql.codegen.wholeStage", before)
    assert all(part in shown.getvalue() for part in ("sha2", "BroadcastNestedLoopJoin", "Generated code"))
    assert traces(KEY, shown.getvalue()) == []


def traces(key, text):
    """Each form of the key and of its pads that a text holds."""
    block = key.ljust(64, b"\0")
    pads = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
    forms = [
        form
        for secret in (key, *pads)
        for form in (secret.hex(), str(list(secret))[1:-1], secret.decode("latin-1"))
    ]
    forms += [" ".join(f"{byte:02X}" for byte in secret) for secret in (key, *pads)]
    signed = [[byte - 256 if byte > 127 else byte for byte in secret] for secret in (key, *pads)]
    forms += [str(numbers)[1:-1] for numbers in signed]
    return [form for form in forms if form.lower() in text.lower()]


def test_the_fingerprint_tells_keys_apart_and_is_no_part_of_any():
    assert key_fingerprint(KEY) != key_fingerprint(LONG_KEY)
    assert key_fingerprint(KEY) == key_fingerprint(bytes(KEY))
    assert len(key_fingerprint(KEY)) == 16
    assert key_fingerprint(KEY) not in KEY.hex()
