"""Connected components of a graph of identifiers, on the driver or on the cluster, with the same result."""

from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import checkpoint

COMPONENTS = "identifier binary, component binary"
Codes = npt.NDArray[np.int32]


def find_components_on_driver(edges: DataFrame) -> DataFrame:
    """The connected component of each identifier that has an edge.

    Args:
        edges: a and b, pseudonyms, in any order and with any repeats. All edges come to the driver: 16 bytes per end,
            half the size of the hexadecimal text.

    Returns:
        One row per identifier: identifier, and component, the least identifier of the component.
    """
    # These take half a second to import: only a solve pays for it, not every command.
    import pyarrow.compute as pc
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, a, b = _encode_edges(edges)
    n = len(names)
    # All weights are one: only connectivity matters.
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    in_order = pc.sort_indices(names).to_numpy()
    least = np.full(n, -1, np.int32)
    # Assigned from the greatest to the least, so that the least identifier of a component is the last to be written.
    least[label[in_order[::-1]]] = in_order[::-1]
    table = pa.table({"identifier": names, "component": names.take(pa.array(least[label]))})
    # Checkpointed, because a small table would otherwise be part of every plan that reads it.
    components = checkpoint(edges.sparkSession.createDataFrame(table, COMPONENTS))
    return components.select(*[F.lower(F.hex(name)).alias(name) for name in components.columns])


def _encode_edges(edges: DataFrame) -> tuple[pa.Array, Codes, Codes]:
    """The distinct identifiers, and for each edge the positions of its ends among them."""
    pairs = edges.select(*[F.unhex(end).alias(end) for end in ("a", "b")]).toArrow()
    ends = pa.chunked_array([*pairs["a"].chunks, *pairs["b"].chunks], pa.binary())
    # One dictionary encodes all chunks.
    encoded = ends.dictionary_encode()
    names = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], pa.binary())
    codes = np.concatenate([chunk.indices for chunk in encoded.chunks] or [np.empty(0, np.int32)])
    return names, codes[: len(pairs)], codes[len(pairs) :]


def find_components_on_cluster(edges: DataFrame) -> DataFrame:
    """The same components, without collecting the edges on the driver.

    Alternates the large-star and small-star operations until only stars are left (Kiveris et al., "Connected Components
    in MapReduce and Beyond", 2014). Each round links the neighbours of an identifier to the least of them, so the number
    of rounds grows with the logarithm of the diameter.
    """
    ends = edges.select(*[F.unhex(end).alias(end) for end in ("a", "b")])
    stars = checkpoint(_add_reversed_edges(ends).where("a > b").distinct())
    while not _is_star_forest(stars):
        stars = checkpoint(_apply_small_star(_apply_large_star(stars)))
    nodes = reduce(DataFrame.unionByName, [ends.select(F.col(end).alias("a")) for end in ("a", "b")])
    components = nodes.distinct().join(stars, on="a", how="left")
    least = F.coalesce("b", "a")
    return components.select(
        F.lower(F.hex("a")).alias("identifier"), F.lower(F.hex(least)).alias("component")
    )


def _is_star_forest(edges: DataFrame) -> bool:
    """Whether each node has one edge, to a centre that has no edge of its own."""
    repeated = edges.groupBy("a").count().where("count > 1")
    centres = edges.select(F.col("b").alias("a")).distinct()
    return repeated.isEmpty() and edges.join(centres, on="a", how="left_semi").isEmpty()


def _apply_large_star(edges: DataFrame) -> DataFrame:
    """Links each neighbour greater than a node to the least of the node and its neighbours."""
    both = _add_reversed_edges(edges).select(F.col("a").alias("centre"), F.col("b").alias("neighbour"))
    nearest = both.groupBy("centre").agg(F.min("neighbour").alias("least"))
    least = nearest.select("centre", F.least("centre", "least").alias("least"))
    linked = both.where("neighbour > centre").join(least, on="centre")
    return linked.select(F.col("neighbour").alias("a"), F.col("least").alias("b")).distinct()


def _apply_small_star(edges: DataFrame) -> DataFrame:
    """Links a node and each of its lesser neighbours to the least of them."""
    downwards = edges.select(F.col("a").alias("centre"), F.col("b").alias("neighbour"))
    least = downwards.groupBy("centre").agg(F.min("neighbour").alias("least"))
    nodes = least.select(F.col("centre").alias("a"), F.col("least").alias("b"))
    neighbours = downwards.join(least, on="centre").select(
        F.col("neighbour").alias("a"), F.col("least").alias("b")
    )
    return nodes.unionByName(neighbours).where("a <> b").distinct()


def _add_reversed_edges(edges: DataFrame) -> DataFrame:
    return edges.select("a", "b").unionByName(edges.select(F.col("b").alias("a"), F.col("a").alias("b")))
