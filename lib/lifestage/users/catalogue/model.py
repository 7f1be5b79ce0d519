"""The feature catalogue: measures, days, dates, windows and features, declared in YAML.

    events --measures--> subject-days --days--> user-days --windows, dates--> user state --features--> user features
                                                           customer records --profile--> user profile --^

The tables of activity and features take their columns from it, so a new feature needs no Python.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field
from pyspark.sql import types as T

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile
from lifestage.platform.storage.contracts import MONEY, QUANTITY, Column
from lifestage.platform.units import Unit


class Aggregate(StrEnum):
    """How a measure aggregates events. All are independent of row order."""

    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"


TYPES: dict[Unit, T.DataType] = {
    Unit.MONEY: MONEY,
    Unit.UNITS: QUANTITY,
    Unit.RATIO: T.DoubleType(),
    Unit.SHARE: T.DoubleType(),
    Unit.POINTS: T.DoubleType(),
    Unit.DATE: T.DateType(),
    Unit.NAME: T.StringType(),
    Unit.FLAG: T.BooleanType(),
}


def type_of(unit: Unit) -> T.DataType:
    """The column type of a unit; a unit without a type of its own is a count, a bigint."""
    return TYPES.get(unit, T.LongType())


ColumnUnit = Annotated[Unit, Field(description="decides the column type and the format in reports")]
ColumnComment = Annotated[str, Field(description="comment of the column")]


class Measure(Model):
    """An aggregate over the events of one subject and day."""

    aggregate: Aggregate = Field(description="how the events of a subject and day are aggregated")
    unit: ColumnUnit
    description: ColumnComment
    expression: str | None = Field(default=None, description="SQL over the event; none for a count")
    filter: str | None = Field(
        default=None, description="SQL condition for the events that count; all by default"
    )

    @property
    def type(self) -> T.DataType:
        """The column type; binary (a theta sketch) for distinct values."""
        return T.BinaryType() if self.aggregate is Aggregate.DISTINCT else type_of(self.unit)


class DayMeasure(Model):
    """A number or condition computed on a user-day, after the days of the user's subjects are merged."""

    expression: str = Field(description="SQL over measures and event_date; a condition counts as 1 or 0")
    unit: ColumnUnit
    description: ColumnComment


class DateMark(Model):
    """The first or last user-day on which a condition holds."""

    which: Literal["first", "last"] = Field(
        description="first or last of the days on which the condition holds"
    )
    when: str = Field(description="SQL over measures, days and event_date")
    description: ColumnComment


class Windows(Model):
    """The windows over which a measure is aggregated: sums, min, max, or a count of distinct values."""

    days: tuple[int | Literal["all"], ...] = Field(
        description="window lengths in days up to as_of; all for all history"
    )
    before: tuple[int, ...] = Field(
        default=(), description="lengths of windows directly before the window of that length"
    )
    hidden: bool = Field(
        default=False, description="keep the windows out of user_features; features can use them"
    )


class Feature(Model):
    """SQL over the state of one user at as_of."""

    expression: str = Field(description="SQL over windows, dates, rhythm and other features")
    unit: ColumnUnit
    description: ColumnComment


class Prefer(StrEnum):
    """Which of several customer records of a user wins."""

    FIRST = "first"
    NEWEST = "newest"


class Attribute(Model):
    """An attribute of a user, taken from customer records."""

    sources: tuple[str, ...] = Field(
        alias="from",
        min_length=1,
        description="SQL expressions, each over one reference table, such as `members.city`",
    )
    prefer: Prefer = Field(
        default=Prefer.FIRST,
        description="first: the first expression of `from` with a value, and of its records the newest; newest: the newest "
        "record with a value, and of equally new records the first expression of `from`",
    )
    values: tuple[str, ...] = Field(
        default=(), description="allowed values of a name; any other value is unknown"
    )
    unit: ColumnUnit
    description: ColumnComment


class Window(Model):
    """One window: `days` calendar days that end `shift` days before as_of, both ends included; None is all history."""

    name: str
    measure: str
    days: int | None
    shift: int
    hidden: bool


class Catalogue(Model):
    """All measures and features, in the order of the table columns."""

    measures: dict[str, Measure] = Field(description="aggregates of the events of a subject and day")
    days: dict[str, DayMeasure] = Field(description="numbers and conditions of a user-day")
    dates: dict[str, DateMark] = Field(description="first or last user-day with a condition")
    windows: dict[str, Windows] = Field(description="measure or day to its windows")
    profile: dict[str, Attribute] = Field(default={}, description="attributes from customer records")
    features: dict[str, Feature] = Field(description="SQL over the state and profile of a user")

    def all_windows(self) -> Iterator[Window]:
        """All declared windows, in the order of the table columns."""
        for measure, spans in self.windows.items():
            for days in spans.days:
                length = None if days == "all" else days
                name = f"{measure}_all" if length is None else f"{measure}_{length}d"
                yield Window(name=name, measure=measure, days=length, shift=0, hidden=spans.hidden)
            for days in spans.before:
                name = f"{measure}_prior_{days}d"
                yield Window(name=name, measure=measure, days=days, shift=days, hidden=spans.hidden)

    def with_windows(self, measures: Iterable[str], days: int) -> Self:
        """The catalogue with a window of so many days of each measure."""
        added = dict(self.windows)
        for name in measures:
            spans = added.get(name, Windows(days=()))
            if days not in spans.days:
                added[name] = spans.model_copy(update={"days": (*spans.days, days)})
        return self.model_copy(update={"windows": added})

    def source_of(self, window: Window) -> Measure | DayMeasure:
        """The measure or day measure that a window aggregates."""
        return self.days.get(window.measure) or self.measures[window.measure]

    def without_unknown_windows(self) -> Self:
        """The catalogue without windows that name neither a measure nor a day; validation reports those."""
        known = {**self.measures, **self.days}
        windows = {name: spans for name, spans in self.windows.items() if name in known}
        return self.model_copy(update={"windows": windows})

    def activity_hash(self) -> str:
        """A hash of all that decides the content of a stored subject-day."""
        meaning = {name: (m.aggregate, m.expression, m.filter, m.unit) for name, m in self.measures.items()}
        return semantic_hash(meaning)

    def features_hash(self) -> str:
        """A hash of all that decides the content of a stored feature row; descriptions do not change it."""
        return semantic_hash(_drop_descriptions(self.model_dump(mode="json")))


def _drop_descriptions(value: object) -> object:
    if isinstance(value, dict):
        return {key: _drop_descriptions(item) for key, item in value.items() if key != "description"}
    return value


def window_column(catalogue: Catalogue, window: Window) -> Column:
    """The column of a window: the type of its measure, or bigint for a distinct count."""
    source = catalogue.source_of(window)
    span = "all history" if window.days is None else f"last {window.days} days"
    span = f"the {window.days} days before the last {window.shift}" if window.shift else span
    kind = T.LongType() if is_distinct(source) else type_of(source.unit)
    return Column(window.name, kind, f"{source.description}; {span}", unit=source.unit)


def is_distinct(source: Measure | DayMeasure) -> bool:
    """Whether a measure counts distinct values, with a sketch."""
    return isinstance(source, Measure) and source.aggregate is Aggregate.DISTINCT


def profile_columns(catalogue: Catalogue) -> tuple[Column, ...]:
    """One column per attribute."""
    return tuple(
        Column(name, type_of(each.unit), each.description, unit=each.unit)
        for name, each in catalogue.profile.items()
    )


CATALOGUE = ConfigFile(
    "features.yaml", Catalogue, how_to="how-to/add-a-feature.md", defaults="users/catalogue/defaults.yaml"
)
