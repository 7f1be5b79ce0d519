"""Tables of features; most columns come from the feature catalogue."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.catalogue.model import Catalogue, profile_columns, type_of, window_column
from lifestage.users.features.categories import TOTALS
from lifestage.users.resolution import AS_OF, USER

DAY_LIST = T.ArrayType(T.DateType())
CATEGORY_TOTALS = T.ArrayType(
    T.StructType(
        [
            T.StructField("category", T.StringType()),
            *[T.StructField(name, T.LongType()) for name in TOTALS],
        ]
    )
)

# Columns that users/features/categories.py computes from category_totals and unit prices. SQL features can use them.
CATEGORY_COLUMNS = (
    Column(
        "n_repeat_categories_365d",
        T.LongType(),
        "Categories with net spend above zero and purchases on at least two days; last 365 days",
    ),
    Column(
        "expected_amount_365d",
        T.LongType(),
        "Cost of the bought units at the mean price of each category, in millionths; last 365 days",
    ),
    Column(
        "priced_amount_365d",
        T.LongType(),
        "Purchases that expected_amount_365d covers, in minor units; last 365 days",
    ),
)

STATE_COLUMNS = (
    Column(
        "status",
        T.StringType(),
        "active, or shared: a withheld identifier, counted in totals but not in stages",
        required=True,
    ),
    Column(
        "first_purchase_channel",
        T.StringType(),
        "Channel of the first day with a purchase in a known channel",
    ),
    Column("occasion_days", DAY_LIST, "Dates of all purchase occasions, ascending", required=True),
    Column(
        "category_totals",
        CATEGORY_TOTALS,
        "By category, in order of its name: purchases, net spend (minor units), units (thousandths), days with a purchase, "
        "and days with a purchase or return; last 365 days",
        required=True,
    ),
)

# Columns that users/features/rhythm.py computes from occasion days and norms. SQL features can use them.
RHYTHM_COLUMNS = (
    Column(
        "is_left_censored",
        T.BooleanType(),
        "Joined at the start of recorded history, so tenure is a lower bound",
    ),
    Column(
        "silence_days",
        T.LongType(),
        "Days since the last purchase occasion, or since the last active day of users without one",
        unit="days",
    ),
    Column(
        "own_cycle_days",
        T.LongType(),
        "Percentile of the user's own gaps between occasions (rhythm.percentile); NULL with too few gaps",
        unit="days",
    ),
    Column(
        "cycle_days",
        T.LongType(),
        "Purchase cycle: own_cycle_days or else the norm, between floor and ceiling (rhythm)",
        unit="days",
    ),
    Column("cycle_source", T.StringType(), "Source of cycle_days: own, channel, all or default"),
    Column("median_gap_days", T.LongType(), "Median gap between occasions (repurchase cycle)", unit="days"),
    Column(
        "returned_gap_days",
        T.LongType(),
        "Longest gap that ended in the last rhythm.recent_days days; of equal gaps the latest",
        unit="days",
    ),
    Column(
        "returned_gap_cycle_days",
        T.LongType(),
        "cycle_days from the gaps before returned_gap_days",
        unit="days",
    ),
    Column(
        "is_below_median_spend",
        T.BooleanType(),
        "Net spend of 365 days is below the median of users with an occasion in them",
    ),
    Column(
        "n_categories_365d",
        T.LongType(),
        "Categories with net spend above zero; last 365 days",
        unit="categories",
    ),
    Column(
        "repeat_rate_365d",
        T.DoubleType(),
        "Categories bought on at least two days over all categories; last 365 days [share]",
    ),
    Column(
        "top_category_365d",
        T.StringType(),
        "Category with the greatest net spend, ties by name; last 365 days",
    ),
    Column(
        "price_level_365d",
        T.DoubleType(),
        "Amount paid over the cost of the same units at mean category prices; last 365 days",
        unit="ratio",
    ),
)


def user_state(catalogue: Catalogue) -> Table:
    """The table of user state: one row per user at the newest as_of."""
    dates = tuple(Column(name, T.DateType(), mark.description) for name, mark in catalogue.dates.items())
    windows = tuple(window_column(catalogue, window) for window in catalogue.all_windows())
    return Table(
        name="user_state",
        kind=Kind.DERIVED,
        comment="State: one row per user at the newest as_of, with window sums, first and last dates, occasion days, and "
        "totals by category.",
        columns=(USER, *STATE_COLUMNS, *dates, *windows),
        key=("user_id",),
        mode=WriteMode.OVERWRITE,
        unindexed=("user_id",),
    )


def user_features(catalogue: Catalogue) -> Table:
    """The table of user features: one row per user and as_of.

    Its columns are the windows and dates of the state, the rhythm, the profile and the SQL features.
    """
    dates = tuple(Column(name, T.DateType(), mark.description) for name, mark in catalogue.dates.items())
    windows = tuple(
        window_column(catalogue, window) for window in catalogue.all_windows() if not window.hidden
    )
    derived = tuple(
        Column(name, type_of(feature.unit), feature.description, unit=feature.unit)
        for name, feature in catalogue.features.items()
    )
    profile = profile_columns(catalogue)
    return Table(
        name="user_features",
        kind=Kind.DERIVED,
        comment="Features: one row per user and as_of. Stages, value, segments and audiences are computed from it.",
        columns=(USER, AS_OF, STATE_COLUMNS[0], *dates, *windows, *RHYTHM_COLUMNS, *profile, *derived),
        key=("user_id", "as_of"),
        mode=WriteMode.PARTITIONS,
        partitions=("as_of",),
        unindexed=("user_id",),
    )


NORMS = Table(
    name="norms",
    kind=Kind.DERIVED,
    comment="Norms of the population as of a date: purchase cycles, median spend, mean unit prices.",
    columns=(
        AS_OF,
        Column(
            "norm",
            T.StringType(),
            "cycle_days (cycle), net_amount_365d (median spend) or unit_price",
            required=True,
        ),
        Column(
            "group", T.StringType(), "First-purchase channel, or category of a unit_price; NULL for all users"
        ),
        Column("value", T.LongType(), "Days, minor units, or millionths of the currency per unit"),
        Column("n", T.LongType(), "Number of gaps or users, or thousandths of units, behind the value"),
    ),
    key=("as_of", "norm", "group"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)
