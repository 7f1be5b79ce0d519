"""Everybody solved, or the persons that new evidence reaches: rows of identity_map."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows, materialize
from lifestage.users.identity.components import on_cluster, on_driver
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.rules import believed, identifiers, is_withheld, solved
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.resolution import user_id_of


def solve(links: DataFrame, config: IdentityConfig, members: DataFrame | None = None) -> DataFrame:
    """Rows of identity_map for everybody whom links or decisions name, or for some, who have to be whole persons."""
    if members is not None:
        links = materialize(of_any(links, members))
    n = links.limit(config.driver_links + 1).count()
    components = on_driver if n <= config.driver_links else on_cluster
    found = solved(links, config, components, members)
    return found.withColumn("user_id", user_id_of(F.col("key_identifier"))).select(*IDENTITY_MAP.names)


def reached(
    evidence: DataFrame, links: DataFrame, identity_map: DataFrame, config: IdentityConfig
) -> tuple[DataFrame, DataFrame]:
    """The identifiers of all persons whom evidence reaches that came, went or changed its first date.

    These are the two ends, whoever they were one person with, and the neighbours of an end that was withheld and is
    not any more.

    Args:
        evidence: a and b of the pairs.
        links: as they are now.
        identity_map: as it was before.
        config: with the limits.

    Returns:
        The identifiers, and what the map says of them.
    """
    ends = evidence.select(F.explode(F.array("a", "b")).alias("identifier")).distinct()
    mapped = materialize(identity_map.join(F.broadcast(ends), on="identifier", how="left_semi"))
    # Settled, so that of none it is known, and the map is not read for them.
    hubs = materialize(mapped.where(is_withheld()).select("identifier"))
    near = _freed(links, hubs, config)
    users = identity_map.join(near, on="identifier", how="left_semi").unionByName(mapped).select("user_id")
    before = materialize(identity_map.join(F.broadcast(users.distinct()), on="user_id", how="left_semi"))
    members = ends.unionByName(near).unionByName(before.select("identifier")).distinct()
    return materialize(members), before


def _freed(links: DataFrame, hubs: DataFrame, config: IdentityConfig) -> DataFrame:
    """Whom those of the hubs that are not withheld any more were seen with."""
    if hubs.isEmpty():
        return hubs
    near = materialize(of_any(believed(links, config), hubs))
    still = identifiers(near, config).where(is_withheld())
    freed = hubs.join(still, on="identifier", how="left_anti")
    return materialize(
        of_any(near, freed).select(F.explode(F.array("a", "b")).alias("identifier")).distinct()
    )


def person_of(links: DataFrame, seeds: DataFrame, config: IdentityConfig) -> DataFrame:
    """Rows of identity_map for one person as links know them, and for the withheld identifiers they were seen with.

    Neighbours are looked for until there are no more: a narrow pass over the links each, as many as the person's
    identifiers are apart.

    Args:
        links: up to the date that is asked about.
        seeds: some identifiers of the person.
        config: limits and decisions.
    """
    links = believed(links, config)
    members = materialize(seeds.select("identifier").distinct())
    pairs = [pair.ends for pair in config.allow]
    allowed = local_rows(
        links.sparkSession, [*pairs, *[(b, a) for a, b in pairs]], "identifier string, other string"
    )
    n = -1
    # The identifiers of one person, and the hubs beside them.
    while n < (n := members.count()):
        near = materialize(of_any(links, members))
        hubs = identifiers(near, config).where(is_withheld()).join(members, on="identifier", how="left_semi")
        open_ends = members.join(hubs, on="identifier", how="left_anti")
        others = of_any(near, open_ends).select(F.explode(F.array("a", "b")).alias("identifier"))
        decided = allowed.join(members, on="identifier", how="left_semi").select(
            F.col("other").alias("identifier")
        )
        members = materialize(members.unionByName(others).unionByName(decided).distinct())
    return solve(links, config, members)


def of_any(links: DataFrame, members: DataFrame) -> DataFrame:
    """Links with an end among the members, in one pass."""
    marked = links
    for end in ("a", "b"):
        mine = members.select(F.col("identifier").alias(end), F.lit(True).alias(f"_has_{end}"))
        marked = marked.join(mine, on=end, how="left")
    return marked.where("_has_a OR _has_b").select(*links.columns)
