"""The rows of reference tables as records that can be compared, in clear, in the memory of the driver."""

import unicodedata
from collections.abc import Callable, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.security.sealing import unseal_column
from lifestage.users.matching.config import Kind, MatchingConfig, Records

# What holds now ends on the last of all dates.
NOW = "NOT is_ended AND valid_to = DATE'9999-12-31'"


def said_now(versions: DataFrame, records: Records) -> DataFrame:
    """What the table says now of identifiers: one row for each identifier and what is compared, still sealed.

    Args:
        versions: the rows of the reference table.
        records: which of its columns are read.

    Returns:
        `identifier`, the comparisons under their names, and `since`: the first date from which a version says the same
        of that identifier. A row without an identifier names nobody.
    """
    compared = {name: F.col(column).alias(name) for name, column in records.columns.items()}
    known = versions.where("NOT is_ended").select(
        F.col(records.identifier).alias("identifier"),
        *compared.values(),
        "extract_date",
        F.expr(NOW).alias("_now"),
    )
    grouped = known.where("identifier IS NOT NULL").groupBy("identifier", *compared)
    said = grouped.agg(F.min("extract_date").alias("since"), F.max("_now").alias("_now"))
    return said.where("_now").drop("_now")


def to_records(read: Callable[[str], DataFrame], config: MatchingConfig, key: bytes) -> pa.Table:
    """Every record of all tables: record (its number), identifier, type, since, and a column a comparison, normalised.

    All records come to the driver: some hundred bytes each.

    Raises:
        ConfigError: where a column was sealed with another key.
    """
    return numbered(pa.concat_tables(_opened(read(table), table, config, key) for table in config.records))


def numbered(records: pa.Table) -> pa.Table:
    """Adds record, a number that follows from the content, so that the order in which rows were stored does not count."""
    ordered = records.sort_by([(name, "ascending") for name in sorted(records.column_names)])
    return ordered.append_column("record", pa.array(range(len(ordered)), pa.int64()))


def _opened(versions: DataFrame, table: str, config: MatchingConfig, key: bytes) -> pa.Table:
    records = config.records[table]
    rows = said_now(versions, records).toArrow()
    columns = {
        "identifier": rows["identifier"],
        "type": pa.array([config.types[table]] * len(rows), pa.string()),
        "since": rows["since"],
    }
    nothing = pa.nulls(len(rows), pa.string())
    for name, kind in config.comparisons.items():
        column = records.columns.get(name)
        if column is None:
            columns[name] = nothing
            continue
        is_sealed = column in config.sealed[table]
        texts = unseal_column(rows[name], column, key) if is_sealed else rows[name].cast(pa.string())
        columns[name] = normalised(texts, kind, config.placeholders)
    return pa.table(columns)


def normalised(texts: pa.Array | pa.ChunkedArray, kind: Kind, placeholders: tuple[str, ...]) -> pa.Array:
    """The texts as they are compared: what is empty or a placeholder is NULL, and agrees with nothing."""
    change = NORMAL[kind]
    unknown = {change(text) for text in placeholders} | {""}
    known: dict[str | None, str | None] = {None: None}
    for text in texts.unique().to_pylist():
        if text is not None:
            normal = change(text)
            known[text] = None if normal in unknown else normal
    return pa.array([known[text] for text in texts.to_pylist()], pa.string())


def words(text: str) -> str:
    """Letters and digits in small print, without accents; anything else parts two words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (each for each in plain if not unicodedata.combining(each))
    return " ".join("".join(each if each.isalnum() else " " for each in letters).split())


def signs(text: str) -> str:
    """The same without blanks."""
    return words(text).replace(" ", "")


NORMAL: Mapping[Kind, Callable[[str], str]] = {
    Kind.NAME: words,
    Kind.TEXT: words,
    Kind.DATE: signs,
    Kind.CODE: signs,
    Kind.EXACT: words,
}
