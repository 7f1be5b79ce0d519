"""Identifiers become keyed pseudonyms at the door: HMAC-SHA-256(key, type, 0x00, normalised value), 16 bytes as hex.

The key reaches executors as the padded keys of HMAC in a broadcast frame of one row. As literals they would show in
query plans; as columns they do not.
"""

import hashlib
from enum import StrEnum
from functools import lru_cache

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.runtime.frames import local_rows

BLOCK_BYTES = 64
PSEUDONYM_HEX = 32
PADS = "_pads"


class Dropped(StrEnum):
    """Why an identifier that was given is none."""

    PLACEHOLDER = "placeholder_identifier"
    INVALID = "invalid_identifier"


def with_pads(frame: DataFrame, key: bytes) -> DataFrame:
    """The frame with the two padded keys beside each row, for `pseudonym` to use; drop them with `without_pads`."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    inner, outer = (bytearray(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    pads = local_rows(
        frame.sparkSession, [(bytes(inner), bytes(outer))], "inner_pad binary, outer_pad binary"
    )
    return frame.crossJoin(F.broadcast(pads.select(F.struct("inner_pad", "outer_pad").alias(PADS))))


def without_pads(frame: DataFrame) -> DataFrame:
    """The frame as it was before `with_pads`."""
    return frame.drop(PADS)


def add_normalised(rows: DataFrame, source: str, target: str, rules: IdentifierType) -> DataFrame:
    """Adds the identifier of column `source` under its type's rules as `target`; NULL where there is none.

    Beside it `<target>_dropped` says why one that was given is none (see Dropped). A placeholder that is not valid either
    is called a placeholder: that says more. The rules are SQL over `value`: the column takes that name for as long as
    they are applied.
    """
    dropped = f"{target}_dropped"
    normal = rows.withColumn("value", F.col(source)).withColumn("value", F.expr(rules.normalise))
    is_placeholder = F.col("value").isin(_normal_placeholders(rows.sparkSession, rules))
    is_valid = F.coalesce(F.expr(rules.valid), F.lit(False))
    normal = normal.withColumn(
        dropped,
        F.when(is_placeholder, F.lit(Dropped.PLACEHOLDER)).when(
            F.col(source).isNotNull() & ~is_valid, F.lit(Dropped.INVALID)
        ),
    )
    return normal.withColumn(target, F.when(F.col(dropped).isNull(), F.col("value"))).drop("value")


def dropped_warning(kind: str, target: str) -> Column:
    """The warning for an identifier that `add_normalised` dropped; NULL where it dropped none."""
    return F.concat(F.col(f"{target}_dropped"), F.lit(f":{kind}"))


@lru_cache
def _normal_placeholders(spark: SparkSession, rules: IdentifierType) -> list[str]:
    """The declared texts as the rules normalise them: a constant of the plan, worked out on the driver.

    Remembered, as each source asks for each of its types.
    """
    given = local_rows(spark, [(text,) for text in rules.placeholders], "value string")
    return [row[0] for row in given.select(F.expr(rules.normalise)).collect()] if rules.placeholders else []


def pseudonym(kind: str, value: Column) -> Column:
    """The pseudonym of a normalised value of one identifier type; NULL stays NULL."""
    message = F.concat(F.lit(kind.encode() + b"\0"), F.encode(value, "UTF-8"))
    return keyed_hash(message)


def keyed_hash(message: Column) -> Column:
    """The first 16 bytes of HMAC-SHA-256 as hex, under the pads beside the row."""
    inner = F.unhex(F.sha2(F.concat(F.col(f"{PADS}.inner_pad"), message), 256))
    return F.substring(F.sha2(F.concat(F.col(f"{PADS}.outer_pad"), inner), 256), 1, PSEUDONYM_HEX)


def key_fingerprint(key: bytes) -> str:
    """What a storage root remembers of its key: enough to refuse another, nothing to find it by."""
    return hashlib.sha256(b"lifestage key fingerprint\0" + key).hexdigest()[:16]
