"""The difference between two snapshots."""

import pytest

from activation.publish.builders import DECIDED, TABLES
from lifestage.activation.publish.diff import changes, diff, groups_to_compare
from lifestage.activation.publish.diff import moves as moves_between
from support.frames import assert_frames, assert_rows, build, regrouped, shuffled

KINDS = groups_to_compare(DECIDED)


def users(spark, **stages_and_spend):
    rows = [
        {"user_id": name, "stage": stage, "tier": tier, "segment": "s", "monetary_amount": spend}
        for name, (stage, tier, spend) in stages_and_spend.items()
    ]
    return build(spark, TABLES["snapshot_users"], rows)


def difference_of(before, after, **others):
    return diff(before, after, regrouped(before.sparkSession, **others), KINDS)


def moves(difference):
    return moves_between(difference, KINDS)


@pytest.fixture
def before(spark):
    return users(
        spark, stays=("mature", "high", "50"), moves=("growth", "low", "10"), goes=("novice", None, "5")
    )


@pytest.fixture
def after(spark):
    return users(
        spark, stays=("mature", "high", "60"), moves=("declining", "mid", "20"), comes=("novice", None, None)
    )


def test_changes_count_users_in_out_and_both_with_their_value(before, after):
    assert_rows(
        changes(difference_of(before, after)), [("in", 0, 1, "0"), ("out", 1, 0, "5"), ("both", 2, 2, "80")]
    )


def test_moves_are_of_users_in_both(before, after):
    assert_rows(
        moves(difference_of(before, after)),
        [("stage", "growth", "declining", 1, "20"), ("tier", "low", "mid", 1, "20")],
    )


def test_users_who_merged_or_split_are_not_in_out_or_moved(before, after):
    difference = difference_of(before, after, goes="merged", moves="merged", comes="split")
    assert_rows(changes(difference), [("merged", 2, 1, "20"), ("split", 0, 1, "0"), ("both", 1, 1, "60")])
    assert moves(difference).isEmpty()


def test_nothing_moves_between_a_snapshot_and_itself(before):
    difference = difference_of(before, before)
    assert moves(difference).isEmpty()
    assert_rows(changes(difference), [("both", 3, 3, "65")])


def test_a_user_can_move_from_no_tier_into_one(spark):
    one, other = users(spark, u=("novice", None, "1")), users(spark, u=("novice", "low", "1"))
    assert_rows(moves(difference_of(one, other)), [("tier", None, "low", 1, "1")])


def test_against_an_empty_snapshot_every_user_is_in(spark, after):
    assert_rows(changes(difference_of(users(spark), after)), [("in", 0, 3, "80")])


def test_two_differences_compose(spark, before, after):
    """The differences of A and B and of B and C add up to that of A and C."""
    third = users(
        spark, moves=("mature", "high", "70"), comes=("growth", "low", "9"), goes=("novice", None, "8")
    )
    first, second, whole = (
        difference_of(before, after),
        difference_of(after, third),
        difference_of(before, third),
    )
    starts = [f"{name}_before" for name in (*KINDS, "segment_id", "monetary_amount")]
    ends = [f"{name}_after" for name in (*KINDS, "segment_id", "monetary_amount")]
    began = first.where("change <> 'in'").select("user_id", *starts)
    ended = second.where("change <> 'out'").select("user_id", *ends)
    assert_frames(began.join(ended, on="user_id", how="full"), whole.drop("change", "is_before", "is_after"))


def test_a_renamed_segment_is_no_move(spark):
    def segmented(number, name):
        return build(
            spark,
            TABLES["snapshot_users"],
            [{"user_id": "u", "stage": "mature", "segment_id": number, "segment": name}],
        )

    assert moves(difference_of(segmented(1, "big"), segmented(1, "bigger"))).isEmpty()
    moved = moves(difference_of(segmented(1, "big"), segmented(2, "small"))).select(
        "kind", "moved_from", "moved_to"
    )
    assert_rows(moved, [("segment", "big", "small")])


def test_order_and_partitions_do_not_matter(before, after):
    assert_frames(
        moves(difference_of(shuffled(before), shuffled(after))), moves(difference_of(before, after))
    )
