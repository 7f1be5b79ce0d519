"""Content, digest and revision of a snapshot."""

from datetime import date

import pytest

from activation.publish.builders import DECIDED, TABLES, D, inputs, user
from lifestage.activation.publish.snapshot import describe, latest, next_revision, to_snapshot_users
from support.frames import assert_rows, build, shuffled

USERS = [user(f"u{n}", stage=["mature", "growth"][n % 2], matched={"n": str(n)}) for n in range(12)]


def content(spark, users):
    return to_snapshot_users(*inputs(spark, users))


def digest(spark, users):
    return describe(content(spark, users), DECIDED)["digest"]


@pytest.fixture(scope="module")
def known(spark_session):
    return describe(content(spark_session, USERS), DECIDED)


def test_a_row_is_a_user_with_stage_value_and_segment(spark):
    users = [
        user("u1", r_score=5, f_score=4, m_score=3),
        user("u2", stage=None, rfm_name=None, segment=None, segment_id=None),
        user("till", status="shared"),
    ]
    actual = content(spark, users).select(
        "user_id", "stage", "stage_rule", "rfm_name", "r_score", "segment_id"
    )
    assert_rows(actual, [("u1", "mature", "true", "loyal", 5, 1), ("u2", None, None, None, None, None)])


def test_content_is_counted(known):
    assert (known["n_users"], known["n_distinct"], known["n_null"]["stage"]) == (12, 12, 0)
    assert known["counts"] == {
        "rfm:loyal": 12,
        "segment:regulars": 12,
        "stage:growth": 6,
        "stage:mature": 6,
        "tier:-": 12,
    }


def test_the_digest_does_not_depend_on_order_or_partitions(spark, known):
    assert describe(shuffled(content(spark, USERS[::-1])), DECIDED) == known


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "growth"},
        {"matched": {"n": "99"}},
        {"matched": {"n": None}},
        {"r_score": 1},
        {"user_id": "u99"},
    ],
    ids=str,
)
def test_any_change_changes_the_digest(spark, known, change):
    assert digest(spark, [{**USERS[0], **change}, *USERS[1:]]) != known["digest"]


def test_values_swapped_between_users_change_the_digest(spark, known):
    first, second, *others = USERS
    swapped = [{**first, "stage": second["stage"]}, {**second, "stage": first["stage"]}, *others]
    assert digest(spark, swapped) != known["digest"]


def test_a_duplicate_row_changes_the_digest(spark, known):
    """An exclusive-or digest would not see pairs."""
    assert digest(spark, [*USERS, user("u98"), user("u98")]) != known["digest"]


def test_no_users_have_a_digest_too(spark):
    assert describe(content(spark, []), DECIDED) | {"counts": {}} == {
        "n_users": 0,
        "n_distinct": 0,
        "n_null": {"stage": 0, "rfm_name": 0, "tier": 0, "segment": 0},
        "digest": "0-0",
        "counts": {},
    }


def manifests(spark, *snapshots):
    rows = [
        {"snapshot_id": f"{as_of}.r{revision}", "as_of": as_of, "revision": revision, "digest": digest}
        for as_of, revision, digest in snapshots
    ]
    return build(spark, TABLES["snapshots"], rows)


EARLIER = date(2026, 6, 29)


def test_the_latest_snapshot_is_of_the_greatest_date_then_revision(spark):
    """A late revision of an older date does not become the latest."""
    published = manifests(spark, (D, 1, "a"), (D, 10, "b"), (D, 9, "c"), (EARLIER, 11, "d"))
    assert latest(published)["snapshot_id"] == "2026-06-30.r10"


def test_before_the_first_publication_there_is_no_latest(spark):
    assert latest(manifests(spark)) is None


@pytest.mark.parametrize(
    ("as_of", "digest", "expected"),
    [
        (date(2026, 6, 28), "b", (1, False)),
        (D, "b", (10, True)),
        (D, "c", (11, False)),
        (D, "a", (11, False)),
    ],
    ids=["a new date", "as the newest revision", "something new", "as an older revision"],
)
def test_a_revision_is_added_only_where_the_content_differs_from_the_newest(spark, as_of, digest, expected):
    published = manifests(spark, (D, 1, "a"), (D, 10, "b"), (EARLIER, 11, "b"))
    assert next_revision(published, as_of, digest) == expected
