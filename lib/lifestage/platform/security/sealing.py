"""Deterministic encryption of text columns with AES-SIV: equal texts give equal bytes, and the key decrypts them."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lifestage.platform.errors import ConfigError

AssociatedData = list[bytes] | None


def seal_columns(rows: DataFrame, columns: Sequence[str], key: bytes) -> DataFrame:
    """Encrypt text columns as binary; NULL and empty texts stay as they are.

    Equal texts of one column give equal bytes. Equal texts of two columns give different bytes: otherwise a surname
    would reveal the people who have it as their first name.
    """
    return apply_cipher(rows, {name: _column_data(name) for name in columns}, key, "encrypt")


def unseal_column(values: pa.ChunkedArray, column: str, key: bytes) -> pa.Array:
    """Decrypt the values of a sealed column in this process; NULL and empty values stay as they are.

    Raises:
        ConfigError: if the values were sealed with another key, or as another column.
    """
    siv, data = AESSIV(key), _column_data(column)
    try:
        texts = [siv.decrypt(value, data) if value else value for value in values.to_pylist()]
    except InvalidTag:
        raise ConfigError(
            [f"secrets: the quarantine key is not the one that {column} was sealed with"]
        ) from None
    return pa.array(texts, pa.binary()).cast(pa.string())


def apply_cipher(
    rows: DataFrame, columns: Mapping[str, AssociatedData], key: bytes, direction: str
) -> DataFrame:
    """Encrypt or decrypt columns as binary, one row per row; NULL and empty values stay as they are.

    The work runs in Arrow, because SQL has no AES-SIV and would show the key in query plans.

    Args:
        rows: Rows with text or binary columns.
        columns: Column to the associated data that its values are authenticated with.
        key: AES-SIV key.
        direction: `encrypt` or `decrypt`, the methods of AESSIV.
    """

    def convert_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # Import on the worker: the compiled class cannot be pickled with this function.
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        convert = getattr(AESSIV(key), direction)
        for batch in batches:
            for name, data in columns.items():
                texts = batch.column(name).cast(pa.binary()).to_pylist()
                values = pa.array([convert(text, data) if text else text for text in texts], pa.binary())
                batch = batch.set_column(batch.schema.get_field_index(name), name, values)
            yield batch

    fields = [
        T.StructField(field.name, T.BinaryType() if field.name in columns else field.dataType)
        for field in rows.schema
    ]
    return rows.mapInArrow(convert_batches, T.StructType(fields))


def _column_data(column: str) -> list[bytes]:
    return [column.encode()]
