"""The table of the matching domain."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.pairs import PAIR_COLUMNS

MATCHES = Table(
    name="matches",
    kind=Kind.ARTEFACT,
    comment="Identifiers whose records are probably of one person: an input of `identity`.",
    columns=(
        *PAIR_COLUMNS,
        Column("score", T.DoubleType(), "Probability that both are one person", required=True),
        Column(
            "event_date", T.DateType(), "Date from which both records say what was compared", required=True
        ),
        Column(
            "matched_on", T.ArrayType(T.StringType()), "Comparisons that speak for it, sorted", required=True
        ),
    ),
    key=("a", "b"),
    mode=WriteMode.OVERWRITE,
    unindexed=("a", "b"),
)
