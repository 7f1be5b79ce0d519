"""What a table is: its kind, columns, key, partitions and the way it is written."""

from dataclasses import dataclass
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lifestage.platform.errors import ContractError


class Kind(StrEnum):
    """How a table may change, and whether a full rebuild must give it again bit for bit."""

    DERIVED = "derived"
    JOURNAL = "journal"
    ARTEFACT = "artefact"
    FROZEN = "frozen"


class WriteMode(StrEnum):
    """How rows reach a table; each mode can be run twice with the same result."""

    APPEND = "append"
    INSERT = "insert"
    MERGE = "merge"
    PARTITIONS = "partitions"
    OVERWRITE = "overwrite"


@dataclass(frozen=True)
class Column:
    """One column: its type, and what Delta and the table dictionary say of it."""

    name: str
    type: T.DataType
    description: str
    required: bool = False
    unit: str = ""

    @property
    def comment(self) -> str:
        """The description, with the unit behind it."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description

    @property
    def field(self) -> T.StructField:
        """The column as Spark declares it."""
        return T.StructField(self.name, self.type, not self.required, {"comment": self.comment})


@dataclass(frozen=True)
class Table:
    """The declared contract of one table.

    `key` is unique by construction. `order` sorts rows inside files, so that statistics prune.
    `unindexed` columns hold identifiers and stay out of Delta's min/max statistics.
    """

    name: str
    kind: Kind
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    mode: WriteMode
    partitions: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    unindexed: tuple[str, ...] = ()

    @property
    def schema(self) -> T.StructType:
        """The table as Spark declares it."""
        return T.StructType([column.field for column in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """The frame with the table's columns in the table's order; a ContractError names every difference.

    Compares types only: no pass over the data. Nullability is Delta's to enforce.
    """
    actual = {field.name: field.dataType for field in frame.schema.fields}
    problems = [
        _difference(column, actual.get(column.name))
        for column in table.columns
        if not _same_type(actual.get(column.name), column.type)
    ]
    problems += [f"column {name} is not in the contract" for name in actual if name not in table.names]
    if problems:
        raise ContractError("\n".join(f"{table.name}: {problem}" for problem in problems))
    return frame.select(*table.names)


def _difference(column: Column, actual: T.DataType | None) -> str:
    if actual is None:
        return f"column {column.name} is missing, expected {column.type.simpleString()}"
    return f"column {column.name} is {actual.simpleString()}, expected {column.type.simpleString()}"


def _same_type(actual: T.DataType | None, expected: T.DataType) -> bool:
    """Types are equal; whether elements of arrays, maps and structs may be NULL is not compared."""
    return actual is not None and actual.simpleString() == expected.simpleString()


MONEY = T.DecimalType(18, 2)

QUANTITY = T.DecimalType(18, 3)

STRING_MAP = T.MapType(T.StringType(), T.StringType())
