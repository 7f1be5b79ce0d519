"""Users who merged or parted between dates that were built: from the map, the journal and past dates."""

from datetime import date
from hashlib import sha256

import pytest

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.regrouping import regrouped
from lifestage.users.identity.tables import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST
from support.frames import assert_rows, build

DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def own(identifier):
    """The user whom nobody else belongs to."""
    return sha256(f"user:{identifier}".encode()).hexdigest()[:32]


@pytest.fixture
def found(spark):
    def changes(now, journal=(), past=(), built=None, users=None):
        """`now`: identifier to user; `journal`: (identifier, from, to, version); `past`: (date, identifier, user), and the
        version they were written in where that is not of the date's build.

        `users`: who was a user on each of `built`; everybody on all of them by default.
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
        found = regrouped(tables.__getitem__, built, known)
        return found.select("as_of", "user_id", "change")

    return changes


def test_where_nothing_moved_nobody_is_another(found):
    assert found({"a": "u", "b": "u"}).isEmpty()


def test_two_that_merge_are_both_told_on_the_date_after(found):
    merged = found({"a": "u", "b": "u", "c": "u"}, [("c", "v", "u", 2)])
    assert_rows(merged, [(DAYS[1], "u", "merged"), (DAYS[1], "v", "merged")])


def test_one_that_parts_is_told_with_the_part(found):
    parted = found({"a": "u", "b": "v"}, [("b", "u", "v", 3)])
    assert_rows(parted, [(DAYS[2], "u", "split"), (DAYS[2], "v", "split")])


def test_the_same_identifiers_under_an_older_name_are_renamed(found):
    moves, users = [("a", "old", "new", 2), ("b", "old", "new", 2)], [{"old"}, {"new"}, {"new"}]
    renamed = found({"a": "new", "b": "new"}, moves, users=users)
    assert_rows(renamed, [(DAYS[1], "old", "renamed"), (DAYS[1], "new", "renamed")])


def test_what_moved_before_the_first_date_was_built_or_back_again_is_no_change(found):
    assert found({"a": "u", "b": "u"}, [("b", "v", "u", 1)]).isEmpty()
    once, again = [(DAYS[0], 1), (DAYS[2], 3)], [("b", "u", "v", 2), ("b", "v", "u", 3)]
    assert found({"a": "u", "b": "u"}, again, built=once).isEmpty()


def test_dates_of_one_run_differ_by_the_evidence_up_to_them(found):
    one_run = [(day, 4) for day in DAYS]
    merged = found({"a": "u", "b": "u"}, past=[(DAYS[0], "b", "v"), (DAYS[1], "b", "v")], built=one_run)
    assert_rows(merged, [(DAYS[2], "u", "merged"), (DAYS[2], "v", "merged")])


def test_a_date_that_was_built_later_has_who_was_who_by_its_own_evidence(found):
    # The first date was built again after the second, with what is known of it now.
    built = [(DAYS[0], 5), (DAYS[1], 2)]
    parted = found({"a": "u", "b": "u"}, [("b", "v", "u", 4)], past=[(DAYS[0], "b", "v")], built=built)
    assert parted.isEmpty()


def test_an_identifier_without_evidence_any_more_is_its_own(found):
    gone = {row["change"] for row in found({"a": "u", "c": "u"}, [("b", "u", "own", 3)]).collect()}
    assert gone == {"split"}


def test_who_comes_with_two_identifiers_at_once_is_new_and_merged_with_nobody(found):
    # The member was there before no more than the cookie: the journal has the cookie move all the same.
    news = [{"other"}, {"other", "u"}, {"other", "u"}]
    assert found({"m": "u", "c": "u"}, [("c", "own", "u", 2)], users=news).isEmpty()


def test_a_visitor_who_turns_out_to_be_a_new_member_is_renamed(found):
    users = [{"own"}, {"u"}, {"u"}]
    renamed = found({"m": "u", "c": "u"}, [("c", "own", "u", 2)], users=users)
    assert_rows(renamed, [(DAYS[1], "own", "renamed"), (DAYS[1], "u", "renamed")])


def test_what_parts_from_a_user_and_is_nobody_takes_nothing_away(found):
    users = [{"u"}, {"u"}, {"u"}]
    assert found({"a": "u", "b": "own"}, [("b", "u", "own", 2)], users=users).isEmpty()


def test_one_date_that_was_built_twice_has_the_moves_between(found):
    twice = [(DAYS[0], 1), (DAYS[0], 3)]
    merged = found({"a": "u", "b": "u"}, [("b", "v", "u", 2)], built=twice, users=[{"u", "v"}, {"u"}])
    assert_rows(merged, [(DAYS[0], "u", "merged"), (DAYS[0], "v", "merged")])


def test_one_that_parts_and_leaves_the_map_is_split_all_the_same(found):
    # No evidence names either any more, and the one that keeps the name did not move.
    alone = own("b")
    parted = found({}, [("b", "u", alone, 2)], users=[{"u"}, {"u", alone}, {"u", alone}])
    assert_rows(parted, [(DAYS[1], "u", "split"), (DAYS[1], alone, "split")])


def test_rows_of_a_later_build_of_a_date_say_nothing_of_an_earlier_one(found):
    twice = [(DAYS[1], 2), (DAYS[1], 5)]
    journal = [("x", "x1", "z", 4), ("y", "y1", "z", 4)]
    past = [(DAYS[1], "x", "p", 5), (DAYS[1], "y", "p", 5)]
    users = [{"x1", "y1"}, {"p"}]
    merged = found({"x": "z", "y": "z"}, journal, past, twice, users)
    assert_rows(merged, [(DAYS[1], user, "merged") for user in ("p", "x1", "y1")])


def test_the_other_way_round_what_merged_is_split(found):
    back = [(DAYS[1], 2), (DAYS[0], 1)]
    split = found({"a": "u", "c": "u"}, [("c", "v", "u", 2)], built=back)
    assert_rows(split, [(DAYS[0], "u", "split"), (DAYS[0], "v", "split")])
