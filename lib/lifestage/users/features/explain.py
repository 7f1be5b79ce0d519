"""The features of a user under hypotheses, and the typical amount of a purchase."""

from pyspark.sql import DataFrame

from lifestage.platform.explain import Explain
from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.runtime.frames import collect_to_driver
from lifestage.platform.user_rows import Scope, UserFrames
from lifestage.users.features.build import add_profiles, build_features, build_state
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.features.tables import user_features
from lifestage.users.features.user_days import to_user_days
from lifestage.users.resolution import resolve_current_users


def assume_features(hypotheses: Hypotheses, config: FeaturesConfig) -> dict[str, DataFrame]:
    """Rows of user_features for each hypothesis, on its dates.

    Norms and profile are those of the date, because they do not depend on what the user does.
    """
    users, dates = resolve_current_users(hypotheses.identifiers), hypotheses.dates
    # A hypothesis needs only few of the dates; the others are dropped where users are joined with dates.
    is_asked = hypotheses.is_asked()
    norms = hypotheses.repeat_on_dates("norms")
    days, baskets = hypotheses.tables["activity_days"], hypotheses.tables["category_days"]
    state = build_state(days, baskets, users, dates, config.catalogue).where(is_asked)
    profile = hypotheses.rows.tables["user_profiles"].drop("user_id", "as_of")
    state = add_profiles(state, state.select("user_id", "as_of").crossJoin(profile), config.catalogue)
    features = build_features(state, norms, config, user_features(config.catalogue))
    # Several domains read these rows, at most 30 and the silent days.
    return {"user_features": collect_to_driver(features)}


def find_median_occasion(rows: UserFrames, config: FeaturesConfig) -> int | None:
    """The median net spend per occasion, in minor units; None without occasions.

    It is the least value with a cumulative share of at least one half.
    """
    users = resolve_current_users(rows.identifiers)
    days = to_user_days(rows.tables["activity_days"], users, config.catalogue)
    # One row per occasion of one user.
    nets = sorted(row["net_amount"] for row in days.where("occasions > 0").select("net_amount").collect())
    return nets[(len(nets) + 1) // 2 - 1] if nets else None


EXPLAIN = Explain(
    reads={
        "user_features": Scope.USER,
        "user_profiles": Scope.USER,
        "norms": Scope.DATE,
        "activity_days": Scope.SUBJECTS,
    },
    assume=assume_features,
    typical_purchase=find_median_occasion,
)
