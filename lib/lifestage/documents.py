"""The documents that follow from the code: the map, the tables, the features, the settings. `scripts/docs` writes them."""

from collections.abc import Iterable, Iterator, Sequence

from lifestage.core.contracts import Column, Kind, Table, WriteMode
from lifestage.core.yaml_files import packaged_text, packaged_yaml
from lifestage.pipeline import REFERENCES, STEPS, picture, writers_of
from lifestage.tables.catalogue import Aggregate, Catalogue, Measure, Unit, Window, type_of, window_column
from lifestage.tables.features import CATEGORY_COLUMNS, RHYTHM_COLUMNS
from lifestage.tables.reference import reference_table
from lifestage.tables.registry import all_tables

MAP_BEGINS = "<!-- map: written by scripts/docs -->"
MAP_ENDS = "<!-- map ends -->"
WRITTEN = "<!-- Written by scripts/docs from {source}: change it there. -->"

KINDS = {
    Kind.DERIVED: "a function of other tables; a full rebuild gives the same rows, bit for bit",
    Kind.JOURNAL: "what happened: rows are added, or one row is replaced, and nothing else",
    Kind.ARTEFACT: "an input of any rebuild, never rebuilt itself",
    Kind.FROZEN: "never changes once it is written",
}
MODES = {
    WriteMode.APPEND: "rows are added; where one takes the place of another, both happen in one commit",
    WriteMode.INSERT: "rows of a new key are added, a known key stays as it is",
    WriteMode.MERGE: "rows of the keys that a run touches are exchanged, all others stay",
    WriteMode.PARTITIONS: "the partitions that a run builds are replaced",
    WriteMode.OVERWRITE: "the table is written anew",
}
SETTINGS = {
    "The main file": "base.yaml",
    "value.yaml": "value.yaml",
    "segments.yaml": "segments.yaml",
    "audiences.yaml": "audiences.yaml",
}


def generated(readme: str) -> dict[str, str]:
    """Every generated file by its path in the repository; `readme` is the README as it is."""
    catalogue = Catalogue.model_validate(packaged_yaml("features.yaml"))
    references = reference_table(REFERENCES, "", [], {}, [])
    return {
        "README.md": with_map(readme),
        "docs/tables.md": tables_page(all_tables(catalogue, [references]).values()),
        "docs/features.md": features_page(catalogue),
        "docs/settings.md": settings_page(),
    }


def with_map(text: str) -> str:
    """The text with the map of today between its two markers."""
    before, begins, rest = text.partition(MAP_BEGINS)
    _, ends, after = rest.partition(MAP_ENDS)
    if not (begins and ends):
        raise ValueError(f"README.md: expected the lines {MAP_BEGINS} and {MAP_ENDS}")
    return f"{before}{map_block()}{after}"


def map_block() -> str:
    """The map as a Mermaid picture, with the markers around it."""
    return f"{MAP_BEGINS}\n\n```mermaid\n{picture()}\n```\n\n{MAP_ENDS}"


def tables_page(tables: Iterable[Table]) -> str:
    """The dictionary of tables: what each is, who writes it, and every column."""
    listed = list(tables)
    parts = [
        WRITTEN.format(source="the contracts in lib/lifestage/tables/"),
        "# Tables",
        "Delta tables of a project, in the order of the steps that write them. Each column carries its comment in "
        "the table too. Columns of `activity_days`, `user_state` and `user_features` follow the feature catalogue "
        "([features.md](features.md)); shown are those of the packaged one.",
        '`lifestage.read("user_features", as_of="latest")` gives a table as the last completed run left it. An engine '
        "that opens a table directly sees each commit.",
        "**Kinds.**\n" + _terms(KINDS),
        "**How tables are written.**\n" + _terms(MODES),
        _grid(("table", "one row per", "kind", "written by"), (_summary(table) for table in listed)),
        *(part for table in listed for part in _section(table)),
    ]
    return "\n\n".join(parts) + "\n"


