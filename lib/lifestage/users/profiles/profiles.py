"""Merge customer records into one profile per user and as_of."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.as_of_join import is_valid_on
from lifestage.users.catalogue.model import Attribute, Prefer, type_of
from lifestage.users.profiles.config import ProfilesConfig, table_of
from lifestage.users.profiles.tables import BECAUSE
from lifestage.users.resolution import add_user, is_identity_valid_as_of

KEY = ("user_id", "as_of")
RECORD = ("subject", "valid_from", "valid_to", "known_at")


def to_profiles(
    versions: Mapping[str, DataFrame], users: DataFrame, dates: DataFrame, config: ProfilesConfig
) -> DataFrame:
    """One row per user and as_of with at least one known attribute.

    Args:
        versions: versions of the records of each reference table, disjoint per key, with known_at: when they were
            ingested.
        users: the user of each identifier on these dates (see resolve_users).
        dates: as_of, once each.
        config: attributes, and the identifier columns of the tables.

    Returns:
        user_id, as_of, the attributes and `because`: for each known attribute its table, valid_from and known_at.

    A record counts from its own date on, never before. If several records of a user have a value, the first source in
    the attribute's `from` wins, and among the records of one source the newest; with `prefer: newest` it is the other
    way round. Ties go to the least identifier, then to the least value. A value that cannot be cast to the attribute's
    type, or is not among its allowed values, is unknown.
    """
    records = reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=True),
        [_to_candidates(rows, name, config) for name, rows in versions.items()],
    )
    is_valid = is_valid_on("as_of") & is_identity_valid_as_of()
    dated = add_user(records, users).join(F.broadcast(dates), on=is_valid, how="inner")
    best = dated.groupBy(*KEY).agg(*[F.min(name).alias(name) for name in config.attributes])
    known = [F.col(name).isNotNull() for name in config.attributes]
    return best.where(reduce(Column.__or__, known)).select(
        *KEY, *[F.col(f"{name}.value").alias(name) for name in config.attributes], _because_column(config)
    )


def _to_candidates(versions: DataFrame, table: str, config: ProfilesConfig) -> DataFrame:
    """One row per version that names a subject, with a candidate for each attribute of the table (see _candidate)."""
    subject = F.coalesce(*[F.col(column) for column in config.named_by[table]])
    rows = versions.where("NOT is_ended").select(
        subject.alias("subject"), F.col("extract_date").alias("valid_from"), "valid_to", "known_at",
        F.struct(*versions.columns).alias(table),
    )  # fmt: skip
    sources = [
        (name, rank, sql)
        for name, each in config.attributes.items()
        for rank, sql in enumerate(each.sources)
        if table_of(sql) == table
    ]
    # Computed first, because a candidate uses the value several times.
    values = [_value(config.attributes[name], sql).alias(f"{name}_{rank}") for name, rank, sql in sources]
    rows = rows.select(*RECORD, *values).where("subject IS NOT NULL")
    candidates: dict[str, list[Column]] = {}
    for name, rank, _ in sources:
        candidates.setdefault(name, []).append(_candidate(name, rank, table, config.attributes[name]))
    return rows.select(*RECORD, *[F.coalesce(*each).alias(name) for name, each in candidates.items()])


def _value(attribute: Attribute, sql: str) -> Column:
    """The value of the expression, or NULL where it has another type or is not allowed."""
    value = F.expr(sql).try_cast(type_of(attribute.unit))
    return F.when(value.isin(*attribute.values), value) if attribute.values else value


def _candidate(name: str, rank: int, table: str, attribute: Attribute) -> Column:
    """A value with its source, as a struct in which the least of several candidates is the one that wins."""
    value = F.col(f"{name}_{rank}")
    age = F.date_diff(F.lit("9999-12-31").cast("date"), F.col("valid_from"))
    first, second = (age, F.lit(rank)) if attribute.prefer is Prefer.NEWEST else (F.lit(rank), age)
    candidate = F.struct(
        first.alias("first"), second.alias("second"), F.col("subject").alias("subject"), value.alias("value"),
        F.lit(table).alias("source"), F.col("valid_from").alias("valid_from"), F.col("known_at").alias("known_at"),
    )  # fmt: skip
    return F.when(value.isNotNull(), candidate)


def _because_column(config: ProfilesConfig) -> Column:
    pairs = [
        F.struct(F.lit(name).alias("key"), F.struct(*[F.col(f"{name}.{part}").alias(part) for part in BECAUSE]).alias("value"))
        for name in config.attributes
    ]  # fmt: skip
    entries = F.filter(F.array(*pairs), lambda pair: pair["value"]["source"].isNotNull())
    return F.map_from_entries(entries).alias("because")
