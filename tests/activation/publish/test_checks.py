"""Checks before a snapshot is published."""

from datetime import date, timedelta

import pytest

from activation.publish.builders import DECIDED, TABLES, publish_config
from lifestage.activation.publish.checks import check_candidate
from lifestage.platform.result import Candidate
from support.frames import build

SOUND = {"n_users": 10, "n_distinct": 10, "n_null": {"stage": 0}, "counts": {}}
DAY = date(2026, 6, 30)
BEFORE = {
    "n_users": 10,
    "snapshot_id": "2026-06-29.r1",
    "as_of": date(2026, 6, 29),
    "counts": {"audience:sleeping": 3},
    "strategies": [{"kind": "audience", "name": "sleeping"}],
}


@pytest.fixture
def checks_of(spark):
    """The checks of a candidate, by name; `tables` are rows of what the checks of results read."""

    def checks(content, before=None, n_merged=0, tables=None, **settings):
        def read(name):
            return build(spark, TABLES[name], (tables or {}).get(name, []))

        candidate = Candidate(DAY, read, {**SOUND, **content}, before, publish_config(**settings))
        return {check.name: check for check in check_candidate(candidate, DECIDED, n_merged)}

    return checks


@pytest.fixture
def failed(checks_of):
    def names(*arguments, **options):
        return [name for name, check in checks_of(*arguments, **options).items() if not check.passed]

    return names


def test_a_sound_snapshot_passes(failed):
    assert failed({}, BEFORE) == []


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"n_users": 0, "n_distinct": 0}, ["has users"]),
        ({"n_distinct": 9}, ["one row a user"]),
        ({"n_null": {"stage": 1}}, ["everyone has a stage"]),
        ({"n_distinct": 9, "n_null": {"stage": 1}}, ["one row a user", "everyone has a stage"]),
    ],
)
def test_every_failed_check_is_reported(failed, content, names):
    assert failed(content) == names


@pytest.mark.parametrize(("n", "names"), [(8, []), (7, ["users did not vanish"]), (99, [])])
def test_the_number_of_users_may_drop_to_the_limit(failed, n, names):
    assert failed({"n_users": n, "n_distinct": n}, BEFORE) == names


@pytest.mark.parametrize(("n_merged", "passed"), [(1, False), (2, True)])
def test_merged_users_have_not_vanished(checks_of, n_merged, passed):
    found = checks_of({"n_users": 7}, BEFORE, n_merged)
    assert found["users did not vanish"].passed is passed


def test_the_first_snapshot_has_no_limit_of_users(failed):
    assert failed({"n_users": 1, "n_distinct": 1}) == []


def test_the_detail_of_a_check_has_its_numbers(checks_of):
    found = checks_of({"n_users": 7}, BEFORE)["users did not vanish"]
    assert found.detail == "7 users, 10 in 2026-06-29.r1, at most 20% fewer allowed"


@pytest.mark.parametrize(
    ("n", "settings", "names"),
    [
        (6, {"min_audience_users": 1}, []),
        (7, {"min_audience_users": 1}, ["audiences did not jump"]),
        (7, {"min_audience_users": 8}, []),
        (7, {"min_audience_users": 1, "max_audience_growth": 2.5}, []),
    ],
)
def test_an_audience_beyond_its_growth_limit_fails(failed, n, settings, names):
    assert failed({"counts": {"audience:sleeping": n}}, BEFORE, **settings) == names


@pytest.mark.parametrize(("n", "names"), [(93, []), (94, ["audiences did not jump"])])
def test_each_day_since_the_snapshot_before_allows_growth(failed, n, names):
    """After 30 days, 3 users may have become 3 x (1 + 30 x (2 - 1))."""
    before = {**BEFORE, "as_of": DAY - timedelta(days=30)}
    assert failed({"counts": {"audience:sleeping": n}}, before, min_audience_users=1) == names


@pytest.mark.parametrize(("n", "names"), [(6, []), (7, ["audiences did not jump"])])
def test_a_republished_date_has_the_limit_of_a_day(failed, n, names):
    before = {**BEFORE, "as_of": DAY}
    assert failed({"counts": {"audience:sleeping": n}}, before, min_audience_users=1) == names


def rules(*dated):
    return {"audience_definitions": [{"audience": name, "from_as_of": day} for name, day in dated]}


