"""Tables of the identity domain."""

from enum import StrEnum

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.pairs import PAIR_COLUMNS


class Cause(StrEnum):
    """Why an identifier is another user than before."""

    MERGED = "merged"
    SPLIT = "split"
    WITHHELD = "withheld"
    RESTORED = "restored"
    RENAMED = "renamed"
    """The same people, known by another identifier: the oldest evidence came late, or went."""


LINK_DAYS = Table(
    name="link_days",
    kind=Kind.DERIVED,
    comment="Evidence: two identifiers that one event or one row of reference data names, by source and date; or whose records match.",
    columns=(
        *PAIR_COLUMNS,
        Column(
            "source", T.StringType(), "Source of events, reference table, or fuzzy for a match", required=True
        ),
        Column("event_date", T.DateType(), "Business date of the evidence", required=True),
        Column("event_month", T.DateType(), "First day of event_date's month; partition", required=True),
        Column("n", T.LongType(), "Events or rows that name both", required=True),
        Column("score", T.DoubleType(), "Probability of a fuzzy match; NULL for other evidence"),
    ),
    key=("a", "b", "source", "event_date"),
    mode=WriteMode.MERGE,
    partitions=("event_month",),
    order=("event_date",),
    unindexed=("a", "b"),
)

LINKS = Table(
    name="links",
    kind=Kind.DERIVED,
    comment="Pairs of identifiers that were ever seen together, with the first date.",
    columns=(*PAIR_COLUMNS, Column("first_on", T.DateType(), "First date of any evidence", required=True)),
    key=("a", "b"),
    mode=WriteMode.MERGE,
    unindexed=("a", "b"),
)

_MAPPED = (
    Column("identifier", T.StringType(), "Pseudonym", required=True),
    Column("user_id", T.StringType(), "User: a hash of the user's key identifier", required=True),
    Column("status", T.StringType(), "active, or shared (withheld: in totals, not in stages)", required=True),
)

IDENTITY_MAP = Table(
    name="identity_map",
    kind=Kind.DERIVED,
    comment="Which user an identifier belongs to, of all that evidence or a decision names, as of the newest date. "
    "Any other identifier is a user of its own.",
    columns=(
        *_MAPPED,
        Column("type", T.StringType(), "Type of identifier; NULL where only a decision names it"),
        Column("linked_on", T.DateType(), "Date of its oldest evidence"),
        Column("withheld", T.ArrayType(T.StringType()), "Limits that it exceeds, sorted", required=True),
    ),
    key=("identifier",),
    mode=WriteMode.MERGE,
    unindexed=("identifier", "user_id"),
)

IDENTITY_PAST = Table(
    name="identity_past",
    kind=Kind.JOURNAL,
    comment="Who an identifier was on a date that was built after later ones, where that is not who it was on the newest.",
    columns=(
        Column("as_of", T.DateType(), "Business date the row describes", required=True),
        *_MAPPED,
        Column(
            "journal_version",
            T.LongType(),
            "Version of identity_changes when the date was built so",
            required=True,
        ),
    ),
    key=("as_of", "identifier"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
    unindexed=("identifier", "user_id"),
)

IDENTITY_CHANGES = Table(
    name="identity_changes",
    kind=Kind.JOURNAL,
    comment="What moved: identifiers that became another user, or stopped being one, and why.",
    columns=(
        Column(
            "journal_version",
            T.LongType(),
            "Version of this table that tells it: grows, whatever now runs are given",
            required=True,
        ),
        Column("moved_at", T.TimestampType(), "The run's now", required=True),
        Column("as_of", T.DateType(), "Newest date of the run that moved it", required=True),
        Column("identifier", T.StringType(), "Pseudonym", required=True),
        Column("from_user_id", T.StringType(), "User before", required=True),
        Column("to_user_id", T.StringType(), "User after", required=True),
        Column(
            "cause",
            T.StringType(),
            "merged, split, withheld (exceeds a limit), restored (does so no more), or renamed (known by another identifier)",
            required=True,
        ),
        Column("a", T.StringType(), "One end of the evidence that came or went, the oldest of its person"),
        Column("b", T.StringType(), "The other end"),
        Column("first_on", T.DateType(), "Date of that evidence"),
        Column("withheld", T.ArrayType(T.StringType()), "Limits that the identifier exceeds", required=True),
    ),
    key=("journal_version", "identifier"),
    mode=WriteMode.APPEND,
    unindexed=("identifier", "from_user_id", "to_user_id", "a", "b"),
)
