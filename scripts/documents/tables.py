"""docs/tables.md: every table with its columns."""

from collections.abc import Iterable, Iterator, Sequence

from documents.markdown import WRITTEN, code, columns_grid, grid
from lifestage.platform.domain import REFERENCES, Domain
from lifestage.platform.storage.contracts import Kind, Table, WriteMode
from lifestage.project.pipeline import DOMAINS, reads_of, writers_of

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


def tables_page(tables: Iterable[Table], domains: Sequence[Domain] = DOMAINS) -> str:
    """The dictionary of tables: what each is, who writes it, and every column."""
    listed = list(tables)
    parts = [
        WRITTEN.format(source="the contracts in the tables.py of each domain"),
        "# Tables",
        "Delta tables of a project, in the order of the steps that write them. Each column carries its comment in "
        "the table too. Columns of `activity_days`, `user_state` and `user_features` follow the feature catalogue "
        "([features.md](features.md)); shown are those of the packaged one.",
        '`lifestage.read("user_features", as_of="latest")` gives a table as the last completed run left it. An engine '
        "that opens a table directly sees each commit.",
        "**Kinds.**\n" + _terms(KINDS),
        "**How tables are written.**\n" + _terms(MODES),
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
        "One table for each file in a project's `reference/` folder, under the name of the file: the columns that its "
        "`map` declares, and these."
    )


def _key(table: Table) -> tuple[str, ...]:
    """The key; that of a reference table begins with its own columns."""
    return ("the extract's key", *table.key) if table.name == REFERENCES else table.key


def _terms(terms: dict[Kind, str] | dict[WriteMode, str]) -> str:
    return "\n".join(f"- *{term}*: {meaning}" for term, meaning in terms.items())
