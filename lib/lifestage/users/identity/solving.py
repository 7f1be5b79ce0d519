"""Rows of identity_map: for all users, for the users that changed links affect, and as of earlier dates."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.identity.components import find_components_on_cluster, find_components_on_driver
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.rules import (
    drop_denied_links,
    is_withheld,
    resolve_identifiers,
    to_identifiers,
)
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.pairs import PAIR
from lifestage.users.resolution import IDENTITY_COLUMNS, UserStatus, user_id_of


def build_identity_map(
    links: DataFrame, config: IdentityConfig, members: DataFrame | None = None
) -> DataFrame:
    """Rows of identity_map, one per identifier that a link or a manual decision names (see solve_identities)."""
    return solve_identities(links, config, members).select(*IDENTITY_MAP.names)


def solve_identities(links: DataFrame, config: IdentityConfig, members: DataFrame | None = None) -> DataFrame:
    """Rows of identity_map, with the degrees of each identifier beside them.

    Args:
        links: links up to as_of.
        config: limits, decisions, and the number of links up to which the driver finds the components.
        members: the identifiers to resolve, all by default. They have to be all identifiers of their users.
    """
    if members is not None:
        links = materialize(keep_links_of(links, members))
    n = links.limit(config.driver_links + 1).count()
    find_components = find_components_on_driver if n <= config.driver_links else find_components_on_cluster
    rows = resolve_identifiers(links, config, find_components, members)
    return rows.withColumn("user_id", user_id_of(F.col("key_identifier"))).select(
        *IDENTITY_MAP.names, "degrees"
    )


def find_affected_members(
    changed_links: DataFrame, links: DataFrame, identity_map: DataFrame, config: IdentityConfig
) -> tuple[DataFrame, DataFrame]:
    """The identifiers of all users that changed links affect.

    These are the ends of the links, all identifiers of the same users, and the neighbours of an end that was withheld
    and no longer is.

    Args:
        changed_links: a and b of links that were added, removed or dated anew.
        links: as they are now.
        identity_map: as it was before.
        config: the limits.

    Returns:
        The identifiers, and their rows of identity_map.
    """
    ends = _to_ends(changed_links)
    mapped = materialize(identity_map.join(F.broadcast(ends), on="identifier", how="left_semi"))
    # Materialized, so that an empty frame is known to be empty and the map is not read for it.
    withheld = materialize(mapped.where(is_withheld()).select("identifier"))
    neighbours = _find_restored_neighbours(links, withheld, config)
    users = (
        identity_map.join(neighbours, on="identifier", how="left_semi").unionByName(mapped).select("user_id")
    )
    before = materialize(identity_map.join(F.broadcast(users.distinct()), on="user_id", how="left_semi"))
    members = ends.unionByName(neighbours).unionByName(before.select("identifier")).distinct()
    return materialize(members), before


def _find_restored_neighbours(links: DataFrame, withheld: DataFrame, config: IdentityConfig) -> DataFrame:
    """Identifiers that are linked to one that was withheld and is within its limits now."""
    if withheld.isEmpty():
        return withheld
    near = materialize(keep_links_of(drop_denied_links(links, config), withheld))
    still = to_identifiers(near, config).where(is_withheld())
    restored = withheld.join(still, on="identifier", how="left_anti")
    return materialize(_to_ends(keep_links_of(near, restored)))


def diff_identity_map(before: DataFrame, after: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The identifiers whose rows are removed or replaced, and the rows that take their place.

    An identifier that no longer has evidence has no row.
    """
    row = F.struct(*after.columns)
    old, new = (frame.select("identifier", row.alias("row")) for frame in (before, after))
    same = (F.col("old.identifier") == F.col("new.identifier")) & (F.col("old.row") == F.col("new.row"))
    removed = old.alias("old").join(new.alias("new"), on=same, how="left_anti").select("identifier")
    added = new.alias("new").join(old.alias("old"), on=same, how="left_anti").select("row.*")
    return removed, added


def build_identity_past(
    links: DataFrame,
    identity_map: DataFrame,
    config: IdentityConfig,
    as_of: date,
    newest: date,
    journal_version: int,
) -> DataFrame:
    """Rows of identity_past: the identifiers whose user or status as of an earlier date differs from the map.

    Only users that links after the date affect are resolved. An identifier without evidence up to the date was an
    active user of its own.

    Args:
        links: as they are now.
        identity_map: as of `newest`.
        config: limits and decisions.
        as_of: the earlier date.
        newest: the date of the map.
        journal_version: the current version of identity_changes.
    """
    later = links.where((F.col("first_on") > F.lit(as_of)) & (F.col("first_on") <= F.lit(newest)))
    up_to = links.where(F.col("first_on") <= F.lit(as_of))
    members, current = find_affected_members(later, up_to, identity_map, config)
    past = materialize(build_identity_map(up_to, config, members)).select(*IDENTITY_COLUMNS)
    alone = current.join(past, on="identifier", how="left_anti").select(
        "identifier",
        user_id_of(F.col("identifier")).alias("user_id"),
        F.lit(str(UserStatus.ACTIVE)).alias("status"),
    )
    differing = past.unionByName(alone).exceptAll(current.select(*IDENTITY_COLUMNS))
    version = F.lit(journal_version).cast("bigint").alias("journal_version")
    return materialize(differing.select(F.lit(as_of).alias("as_of"), *IDENTITY_COLUMNS, version))


def resolve_user(links: DataFrame, seeds: DataFrame, config: IdentityConfig) -> DataFrame:
    """Rows of identity_map for one user, and for the withheld identifiers that links of the user name.

    Neighbours are searched until there are no more. Each round is one narrow pass over the links; the number of rounds
    is the greatest distance from a seed to another identifier of the user.

    Args:
        links: links up to as_of.
        seeds: some identifiers of the user.
        config: limits and decisions.
    """
    links = drop_denied_links(links, config)
    members = materialize(seeds.select("identifier").distinct())
    pairs = [pair.ends for pair in config.allow]
    allowed = local_rows(
        links.sparkSession, [*pairs, *[(b, a) for a, b in pairs]], "identifier string, other string"
    )
    n = -1
    # Members are the identifiers of the user, and the withheld ones beside them, beyond which no link is followed.
    while n < (n := members.count()):
        near = materialize(keep_links_of(links, members))
        withheld = to_identifiers(near, config).where(is_withheld())
        withheld = withheld.join(members, on="identifier", how="left_semi")
        followed = members.join(withheld, on="identifier", how="left_anti")
        linked = keep_links_of(near, followed).select(F.explode(F.array(*PAIR)).alias("identifier"))
        decided = allowed.join(members, on="identifier", how="left_semi")
        decided = decided.select(F.col("other").alias("identifier"))
        members = materialize(members.unionByName(linked).unionByName(decided).distinct())
    return build_identity_map(links, config, members)


def keep_links_of(links: DataFrame, members: DataFrame) -> DataFrame:
    """Links with at least one end among the members, in one pass. `members` is unique per identifier."""
    marked = links
    for end in PAIR:
        mine = members.select(F.col("identifier").alias(end), F.lit(True).alias(f"_has_{end}"))
        marked = marked.join(mine, on=end, how="left")
    return marked.where("_has_a OR _has_b").select(*links.columns)


def _to_ends(links: DataFrame) -> DataFrame:
    """The distinct identifiers of links."""
    return links.select(F.explode(F.array(*PAIR)).alias("identifier")).distinct()
