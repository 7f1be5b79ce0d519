from datetime import timedelta
from decimal import Decimal

from lifestage.analytics.stages.decline import CategoryChange, count_category_changes
from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.users.activity.tables import CATEGORY_DAYS
from support.frames import build
from support.reporting import AS_OF, BEFORE


def test_declining_users_are_compared_with_all_others_by_category(spark):
    def day(subject, age, category, amount):
        return {
            "subject": subject,
            "event_date": AS_OF - timedelta(days=age),
            "category": category,
            "net_amount": amount,
        }

    days = [
        day("card", 0, "DELI", "5.00"), day("cookie", 89, "DELI", "1.00"), day("card", 90, "DELI", "20.00"), day("card", 179, "DELI", "2.00"),
        day("card", 180, "DELI", "99.00"), day("card", -1, "DELI", "99.00"), day("card", 1, None, "99.00"),
        day("other", 1, "DELI", "7.00"), day("other", 100, "DELI", "8.00"), day("other", 1, "SALAD", "3.00"),
        day("card", 3, "SALAD", "4.00"), day("nobody", 3, "SALAD", "99.00"),
    ]  # fmt: skip
    users = spark.createDataFrame(
        [("card", "u1", "active", None), ("cookie", "u1", "active", None), ("other", "u2", "active", None), ("other", "u1", "active", BEFORE)],
        "identifier string, user_id string, status string, only_on date",
    )  # fmt: skip
    stages = build(
        spark,
        USER_STAGES,
        [
            {"user_id": user, "as_of": AS_OF, "stage": stage}
            for user, stage in (("u1", "declining"), ("u2", "mature"))
        ],
    )
    found = count_category_changes(build(spark, CATEGORY_DAYS, days), users, stages, AS_OF)
    assert found == (
        CategoryChange("DELI", 1, *map(Decimal, (22, 6, 8, 7))),
        CategoryChange("SALAD", 1, *map(Decimal, (0, 4, 0, 3))),
    )
