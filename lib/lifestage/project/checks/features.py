"""The feature catalogue, and the columns that it gives."""

from collections.abc import Iterator

from lifestage.ingestion.events.tables import EVENT_COLUMNS
from lifestage.project.checks.expressions import columns, keyed, listed, misnamed
from lifestage.project.settings import Config
from lifestage.users.catalogue.model import Aggregate, Catalogue, Unit, Windows
from lifestage.users.features.config import BUILT_ON
from lifestage.users.features.mapping import layers
from lifestage.users.features.tables import CATEGORY_COLUMNS, RHYTHM_COLUMNS, user_features, user_state
from lifestage.users.profiles.tables import BECAUSE

ENRICHED = ("is_action", "local_hour", "is_new_product")
# Columns beside those of the catalogue.
OF_OTHERS = {column.name for column in (*RHYTHM_COLUMNS, *CATEGORY_COLUMNS)}
# Of other steps, and rules may use them beside the features.
LATER = {
    "stage",
    "rfm_status",
    "r_score",
    "f_score",
    "m_score",
    "rfm_name",
    "value_index",
    "tier",
    "segment_id",
    "segment",
}
OF_PROFILES = {*BECAUSE, "because", "valid_to", "only_on"}
TAKEN = {"user_id", "subject", "as_of", "status", "event_date", "event_month", *OF_OTHERS, *LATER}


def catalogue_problems(config: Config) -> Iterator[str]:
    """features.yaml: every section against the columns it may use, and against each other."""
    catalogue = config.features.catalogue
    events = event_columns(config)
    sections = (catalogue.measures, catalogue.days, catalogue.dates, catalogue.profile, catalogue.features)
    names = [name for section in sections for name in section]
    yield from misnamed(names)
    taken = [*names, *TAKEN, *[window.name for window in sound(catalogue).all_windows()]]
    for name in sorted({name for name in names if taken.count(name) > 1}):
        yield f"{name}: the catalogue has it twice, or it is a column that is always there"
    for name, measure in catalogue.measures.items():
        if measure.expression is None and measure.aggregate is not Aggregate.COUNT:
            yield f"measures.{name}.expression: required for {measure.aggregate}"
        for key, sql in (("expression", measure.expression), ("filter", measure.filter)):
            if sql is not None:
                yield from keyed(f"measures.{name}.{key}", sql, events)
    days = {*catalogue.measures, "event_date"}
    for name, day in catalogue.days.items():
        yield from keyed(f"days.{name}.expression", day.expression, days)
    for name, mark in catalogue.dates.items():
        yield from keyed(f"dates.{name}.when", mark.when, days | set(catalogue.days))
    for name in sorted(set(catalogue.windows) - set(_known_windows(catalogue))):
        yield f"windows.{name}: neither a measure nor a day"
    without_faults = sound(catalogue)
    windows = {window.name for window in without_faults.all_windows()}
    for name in sorted(BUILT_ON - {*catalogue.measures, *catalogue.days, *catalogue.dates, *windows}):
        yield f"{name}: the rhythm of every user is built on it, it cannot be taken away"
    yield from _profile_problems(config)
    yield from _feature_problems(without_faults)


def _profile_problems(config: Config) -> Iterator[str]:
    """Each expression is over the columns of one reference table that names a person."""
    references = config.reference.sources
    for name in sorted({*config.features.catalogue.profile} & OF_PROFILES):
        yield f"profile.{name}: it is a column that is always there"
    for name, attribute in config.features.catalogue.profile.items():
        if attribute.values and attribute.unit is not Unit.NAME:
            yield f"profile.{name}.values: of a name only, not of {attribute.unit}"
        for number, sql in enumerate(attribute.sources):
            key = f"profile.{name}.from.{number}"
            tables = {column.partition(".")[0] for column in columns(sql)}
            if len(tables) != 1 or not tables <= config.profiles.named_by.keys():
                yield f"{key}: expected columns of one of {listed(config.profiles.named_by)}, such as members.city, in: {sql}"
                continue
            (table,) = tables
            open_columns = {*references[table].in_clear} - {*references[table].identifiers}
            yield from keyed(key, sql, {f"{table}.{column}" for column in open_columns})


def _feature_problems(catalogue: Catalogue) -> Iterator[str]:
    known = {*user_state(catalogue).names, *user_features(catalogue).names, "as_of"}
    for name, feature in catalogue.features.items():
        yield from keyed(f"features.{name}.expression", feature.expression, known)
    try:
        layers(catalogue)
    except ValueError as error:
        yield f"features: {error}"


def _known_windows(catalogue: Catalogue) -> dict[str, Windows]:
    return {
        name: spans
        for name, spans in catalogue.windows.items()
        if name in {*catalogue.measures, *catalogue.days}
    }


def sound(catalogue: Catalogue) -> Catalogue:
    """The catalogue without windows of nothing, which are reported apart."""
    return catalogue.model_copy(update={"windows": _known_windows(catalogue)})


def features_of(config: Config) -> dict[str, str]:
    """Every feature with its type."""
    columns = user_features(sound(config.features.catalogue)).columns
    return {column.name: column.type.simpleString() for column in columns}


def event_columns(config: Config) -> set[str]:
    """What measures may be made of: canonical columns, ours, and those of the reference tables that activity joins."""
    known = {column.name for column in EVENT_COLUMNS} | set(ENRICHED)
    for name in config.activity.lookups:
        if name in config.reference.sources:
            known |= {f"{name}.{column}" for column in config.reference.sources[name].in_clear}
    return known
