"""Users who merged or parted between dates that were built: from the map, the journal and past dates."""

from datetime import UTC, date, datetime

import pytest

from lifestage.tables.identity import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST
from lifestage.tables.regrouping import regrouped
from support.frames import assert_rows, build

DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def at(day):
    return datetime(2026, 3, day, 23, tzinfo=UTC)


@pytest.fixture
def found(spark):
    def changes(now, journal=(), past=(), built=None):
        """`now`: identifier to user; `journal`: (identifier, from, to, day); `past`: (date, identifier, user)."""
        moves = [
            {"identifier": i, "from_user_id": a, "to_user_id": b, "moved_at": at(day), "withheld": []}
            for i, a, b, day in journal
        ]
        mapped = [{"identifier": i, "user_id": u, "withheld": []} for i, u in now.items()]
        then = [{"as_of": day, "identifier": i, "user_id": u} for day, i, u in past]
        tables = {
            "identity_map": build(spark, IDENTITY_MAP, mapped),
            "identity_past": build(spark, IDENTITY_PAST, then),
            "identity_changes": build(spark, IDENTITY_CHANGES, moves),
        }
        found = regrouped(tables.__getitem__, built or {day: at(day.day) for day in DAYS})
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
    renamed = found({"a": "new", "b": "new"}, [("a", "old", "new", 2), ("b", "old", "new", 2)])
    assert_rows(renamed, [(DAYS[1], "old", "renamed"), (DAYS[1], "new", "renamed")])


def test_what_moved_before_the_first_date_was_built_or_back_again_is_no_change(found):
    assert found({"a": "u", "b": "u"}, [("b", "v", "u", 1)]).isEmpty()
    once, again = {DAYS[0]: at(1), DAYS[2]: at(3)}, [("b", "u", "v", 2), ("b", "v", "u", 3)]
    assert found({"a": "u", "b": "u"}, again, built=once).isEmpty()


def test_dates_of_one_run_differ_by_the_evidence_up_to_them(found):
    one_run = {day: at(4) for day in DAYS}
    merged = found({"a": "u", "b": "u"}, past=[(DAYS[0], "b", "v"), (DAYS[1], "b", "v")], built=one_run)
    assert_rows(merged, [(DAYS[2], "u", "merged"), (DAYS[2], "v", "merged")])


def test_a_date_that_was_built_later_has_who_was_who_by_its_own_evidence(found):
    # The first date was built again after the second, with what is known of it now.
    built = {DAYS[0]: at(5), DAYS[1]: at(2)}
    parted = found({"a": "u", "b": "u"}, [("b", "v", "u", 4)], past=[(DAYS[0], "b", "v")], built=built)
    assert parted.isEmpty()


def test_an_identifier_without_evidence_any_more_is_its_own(found):
    gone = {row["change"] for row in found({"a": "u", "c": "u"}, [("b", "u", "own", 3)]).collect()}
    assert gone == {"split"}
