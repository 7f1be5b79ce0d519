"""Rules of identity resolution: which links count, and which identifier is the key of a user."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.identity.config import IdentityConfig, Pair
from lifestage.users.pairs import PAIR
from lifestage.users.resolution import UserStatus

FindComponents = Callable[[DataFrame], DataFrame]
PAIR_SCHEMA = "a string, b string"


def resolve_identifiers(
    links: DataFrame,
    config: IdentityConfig,
    find_components: FindComponents,
    members: DataFrame | None = None,
) -> DataFrame:
    """One row per identifier that a link or a manual decision names, with the key identifier of its user.

    Users are the connected components of two kinds of edges: links that are not denied, between identifiers that are
    not withheld; and allowed pairs. The key of a user is the identifier with the oldest evidence, ties by
    identifier; withheld identifiers come last. A withheld identifier is a user of its own, with status shared, unless
    an allowed pair joins it to another.

    Args:
        links: a, a_type, b, b_type and first_on; one row per pair, a sorts before b.
        config: limits and decisions.
        find_components: gives the component of each identifier from edges (see components.py).
        members: the identifiers to resolve, all by default. They have to be all identifiers of their users, and `links`
            all links of any of them.

    Returns:
        identifier, type (NULL where only a decision names it), key_identifier, status, linked_on (the date of its
        oldest evidence), withheld (the limits that it exceeds) and degrees (see to_identifiers; NULL where only a
        decision names it).
    """
    links = drop_denied_links(links, config)
    nodes = materialize(to_identifiers(links, config))
    allowed = _to_pairs(links, config.allow)
    if members is not None:
        nodes = nodes.join(members, on="identifier", how="left_semi")
        allowed = allowed.join(members.withColumnRenamed("identifier", "a"), on="a", how="left_semi")
    edges = links.select(*PAIR)
    for end in PAIR:
        within_limits = nodes.where(~is_withheld()).select(F.col("identifier").alias(end))
        edges = edges.join(within_limits, on=end, how="left_semi")
    components = find_components(edges.select(*PAIR).unionByName(allowed))
    return _add_key_identifier(nodes.join(components, on="identifier", how="full"))


def drop_denied_links(links: DataFrame, config: IdentityConfig) -> DataFrame:
    """Links without the pairs that the configuration denies."""
    return links.join(_to_pairs(links, config.deny), on=[*PAIR], how="left_anti")


def to_identifiers(links: DataFrame, config: IdentityConfig) -> DataFrame:
    """One row per identifier of `links`: identifier, type, linked_on (its first link), withheld and degrees.

    `withheld` lists the limits that the identifier exceeds, sorted. `degrees` maps each type with a limit to the number
    of linked identifiers of it. Each linked identifier counts once, also where it is withheld itself, so that the
    result does not depend on an order of evaluation.
    """
    sides = [
        links.select(
            F.col(one).alias("identifier"), F.col(f"{one}_type").alias("type"), F.col(f"{other}_type").alias("other"), "first_on"
        )
        for one, other in (("a", "b"), ("b", "a"))
    ]  # fmt: skip
    other_types = sorted({other for limits in config.limits.values() for other in limits})
    counts = [F.count_if(F.col("other") == other).alias(f"n_{other}") for other in other_types]
    grouped = sides[0].unionByName(sides[1]).groupBy("identifier")
    identifiers = grouped.agg(F.min("type").alias("type"), F.min("first_on").alias("linked_on"), *counts)
    exceeded = [
        F.when((F.col("type") == kind) & (F.col(f"n_{other}") > limit), F.lit(f"{other} > {limit}"))
        for kind, limits in sorted(config.limits.items())
        for other, limit in sorted(limits.items())
    ]
    none = F.array().cast("array<string>")
    withheld = F.filter(F.array(*exceeded), lambda each: each.isNotNull()) if exceeded else none
    degrees = F.create_map(*[part for other in other_types for part in (F.lit(other), F.col(f"n_{other}"))])
    degrees = degrees.cast("map<string,bigint>").alias("degrees")
    return identifiers.select("identifier", "type", "linked_on", withheld.alias("withheld"), degrees)


def is_withheld() -> Column:
    """Whether an identifier exceeds a limit."""
    return F.size("withheld") > 0


def _add_key_identifier(nodes: DataFrame) -> DataFrame:
    """Adds key_identifier and status. An identifier without an edge that counts is a component of its own."""
    withheld = F.coalesce(is_withheld(), F.lit(False))
    rows = nodes.withColumns({"component": F.coalesce("component", "identifier"), "_is_withheld": withheld})
    # linked_on is NULL where only a decision names the identifier: it comes after every date.
    linked_on = F.coalesce("linked_on", F.lit("9999-12-31").cast("date"))
    user = Window.partitionBy("component")
    key = F.min_by("identifier", F.struct("_is_withheld", linked_on, "identifier")).over(user)
    is_alone = F.col("_is_withheld") & (F.count("*").over(user) == 1)
    status = F.when(is_alone, F.lit(str(UserStatus.SHARED))).otherwise(F.lit(str(UserStatus.ACTIVE)))
    limits = F.coalesce("withheld", F.array().cast("array<string>"))
    return rows.select(
        "identifier", "type", key.alias("key_identifier"), status.alias("status"), "linked_on", limits.alias("withheld"), "degrees"
    )  # fmt: skip


def _to_pairs(links: DataFrame, pairs: Sequence[Pair]) -> DataFrame:
    return F.broadcast(local_rows(links.sparkSession, sorted({pair.ends for pair in pairs}), PAIR_SCHEMA))
