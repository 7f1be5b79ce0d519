"""The SQL expressions that a configuration declares, each with its file, its key and the columns that it may use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lifestage.platform.config.expressions import ExpressionKind, find_type_problems


@dataclass(frozen=True, eq=False)
class Expression:
    """An SQL expression of a configuration file. It is hashed by identity, because `columns` is a mapping."""

    file: Path
    key: str
    """Where the file declares it, such as `map.amount`."""
    sql: str
    columns: Mapping[str, str]
    """Column that it may use to SQL type; a column of a joined table is `table.column`."""
    kind: ExpressionKind = ExpressionKind.VALUE

    @property
    def place(self) -> str:
        """File and key, as messages show them."""
        return f"{self.file}: {self.key}"

    def problems(self) -> Iterator[str]:
        """Yield the problems that can be found without Spark, each with file and key."""
        for problem in find_type_problems(self.sql, self.columns, self.kind):
            yield f"{self.place}: {problem}"
