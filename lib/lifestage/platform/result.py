"""The result of a domain for each user. Rules use it, snapshots copy it, and checks guard it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import Field
from pyspark.sql import DataFrame

from lifestage.platform.config.models import Model
from lifestage.platform.storage.contracts import Column, Table, sql_types


class Strategy(Model):
    """How to treat the users of a group: where to contact them, what to offer and say, and who is responsible."""

    touchpoints: tuple[str, ...] = Field(default=(), description="where to contact the users")
    benefits: str = Field(default="", description="what to offer the users")
    message: str = Field(default="", description="what to tell the users")
    owner: str = Field(default="", description="team that is responsible for the users")


@dataclass(frozen=True)
class Group:
    """How a result divides users into groups."""

    column: str
    """Column of the snapshot that names the group."""
    key: str = ""
    """Column whose change counts as a move, if names can change while groups stay the same; `column` by default."""
    is_compared: bool = True
    """Whether a difference between two snapshots lists moves between these groups."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check before publication."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Candidate:
    """A snapshot before its publication, as the checks of results see it."""

    as_of: date
    read: Callable[[str], DataFrame]
    """Reads a table that the publish step declares."""
    content: Mapping[str, Any]
    """Row counts and users per group (see describe in activation/publish/snapshot.py)."""
    before: Mapping[str, Any] | None
    """The manifest of the previously published snapshot; None for the first."""
    settings: Any
    """The limits of the section `publish`."""

    def n_null(self, column: str) -> int:
        """Number of users with NULL in a column that names a group."""
        n: int = self.content["n_null"][column]
        return n


@dataclass(frozen=True)
class Result:
    """The result of a domain for each user at each as_of date.

    Audience rules can use it, snapshots copy it, and the difference between two snapshots covers it.
    """

    table: str
    """Name of the table. Its key is user_id and as_of; a listed result has a further column in its key."""
    rules: tuple[str, ...] | None = ()
    """Columns that rules of later domains can use; None for every column."""
    snapshot: Mapping[str, str] | None = None
    """Snapshot column to the table column that it copies. By default the snapshot copies none."""
    is_listed: bool = False
    """True if a user can have several rows. The snapshot then holds them as a sorted array."""
    groups: Mapping[str, Group] | None = None
    """Kinds of groups whose users the manifest counts, in order."""
    strategies: Callable[[Any], Mapping[str, Mapping[str, Strategy]]] | None = None
    """The strategies of the domain's configuration, by kind of group and name."""
    check: Callable[[Candidate], Iterable[Check]] | None = None
    """Checks of a snapshot on its own."""
    compare: Callable[[Candidate], Iterable[Check]] | None = None
    """Checks of a snapshot against the previous one. Not called for the first snapshot."""
    check_reads: tuple[str, ...] = ()
    """Additional tables that these checks read."""


@dataclass(frozen=True)
class DomainResult:
    """A result with the contract of its table and the configuration of its domain."""

    declaration: Result
    table: Table
    config: Any

    @property
    def snapshot(self) -> Mapping[str, str]:
        """Snapshot column to the table column that it copies."""
        return self.declaration.snapshot or {}

    @property
    def groups(self) -> Mapping[str, Group]:
        """Kinds of groups that the result divides users into."""
        return self.declaration.groups or {}

    def rule_columns(self) -> list[Column]:
        """The columns that rules may use."""
        names = self.table.names if self.declaration.rules is None else self.declaration.rules
        return [column for column in self.table.columns if column.name in names]


def rule_columns(results: Iterable[DomainResult]) -> dict[str, str]:
    """The columns that rules may use, each with its SQL type."""
    return sql_types(column for each in results for column in each.rule_columns())
