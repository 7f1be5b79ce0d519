"""Everybody solved, or the persons that new evidence reaches: rows of identity_map."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.core.local_rows import local_rows, localised
from lifestage.identity.components import on_cluster, on_driver
from lifestage.identity.config import IdentityConfig
from lifestage.identity.rules import identifiers, is_withheld, solved
from lifestage.tables.identity import IDENTITY_MAP, user_id_of


def solve(links: DataFrame, config: IdentityConfig, members: DataFrame | None = None) -> DataFrame:
    """Rows of identity_map for everybody whom links or decisions name, or for some, who have to be whole persons."""
    if members is not None:
        links = _of_any(links, members)
    n = links.limit(config.driver_links + 1).count()
    components = on_driver if n <= config.driver_links else on_cluster
    found = solved(links, config, components, members)
    return found.withColumn("user_id", user_id_of(F.col("key_identifier"))).select(*IDENTITY_MAP.names)


def reached(
    evidence: DataFrame, links: DataFrame, identity_map: DataFrame, config: IdentityConfig
) -> DataFrame:
    """The identifiers of all persons whom evidence reaches that came, went or changed its first date.

    These are the two ends, whoever they were one person with, and the neighbours of an end that was withheld and is
    not any more.

    Args:
        evidence: a and b of the pairs.
        links: as they are now.
        identity_map: as it was before.
        config: with the limits.
    """
    ends = evidence.select(F.explode(F.array("a", "b")).alias("identifier")).distinct()
    hubs = identity_map.where(is_withheld()).join(ends, on="identifier", how="left_semi").select("identifier")
    still = identifiers(_of_any(links, hubs), config).where(is_withheld())
    freed = hubs.join(still, on="identifier", how="left_anti")
    near = _of_any(links, freed).select(F.explode(F.array("a", "b")).alias("identifier"))
    seeds = ends.unionByName(near).distinct()
    users = identity_map.join(seeds, on="identifier", how="left_semi").select("user_id").distinct()
    whole = identity_map.join(users, on="user_id", how="left_semi").select("identifier")
    return seeds.unionByName(whole).distinct()


def person_of(links: DataFrame, seeds: DataFrame, config: IdentityConfig) -> DataFrame:
    """Rows of identity_map for one person as links know them, and for the withheld identifiers they were seen with.

    Neighbours are looked for until there are no more: a narrow pass over the links each, as many as the person's
    identifiers are apart.

    Args:
        links: up to the date that is asked about.
        seeds: some identifiers of the person.
        config: limits and decisions.
    """
    members = localised(seeds.select("identifier").distinct())
    pairs = [pair.ends for pair in config.allow]
    allowed = local_rows(
        links.sparkSession, [*pairs, *[(b, a) for a, b in pairs]], "identifier string, other string"
    )
    n = -1
    # The identifiers of one person, and the hubs beside them.
    while n < (n := members.count()):
        near = _of_any(links, members)
        hubs = identifiers(near, config).where(is_withheld()).join(members, on="identifier", how="left_semi")
        open_ends = members.join(hubs, on="identifier", how="left_anti")
        others = _of_any(links, open_ends).select(F.explode(F.array("a", "b")).alias("identifier"))
        decided = allowed.join(members, on="identifier", how="left_semi").select(
            F.col("other").alias("identifier")
        )
        members = localised(members.unionByName(others).unionByName(decided).distinct())
    return solve(links, config, members)


def _of_any(links: DataFrame, members: DataFrame) -> DataFrame:
    """Links with an end among the members, once each."""
    of_a = links.join(members.withColumnRenamed("identifier", "a"), on="a", how="left_semi")
    of_b = links.join(members.withColumnRenamed("identifier", "b"), on="b", how="left_semi")
    others = of_b.join(members.withColumnRenamed("identifier", "a"), on="a", how="left_anti")
    return of_a.select(*links.columns).unionByName(others.select(*links.columns))
