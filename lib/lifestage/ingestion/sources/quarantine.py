"""Rejected rows. Their raw text is encrypted deterministically, so that a rebuild produces the same bytes."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.run import Secrets
from lifestage.platform.security.pseudonyms import add_key_pads, drop_key_pads, hmac_hex
from lifestage.platform.security.sealing import apply_cipher
from lifestage.platform.storage.contracts import Table


def to_rejected(rejected: DataFrame, table: Table, keys: Secrets) -> DataFrame:
    """Build the rows of `rejected_events`: one row per rejected row, with `rejected_id` and `raw` encrypted.

    `rejected_id` is a keyed hash of source, raw text and occurrence number, so equal lines of one delivery get
    different ids. Row order does not matter.

    Args:
        rejected: Rejected rows with `source`, `delivery_no`, `raw` (text) and the other columns of the table.
        table: Contract of `rejected_events`.
        keys: The pseudonym key for the id, and the quarantine key for the text.
    """
    equal_rows = Window.partitionBy("source", "delivery_no", "raw").orderBy("raw")
    number = F.row_number().over(equal_rows.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    rows = add_key_pads(rejected.withColumn("_number", number), keys.pseudonym_key)
    text = F.concat_ws("\n", F.col("source"), F.col("raw"), F.col("_number").cast("string"))
    # A cast keeps bytes that are not valid UTF-8; F.encode would replace them.
    rows = rows.withColumns(
        {"rejected_id": hmac_hex(text.cast("binary")), "raw": F.col("raw").cast("binary")}
    )
    return encrypt_raw(drop_key_pads(rows).select(*table.names), keys.quarantine_key)


def encrypt_raw(rows: DataFrame, key: bytes) -> DataFrame:
    """Encrypt the column `raw` (binary); NULL and empty values stay as they are."""
    return apply_cipher(rows, {"raw": None}, key, "encrypt")


def decrypt_raw(rows: DataFrame, key: bytes) -> DataFrame:
    """Decrypt the column `raw` into the bytes that were delivered. With another key, the query fails."""
    return apply_cipher(rows, {"raw": None}, key, "decrypt")
