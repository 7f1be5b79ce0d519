"""What a domain decides about each user: rules use it, snapshots freeze it, and checks guard it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import Field
from pyspark.sql import DataFrame

from lifestage.platform.config.models import Model
from lifestage.platform.storage.contracts import Column, Table


class Strategy(Model):
    """What to do with the users of a group: where to meet them, with which message, and who looks after them."""

    touchpoints: tuple[str, ...] = Field(default=(), description="where to meet them")
    benefits: str = Field(default="", description="what they are offered")
    message: str = Field(default="", description="what they are told")
    owner: str = Field(default="", description="who looks after them")


@dataclass(frozen=True)
class Group:
    """How a result divides users into groups."""

    column: str
    """Column of the snapshot that names the group."""
    key: str = ""
    """Column whose change counts as a move, where names may change while groups stay; `column` by default."""
    is_compared: bool = True
    """Whether a difference between two snapshots lists moves between these groups."""


@dataclass(frozen=True)
class Check:
    """One check before publication, and what it saw."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Candidate:
    """A snapshot that is about to be published, for the checks of results."""

    as_of: date
    read: Callable[[str], DataFrame]
    """Gives the rows of a table that the publishing step declares."""
    content: Mapping[str, Any]
    """Row counts and users per group (see describe in activation/publish/snapshot.py)."""
    before: Mapping[str, Any] | None
    """The manifest of the snapshot published before it; None for the first."""
    settings: Any
    """The limits of the section `publish`."""

    def n_null(self, column: str) -> int:
        """How many users have no value in a column that names a group."""
        n: int = self.content["n_null"][column]
        return n


@dataclass(frozen=True)
class Result:
    """What a domain decides about each user at each as_of date.

    Audience rules may use it, the snapshot copies it, and a difference between snapshots compares it.
    """

    table: str
    """Its rows are unique per user_id and as_of; of a listed result, per further column."""
    rules: tuple[str, ...] | None = ()
    """Columns that rules of later domains may use; None for every column."""
    snapshot: Mapping[str, str] | None = None
    """Columns of the snapshot, each with the column of the table that it copies; none by default."""
    is_listed: bool = False
    """True where a user may have several rows: the snapshot then holds a sorted array."""
    groups: Mapping[str, Group] | None = None
    """Kinds of groups that the manifest counts, in order."""
    strategies: Callable[[Any], Mapping[str, Mapping[str, Strategy]]] | None = None
    """The strategies of the domain's configuration, by kind of group and name."""
    check: Callable[[Candidate], Iterable[Check]] | None = None
    """Checks of a snapshot on its own."""
    compare: Callable[[Candidate], Iterable[Check]] | None = None
    """Checks of a snapshot against the one before; not called for the first."""
    check_reads: tuple[str, ...] = ()
    """Further tables that these checks read."""


@dataclass(frozen=True)
class DomainResult:
    """A result with the contract of its table and the configuration of its domain."""

    declaration: Result
    table: Table
    config: Any

    @property
    def snapshot(self) -> Mapping[str, str]:
        """Columns of the snapshot, each with the column of the table that it copies."""
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
    return {column.name: column.type.simpleString() for each in results for column in each.rule_columns()}
