"""Tables of the features domain; columns come from the feature catalogue."""

from pyspark.sql import types as T

from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from lifestage.users.catalogue.model import Catalogue, profile_columns, type_of, window_column
from lifestage.users.resolution import AS_OF, USER

DAY_LIST = T.ArrayType(T.DateType())

CATEGORY_COLUMNS = (
    Column(
        "n_categories_365d",
        T.LongType(),
        "Categories with net spend above zero; last 365 days",
        unit="categories",
    ),
    Column("n_repeat_categories_365d", T.LongType(), "Categories bought on at least two days; last 365 days"),
    Column(
        "top_category_365d", T.StringType(), "Category of the greatest net spend, ties by name; last 365 days"
    ),
    Column(
        "expected_amount_365d",
        T.LongType(),
        "What the same units cost at each category's mean price, in millionths",
    ),
    Column("priced_amount_365d", T.LongType(), "Purchases that expected_amount_365d covers, in minor units"),
)

STATE_COLUMNS = (
    Column("status", T.StringType(), "active, or shared (in totals, not in stages)", required=True),
    Column("first_purchase_channel", T.StringType(), "Channel of the first day with a purchase"),
    Column("occasion_days", DAY_LIST, "Every purchase occasion, ascending"),
)

# What users/features/rhythm.py computes from the occasion days and the norms; SQL features may use them.
RHYTHM_COLUMNS = (
    Column(
        "is_left_censored",
        T.BooleanType(),
        "Joined at the start of recorded history: tenure is a lower bound",
    ),
    Column(
        "silence_days",
        T.LongType(),
        "Days since the last occasion, or the last active day without one",
        unit="days",
    ),
    Column(
        "own_cycle_days",
        T.LongType(),
        "Percentile of the gaps between the user's occasions, from enough gaps on (rhythm)",
        unit="days",
    ),
    Column("cycle_days", T.LongType(), "own_cycle_days or the norm, within floor and ceiling", unit="days"),
    Column("cycle_source", T.StringType(), "own, channel, all or default: where cycle_days comes from"),
    Column("median_gap_days", T.LongType(), "Median gap between occasions (repurchase cycle)", unit="days"),
    Column(
        "returned_gap_days",
        T.LongType(),
        "Longest gap that ended in the recent span (rhythm.recent_days), the latest of equals",
        unit="days",
    ),
    Column("returned_gap_cycle_days", T.LongType(), "cycle_days as it was before that gap", unit="days"),
    Column(
        "is_below_median_spend",
        T.BooleanType(),
        "Net spend of 365 days below the median of users with an occasion",
    ),
    Column(
        "n_categories_365d",
        T.LongType(),
        "Categories with net spend above zero; last 365 days",
        unit="categories",
    ),
    Column("repeat_rate_365d", T.DoubleType(), "Share of categories bought on at least two days [share]"),
    Column("top_category_365d", T.StringType(), "Category of the greatest net spend, ties by name"),
    Column(
        "price_level_365d",
        T.DoubleType(),
        "Paid over the mean price of the same categories and units",
        unit="ratio",
    ),
)


def user_state(catalogue: Catalogue) -> Table:
    """One row per user at the newest as_of: what needs history."""
    dates = tuple(Column(name, T.DateType(), mark.description) for name, mark in catalogue.dates.items())
    windows = tuple(window_column(catalogue, window) for window in catalogue.all_windows())
    return Table(
        name="user_state",
        kind=Kind.DERIVED,
        comment="One row per user at the newest as_of: window sums, first and last dates, occasion days.",
        columns=(USER, *STATE_COLUMNS, *CATEGORY_COLUMNS, *dates, *windows),
        key=("user_id",),
        mode=WriteMode.OVERWRITE,
        unindexed=("user_id",),
    )


def user_features(catalogue: Catalogue) -> Table:
    """One row per user and as_of: windows and dates of the state, the rhythm, the profile, and the SQL features."""
    dates = tuple(Column(name, T.DateType(), mark.description) for name, mark in catalogue.dates.items())
    windows = tuple(
        window_column(catalogue, window) for window in catalogue.all_windows() if not window.hidden
    )
    derived = tuple(
        Column(name, type_of(feature.unit), feature.description, unit=feature.unit)
        for name, feature in catalogue.features.items()
    )
    known = profile_columns(catalogue)
    return Table(
        name="user_features",
        kind=Kind.DERIVED,
        comment="One row per user and as_of: everything later steps decide on.",
        columns=(USER, AS_OF, STATE_COLUMNS[0], *dates, *windows, *RHYTHM_COLUMNS, *known, *derived),
        key=("user_id", "as_of"),
        mode=WriteMode.PARTITIONS,
        partitions=("as_of",),
        unindexed=("user_id",),
    )


NORMS = Table(
    name="norms",
    kind=Kind.DERIVED,
    comment="What is usual in the population as of a date: cycle norms, median spend, mean category prices.",
    columns=(
        AS_OF,
        Column("norm", T.StringType(), "cycle_days, net_amount_365d or unit_price", required=True),
        Column("group", T.StringType(), "First-purchase channel or category; NULL for all"),
        Column("value", T.LongType(), "Days, minor units, or millionths of the currency a unit"),
        Column("n", T.LongType(), "Gaps, users or units it rests on"),
    ),
    key=("as_of", "norm", "group"),
    mode=WriteMode.PARTITIONS,
    partitions=("as_of",),
)
