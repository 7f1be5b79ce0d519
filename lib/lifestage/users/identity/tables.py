"""Tables of identity resolution: evidence, links, the map and its changes."""

from enum import StrEnum

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.pairs import PAIR_COLUMNS


class Suspicion(StrEnum):
    """What is unusual about an identifier or a user."""

    PLACEHOLDER = "placeholder"
    """An identifier that is linked to so many others that its value may stand for nobody."""
    SHARED = "shared"
    """An identifier beyond a limit: its links do not count."""
    MANY = "many"
    """An identifier within its limit, but near it."""
    LARGE = "large"
    """A user with very many identifiers."""
    SEVERAL = "several"
    """A user with several identifiers of a type of which a person has one or two."""


class Cause(StrEnum):
    """Why the user or the status of an identifier changed."""

    MERGED = "merged"
    SPLIT = "split"
    WITHHELD = "withheld"
    RESTORED = "restored"
    RENAMED = "renamed"
    """The same identifiers under another key: older evidence arrived, or the oldest was removed."""


LINK_DAYS = Table(
    name="link_days",
    kind=Kind.DERIVED,
    comment="Evidence that two identifiers belong to one user, by source and date: an event or a row of reference data names both, or their records match.",
    columns=(
        *PAIR_COLUMNS,
        Column(
            "source",
            T.StringType(),
            "Source of events, name of a reference table, or fuzzy for record matching",
            required=True,
        ),
        Column("event_date", T.DateType(), "Business date of the evidence", required=True),
        Column("event_month", T.DateType(), "First day of the month of event_date; partition", required=True),
        Column("n", T.LongType(), "Number of events or rows that name both", required=True),
        Column("score", T.DoubleType(), "Match probability, 0 to 1; NULL unless source is fuzzy"),
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
    comment="Links: pairs of identifiers with any evidence, and the first date of it.",
    columns=(*PAIR_COLUMNS, Column("first_on", T.DateType(), "Date of the oldest evidence", required=True)),
    key=("a", "b"),
    mode=WriteMode.MERGE,
    unindexed=("a", "b"),
)

_MAPPED = (
    Column("identifier", T.StringType(), "Pseudonym", required=True),
    Column(
        "user_id",
        T.StringType(),
        "User, a hash of its key identifier: the one with the oldest evidence",
        required=True,
    ),
    Column(
        "status",
        T.StringType(),
        "active, or shared: a withheld identifier, counted in totals but not in stages",
        required=True,
    ),
)

IDENTITY_MAP = Table(
    name="identity_map",
    kind=Kind.DERIVED,
    comment="The user of each identifier that evidence or a manual decision names, as of the newest date. "
    "Every other identifier is a user of its own.",
    columns=(
        *_MAPPED,
        Column(
            "type", T.StringType(), "Identifier type; NULL where only a manual decision names the identifier"
        ),
        Column(
            "linked_on",
            T.DateType(),
            "Date of its oldest evidence; NULL where only a manual decision names the identifier",
        ),
        Column(
            "withheld",
            T.ArrayType(T.StringType()),
            "Limits that the identifier exceeds, sorted; empty unless it is withheld",
            required=True,
        ),
    ),
    key=("identifier",),
    mode=WriteMode.MERGE,
    unindexed=("identifier", "user_id"),
    has_change_feed=True,
)

IDENTITY_PAST = Table(
    name="identity_past",
    kind=Kind.JOURNAL,
    comment="The user of an identifier on a date that was built after later ones, where it differs from the map.",
    columns=(
        Column("as_of", T.DateType(), "Business date the row describes", required=True),
        *_MAPPED,
        Column(
            "journal_version",
            T.LongType(),
            "Version of identity_changes when the row was built",
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
    comment="Identifiers whose user or status changed, and why. Append-only.",
    columns=(
        Column(
            "journal_version",
            T.LongType(),
            "Version of this table that the row was added in; orders changes, whatever --now runs had",
            required=True,
        ),
        Column("moved_at", T.TimestampType(), "Now of the run that made the change (UTC)", required=True),
        Column("as_of", T.DateType(), "Newest date of the run that made the change", required=True),
        Column("identifier", T.StringType(), "Pseudonym", required=True),
        Column("from_user_id", T.StringType(), "User before the change", required=True),
        Column("to_user_id", T.StringType(), "User after the change", required=True),
        Column(
            "cause",
            T.StringType(),
            "merged, split, withheld (exceeds a limit), restored (no longer exceeds one), or renamed (same identifiers, other key)",
            required=True,
        ),
        Column(
            "a",
            T.StringType(),
            "One end of the oldest link of the user that was added, removed or dated anew",
        ),
        Column("b", T.StringType(), "The other end of that link"),
        Column("first_on", T.DateType(), "First date of that link"),
        Column("withheld", T.ArrayType(T.StringType()), "Limits that the identifier exceeds", required=True),
    ),
    key=("journal_version", "identifier"),
    mode=WriteMode.APPEND,
    unindexed=("identifier", "from_user_id", "to_user_id", "a", "b"),
)

IDENTITY_SUSPICIONS = Table(
    name="identity_suspicions",
    kind=Kind.DERIVED,
    comment="Identifiers and users that look as if they were several people, or one person taken for several, "
    "as of the newest date.",
    columns=(
        Column(
            "kind",
            T.StringType(),
            "placeholder, shared or many (an identifier with many linked ones), large or several (a user with many identifiers)",
            required=True,
        ),
        Column("user_id", T.StringType(), "User of the identifier, or the whole user", required=True),
        Column(
            "identifier",
            T.StringType(),
            "Pseudonym of the identifier; the user_id for a whole user",
            required=True,
        ),
        Column("type", T.StringType(), "Type of the identifier; NULL for a whole user"),
        Column(
            "counted",
            T.StringType(),
            "Type of the identifiers that are counted; any for all types",
            required=True,
        ),
        Column(
            "n", T.LongType(), "Number of linked identifiers, or of the user's identifiers", required=True
        ),
        Column("most", T.LongType(), "The limit; NULL for a whole user"),
    ),
    key=("kind", "identifier", "counted"),
    mode=WriteMode.MERGE,
    unindexed=("identifier", "user_id"),
)
