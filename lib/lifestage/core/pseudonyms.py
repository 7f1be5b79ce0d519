"""Identifiers become keyed pseudonyms at the door: HMAC-SHA-256(key, type, 0x00, normalised value), 16 bytes as hex.

The key reaches executors as the padded keys of HMAC in a broadcast frame of one row. As literals they would show in
query plans; as columns they do not.
"""

import hashlib

from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.core.local_rows import local_rows
from lifestage.core.models import Model

BLOCK_BYTES = 64
PSEUDONYM_HEX = 32
PADS = "_pads"


class IdentifierType(Model):
    """One kind of identifier: how strong it is and how its raw value is normalised before it is hashed."""

    priority: int = Field(description="1 is strongest; the strongest on an event is its subject")
    normalise: str = Field(default="trim(value)", description="SQL over `value`")
    valid: str = Field(default="length(value) > 0", description="SQL over the normalised `value`")


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
    """Adds the identifier of column `source` under its type's rules as `target`; NULL where missing or not valid.

    The rules are SQL over `value`: the column takes that name for as long as they are applied.
    """
    normal = rows.withColumn("value", F.col(source)).withColumn("value", F.expr(rules.normalise))
    return normal.withColumn(target, F.expr(f"CASE WHEN {rules.valid} THEN value END")).drop("value")


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
