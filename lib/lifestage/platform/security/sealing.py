"""Texts encrypted so that they compare equal and, with the key, can be read again: AES-SIV, the same bytes each time."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lifestage.platform.errors import ConfigError

Bound = Mapping[str, list[bytes] | None]


def sealed(rows: DataFrame, columns: Sequence[str], key: bytes) -> DataFrame:
    """The rows with some text columns encrypted, as binary; NULL and the empty text stay.

    Equal texts of one column give equal bytes. Of two columns they do not, or a surname would tell who is called the
    same by first name.
    """
    return ciphered(rows, {name: _bound_to(name) for name in columns}, key, "encrypt")


def unsealed(values: pa.ChunkedArray, column: str, key: bytes) -> pa.Array:
    """The texts of a sealed column, in this process alone.

    Raises:
        ConfigError: where they were sealed with another key, or as another column.
    """
    siv, bound = AESSIV(key), _bound_to(column)
    try:
        texts = [siv.decrypt(value, bound) if value else value for value in values.to_pylist()]
    except InvalidTag:
        raise ConfigError(
            [f"secrets: the quarantine key is not the one that {column} was sealed with"]
        ) from None
    return pa.array(texts, pa.binary()).cast(pa.string())


def ciphered(rows: DataFrame, columns: Bound, key: bytes, direction: str) -> DataFrame:
    """The rows with some columns encrypted or decrypted, each bound to what stands beside it, as binary.

    In Arrow, because SQL would carry the key in its plan and has no AES-SIV.
    """

    def each_batch(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        # Imported on the worker: the compiled class cannot be pickled with the function.
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        apply = getattr(AESSIV(key), direction)
        for batch in batches:
            for name, bound in columns.items():
                texts = batch.column(name).cast(pa.binary()).to_pylist()
                values = pa.array([apply(text, bound) if text else text for text in texts], pa.binary())
                batch = batch.set_column(batch.schema.get_field_index(name), name, values)
            yield batch

    fields = [
        T.StructField(field.name, T.BinaryType() if field.name in columns else field.dataType)
        for field in rows.schema
    ]
    return rows.mapInArrow(each_batch, T.StructType(fields))


def _bound_to(column: str) -> list[bytes]:
    return [column.encode()]
