"""What a snapshot holds, and the digest that tells its content from another's."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.result import DomainResult
from lifestage.users.resolution import IS_PERSON

KEY = ["user_id", "as_of"]


def to_snapshot_users(features: DataFrame, results: Sequence[tuple[DomainResult, DataFrame]]) -> DataFrame:
    """One row per user, with the columns that each result copies; users of status `shared` are left out.

    Args:
        features: rows of user_features, unique per user_id and as_of.
        results: each result with the rows of its table, unique per user_id and as_of unless it is listed.

    A user without a row of a result has NULL in its columns, and an empty array where it is listed.
    """
    users = features.where(IS_PERSON).select(*KEY)
    for result, rows in results:
        users = users.join(_select_copies(result, rows), on=KEY, how="left")
        if result.declaration.is_listed:
            users = users.withColumns({name: _or_empty(name) for name in result.snapshot})
    return users.select(*KEY, *[name for result, _ in results for name in result.snapshot])


def _select_copies(result: DomainResult, rows: DataFrame) -> DataFrame:
    if not result.declaration.is_listed:
        return rows.select(*KEY, *[F.col(source).alias(name) for name, source in result.snapshot.items()])
    lists = [F.array_sort(F.collect_list(source)).alias(name) for name, source in result.snapshot.items()]
    return rows.groupBy(*KEY).agg(*lists)


def _or_empty(name: str) -> Column:
    return F.coalesce(name, F.array().cast("array<string>"))


def describe(users: DataFrame, results: Sequence[DomainResult]) -> dict[str, Any]:
    """Row counts, users per group, and a digest of the rows.

    The digest adds two halves of each row's SHA-256 as whole numbers, so it does not depend on the order of rows.

    Args:
        users: rows of a snapshot, without its id.
        results: the results that the rows copy.
    """
    content = F.sha2(F.to_json(F.struct(*users.columns)), 256)
    halves = [F.conv(F.substring(content, start, 15), 16, 10).cast("decimal(38,0)") for start in (1, 16)]
    names = [
        group.column for each in results if not each.declaration.is_listed for group in each.groups.values()
    ]
    totals = users.agg(
        F.count("*").alias("n_users"),
        F.count_distinct("user_id").alias("n_distinct"),
        *[F.sum(half).alias(f"half_{number}") for number, half in enumerate(halves)],
        *[F.count_if(F.col(name).isNull()).alias(f"null_{name}") for name in names],
    ).first()
    assert totals is not None
    return {
        "n_users": totals["n_users"],
        "n_distinct": totals["n_distinct"],
        "n_null": {name: totals[f"null_{name}"] for name in names},
        "digest": f"{int(totals['half_0'] or 0):x}-{int(totals['half_1'] or 0):x}",
        "counts": _count_groups(users, results),
    }


def _count_groups(users: DataFrame, results: Sequence[DomainResult]) -> dict[str, int]:
    """Users per kind and group, in the order of their names; bounded by the number of groups."""
    names = F.explode(F.concat(F.array().cast("array<string>"), *_group_names(results))).alias("name")
    rows = users.select(names).groupBy("name").count().collect()
    return {row["name"]: row["count"] for row in sorted(rows, key=lambda row: row["name"])}


def _group_names(results: Sequence[DomainResult]) -> Iterator[Column]:
    """The groups of a user as `kind:name`; a dash stands for none."""
    for each in results:
        for kind, group in each.groups.items():
            if each.declaration.is_listed:
                yield F.transform(group.column, partial(_prefix_kind, kind))
            else:
                yield F.array(F.concat(F.lit(f"{kind}:"), F.coalesce(group.column, F.lit("-"))))


def _prefix_kind(kind: str, name: Column) -> Column:
    return F.concat(F.lit(f"{kind}:"), name)


def next_revision(snapshots: DataFrame, as_of: date, digest: str) -> tuple[int, bool]:
    """The revision that content has or would have for a date, and whether it is published already."""
    of_date = snapshots.where(F.col("as_of") == F.lit(as_of)).select("revision", "digest").collect()
    newest = max(of_date, key=lambda row: row["revision"], default=None)
    if newest is None:
        return 1, False
    if newest["digest"] == digest:
        return newest["revision"], True
    return newest["revision"] + 1, False


def latest(snapshots: DataFrame) -> Mapping[str, Any] | None:
    """The manifest of the greatest as_of, then revision; None before the first publication."""
    row = snapshots.orderBy(F.col("as_of").desc(), F.col("revision").desc()).first()
    return row.asDict() if row else None
