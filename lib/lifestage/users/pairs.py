"""Pairs of identifiers: the shape of evidence that two identifiers belong to one person."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column

PAIR_COLUMNS = (
    Column("a", T.StringType(), "Pseudonym, the first of the two in order", required=True),
    Column("a_type", T.StringType(), "Type of a", required=True),
    Column("b", T.StringType(), "Pseudonym", required=True),
    Column("b_type", T.StringType(), "Type of b", required=True),
)


# What evidence by matching has for a source.
FUZZY = "fuzzy"