def features_page(catalogue: Catalogue) -> str:
    """The dictionary of measures, days, dates, windows and features, with unit, meaning and SQL."""
    features = [(_code(n), f.unit, f.description, _code(f.expression)) for n, f in catalogue.features.items()]
    parts = [
        WRITTEN.format(source="lib/lifestage/defaults/features.yaml"),
        "# Features",
        "The packaged catalogue. A project adds to it, changes it or takes away from it without Python: "
        "[how to](how-to/add-a-feature.md).",
        "    events --measures--> subject-days --days--> user-days --windows, dates--> user state --features--> user features",
        "A window of N days is the N calendar days of the business time zone that end with as_of, both ends included. "
        "Sums and counts of nothing are 0; the least and greatest of nothing, and a ratio to nothing, are NULL.",
        "## Units",
        "The unit decides the type of a column and how a report prints it.",
        _grid(("unit", "type"), ((unit, _code(type_of(unit).simpleString())) for unit in Unit)),
        *_of_days(catalogue),
        *_of_the_state(catalogue),
        "## Features",
        "SQL over the state of one user at as_of; columns of `user_features`.",
        _grid(("name", "unit", "description", "SQL"), features),
    ]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Every key of the main file and of the smaller files beside it, with its default and what it means."""
    parts = [
        WRITTEN.format(source="lib/lifestage/defaults/"),
        "# Settings",
        "What holds where a project says nothing. Its own files need only say what differs; they are merged key by key, and "
        "`lifestage validate` names every problem. Sources, reference tables, features and the ladder have "
        "pages of their own ([sources](how-to/add-a-source.md), [reference tables](how-to/add-a-reference.md), "
        "[features](how-to/add-a-feature.md), [ladder](how-to/change-the-ladder.md)).",
    ]
    for title, name in SETTINGS.items():
        parts += [f"## {title}", f"```yaml\n{packaged_text(name).strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _of_days(catalogue: Catalogue) -> list[str]:
    measures = [
        (_code(n), m.unit, m.description, _code(_measure_sql(m))) for n, m in catalogue.measures.items()
    ]
    days = [(_code(n), d.unit, d.description, _code(d.expression)) for n, d in catalogue.days.items()]
    return [
        "## Measures",
        "One number per subject and day, from its events; columns of `activity_days`. Beside the columns of `events` the "
        "SQL may use `is_action` (a type of event that the user does), `local_hour`, `is_new_product`, and the reference "
        "tables that the main file joins (`activity.lookups`), as `products.category`.",
        _grid(("name", "unit", "description", "SQL over events"), measures),
        "## Days",
        "Decided on the user-day, once the days of all subjects of a user have merged. A condition counts 1 or 0.",
        _grid(("name", "unit", "description", "SQL over the day"), days),
    ]


def _of_the_state(catalogue: Catalogue) -> list[str]:
    extremes = {"first": "min", "last": "max"}
    dates = [
        (_code(n), d.description, _code(f"{extremes[d.which]}(event_date) where {d.when}"))
        for n, d in catalogue.dates.items()
    ]
    rhythm = {column.name for column in RHYTHM_COLUMNS}
    return [
        "## Dates",
        "The first or last user-day on which a condition holds; columns of `user_state` and `user_features`.",
        _grid(("name", "description", "SQL over the days"), dates),
        "## Windows",
        "Spans of a measure or a day; `age` is the number of days from the day to as_of, 0 for as_of itself. Columns of "
        "`user_state` and `user_features`.",
        _windows_grid(catalogue, [window for window in catalogue.all_windows() if not window.hidden]),
        "In `user_state` only, for features to use:",
        _windows_grid(catalogue, [window for window in catalogue.all_windows() if window.hidden]),
        "## Rhythm and range",
        "Computed from the occasion days, from the categories bought, and from what is usual in the population "
        "(`norms`). Columns of `user_features`; features may use them.",
        _columns_grid(RHYTHM_COLUMNS),
        "In `user_state` only:",
        _columns_grid(column for column in CATEGORY_COLUMNS if column.name not in rhythm),
    ]


def _summary(table: Table) -> tuple[str, ...]:
    link = f"[{_title(table)}](#{_title(table).replace(' ', '-')})"
    return link, ", ".join(_key(table)), table.kind, writers_of(table.name)


def _section(table: Table) -> Iterator[str]:
    yield f"## {_title(table)}"
    yield _comment(table)
    facts = [
        ("kind", table.kind),
        ("key", ", ".join(_key(table))),
        ("partitions", ", ".join(map(_code, table.partitions)) or "none"),
        ("written", f"by {writers_of(table.name)}, mode {table.mode}"),
        ("read by", ", ".join(step.name for step in STEPS if table.name in step.reads) or "no step"),
    ]
    yield "\n".join(f"- {name}: {fact}" for name, fact in facts)
    yield _columns_grid(table.columns)


def _title(table: Table) -> str:
    return table.name.strip("<>")


def _comment(table: Table) -> str:
    if table.name != REFERENCES:
        return table.comment
    return (
        "One table for each file in a project's `reference/` folder, under the name of the file: the columns that its "
        "`map` declares, and these."
    )


def _key(table: Table) -> tuple[str, ...]:
    """The key; that of a reference table begins with its own columns."""
    return ("the extract's key", *table.key) if table.name == REFERENCES else table.key


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
        sql = _code(_window_sql(catalogue, window))
        rows.append((_code(column.name), column.unit, column.description, sql))
    return _grid(("name", "unit", "description", "SQL over the days"), rows)


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


def _columns_grid(columns: Iterable[Column]) -> str:
    rows = (
        (_code(c.name), _code(c.type.simpleString()), "not null" if c.required else "", c.comment)
        for c in columns
    )
    return _grid(("column", "type", "", "comment"), rows)


def _terms(terms: dict[Kind, str] | dict[WriteMode, str]) -> str:
    return "\n".join(f"- *{term}*: {meaning}" for term, meaning in terms.items())


def _grid(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Text of one cell: a bar would end it, also inside code."""
    return text.replace("|", r"\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{text}`"
