"""Regrouped users: merged, split or renamed between dates, from the map, its changes and past dates."""

from datetime import date
from hashlib import sha256

import pytest

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.regrouping import find_regrouped_users
from lifestage.users.identity.tables import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST
from support.frames import assert_rows, build

DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def own(identifier):
    """The user_id of an identifier that is a user of its own."""
    return sha256(f"user:{identifier}".encode()).hexdigest()[:32]


@pytest.fixture
def find_changes(spark):
    def changes(now, journal=(), past=(), built=None, users=None):
        """The regrouped users of a small world.

        `now`: identifier to user. `journal`: (identifier, from, to, version). `past`: (date, identifier, user), with
        a version where it differs from that of the date's build. `users`: the users on each of `built`; by default
        everybody on all of them.
        """
        moves = [
            {"identifier": i, "from_user_id": a, "to_user_id": b, "journal_version": version, "withheld": []}
            for i, a, b, version in journal
        ]
        mapped = [{"identifier": i, "user_id": u, "withheld": []} for i, u in now.items()]
        built = built or [(day, day.day) for day in DAYS]
        then = [
            {"as_of": day, "identifier": i, "user_id": u, "journal_version": version or dict(built)[day]}
            for day, i, u, version in [(*row, None)[:4] for row in past]
        ]
        tables = {
            "identity_map": build(spark, IDENTITY_MAP, mapped),
            "identity_past": build(spark, IDENTITY_PAST, then),
            "identity_changes": build(spark, IDENTITY_CHANGES, moves),
        }
        everybody = {*now.values(), *[row[2] for row in past], *[u for _, a, b, _ in journal for u in (a, b)]}
        everybody |= {own(i) for i, *_ in journal}
        there = [
            (user, day, version)
            for n, (day, version) in enumerate(built)
            for user in (everybody if users is None else users[n])
        ]
        known = local_rows(spark, there, "user_id string, as_of date, journal_version bigint")
        found = find_regrouped_users(tables.__getitem__, built, known)
        return found.select("as_of", "user_id", "change")

    return changes


def test_without_changes_no_user_is_regrouped(find_changes):
    assert find_changes({"a": "u", "b": "u"}).isEmpty()


def test_two_users_who_merge_are_both_merged_on_the_later_date(find_changes):
    merged = find_changes({"a": "u", "b": "u", "c": "u"}, [("c", "v", "u", 2)])
    assert_rows(merged, [(DAYS[1], "u", "merged"), (DAYS[1], "v", "merged")])


def test_both_parts_of_a_split_are_split(find_changes):
    split = find_changes({"a": "u", "b": "v"}, [("b", "u", "v", 3)])
    assert_rows(split, [(DAYS[2], "u", "split"), (DAYS[2], "v", "split")])


def test_the_same_identifiers_with_another_key_are_renamed(find_changes):
    moves, users = [("a", "old", "new", 2), ("b", "old", "new", 2)], [{"old"}, {"new"}, {"new"}]
    renamed = find_changes({"a": "new", "b": "new"}, moves, users=users)
    assert_rows(renamed, [(DAYS[1], "old", "renamed"), (DAYS[1], "new", "renamed")])


def test_changes_before_the_first_build_and_changes_that_are_undone_do_not_count(find_changes):
    assert find_changes({"a": "u", "b": "u"}, [("b", "v", "u", 1)]).isEmpty()
    once, again = [(DAYS[0], 1), (DAYS[2], 3)], [("b", "u", "v", 2), ("b", "v", "u", 3)]
    assert find_changes({"a": "u", "b": "u"}, again, built=once).isEmpty()


def test_dates_of_one_run_differ_by_the_evidence_up_to_them(find_changes):
    one_run = [(day, 4) for day in DAYS]
    merged = find_changes(
        {"a": "u", "b": "u"}, past=[(DAYS[0], "b", "v"), (DAYS[1], "b", "v")], built=one_run
    )
    assert_rows(merged, [(DAYS[2], "u", "merged"), (DAYS[2], "v", "merged")])


def test_a_date_built_again_has_the_users_of_its_own_evidence(find_changes):
    # The first date was built again after the second, with the evidence of now.
    built = [(DAYS[0], 5), (DAYS[1], 2)]
    split = find_changes({"a": "u", "b": "u"}, [("b", "v", "u", 4)], past=[(DAYS[0], "b", "v")], built=built)
    assert split.isEmpty()


def test_an_identifier_that_lost_its_evidence_is_split_off(find_changes):
    gone = {row["change"] for row in find_changes({"a": "u", "c": "u"}, [("b", "u", "own", 3)]).collect()}
    assert gone == {"split"}


def test_a_user_with_two_identifiers_on_the_first_day_is_new_and_not_merged(find_changes):
    # Neither member nor cookie was a user before, but the journal has a change of the cookie.
    news = [{"other"}, {"other", "u"}, {"other", "u"}]
    assert find_changes({"m": "u", "c": "u"}, [("c", "own", "u", 2)], users=news).isEmpty()


def test_a_visitor_who_turns_out_to_be_a_new_member_is_renamed(find_changes):
    users = [{"own"}, {"u"}, {"u"}]
    renamed = find_changes({"m": "u", "c": "u"}, [("c", "own", "u", 2)], users=users)
    assert_rows(renamed, [(DAYS[1], "own", "renamed"), (DAYS[1], "u", "renamed")])


def test_a_part_that_is_no_user_does_not_split_a_user(find_changes):
    users = [{"u"}, {"u"}, {"u"}]
    assert find_changes({"a": "u", "b": "own"}, [("b", "u", "own", 2)], users=users).isEmpty()


def test_two_builds_of_one_date_differ_by_the_changes_between(find_changes):
    twice = [(DAYS[0], 1), (DAYS[0], 3)]
    merged = find_changes({"a": "u", "b": "u"}, [("b", "v", "u", 2)], built=twice, users=[{"u", "v"}, {"u"}])
    assert_rows(merged, [(DAYS[0], "u", "merged"), (DAYS[0], "v", "merged")])


def test_a_split_that_leaves_no_rows_in_the_map_is_a_split(find_changes):
    # Neither identifier has evidence any more, and the one that keeps the user_id did not move.
    alone = own("b")
    split = find_changes({}, [("b", "u", alone, 2)], users=[{"u"}, {"u", alone}, {"u", alone}])
    assert_rows(split, [(DAYS[1], "u", "split"), (DAYS[1], alone, "split")])


def test_rows_of_a_later_build_do_not_apply_to_an_earlier_one(find_changes):
    twice = [(DAYS[1], 2), (DAYS[1], 5)]
    journal = [("x", "x1", "z", 4), ("y", "y1", "z", 4)]
    past = [(DAYS[1], "x", "p", 5), (DAYS[1], "y", "p", 5)]
    users = [{"x1", "y1"}, {"p"}]
    merged = find_changes({"x": "z", "y": "z"}, journal, past, twice, users)
    assert_rows(merged, [(DAYS[1], user, "merged") for user in ("p", "x1", "y1")])


def test_in_reverse_order_a_merge_is_a_split(find_changes):
    back = [(DAYS[1], 2), (DAYS[0], 1)]
    split = find_changes({"a": "u", "c": "u"}, [("c", "v", "u", 2)], built=back)
    assert_rows(split, [(DAYS[0], "u", "split"), (DAYS[0], "v", "split")])
