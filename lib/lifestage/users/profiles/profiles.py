"""Customer records to one profile per user and as_of: which record is believed, and why."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.as_of_join import is_valid_on
from lifestage.users.catalogue.model import Attribute, Prefer, type_of
from lifestage.users.profiles.config import ProfilesConfig, table_of
from lifestage.users.profiles.tables import BECAUSE
from lifestage.users.resolution import is_of_date, with_users

KEY = ("user_id", "as_of")
OF_RECORD = ("subject", "valid_from", "valid_to", "known_at")


def to_profiles(
    versions: Mapping[str, DataFrame], users: DataFrame, dates: DataFrame, config: ProfilesConfig
) -> DataFrame:
    """One row per user and as_of of whom any attribute is known.

    Args:
        versions: rows of each reference table, disjoint per key, with known_at, when lifestage read what they say.
        users: the user of each identifier on these dates (see users_on).
        dates: as_of, once each.
        config: attributes and who is named.

    Returns:
        user_id, as_of, the attributes and `because`: for each attribute that is known the table it comes from, the date
        from which that says so, and when it was read.

    A record counts from its own date on: what is said of a person later is not known before. Of several records of a
    user the first table in order that knows a value wins, and of one table the newest record; or, where an attribute
    prefers the newest, the other way round. Of equally new records of one table that of the first identifier in order
    counts, and of one identifier the least value. A value that is not of the attribute's type, or none of its values, is not known.
    """
    records = reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=True),
        [_records(rows, name, config) for name, rows in versions.items()],
    )
    is_known = is_valid_on("as_of") & is_of_date()
    dated = with_users(records, users).join(F.broadcast(dates), on=is_known, how="inner")
    best = dated.groupBy(*KEY).agg(*[F.min(name).alias(name) for name in config.attributes])
    known = [F.col(name).isNotNull() for name in config.attributes]
    return best.where(reduce(Column.__or__, known)).select(
        *KEY, *[F.col(f"{name}.value").alias(name) for name in config.attributes], _because(config)
    )


def _records(versions: DataFrame, table: str, config: ProfilesConfig) -> DataFrame:
    """Versions with the subject that they name, and for each attribute the value with its place among others."""
    named = F.coalesce(*[F.col(column) for column in config.named_by[table]])
    rows = versions.where("NOT is_ended").select(
        named.alias("subject"), F.col("extract_date").alias("valid_from"), "valid_to", "known_at",
        F.struct(*versions.columns).alias(table),
    )  # fmt: skip
    given = [
        (name, rank, sql)
        for name, each in config.attributes.items()
        for rank, sql in enumerate(each.sources)
        if table_of(sql) == table
    ]
    # Each expression is worked out once, before it is looked at several times.
    values = [_value(config.attributes[name], sql).alias(f"{name}_{rank}") for name, rank, sql in given]
    valued = rows.select(*OF_RECORD, *values).where("subject IS NOT NULL")
    said: dict[str, list[Column]] = {}
    for name, rank, _ in given:
        said.setdefault(name, []).append(_candidate(name, rank, table, config.attributes[name]))
    return valued.select(*OF_RECORD, *[F.coalesce(*each).alias(name) for name, each in said.items()])


def _value(attribute: Attribute, sql: str) -> Column:
    value = F.expr(sql).try_cast(type_of(attribute.unit))
    return F.when(value.isin(*attribute.values), value) if attribute.values else value


def _candidate(name: str, rank: int, table: str, attribute: Attribute) -> Column:
    """What a record says of an attribute, so that the least of several is the one that is believed."""
    value = F.col(f"{name}_{rank}")
    age = F.date_diff(F.lit("9999-12-31").cast("date"), F.col("valid_from"))
    first, second = (age, F.lit(rank)) if attribute.prefer is Prefer.NEWEST else (F.lit(rank), age)
    said = F.struct(
        first.alias("first"), second.alias("second"), F.col("subject").alias("subject"), value.alias("value"),
        F.lit(table).alias("source"), F.col("valid_from").alias("valid_from"), F.col("known_at").alias("known_at"),
    )  # fmt: skip
    return F.when(value.isNotNull(), said)


def _because(config: ProfilesConfig) -> Column:
    pairs = [
        F.struct(F.lit(name).alias("key"), F.struct(*[F.col(f"{name}.{part}").alias(part) for part in BECAUSE]).alias("value"))
        for name in config.attributes
    ]  # fmt: skip
    entries = F.filter(F.array(*pairs), lambda pair: pair["value"]["source"].isNotNull())
    return F.map_from_entries(entries).alias("because")
