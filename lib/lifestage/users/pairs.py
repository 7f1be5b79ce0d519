"""Pairs of identifiers: the columns that every table of evidence shares."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column

PAIR_COLUMNS = (
    Column("a", T.StringType(), "Pseudonym of one identifier; a sorts before b", required=True),
    Column("a_type", T.StringType(), "Identifier type of a", required=True),
    Column("b", T.StringType(), "Pseudonym of the other identifier", required=True),
    Column("b_type", T.StringType(), "Identifier type of b", required=True),
)
PAIR = ("a", "b")
PAIR_TYPES = ("a_type", "b_type")

# The source of evidence that comes from record matching.
FUZZY = "fuzzy"
