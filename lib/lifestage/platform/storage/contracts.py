"""The contract of a table: its kind, columns, key, partitions and write mode."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lifestage.platform.errors import ContractError


class Kind(StrEnum):
    """How a table can change, and whether a full rebuild must reproduce it bit for bit."""

    DERIVED = "derived"
    JOURNAL = "journal"
    ARTEFACT = "artefact"
    FROZEN = "frozen"


class WriteMode(StrEnum):
    """How a step writes rows to a table.

    In every mode, a step that runs again leaves the same rows. Before a run appends, it rolls back what an unfinished run
    appended.
    """

    APPEND = "append"
    """Add the rows."""
    INSERT = "insert"
    """Add the rows whose keys are new."""
    MERGE = "merge"
    """Add the rows whose keys are new, and update the others."""
    PARTITIONS = "partitions"
    """Replace whole partitions."""
    OVERWRITE = "overwrite"
    """Replace all rows."""


@dataclass(frozen=True)
class Column:
    """One column: its type, and its description in Delta and the table dictionary."""

    name: str
    type: T.DataType
    description: str
    required: bool = False
    unit: str = ""

    @property
    def comment(self) -> str:
        """The description, followed by the unit."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description

    @property
    def field(self) -> T.StructField:
        """The column as Spark declares it."""
        return T.StructField(self.name, self.type, not self.required, {"comment": self.comment})


def sql_types(columns: Iterable[Column]) -> dict[str, str]:
    """Return the SQL type of each column by name."""
    return {column.name: column.type.simpleString() for column in columns}


@dataclass(frozen=True)
class Table:
    """The declared contract of one table.

    `key` is unique by construction. `order` sorts rows inside files, so that file statistics prune.
    `unindexed` columns hold identifiers and stay out of Delta's min/max statistics. `has_change_feed` says that the table
    records its changes, so that a reader can ask for the rows that changed since a version.
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
    has_change_feed: bool = False

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

    Compares only types, without a pass over the data. Delta enforces nullability.
    """
    actual = {field.name: field.dataType for field in frame.schema.fields}
    problems = [
        _difference(column, actual.get(column.name))
        for column in table.columns
        if not _is_same_type(actual.get(column.name), column.type)
    ]
    problems += [f"column {name} is not in the contract" for name in actual if name not in table.names]
    if problems:
        raise ContractError("\n".join(f"{table.name}: {problem}" for problem in problems))
    return frame.select(*table.names)


def _difference(column: Column, actual: T.DataType | None) -> str:
    if actual is None:
        return f"column {column.name} is missing, expected {column.type.simpleString()}"
    return f"column {column.name} is {actual.simpleString()}, expected {column.type.simpleString()}"


def _is_same_type(actual: T.DataType | None, expected: T.DataType) -> bool:
    """Whether types are equal, ignoring whether elements of arrays, maps and structs can be NULL."""
    return actual is not None and actual.simpleString() == expected.simpleString()


MONEY = T.DecimalType(18, 2)

QUANTITY = T.DecimalType(18, 3)

STRING_MAP = T.MapType(T.StringType(), T.StringType())
