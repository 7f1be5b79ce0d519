"""Members of audiences, the values that matched, and movement over three dates."""

from datetime import timedelta

from activation.audiences.builders import TABLES, D, candidates, chosen, user
from lifestage.activation.audiences.membership import add_movement, members
from lifestage.platform.config.yaml_files import packaged_yaml
from support.frames import assert_frames, assert_rows, build, shuffled

DAYS = [D, D + timedelta(days=1), D + timedelta(days=2)]


def test_users_who_meet_the_rule_are_members_with_the_values_that_matched(spark):
    users = [user("u1", occasions_all=1, tier="high"), user("u2", occasions_all=2), user("u3")]
    rules = {"once": "occasions_all = 1", "high": "tier = 'high' AND stage = 'mature'"}
    assert_rows(
        chosen(spark, users, rules),
        [
            ("once", "u1", D, {"occasions_all": "1"}),
            ("high", "u1", D, {"tier": "high", "stage": "mature"}),
        ],
    )


def test_null_counts_as_false_and_shared_users_are_in_no_audience(spark):
    users = [user("u1", occasions_all=None), user("till", status="shared", occasions_all=5)]
    assert chosen(spark, users, {"any": "occasions_all >= 0", "not": "NOT (occasions_all > 1)"}).isEmpty()


def test_without_rules_there_are_no_members(spark):
    assert chosen(spark, [user()], {}).isEmpty()


def test_without_users_there_are_no_members(spark):
    assert chosen(spark, [], {"all": "true"}).isEmpty()


def test_each_date_has_its_own_rule(spark):
    users = candidates(spark, [user("u1", as_of=day, occasions_all=2) for day in DAYS])
    rules = {DAYS[0]: {"a": "occasions_all > 1"}, DAYS[1]: {"a": "occasions_all > 2"}, DAYS[2]: {"b": "true"}}
    assert_rows(members(users, rules).select("audience", "as_of"), [("a", DAYS[0]), ("b", DAYS[2])])


def test_order_and_partitions_do_not_matter(spark):
    users = [user(f"u{n}", occasions_all=n % 3) for n in range(30)]
    rules = {"once": "occasions_all = 1", "twice": "occasions_all = 2"}
    found = members(shuffled(candidates(spark, users[::-1])), {D: rules})
    assert_frames(found, chosen(spark, users, rules))


def memberships(spark, rows):
    return build(
        spark, TABLES["user_audiences"], [{"audience": a, "user_id": u, "as_of": d} for a, u, d in rows]
    )


def moved(spark, rows, days=DAYS, others=()):
    dates = spark.createDataFrame([(day,) for day in days], "as_of date")
    regrouped = spark.createDataFrame([*others], "user_id string, as_of date, change string")
    found = add_movement(memberships(spark, rows), dates, regrouped)
    return found.select("audience", "user_id", "as_of", "movement")


def test_users_enter_stay_and_leave_over_three_dates(spark):
    one, two, three = DAYS
    rows = [
        ("a", "stays", one), ("a", "stays", two), ("a", "stays", three),
        ("a", "leaves", one),
        ("a", "comes", two), ("a", "comes", three),
        ("a", "returns", one), ("a", "returns", three),
    ]  # fmt: skip
    assert_rows(
        moved(spark, rows),
        [
            ("a", "stays", one, "entered"), ("a", "stays", two, "stayed"), ("a", "stays", three, "stayed"),
            ("a", "leaves", one, "entered"), ("a", "leaves", two, "left"),
            ("a", "comes", two, "entered"), ("a", "comes", three, "stayed"),
            ("a", "returns", one, "entered"), ("a", "returns", two, "left"), ("a", "returns", three, "entered"),
        ],
    )  # fmt: skip


def test_users_who_merged_or_split_neither_enter_nor_leave(spark):
    one, two, three = DAYS
    rows = [("a", "kept", two), ("a", "kept", three), ("a", "absorbed", one)]
    others = [("kept", two, "merged"), ("absorbed", two, "merged")]
    assert_rows(
        moved(spark, rows, others=others),
        [
            ("a", "absorbed", one, "entered"),
            ("a", "absorbed", two, "merged"),
            ("a", "kept", two, "merged"),
            ("a", "kept", three, "stayed"),
        ],
    )


def test_audiences_move_by_themselves(spark):
    one, two, _ = DAYS
    rows = [("a", "u", one), ("b", "u", two)]
    assert_rows(
        moved(spark, rows, DAYS[:2]),
        [("a", "u", one, "entered"), ("a", "u", two, "left"), ("b", "u", two, "entered")],
    )


def test_the_members_of_an_audience_that_empties_leave_on_the_next_date(spark):
    one, _, three = DAYS
    assert_rows(
        moved(spark, [("a", "u", one)], [one, three]),
        [("a", "u", one, "entered"), ("a", "u", three, "left")],
    )


# For each packaged rule, a user who meets it, and a change of one value with which the user does not.
SHIPPED = {
    "price_sensitive": (
        {"discount_share_365d": 0.25},
        {"discount_share_365d": 0.24, "coupon_share_365d": 0.04},
    ),
    "quality_seeking": ({"price_level_365d": 1.2}, {"price_level_365d": 1.2, "discount_share_365d": 0.1}),
    "new_product_hunters": ({"new_product_share_365d": 0.2}, {"new_product_share_365d": 0.19}),
    "high_spend_low_repurchase": ({"m_score": 4, "f_score": 2}, {"m_score": 4, "f_score": 3}),
    "high_value_at_risk": ({"tier": "high", "stage": "dormant"}, {"tier": "high", "stage": "mature"}),
    "second_purchase_due": (
        {"occasions_all": 1, "silence_days": 16, "cycle_days": 30},
        {"occasions_all": 1, "silence_days": 15, "cycle_days": 30},
    ),
    "sleeping": ({"stage": "dormant"}, {"stage": "churned"}),
    "win_back": ({"stage": "churned", "occasions_all": 2}, {"stage": "churned", "occasions_all": 1}),
    "hesitating": ({"occasions_90d": 0, "n_carts_90d": 2}, {"occasions_90d": 1, "n_carts_90d": 2}),
    "night_owls": (
        {"night_share_90d": 0.5, "active_days_90d": 3},
        {"night_share_90d": 0.5, "active_days_90d": 2},
    ),
}


def test_each_packaged_audience_has_a_member_and_drops_one_with_another_value(spark):
    rules = {
        name: audience["when"]
        for name, audience in packaged_yaml("activation/audiences/defaults.yaml")["audiences"].items()
    }
    assert rules.keys() == SHIPPED.keys()
    users = [
        user(f"{name} {side}", **columns)
        for name, pair in SHIPPED.items()
        for side, columns in zip(("in", "out"), pair, strict=True)
    ]
    found = {(row["audience"], row["user_id"]) for row in chosen(spark, users, rules).collect()}
    for name in SHIPPED:
        assert (name, f"{name} in") in found
        assert (name, f"{name} out") not in found
