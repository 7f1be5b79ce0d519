"""Records to compare: rows of reference tables, unseal_column and normalised, in the memory of the driver."""

import unicodedata
from collections.abc import Callable, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.security.sealing import unseal_column
from lifestage.users.matching.config import ComparisonKind, MatchingConfig, Records

# A version that is valid now ends on the last of all dates.
NOW = "NOT is_ended AND valid_to = DATE'9999-12-31'"


def to_current_records(versions: DataFrame, records: Records) -> DataFrame:
    """The current records of a reference table: one row per identifier and combination of values, still sealed.

    Args:
        versions: rows of the reference table.
        records: its column of identifiers, and the columns to compare.

    Returns:
        `identifier`, one column per comparison, and `since`: the first date on which the identifier had these values.
        Rows without an identifier are dropped.
    """
    compared = {name: F.col(column).alias(name) for name, column in records.columns.items()}
    known = versions.where("NOT is_ended").select(
        F.col(records.identifier).alias("identifier"),
        *compared.values(),
        "extract_date",
        F.expr(NOW).alias("_is_current"),
    )
    grouped = known.where("identifier IS NOT NULL").groupBy("identifier", *compared)
    rows = grouped.agg(F.min("extract_date").alias("since"), F.max("_is_current").alias("_is_current"))
    return rows.where("_is_current").drop("_is_current")


def to_records(read: Callable[[str], DataFrame], config: MatchingConfig, key: bytes) -> pa.Table:
    """The current records of all tables: record (a number), identifier, type, since, and a column per comparison.

    All records come to the driver, at some hundred bytes each. A value that is missing or a placeholder is NULL.

    Raises:
        ConfigError: where a column was sealed with another key.
    """
    tables = [_unseal_records(read(table), table, config, key) for table in config.records]
    return number_records(pa.concat_tables(tables))


def number_records(records: pa.Table) -> pa.Table:
    """Adds record, a number by content, so that the order of the stored rows does not matter."""
    ordered = records.sort_by([(name, "ascending") for name in sorted(records.column_names)])
    return ordered.append_column("record", pa.array(range(len(ordered)), pa.int64()))


def _unseal_records(versions: DataFrame, table: str, config: MatchingConfig, key: bytes) -> pa.Table:
    records = config.records[table]
    rows = to_current_records(versions, records).toArrow()
    columns = {
        "identifier": rows["identifier"],
        "type": pa.array([config.types[table]] * len(rows), pa.string()),
        "since": rows["since"],
    }
    missing = pa.nulls(len(rows), pa.string())
    for name, kind in config.comparisons.items():
        column = records.columns.get(name)
        if column is None:
            columns[name] = missing
            continue
        is_sealed = column in config.sealed[table]
        texts = unseal_column(rows[name], column, key) if is_sealed else rows[name].cast(pa.string())
        columns[name] = normalise_texts(texts, kind, config.placeholders)
    return pa.table(columns)


def normalise_texts(
    texts: pa.Array | pa.ChunkedArray, kind: ComparisonKind, placeholders: tuple[str, ...]
) -> pa.Array:
    """The texts as they are compared. An empty text or a placeholder becomes NULL, which agrees with nothing."""
    normalise = NORMALISERS[kind]
    missing = {normalise(text) for text in placeholders} | {""}
    # Each distinct text is normalised once.
    by_text: dict[str | None, str | None] = {None: None}
    for text in texts.unique().to_pylist():
        if text is not None:
            normal = normalise(text)
            by_text[text] = None if normal in missing else normal
    return pa.array([by_text[text] for text in texts.to_pylist()], pa.string())


def normalise_words(text: str) -> str:
    """Letters and digits in lower case, without accents; any other characters become one blank between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = (each for each in plain if not unicodedata.combining(each))
    return " ".join("".join(each if each.isalnum() else " " for each in letters).split())


def normalise_code(text: str) -> str:
    """The same without blanks."""
    return normalise_words(text).replace(" ", "")


NORMALISERS: Mapping[ComparisonKind, Callable[[str], str]] = {
    ComparisonKind.NAME: normalise_words,
    ComparisonKind.TEXT: normalise_words,
    ComparisonKind.DATE: normalise_code,
    ComparisonKind.CODE: normalise_code,
    ComparisonKind.EXACT: normalise_words,
}
