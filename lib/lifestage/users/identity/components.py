"""Connected components: which identifiers hang together, on the driver or on the cluster, with the same result."""

from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifestage.platform.runtime.frames import checkpoint

LABELS = "identifier binary, component binary"
Codes = npt.NDArray[np.int32]


def on_driver(edges: DataFrame) -> DataFrame:
    """The component of every identifier that has an edge, named by its least identifier.

    Args:
        edges: a and b, pseudonyms; in any order, as often as one likes. All of them come to the driver: 16 bytes an end
            there, half of what their texts take.

    Returns:
        identifier and component, one row an identifier.
    """
    names, a, b = _coded(edges)
    n = len(names)
    # The graph is made of ones: only whether two identifiers hang together is asked.
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    in_order = pc.sort_indices(names).to_numpy()
    least = np.full(n, -1, np.int32)
    # Written from the greatest to the least, so that the least is what stays.
    least[label[in_order[::-1]]] = in_order[::-1]
    table = pa.table({"identifier": names, "component": names.take(pa.array(least[label]))})
    # Kept, because a small table would lie in every plan.
    found = checkpoint(edges.sparkSession.createDataFrame(table, LABELS))
    return found.select(*[F.lower(F.hex(name)).alias(name) for name in found.columns])


def _coded(edges: DataFrame) -> tuple[pa.Array, Codes, Codes]:
    """The identifiers, and for each edge the places of its ends among them."""
    pairs = edges.select(*[F.unhex(end).alias(end) for end in ("a", "b")]).toArrow()
    ends = pa.chunked_array([*pairs["a"].chunks, *pairs["b"].chunks], pa.binary())
    # All chunks are coded by one dictionary.
    coded = pc.dictionary_encode(ends)
    names = coded.chunk(0).dictionary if coded.num_chunks else pa.array([], pa.binary())
    codes = np.concatenate([chunk.indices for chunk in coded.chunks] or [np.empty(0, np.int32)])
    return names, codes[: len(pairs)], codes[len(pairs) :]


def on_cluster(edges: DataFrame) -> DataFrame:
    """The same without any of it on the driver: large star and small star in turn, until there are only stars.

    Each round hangs the neighbours of an identifier on the least of them, so that components become stars around their
    least identifier within about as many rounds as the logarithm of their diameter.
    """
    ends = edges.select(*[F.unhex(end).alias(end) for end in ("a", "b")])
    stars = checkpoint(_both_ways(ends).where("a > b").distinct())
    while not _are_stars(stars):
        stars = checkpoint(_small_star(_large_star(stars)))
    everyone = reduce(DataFrame.unionByName, [ends.select(F.col(end).alias("a")) for end in ("a", "b")])
    named = everyone.distinct().join(stars, on="a", how="left")
    component = F.coalesce("b", "a")
    return named.select(F.lower(F.hex("a")).alias("identifier"), F.lower(F.hex(component)).alias("component"))


def _are_stars(edges: DataFrame) -> bool:
    """Whether everybody hangs on one identifier, which hangs on none."""
    twice = edges.groupBy("a").count().where("count > 1")
    centres = edges.select(F.col("b").alias("a")).distinct()
    return twice.isEmpty() and edges.join(centres, on="a", how="left_semi").isEmpty()


def _large_star(edges: DataFrame) -> DataFrame:
    """Every neighbour greater than an identifier is hung on the least of its neighbours and itself."""
    both = _both_ways(edges).select(F.col("a").alias("centre"), F.col("b").alias("neighbour"))
    nearest = both.groupBy("centre").agg(F.min("neighbour").alias("least"))
    least = nearest.select("centre", F.least("centre", "least").alias("least"))
    hung = both.where("neighbour > centre").join(least, on="centre")
    return hung.select(F.col("neighbour").alias("a"), F.col("least").alias("b")).distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Every neighbour less than an identifier, and itself, are hung on the least of them."""
    downwards = edges.select(F.col("a").alias("centre"), F.col("b").alias("neighbour"))
    least = downwards.groupBy("centre").agg(F.min("neighbour").alias("least"))
    themselves = least.select(F.col("centre").alias("a"), F.col("least").alias("b"))
    others = downwards.join(least, on="centre").select(
        F.col("neighbour").alias("a"), F.col("least").alias("b")
    )
    return themselves.unionByName(others).where("a <> b").distinct()


def _both_ways(edges: DataFrame) -> DataFrame:
    return edges.select("a", "b").unionByName(edges.select(F.col("b").alias("a"), F.col("a").alias("b")))
