"""Keyed pseudonyms of identifiers: HMAC-SHA-256(key, type, 0x00, normalised value), the first 16 bytes as hex.

The key reaches the executors as HMAC's two padded keys, in a broadcast frame of one row. As literals they would show
in query plans; as columns they do not.
"""

import hashlib
from enum import StrEnum
from functools import lru_cache, reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType, split_placeholders
from lifestage.platform.runtime.frames import local_rows

BLOCK_BYTES = 64
PSEUDONYM_HEX = 32
PADS = "_pads"
# Blanks around a value, also those that trim leaves: tabs, line breaks, no-break spaces.
BLANKS_AROUND = r"^[\s\u00A0\uFEFF]+|[\s\u00A0\uFEFF]+$"


class DropReason(StrEnum):
    """Why an identifier value is not used."""

    PLACEHOLDER = "placeholder_identifier"
    INVALID = "invalid_identifier"


def add_key_pads(frame: DataFrame, key: bytes) -> DataFrame:
    """Add HMAC's two padded keys to each row, for `pseudonym` and `hmac_hex`. Remove them with `drop_key_pads`.

    Example:
        >>> rows = add_key_pads(cards, key).withColumn("card", pseudonym("card", F.col("card_no")))
        >>> drop_key_pads(rows)
    """
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    inner, outer = (bytearray(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    pads = local_rows(
        frame.sparkSession, [(bytes(inner), bytes(outer))], "inner_pad binary, outer_pad binary"
    )
    return frame.crossJoin(F.broadcast(pads.select(F.struct("inner_pad", "outer_pad").alias(PADS))))


def drop_key_pads(frame: DataFrame) -> DataFrame:
    """Drop the column that `add_key_pads` added."""
    return frame.drop(PADS)


def add_normalised_identifier(
    rows: DataFrame, source: str, target: str, id_type: IdentifierType
) -> DataFrame:
    """Normalise the identifier in column `source` as column `target`; the grain of `rows` stays.

    `target` is NULL if the value is NULL, a placeholder, or invalid. `<target>_dropped` then holds the DropReason, or
    NULL if no value was given. A value that is both invalid and a placeholder counts as a placeholder, the more
    specific reason. A value is a placeholder if it equals one, either trimmed and in lower case or after
    normalisation, or matches a pattern. `rows` must not have a column `value`: the rules of the type are SQL over that
    name.
    """
    dropped = f"{target}_dropped"
    rows = rows.withColumn("value", F.col(source)).withColumn("value", F.expr(id_type.normalise))
    is_placeholder = _is_placeholder(F.col(source), F.col("value"), id_type, rows.sparkSession)
    is_valid = F.coalesce(F.expr(id_type.valid), F.lit(False))
    rows = rows.withColumn(
        dropped,
        F.when(is_placeholder, F.lit(DropReason.PLACEHOLDER)).when(
            F.col(source).isNotNull() & ~is_valid, F.lit(DropReason.INVALID)
        ),
    )
    return rows.withColumn(target, F.when(F.col(dropped).isNull(), F.col("value"))).drop("value")


def identifier_warning(type_name: str, target: str) -> Column:
    """Return the warning for an identifier that `add_normalised_identifier` dropped, else NULL."""
    return F.concat(F.col(f"{target}_dropped"), F.lit(f":{type_name}"))


def _is_placeholder(raw: Column, normalised: Column, id_type: IdentifierType, spark: SparkSession) -> Column:
    """Whether a value identifies nobody. NULL for NULL."""
    texts, patterns = split_placeholders(id_type.placeholders)
    folded = F.lower(F.regexp_replace(raw, BLANKS_AROUND, ""))
    is_text = folded.isin([text.strip().lower() for text in texts])
    is_normalised = normalised.isin(_normalise_placeholders(spark, id_type))
    return reduce(or_, [is_text, is_normalised, *[folded.rlike(pattern) for pattern in patterns]])


@lru_cache
def _normalise_placeholders(spark: SparkSession, id_type: IdentifierType) -> list[str]:
    """Normalise the declared placeholders on the driver, so that query plans hold them as constants.

    Only valid ones count: of `a@a.com` the rule of a phone number leaves an @, which says nothing. Cached, because each
    source asks for each of its identifier types.
    """
    texts, _ = split_placeholders(id_type.placeholders)
    if not texts:
        return []
    rows = local_rows(spark, [(text,) for text in texts], "value string")
    normalised = rows.select(F.expr(id_type.normalise).alias("value"))
    return [row["value"] for row in normalised.where(F.expr(id_type.valid)).collect()]


def pseudonym(type_name: str, value: Column) -> Column:
    """Return the pseudonym of a normalised value: 32 hex digits, NULL for NULL. Needs `add_key_pads`.

    Equal values of two identifier types give different pseudonyms.
    """
    message = F.concat(F.lit(type_name.encode() + b"\0"), F.encode(value, "UTF-8"))
    return hmac_hex(message)


def hmac_hex(message: Column) -> Column:
    """Return the first 16 bytes of HMAC-SHA-256 of a binary column as hex, NULL for NULL. Needs `add_key_pads`."""
    inner = F.unhex(F.sha2(F.concat(F.col(f"{PADS}.inner_pad"), message), 256))
    return F.substring(F.sha2(F.concat(F.col(f"{PADS}.outer_pad"), inner), 256), 1, PSEUDONYM_HEX)


def key_fingerprint(key: bytes) -> str:
    """Return 16 hex digits by which a storage root recognises its key; they do not reveal it."""
    return hashlib.sha256(b"lifestage key fingerprint\0" + key).hexdigest()[:16]
