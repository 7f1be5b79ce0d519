"""What has to hold before a snapshot is published."""

import pytest

from lifestage.publish.checks import snapshot_checks

SOUND = {"n_users": 10, "n_distinct": 10, "n_without_stage": 0}
BEFORE = {"n_users": 10, "snapshot_id": "2026-06-29.r1"}


def failed(content, before=None, max_user_drop=0.2):
    checks = snapshot_checks({**SOUND, **content}, before, max_user_drop)
    return [check.name for check in checks if not check.passed]


def test_a_sound_snapshot_passes():
    assert failed({}, BEFORE) == []


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"n_users": 0, "n_distinct": 0}, ["has users"]),
        ({"n_distinct": 9}, ["one row a user"]),
        ({"n_without_stage": 1}, ["everyone has a stage"]),
        ({"n_distinct": 9, "n_without_stage": 1}, ["one row a user", "everyone has a stage"]),
    ],
)
def test_every_fault_is_told(content, names):
    assert failed(content) == names


@pytest.mark.parametrize(("n", "names"), [(8, []), (7, ["users did not vanish"]), (99, [])])
def test_users_may_fall_as_far_as_configured(n, names):
    assert failed({"n_users": n, "n_distinct": n}, BEFORE) == names


def test_the_first_snapshot_has_nothing_to_fall_from():
    assert failed({"n_users": 1, "n_distinct": 1}) == []


def test_a_check_says_what_it_saw():
    details = {check.name: check.detail for check in snapshot_checks({**SOUND, "n_users": 7}, BEFORE, 0.2)}
    assert details["users did not vanish"] == "7 users, 10 in 2026-06-29.r1, at most 20% fewer allowed"
