"""The feature catalogue: measures, days, dates, windows and features, declared in YAML.

    events --measures--> subject-days --days--> user-days --windows, dates--> user state --features--> user features
                                                           customer records --profile--> user profile --^

Tables of activity and features derive their columns from it, so a feature is added without Python.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field
from pyspark.sql import types as T

from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.models import Model
from lifestage.platform.config.parts import ConfigFile
from lifestage.platform.storage.contracts import MONEY, QUANTITY, Column


class Aggregate(StrEnum):
    """How a measure of events merges; all are exact and independent of order."""

    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"


class Unit(StrEnum):
    """What a number counts; decides its type and how a report prints it."""

    EVENTS = "events"
    DAYS = "days"
    USERS = "users"
    MONEY = "money"
    UNITS = "units"
    SECONDS = "seconds"
    POINTS = "points"
    RATIO = "ratio"
    SHARE = "share"
    DATE = "date"
    NAME = "name"
    FLAG = "flag"


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
    """Money, units, ratios, dates and names have types of their own; every count is a bigint."""
    return TYPES.get(unit, T.LongType())


ColumnUnit = Annotated[Unit, Field(description="decides the type, and how a report prints it")]
ColumnComment = Annotated[str, Field(description="comment of the column")]


class Measure(Model):
    """An aggregate over the events of one subject and day."""

    aggregate: Aggregate = Field(description="how the events of a subject and day merge")
    unit: ColumnUnit
    description: ColumnComment
    expression: str | None = Field(default=None, description="SQL over the event; a count has none")
    filter: str | None = Field(default=None, description="SQL: which events count; all by default")

    @property
    def type(self) -> T.DataType:
        """The type of its column; a sketch for distinct values."""
        return T.BinaryType() if self.aggregate is Aggregate.DISTINCT else type_of(self.unit)


class DayMeasure(Model):
    """A number or condition decided on a user-day, after the days of a user's subjects have merged."""

    expression: str = Field(description="SQL over measures and event_date; a condition counts 1 or 0")
    unit: ColumnUnit
    description: ColumnComment


class DateMark(Model):
    """The first or last user-day on which a condition holds."""

    which: Literal["first", "last"] = Field(description="of the days on which the condition holds")
    when: str = Field(description="SQL over measures, days and event_date")
    description: ColumnComment


class Windows(Model):
    """The spans over which a measure is summed (min and max: the least and greatest; distinct: counted)."""

    days: tuple[int | Literal["all"], ...] = Field(
        description="lengths in days up to as_of; all is all history"
    )
    before: tuple[int, ...] = Field(default=(), description="lengths of the span before the last such span")
    hidden: bool = Field(default=False, description="kept in the state only, for other features to use")


class Feature(Model):
    """SQL over the state of one user at as_of."""

    expression: str = Field(description="SQL over windows, dates, rhythm and other features")
    unit: ColumnUnit
    description: ColumnComment


class Prefer(StrEnum):
    """Which of several records of a person is believed."""

    FIRST = "first"
    NEWEST = "newest"


class Attribute(Model):
    """What customer records say of a person."""

    sources: tuple[str, ...] = Field(
        alias="from",
        min_length=1,
        description="SQL over the columns of one reference table each, as `members.city`",
    )
    prefer: Prefer = Field(
        default=Prefer.FIRST,
        description="first: the first of `from` that knows a value, and of its records the newest; newest: the newest "
        "record of all, and of equally new ones the first of `from`",
    )
    values: tuple[str, ...] = Field(
        default=(), description="of a name, what it may be; anything else is not known"
    )
    unit: ColumnUnit
    description: ColumnComment


class Window(Model):
    """One span: `days` calendar days that end `shift` days before as_of, both ends included; None is all history."""

    name: str
    measure: str
    days: int | None
    shift: int
    hidden: bool


class Catalogue(Model):
    """Every measure and feature, in the order of the tables' columns."""

    measures: dict[str, Measure] = Field(description="aggregates of the events of one subject and day")
    days: dict[str, DayMeasure] = Field(description="what is decided on a user-day")
    dates: dict[str, DateMark] = Field(description="first and last user-days of a kind")
    windows: dict[str, Windows] = Field(description="spans of a measure or day, by its name")
    profile: dict[str, Attribute] = Field(default={}, description="what customer records say of one user")
    features: dict[str, Feature] = Field(description="SQL over the state and the profile of one user")

    def all_windows(self) -> Iterator[Window]:
        """Every declared span, the one before directly after its own."""
        for measure, spans in self.windows.items():
            for days in spans.days:
                length = None if days == "all" else days
                name = f"{measure}_all" if length is None else f"{measure}_{length}d"
                yield Window(name=name, measure=measure, days=length, shift=0, hidden=spans.hidden)
            for days in spans.before:
                name = f"{measure}_prior_{days}d"
                yield Window(name=name, measure=measure, days=days, shift=days, hidden=spans.hidden)

    def source_of(self, window: Window) -> Measure | DayMeasure:
        """The measure or day that a window spans."""
        return self.days.get(window.measure) or self.measures[window.measure]

    def without_unknown_windows(self) -> Self:
        """The catalogue without windows of what is neither a measure nor a day; validation reports those."""
        known = {**self.measures, **self.days}
        windows = {name: spans for name, spans in self.windows.items() if name in known}
        return self.model_copy(update={"windows": windows})

    def activity_hash(self) -> str:
        """Changes when a stored subject-day would."""
        meaning = {name: (m.aggregate, m.expression, m.filter, m.unit) for name, m in self.measures.items()}
        return semantic_hash(meaning)

    def features_hash(self) -> str:
        """Changes when a stored feature row would; descriptions do not count."""
        return semantic_hash(_without_descriptions(self.model_dump(mode="json")))


def _without_descriptions(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_descriptions(item) for key, item in value.items() if key != "description"}
    return value


def window_column(catalogue: Catalogue, window: Window) -> Column:
    """The column of a window: a sum keeps its measure's type, a distinct count is a bigint."""
    source = catalogue.source_of(window)
    span = "all history" if window.days is None else f"last {window.days} days"
    span = f"the {window.days} days before the last {window.shift}" if window.shift else span
    kind = T.LongType() if is_distinct(source) else type_of(source.unit)
    return Column(window.name, kind, f"{source.description}; {span}", unit=source.unit)


def is_distinct(source: Measure | DayMeasure) -> bool:
    """Whether a measure counts distinct values, in a sketch."""
    return isinstance(source, Measure) and source.aggregate is Aggregate.DISTINCT


def profile_columns(catalogue: Catalogue) -> tuple[Column, ...]:
    """A column each attribute."""
    return tuple(
        Column(name, type_of(each.unit), each.description, unit=each.unit)
        for name, each in catalogue.profile.items()
    )


CATALOGUE = ConfigFile(
    "features.yaml", Catalogue, how_to="how-to/add-a-feature.md", defaults="users/catalogue/defaults.yaml"
)
