"""Builders of extracts of a small product list, and of the table that they give."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lifestage.ingestion.reference.tables import VERSION_COLUMNS
from lifestage.ingestion.reference.versions import build_versions
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode

PRODUCTS = Table(
    name="products",
    kind=Kind.DERIVED,
    comment="Products, for tests.",
    columns=(
        Column("id", T.StringType(), "Key", required=True),
        Column("category", T.StringType(), "As delivered"),
        *VERSION_COLUMNS,
    ),
    key=("id", "valid_from"),
    mode=WriteMode.MERGE,
)
KEY, PAYLOAD = ["id"], ["category"]
EXTRACT = "id string, category string, extract_date date, delivery_no bigint, is_ended boolean"
BEGINNING, END = date(1, 1, 1), date(9999, 12, 31)


def day(number: int) -> date:
    return date(2026, 3, number)


@dataclass(frozen=True)
class Extract:
    """One file: its delivery number, its date, and (id, category) rows."""

    delivery: int
    on: int
    rows: tuple[tuple[str, str | None], ...]


def extract(delivery: int, on: int, **rows: str | None) -> Extract:
    return Extract(delivery, on, tuple(rows.items()))


def no_products(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], PRODUCTS.schema)


def read(
    known: DataFrame, extracts: Iterable[Extract], is_full: bool = True, partitions: int = 1
) -> DataFrame:
    """Return the table after the extracts were read in one run, as the step writes it."""
    rows = [(id_, category, day(e.on), e.delivery, False) for e in extracts for id_, category in e.rows]
    new = known.sparkSession.createDataFrame(rows, EXTRACT).repartition(partitions)
    changed = build_versions(known, new, KEY, PAYLOAD, is_full)
    kept = known.join(changed.select("id").distinct(), on="id", how="left_anti")
    return kept.select(*PRODUCTS.names).unionByName(changed.select(*PRODUCTS.names)).localCheckpoint()


def one_by_one(known: DataFrame, extracts: Iterable[Extract], is_full: bool = True) -> DataFrame:
    """Return the table after one run per extract."""
    for item in extracts:
        known = read(known, [item], is_full)
    return known


def versions(table: DataFrame, *ids: str) -> DataFrame:
    """Return (id, category or `-` if ended, first day of March or 0, end day or 0, delivery)."""
    mine = table.where(F.col("id").isin(*ids)) if ids else table
    return mine.select(
        "id",
        F.when(F.col("is_ended"), "-").otherwise(F.col("category")).alias("category"),
        F.when(F.year("valid_from") == BEGINNING.year, 0).otherwise(F.dayofmonth("valid_from")).alias("from"),
        F.when(F.year("valid_to") == END.year, 0).otherwise(F.dayofmonth("valid_to")).alias("to"),
        "delivery_no",
    )
