"""The table of record matching."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.pairs import PAIR_COLUMNS

MATCHES = Table(
    name="matches",
    kind=Kind.ARTEFACT,
    comment="Pairs of identifiers whose records probably describe one person. An input of identity.",
    columns=(
        *PAIR_COLUMNS,
        Column("score", T.DoubleType(), "Match probability, 0 to 1, rounded to six decimals", required=True),
        Column(
            "event_date",
            T.DateType(),
            "First date on which both records have the compared values",
            required=True,
        ),
        Column(
            "matched_on",
            T.ArrayType(T.StringType()),
            "Comparisons that make the match more likely, sorted",
            required=True,
        ),
    ),
    key=("a", "b"),
    mode=WriteMode.OVERWRITE,
    unindexed=("a", "b"),
)