def test_an_audience_whose_rule_changed_may_grow(failed):
    assert failed({"counts": {"audience:sleeping": 999}}, BEFORE, tables=rules(("sleeping", DAY))) == []


@pytest.mark.parametrize(
    ("known", "passed", "detail"),
    [
        ({}, True, "nobody is scored"),
        ({"economic": 1200, "social": 1}, True, "economic for 1,200 users, social for 1 user"),
        (
            {"economic": 1200, "social": 0},
            False,
            "social has no data for any user: switch it off (value.yaml: index.dimensions.social.enabled: false), or "
            "add a source that feeds it",
        ),
    ],
)
def test_every_enabled_dimension_has_data(checks_of, known, passed, detail):
    part = {"as_of": DAY, "component": "spend", "weight": 0.5}
    scales = [{**part, "dimension": name, "n_known": n} for name, n in known.items()]
    found = checks_of({}, tables={"value_scales": scales})["value dimensions have data"]
    assert (found.passed, found.detail) == (passed, detail)


def test_a_component_without_data_is_named_with_its_weight(checks_of):
    known = {"spend": 12, "cost_to_serve": 0}
    part = {"as_of": DAY, "dimension": "economic", "weight": 0.1}
    scales = [{**part, "component": name, "n_known": n} for name, n in known.items()]
    found = checks_of({}, tables={"value_scales": scales})["value dimensions have data"]
    assert (found.passed, found.detail) == (
        False,
        "economic.cost_to_serve has no data for any user, and lowers every index by up to 0.1: leave it out (value.yaml: "
        "index.dimensions.economic.components), or add a source that feeds it",
    )


def test_the_detail_of_a_jump_has_its_sizes(checks_of):
    found = checks_of({"counts": {"audience:sleeping": 900}}, BEFORE)["audiences did not jump"]
    assert found.detail == (
        "sleeping: 900 users, 3 in 2026-06-29.r1, at most 2 x as many allowed after 1 day (raise publish.max_audience_growth if this is intended)"
    )


def large(n):
    return {
        "identity_suspicions": [
            {"kind": "large", "user_id": "u7", "identifier": "u7", "counted": "any", "n": n}
        ]
    }


@pytest.mark.parametrize(("n", "passed"), [(500, True), (501, False)])
def test_a_user_with_too_many_identifiers_stops_publication(checks_of, n, passed):
    found = checks_of({}, tables=large(n))["nobody has too many identifiers"]
    assert found.passed is passed
    if not passed:
        assert found.detail == (
            "user u7 has 501 identifiers, at most 500 allowed: lifestage identity u7 shows what joins it; deny a wrong pair or "
            "lower a limit in `identity`, or raise `publish: {max_user_identifiers: ...}` if it is one person"
        )


def test_the_size_that_is_allowed_is_a_setting(failed):
    assert failed({}, tables=large(700), max_user_identifiers=700) == []
    assert failed({}, tables=large(700), max_user_identifiers=600) == ["nobody has too many identifiers"]


def buyers(top, n=100, **columns):
    """Some users who spent 10 each, and one who spent `top`."""
    spent = {**{f"u{number:03}": 10 for number in range(n - 1)}, "big": top}
    rows = [
        {"user_id": user, "as_of": DAY, "status": "active", "net_amount_365d": amount, **columns}
        for user, amount in spent.items()
    ]
    return {"user_features": rows}


@pytest.mark.parametrize(
    ("top", "n", "passed"), [(110, 100, True), (111, 100, False), (100_000, 99, True), (10, 200, True)]
)
def test_a_user_with_too_much_of_the_revenue_stops_publication(checks_of, top, n, passed):
    found = checks_of({}, tables=buyers(top, n))["nobody has too much of the revenue"]
    assert found.passed is passed
    if not passed:
        assert found.detail.startswith(
            "user big: the greatest share is 10.1%, at most 10% allowed: lifestage identity big shows what joins it"
        )


def test_shared_identifiers_and_other_dates_are_no_users_with_revenue(failed):
    assert failed({}, tables=buyers(100_000, status="shared")) == []
    assert failed({}, tables=buyers(100_000, as_of=date(2026, 6, 29))) == []
    assert failed({}, tables=buyers(100_000), max_user_revenue_share=1.0) == []
