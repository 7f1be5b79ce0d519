"""docs/tables.md: every table with its columns."""

from collections.abc import Iterable, Iterator, Sequence

from documents.markdown import WRITTEN, code, columns_grid, grid
from lifestage.platform.domain import REFERENCES, Domain
from lifestage.platform.storage.contracts import Kind, Table, WriteMode
from lifestage.project.pipeline import DOMAINS, reads_of, writers_of

KINDS = {
    Kind.DERIVED: "a function of other tables; a full rebuild gives the same rows, bit for bit",
    Kind.JOURNAL: "a record of what happened; rows are added, or one row is replaced, and nothing else changes",
    Kind.ARTEFACT: "an input of a rebuild; a rebuild never recreates it",
    Kind.FROZEN: "rows never change after they are written",
}
MODES = {
    WriteMode.APPEND: "a run adds rows",
    WriteMode.INSERT: "a run adds rows whose keys are new; rows with known keys stay as they are",
    WriteMode.MERGE: "a run adds rows whose keys are new, and updates rows with known keys",
    WriteMode.PARTITIONS: "a run replaces whole partitions",
    WriteMode.OVERWRITE: "a run replaces all rows",
}


def tables_page(tables: Iterable[Table], domains: Sequence[Domain] = DOMAINS) -> str:
    """The dictionary of tables: what each one is, which steps write it, and its columns."""
    listed = list(tables)
    parts = [
        WRITTEN.format(source="the contracts in the tables.py of each domain"),
        "# Tables",
        "This page lists the Delta tables of a project, in the order of the steps that write them. The tables store the comment "
        "of each column. The feature catalogue defines the columns of `activity_days`, `user_state` and `user_features`. This "
        "page shows those of the packaged catalogue ([features.md](features.md)).",
        '`lifestage.read("user_features", as_of="latest")` returns a table as the last completed run left it. An engine '
        "that opens a table directly also sees the commits of a run that is not complete.",
        "**Kinds.**\n" + _terms(KINDS),
        "**Write modes.**\n" + _terms(MODES),
        "If rows replace others, as with corrected events or new versions of reference data, one commit removes the old rows "
        "and adds the new ones, in any mode.",
        grid(("table", "one row per", "kind", "written by"), (_summary(table, domains) for table in listed)),
        *(part for table in listed for part in _section(table, domains)),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(table: Table, domains: Sequence[Domain]) -> tuple[str, ...]:
    link = f"[{_title(table)}](#{_title(table).replace(' ', '-')})"
    return link, ", ".join(_key(table)), table.kind, writers_of(table.name, domains=domains)


def _section(table: Table, domains: Sequence[Domain]) -> Iterator[str]:
    yield f"## {_title(table)}"
    yield _comment(table)
    facts = [
        ("kind", table.kind),
        ("key", ", ".join(_key(table))),
        ("partitions", ", ".join(map(code, table.partitions)) or "none"),
        ("written", f"by {writers_of(table.name, domains=domains)}, mode {table.mode}"),
        ("read by", _readers(table, domains)),
    ]
    yield "\n".join(f"- {name}: {fact}" for name, fact in facts)
    yield columns_grid(table.columns)


def _readers(table: Table, domains: Sequence[Domain]) -> str:
    return ", ".join(each.name for each in domains if table.name in reads_of(each, domains)) or "no step"


def _title(table: Table) -> str:
    return table.name.strip("<>")


def _comment(table: Table) -> str:
    if table.name != REFERENCES:
        return table.comment
    return (
        "One table for each file in a project's `reference/` folder, with the name of the file. It has the columns that the "
        "file declares under `map`, and these:"
    )


def _key(table: Table) -> tuple[str, ...]:
    """The key; that of a reference table begins with its own columns."""
    return ("the extract's key", *table.key) if table.name == REFERENCES else table.key


def _terms(terms: dict[Kind, str] | dict[WriteMode, str]) -> str:
    return "\n".join(f"- *{term}*: {meaning}" for term, meaning in terms.items())
