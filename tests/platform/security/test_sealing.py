import os

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from lifestage.platform.errors import ConfigError
from lifestage.platform.security.sealing import sealed, unsealed
from support.frames import assert_frames, shuffled

KEY, OTHER_KEY = b"q" * 32, b"o" * 32
NAMES = ["Anna", "Anna", "Jürgen", "", None]


@pytest.fixture
def people(spark):
    return spark.createDataFrame(
        [(n, name, name) for n, name in enumerate(NAMES)], "n int, first string, last string"
    )


def test_equal_texts_of_a_column_seal_equal_whatever_the_order(people):
    kept = sealed(people, ["first"], KEY)
    assert dict(kept.dtypes) == {"n": "int", "first": "binary", "last": "string"}
    # Two of one name, and the empty text is one.
    assert kept.where("first IS NOT NULL").select("first").distinct().count() == 3
    assert_frames(sealed(shuffled(people), ["first"], KEY), kept)


def test_of_two_columns_equal_texts_do_not_seal_equal(people):
    kept = sealed(people, ["first", "last"], KEY)
    assert kept.where("first = last AND length(first) > 0").isEmpty()


def test_nothing_is_to_be_read(people):
    shown = sealed(people, ["first", "last"], KEY).select(F.concat(F.hex("first"), F.hex("last")).alias("h"))
    assert shown.where(F.contains("h", F.lit(b"nna".hex().upper()))).isEmpty()


def test_with_the_key_the_texts_come_back(people):
    kept = sealed(people, ["first"], KEY).orderBy("n").toArrow()
    assert unsealed(kept["first"], "first", KEY).to_pylist() == NAMES


@pytest.mark.parametrize(("column", "key"), [("first", OTHER_KEY), ("last", KEY)])
def test_another_key_or_another_column_is_told(people, column, key):
    kept = sealed(people, ["first"], KEY).toArrow()
    with pytest.raises(ConfigError, match=f"the quarantine key is not the one that {column} was sealed with"):
        unsealed(kept["first"], column, key)


def test_nothing_unseals_to_nothing():
    assert len(unsealed(pa.chunked_array([], pa.binary()), "first", os.urandom(32))) == 0
