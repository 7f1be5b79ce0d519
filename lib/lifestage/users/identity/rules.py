"""Which evidence counts, and who a person is known as: from pairs of identifiers that were seen together."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.identity.config import IdentityConfig, Pair
from lifestage.users.resolution import UserStatus

Components = Callable[[DataFrame], DataFrame]
PAIR_SCHEMA = "a string, b string"


def solved(
    links: DataFrame, config: IdentityConfig, components: Components, members: DataFrame | None = None
) -> DataFrame:
    """One row an identifier that any evidence or decision names: who it is, and what is said against it.

    Args:
        links: a, a_type, b, b_type and first_on, the first date of the evidence; one row a pair, a before b.
        config: limits, and pairs that somebody has decided about.
        components: gives the identifiers that hang together, by edges.
        members: the identifiers that are asked for, whole persons; `links` are then those of any of them. All by
            default.

    Returns:
        identifier, type (NULL where only a decision names it), key_identifier, status, linked_on and withheld, the
        limits that it exceeds. A person's key is the identifier with the oldest evidence of those that are not
        withheld; of equally old ones the first in order. What is withheld is its own, and shared.
    """
    links = believed(links, config)
    nodes = materialize(identifiers(links, config))
    allowed = _pairs(links, config.allow)
    if members is not None:
        nodes = nodes.join(members, on="identifier", how="left_semi")
        allowed = allowed.join(members.withColumnRenamed("identifier", "a"), on="a", how="left_semi")
    counting = links.select("a", "b")
    for end in ("a", "b"):
        known = nodes.where(~is_withheld()).select(F.col("identifier").alias(end))
        counting = counting.join(known, on=end, how="left_semi")
    found = components(counting.select("a", "b").unionByName(allowed))
    return _with_key(nodes.join(found, on="identifier", how="full"))


def believed(links: DataFrame, config: IdentityConfig) -> DataFrame:
    """Links without the pairs that somebody has denied."""
    return links.join(_pairs(links, config.deny), on=["a", "b"], how="left_anti")


def identifiers(links: DataFrame, config: IdentityConfig) -> DataFrame:
    """One row an identifier: its type, when it was first seen with another, and the limits that it exceeds.

    Others count once each, however often they were seen; also those that are withheld themselves, so that the answer
    does not depend on an order in which one is looked at.
    """
    sides = [
        links.select(
            F.col(one).alias("identifier"), F.col(f"{one}_type").alias("type"), F.col(f"{other}_type").alias("other"), "first_on"
        )
        for one, other in (("a", "b"), ("b", "a"))
    ]  # fmt: skip
    others = sorted({other for limits in config.limits.values() for other in limits})
    counts = {other: F.count_if(F.col("other") == other).alias(f"n_{other}") for other in others}
    grouped = sides[0].unionByName(sides[1]).groupBy("identifier")
    seen = grouped.agg(F.min("type").alias("type"), F.min("first_on").alias("linked_on"), *counts.values())
    exceeded = [
        F.when((F.col("type") == kind) & (F.col(f"n_{other}") > limit), F.lit(f"{other} > {limit}"))
        for kind, limits in sorted(config.limits.items())
        for other, limit in sorted(limits.items())
    ]
    none = F.array().cast("array<string>")
    withheld = F.filter(F.array(*exceeded), lambda each: each.isNotNull()) if exceeded else none
    return seen.select("identifier", "type", "linked_on", withheld.alias("withheld"))


def is_withheld() -> Column:
    """Whether an identifier exceeds a limit."""
    return F.size("withheld") > 0


def _with_key(nodes: DataFrame) -> DataFrame:
    """Adds key_identifier and status; who has no edge that counts is alone."""
    hub = F.coalesce(is_withheld(), F.lit(False))
    rows = nodes.withColumns({"component": F.coalesce("component", "identifier"), "_hub": hub})
    # NULL, for who is named by a decision alone, comes after every date.
    age = F.coalesce("linked_on", F.lit("9999-12-31").cast("date"))
    person = Window.partitionBy("component")
    key = F.min_by("identifier", F.struct("_hub", age, "identifier")).over(person)
    alone = F.col("_hub") & (F.count("*").over(person) == 1)
    status = F.when(alone, F.lit(str(UserStatus.SHARED))).otherwise(F.lit(str(UserStatus.ACTIVE)))
    withheld = F.coalesce("withheld", F.array().cast("array<string>"))
    return rows.select(
        "identifier", "type", key.alias("key_identifier"), status.alias("status"), "linked_on", withheld.alias("withheld")
    )  # fmt: skip


def _pairs(frame: DataFrame, pairs: Sequence[Pair]) -> DataFrame:
    return F.broadcast(local_rows(frame.sparkSession, sorted({pair.ends for pair in pairs}), PAIR_SCHEMA))
