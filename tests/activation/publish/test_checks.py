"""What has to hold before a snapshot is published."""

from datetime import date

import pytest

from activation.publish.builders import publish_config
from lifestage.activation.publish.checks import snapshot_checks, unchanged_audiences

SOUND = {"n_users": 10, "n_distinct": 10, "n_without_stage": 0, "counts": {}}
BEFORE = {"n_users": 10, "snapshot_id": "2026-06-29.r1", "counts": {"audience:sleeping": 3}}


def checks_of(content, before=None, same_rule=(), **settings):
    return snapshot_checks({**SOUND, **content}, before, publish_config(**settings), same_rule)


def failed(content, before=None, same_rule=(), **settings):
    return [check.name for check in checks_of(content, before, same_rule, **settings) if not check.passed]


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


def test_who_merged_with_another_has_not_vanished():
    found = {
        n: snapshot_checks({**SOUND, "n_users": 7}, BEFORE, publish_config(), n_merged=n) for n in (1, 2)
    }
    assert {
        n: [c.passed for c in checks if c.name == "users did not vanish"] for n, checks in found.items()
    } == {
        1: [False],
        2: [True],
    }


def test_the_first_snapshot_has_nothing_to_fall_from():
    assert failed({"n_users": 1, "n_distinct": 1}) == []


def test_a_check_says_what_it_saw():
    details = {check.name: check.detail for check in checks_of({"n_users": 7}, BEFORE)}
    assert details["users did not vanish"] == "7 users, 10 in 2026-06-29.r1, at most 20% fewer allowed"


@pytest.mark.parametrize(
    ("n", "settings", "names"),
    [
        (6, {"min_audience_users": 1}, []),
        (7, {"min_audience_users": 1}, ["audiences did not jump"]),
        (7, {"min_audience_users": 8}, []),
        (7, {"min_audience_users": 1, "max_audience_growth": 2.5}, []),
    ],
)
def test_an_audience_that_suddenly_doubles_stops(n, settings, names):
    assert failed({"counts": {"audience:sleeping": n}}, BEFORE, ["sleeping"], **settings) == names


def test_an_audience_whose_rule_changed_may_grow():
    assert failed({"counts": {"audience:sleeping": 999}}, BEFORE, []) == []


@pytest.mark.parametrize(
    ("with_data", "passed", "detail"),
    [
        ({}, True, "nobody is scored"),
        ({"economic": 1200, "social": 1}, True, "economic for 1,200 users, social for 1 users"),
        (
            {"economic": 1200, "social": 0},
            False,
            "social says nothing of any user: switch it off (value.yaml: index.dimensions.social.enabled: false), or "
            "bring in what feeds it",
        ),
    ],
)
def test_a_dimension_that_counts_has_data(with_data, passed, detail):
    found = snapshot_checks(SOUND, None, publish_config(), (), with_data)
    [check] = [check for check in found if check.name == "value dimensions have data"]
    assert (check.passed, check.detail) == (passed, detail)


def test_the_jump_is_told_with_its_sizes():
    content = {"counts": {"audience:sleeping": 900}}
    details = {check.name: check.detail for check in checks_of(content, BEFORE, ["sleeping", "other"])}
    assert details["audiences did not jump"] == (
        "sleeping: 900 users, 3 in 2026-06-29.r1, at most 2 x as many allowed (raise publish.max_audience_growth if it is meant)"
    )


def test_an_audience_is_the_same_where_the_snapshot_before_has_it_under_the_same_rule():
    """`added` came with a backfill: its rule holds from an earlier date on, but no snapshot has it."""
    known = [{"kind": "audience", "name": name} for name in ("steady", "changed")]
    before = {"as_of": date(2026, 6, 29), "strategies": [*known, {"kind": "stage", "name": "mature"}]}
    rules = [
        ("steady", date(2026, 1, 31)),
        ("changed", date(2026, 1, 31)),
        ("changed", date(2026, 6, 30)),
        ("added", date(2026, 3, 31)),
    ]
    assert unchanged_audiences(before, rules, date(2026, 6, 30)) == {"steady"}
