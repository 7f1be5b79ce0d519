"""Checks of features.yaml."""

from collections.abc import Iterator, Sequence

from pyspark.sql import types as T

from lifestage.platform.config.checks import bad_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.config.expressions import ExpressionKind
from lifestage.platform.result import DomainResult
from lifestage.platform.storage.contracts import sql_types
from lifestage.users.catalogue.checks import event_columns
from lifestage.users.catalogue.model import CATALOGUE, Aggregate, type_of
from lifestage.users.features.config import REQUIRED_NAMES
from lifestage.users.features.mapping import layer_features
from lifestage.users.features.tables import CATEGORY_COLUMNS, RHYTHM_COLUMNS, user_features, user_state
from lifestage.users.features.user_days import is_additive

# Names of built-in columns, which the catalogue cannot declare.
BUILT_IN = {column.name for column in (*RHYTHM_COLUMNS, *CATEGORY_COLUMNS)}
TAKEN = {"user_id", "subject", "as_of", "status", "event_date", "event_month", *BUILT_IN}


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of the catalogue, except for its profile."""
    yield from prefix_file(config.folder / CATALOGUE.name, catalogue_problems(config))


def catalogue_problems(config: Config) -> Iterator[str]:
    """Problems of features.yaml: duplicate names, missing or unknown entries."""
    catalogue = config.parts[CATALOGUE]
    without_faults = catalogue.without_unknown_windows()
    sections = (catalogue.measures, catalogue.days, catalogue.dates, catalogue.profile, catalogue.features)
    names = [name for section in sections for name in section]
    yield from bad_names(names)
    taken = [*names, *TAKEN, *[window.name for window in without_faults.all_windows()]]
    for name in sorted({name for name in names if taken.count(name) > 1}):
        yield f"{name}: is declared twice, or is the name of a built-in column"
    for name, measure in catalogue.measures.items():
        if measure.expression is None and measure.aggregate is not Aggregate.COUNT:
            yield f"measures.{name}.expression: required for {measure.aggregate}"
    for name in sorted(set(catalogue.windows) - set(without_faults.windows)):
        yield f"windows.{name}: neither a measure nor a day"
    for name in without_faults.windows:
        source = (catalogue.measures | catalogue.days)[name]
        if is_additive(source) and isinstance(type_of(source.unit), T.DoubleType):
            yield (
                f"windows.{name}: no sums in the unit {source.unit}, because a sum of fractions depends on the order of "
                "rows: declare the measure in money, units or a count"
            )
    windows = {window.name for window in without_faults.all_windows()}
    for name in sorted(REQUIRED_NAMES - {*catalogue.measures, *catalogue.days, *catalogue.dates, *windows}):
        yield f"{name}: the features step needs it, do not remove it"
    try:
        layer_features(catalogue)
    except ValueError as error:
        yield f"features: {error}"


def declare_expressions(config: Config, _results: Sequence[DomainResult]) -> Iterator[Expression]:
    """Yield the SQL of measures, days, dates and features."""
    file, catalogue = config.folder / CATALOGUE.name, config.parts[CATALOGUE].without_unknown_windows()
    events = event_columns(config)
    for name, measure in catalogue.measures.items():
        if measure.expression is not None:
            yield Expression(file, f"measures.{name}.expression", measure.expression, events)
        if measure.filter is not None:
            yield Expression(
                file, f"measures.{name}.filter", measure.filter, events, ExpressionKind.CONDITION
            )
    merged = {name: measure.type.simpleString() for name, measure in catalogue.measures.items()}
    columns = {**merged, "event_date": "date"}
    for name, day in catalogue.days.items():
        yield Expression(file, f"days.{name}.expression", day.expression, columns, ExpressionKind.NUMBER)
    columns |= {name: type_of(day.unit).simpleString() for name, day in catalogue.days.items()}
    for name, mark in catalogue.dates.items():
        yield Expression(file, f"dates.{name}.when", mark.when, columns, ExpressionKind.CONDITION)
    columns = sql_types(
        (*user_state(catalogue).columns, *CATEGORY_COLUMNS, *user_features(catalogue).columns)
    )
    for name, feature in catalogue.features.items():
        yield Expression(file, f"features.{name}.expression", feature.expression, columns)
