"""docs/features.md: the packaged catalogue."""

from collections.abc import Iterable

from documents.markdown import WRITTEN, code, columns_grid, grid
from lifestage.platform.units import Unit
from lifestage.users.catalogue.model import (
    Aggregate,
    Catalogue,
    Measure,
    Window,
    type_of,
    window_column,
)
from lifestage.users.features.tables import CATEGORY_COLUMNS, RHYTHM_COLUMNS


def features_page(catalogue: Catalogue) -> str:
    """The dictionary of measures, days, dates, windows and features, with unit, meaning and SQL."""
    features = [(code(n), f.unit, f.description, code(f.expression)) for n, f in catalogue.features.items()]
    parts = [
        WRITTEN.format(source="lib/lifestage/users/catalogue/defaults.yaml"),
        "# Features",
        "This page lists the packaged catalogue. A project can add, change and remove entries without Python; see "
        "[add a feature](how-to/add-a-feature.md).",
        "    events --measures--> subject-days --days--> user-days --windows, dates--> user state --features--> user features",
        "A window of N days is the last N calendar days of the business time zone, including as_of. Without events, sums and "
        "counts are 0, and minimums, maximums and ratios are NULL.",
        "## Units",
        "The unit decides the type of a column, and its format in reports.",
        grid(("unit", "type"), ((unit, code(type_of(unit).simpleString())) for unit in Unit)),
        *_of_days(catalogue),
        *_of_the_state(catalogue),
        "## Features",
        "SQL over the state of one user as of a date. Features are columns of `user_features`.",
        grid(("name", "unit", "description", "SQL"), features),
    ]
    return "\n\n".join(parts) + "\n"


def _of_days(catalogue: Catalogue) -> list[str]:
    measures = [
        (code(n), m.unit, m.description, code(_measure_sql(m))) for n, m in catalogue.measures.items()
    ]
    days = [(code(n), d.unit, d.description, code(d.expression)) for n, d in catalogue.days.items()]
    return [
        "## Measures",
        "One number per subject and day, computed from its events. Measures are columns of `activity_days`. The SQL can use the "
        "columns of `events`, `is_action` (whether the user acts), `local_hour`, `is_new_product`, and the reference tables that "
        "the main file joins (`activity.lookups`), such as `products.category`.",
        grid(("name", "unit", "description", "SQL over events"), measures),
        "## Days",
        "Numbers and conditions per user-day, after the days of all subjects of a user are merged. A condition counts as 1 or 0.",
        grid(("name", "unit", "description", "SQL over the day"), days),
    ]


def _of_the_state(catalogue: Catalogue) -> list[str]:
    extremes = {"first": "min", "last": "max"}
    dates = [
        (code(n), d.description, code(f"{extremes[d.which]}(event_date) where {d.when}"))
        for n, d in catalogue.dates.items()
    ]
    rhythm = {column.name for column in RHYTHM_COLUMNS}
    return [
        "## Dates",
        "The first or last user-day on which a condition holds; columns of `user_state` and `user_features`.",
        grid(("name", "description", "SQL over the days"), dates),
        "## Windows",
        "Spans of a measure or a day; `age` is the number of days from the day to as_of, 0 for as_of itself. Columns of "
        "`user_state` and `user_features`.",
        _windows_grid(catalogue, [window for window in catalogue.all_windows() if not window.hidden]),
        "In `user_state` only, for features to use:",
        _windows_grid(catalogue, [window for window in catalogue.all_windows() if window.hidden]),
        "## Rhythm and range",
        "Computed from the occasion days, from the categories bought, and from what is usual in the population "
        "(`norms`). Columns of `user_features`; features may use them.",
        columns_grid(RHYTHM_COLUMNS),
        "In `user_state` only:",
        columns_grid(column for column in CATEGORY_COLUMNS if column.name not in rhythm),
    ]


def _measure_sql(measure: Measure) -> str:
    match measure.aggregate:
        case Aggregate.COUNT:
            value = "count(*)"
        case Aggregate.DISTINCT:
            value = f"count(DISTINCT {measure.expression})"
        case _:
            value = f"{measure.aggregate}({measure.expression})"
    return f"{value} where {measure.filter}" if measure.filter else value


def _windows_grid(catalogue: Catalogue, windows: Iterable[Window]) -> str:
    rows = []
    for window in windows:
        column = window_column(catalogue, window)
        sql = code(_window_sql(catalogue, window))
        rows.append((code(column.name), column.unit, column.description, sql))
    return grid(("name", "unit", "description", "SQL over the days"), rows)


def _window_sql(catalogue: Catalogue, window: Window) -> str:
    source = catalogue.source_of(window)
    value = _aggregated(window.measure, source.aggregate if isinstance(source, Measure) else Aggregate.SUM)
    span = window.days and f" where age between {window.shift} and {window.shift + window.days - 1}"
    return f"{value}{span or ''}"


def _aggregated(name: str, aggregate: Aggregate) -> str:
    """What a window does with a measure of days: counts add up."""
    match aggregate:
        case Aggregate.MIN | Aggregate.MAX:
            return f"{aggregate}({name})"
        case Aggregate.DISTINCT:
            return f"count(DISTINCT {name})"
        case _:
            return f"sum({name})"
