"""Rejected rows: their raw text encrypted and deterministic, so that a rebuild gives the same bytes."""

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.core.contracts import Table
from lifestage.core.job import Secrets
from lifestage.core.pseudonyms import keyed_hash, with_pads, without_pads


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
    """The rows with `raw` encrypted; in Arrow, because SQL would carry the key in its plan and has no AES-SIV."""
    return _mapped(rows, key, "encrypt")


def decrypted(rows: DataFrame, key: bytes) -> DataFrame:
    """The rows with `raw` as it was delivered."""
    return _mapped(rows, key, "decrypt")


def _mapped(rows: DataFrame, key: bytes, direction: str) -> DataFrame:
    def each_batch(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # Imported on the worker: the compiled class cannot be pickled with the function.
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        apply = getattr(AESSIV(key), direction)
        for batch in batches:
            values = [apply(text, None) if text else text for text in batch.column("raw").to_pylist()]
            position = batch.schema.get_field_index("raw")
            yield batch.set_column(position, "raw", pa.array(values, pa.binary()))

    return rows.mapInArrow(each_batch, rows.schema)
