import os

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from lifestage.platform.errors import ConfigError
from lifestage.platform.security.sealing import seal_columns, unseal_column
from support.frames import assert_frames, shuffled

KEY, OTHER_KEY = b"q" * 32, b"o" * 32
NAMES = ["Anna", "Anna", "Jürgen", "", None]


@pytest.fixture
def people(spark):
    return spark.createDataFrame(
        [(n, name, name) for n, name in enumerate(NAMES)], "n int, first string, last string"
    )


def test_equal_texts_of_a_column_seal_to_equal_bytes(people):
    kept = seal_columns(people, ["first"], KEY)
    assert dict(kept.dtypes) == {"n": "int", "first": "binary", "last": "string"}
    # Two of one name, and the empty text is one.
    assert kept.where("first IS NOT NULL").select("first").distinct().count() == 3
    assert_frames(seal_columns(shuffled(people), ["first"], KEY), kept)


def test_equal_texts_of_two_columns_seal_to_different_bytes(people):
    kept = seal_columns(people, ["first", "last"], KEY)
    assert kept.where("first = last AND length(first) > 0").isEmpty()


def test_sealed_texts_cannot_be_read(people):
    shown = seal_columns(people, ["first", "last"], KEY).select(
        F.concat(F.hex("first"), F.hex("last")).alias("h")
    )
    assert shown.where(F.contains("h", F.lit(b"nna".hex().upper()))).isEmpty()


def test_the_key_restores_the_texts(people):
    kept = seal_columns(people, ["first"], KEY).orderBy("n").toArrow()
    assert unseal_column(kept["first"], "first", KEY).to_pylist() == NAMES


@pytest.mark.parametrize(("column", "key"), [("first", OTHER_KEY), ("last", KEY)])
def test_another_key_or_column_is_an_error(people, column, key):
    kept = seal_columns(people, ["first"], KEY).toArrow()
    with pytest.raises(ConfigError, match=f"the quarantine key is not the one that {column} was sealed with"):
        unseal_column(kept["first"], column, key)


def test_a_column_without_values_can_be_unsealed():
    assert len(unseal_column(pa.chunked_array([], pa.binary()), "first", os.urandom(32))) == 0
