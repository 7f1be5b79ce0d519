"""Moves between groups, with users who are new, gone, merged or split."""

from datetime import timedelta

from lifestage.analytics.stages.tables import USER_STAGES
from lifestage.users.identity.movement import Move, count_moves, count_regrouped_users, group_cells
from support.frames import build, regrouped
from support.reporting import AS_OF, WORDS

BEFORE = AS_OF - timedelta(days=3)
LATER = AS_OF + timedelta(days=1)


def stages(spark, *rows):
    return build(spark, USER_STAGES, [{"user_id": u, "as_of": d, "stage": s} for u, d, s in rows])


def test_moves_are_pairs_of_groups_with_new_and_gone_users(spark):
    rows = stages(
        spark,
        ("stays", BEFORE, "mature"), ("stays", AS_OF, "mature"), ("falls", BEFORE, "mature"), ("falls", AS_OF, "dormant"),
        ("new", AS_OF, "novice"), ("gone", BEFORE, "mature"), ("stays", LATER, "churned"),
    )  # fmt: skip
    assert set(count_moves(rows, "stage", AS_OF, BEFORE, regrouped(spark))) == {
        Move("mature", "mature", 1),
        Move("mature", "dormant", 1),
        Move(None, "novice", 1),
        Move("mature", None, 1),
    }
    assert count_moves(rows, "stage", AS_OF, None, regrouped(spark)) == ()


def test_regrouped_users_move_from_their_group_to_the_change_and_from_it(spark):
    rows = stages(
        spark,
        ("stays", BEFORE, "mature"), ("stays", AS_OF, "mature"), ("kept", BEFORE, "novice"), ("kept", AS_OF, "growth"),
        ("absorbed", BEFORE, "dormant"), ("part", AS_OF, "churned"),
    )  # fmt: skip
    others = regrouped(spark, kept="merged", absorbed="merged", part="split")
    assert set(count_moves(rows, "stage", AS_OF, BEFORE, others)) == {
        Move("mature", "mature", 1),
        Move("novice", "merged", 1),
        Move("merged", "growth", 1),
        Move("dormant", "merged", 1),
        Move("split", "churned", 1),
    }


def test_users_without_a_group_on_either_date_do_not_move(spark):
    users = spark.createDataFrame(
        [("u", BEFORE, None), ("u", AS_OF, None)], "user_id string, as_of date, tier string"
    )
    assert count_moves(users, "tier", AS_OF, BEFORE, regrouped(spark)) == ()


def test_regrouped_users_are_counted_on_both_dates(spark):
    rows = stages(
        spark, ("kept", BEFORE, "novice"), ("kept", AS_OF, "growth"), ("absorbed", BEFORE, "dormant")
    )
    others = regrouped(spark, kept="merged", absorbed="merged")
    assert count_regrouped_users(rows, others, AS_OF) == {"merged": (2, 1)}


def test_cells_leave_out_regrouped_users_and_hide_a_small_rest():
    moves = (Move("a", "a", 9), Move("b", "a", 7), Move("merged", "a", 5), Move("a", None, 6))
    assert [cell.text for cell in group_cells(moves, "a", WORDS, 5)] == ["+7", "\N{MINUS SIGN}6"]
    assert [cell.text for cell in group_cells(moves, "a", WORDS, 10)] == ["–", "–"]
