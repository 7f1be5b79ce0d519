"""The contract of reference tables."""

import re
from collections.abc import Mapping, Sequence

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode

VERSION_COLUMNS = (
    Column("is_ended", T.BooleanType(), "Whether a full extract no longer had the key", required=True),
    Column("extract_date", T.DateType(), "Business date of the extract with the version", required=True),
    Column(
        "valid_from",
        T.DateType(),
        "First day on which it is valid; the first version covers all earlier days",
        required=True,
    ),
    Column("valid_to", T.DateType(), "First day on which it is no longer valid", required=True),
    Column(
        "delivery_no", T.LongType(), "Delivery in the ingest ledger that last changed the row", required=True
    ),
)

SIMPLE = (
    *(T.StringType(), T.BooleanType(), T.IntegerType(), T.LongType(), T.DoubleType()),
    *(T.DateType(), T.TimestampType()),
)
TYPES: dict[str, T.DataType] = {kind.simpleString(): kind for kind in SIMPLE}


def reference_table(
    name: str,
    description: str,
    key: Sequence[str],
    columns: Mapping[str, str],
    sealed: Sequence[str] = (),
) -> Table:
    """Build the contract of a reference table: versions of each key, valid from a business date (SCD2).

    Args:
        name: Name of the table.
        description: Comment of the table; empty for a default one.
        key: Key columns.
        columns: Column to SQL type, key included.
        sealed: Columns that are encrypted, whatever their type.
    """
    payload = tuple(
        Column(column, T.BinaryType(), "As delivered, encrypted")
        if column in sealed
        else Column(column, _type_of(kind), "Key" if column in key else "As delivered", column in key)
        for column, kind in columns.items()
    )
    return Table(
        name=name,
        kind=Kind.DERIVED,
        comment=description or f"Reference data {name}, versioned by business date.",
        columns=(*payload, *VERSION_COLUMNS),
        key=(*key, "valid_from"),
        mode=WriteMode.MERGE,
        # Pseudonyms, and texts as delivered: the log would show their minimum and maximum.
        unindexed=tuple(column.name for column in payload if isinstance(column.type, T.StringType)),
    )


def _type_of(kind: str) -> T.DataType:
    """Parse a column type. Spark's own parser needs a session, and listing tables must work without one."""
    digits = [int(number) for number in re.findall(r"\d+", kind)]
    return T.DecimalType(*digits) if digits else TYPES[kind]
