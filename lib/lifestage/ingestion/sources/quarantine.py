"""Rejected rows: their raw text encrypted and deterministic, so that a rebuild gives the same bytes."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.job import Secrets
from lifestage.platform.security.pseudonyms import keyed_hash, with_pads, without_pads
from lifestage.platform.security.sealing import ciphered
from lifestage.platform.storage.contracts import Table


def to_rejected(rejected: DataFrame, table: Table, keys: Secrets) -> DataFrame:
    """The rows as the table keeps them, `raw` encrypted; equal lines of one delivery are told apart by their occurrence."""
    equals = Window.partitionBy("source", "delivery_no", "raw").orderBy("raw")
    number = F.row_number().over(equals.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    rows = with_pads(rejected.withColumn("_number", number), keys.pseudonym_key)
    text = F.concat_ws("\n", F.col("source"), F.col("raw"), F.col("_number").cast("string"))
    # Cast, not encoded: bytes that are not UTF-8 stay what they were.
    rows = rows.withColumns(
        {"rejected_id": keyed_hash(text.cast("binary")), "raw": F.col("raw").cast("binary")}
    )
    return encrypted(without_pads(rows).select(*table.names), keys.quarantine_key)


def encrypted(rows: DataFrame, key: bytes) -> DataFrame:
    """The rows with `raw` encrypted."""
    return ciphered(rows, {"raw": None}, key, "encrypt")


def decrypted(rows: DataFrame, key: bytes) -> DataFrame:
    """The rows with `raw` as it was delivered."""
    return ciphered(rows, {"raw": None}, key, "decrypt")
