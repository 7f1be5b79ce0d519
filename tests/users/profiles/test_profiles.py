"""Profiles from customer records that are late, contradict each other or have the wrong type."""

from datetime import UTC, date, datetime

import pytest
from pyspark.sql import DataFrame

from lifestage.users.catalogue.model import Attribute
from lifestage.users.profiles.config import ProfilesConfig
from lifestage.users.profiles.profiles import to_profiles
from support.frames import assert_frames, assert_rows, shuffled

D = date(2026, 3, 11)
END = date(9999, 12, 31)
READ = datetime(2026, 3, 20, 12, tzinfo=UTC)
MEMBERS = "member string, card string, city string, born string, tone string"
CARDS = "card string, city string"
VERSION = "is_ended boolean, extract_date date, valid_from date, valid_to date, known_at timestamp"
CITY = {"from": ["members.city", "cards.city"], "unit": "name", "description": "City"}
USERS = [("m1", "u1"), ("k1", "u1"), ("m2", "u2")]


def day(number, month=3):
    return date(2026, month, number)


def version(*values, since, until=END, ended=False):
    # For lookups, the first version of a record also covers earlier days. Profiles ignore that.
    return (*values, ended, since, date(1, 1, 1), until, READ)


@pytest.fixture
def build_profiles(spark):
    def profiles(members=(), cards=(), attributes=None, dates=(D,), users=USERS):
        declared = {
            name: Attribute.model_validate(each) for name, each in (attributes or {"city": CITY}).items()
        }
        config = ProfilesConfig(
            attributes=declared, named_by={"members": ("member", "card"), "cards": ("card",)}
        )
        tables = {
            "members": spark.createDataFrame([*members], f"{MEMBERS}, {VERSION}"),
            "cards": spark.createDataFrame([*cards], f"{CARDS}, {VERSION}"),
        }
        rows = [(name, user, "active", None) for name, user in users]
        known = spark.createDataFrame(rows, "identifier string, user_id string, status string, only_on date")
        days = spark.createDataFrame([(day,) for day in dates], "as_of date")
        return to_profiles({name: tables[name] for name in config.tables}, known, days, config)

    return profiles


def member(number=1, city=None, born=None, tone=None, card=None, **dates):
    return version(f"m{number}", card, city, born, tone, **dates)


def cities(frame: DataFrame):
    return frame.select("user_id", "as_of", "city")


def test_the_first_source_with_a_value_wins_over_newer_records(build_profiles):
    found = build_profiles([member(city="Bonn", since=day(1))], [version("k1", "Kiel", since=day(9))])
    assert_rows(cities(found), [("u1", D, "Bonn")])


def test_the_newest_wins_where_an_attribute_prefers_it(build_profiles):
    newest = {"city": {**CITY, "prefer": "newest"}}
    members, cards = [member(city="Bonn", since=day(1))], [version("k1", "Kiel", since=day(9))]
    assert_rows(cities(build_profiles(members, cards, newest)), [("u1", D, "Kiel")])
    of_one_day = [version("k1", "Kiel", since=day(1))]
    assert_rows(cities(build_profiles(members, of_one_day, newest)), [("u1", D, "Bonn")])


def test_a_source_without_a_value_is_skipped(build_profiles):
    found = build_profiles([member(since=day(1))], [version("k1", "Kiel", since=day(9))])
    assert_rows(cities(found), [("u1", D, "Kiel")])


def test_in_one_source_the_newest_record_wins_then_the_first_identifier(build_profiles):
    users = [("m1", "u1"), ("m2", "u1")]
    newer = [member(1, "Bonn", since=day(1)), member(2, "Kiel", since=day(2))]
    assert_rows(cities(build_profiles(newer, users=users)), [("u1", D, "Kiel")])
    equal = [member(2, "Kiel", since=day(1)), member(1, "Bonn", since=day(1))]
    assert_rows(cities(build_profiles(equal, users=users)), [("u1", D, "Bonn")])


def test_each_date_has_the_records_valid_on_it(build_profiles):
    moved = [
        member(city="Bonn", since=day(5), until=day(9)),
        member(city="Kiel", since=day(9)),
    ]
    found = build_profiles(moved, dates=[day(4), day(5), day(8), day(9)])
    assert_rows(cities(found), [("u1", day(5), "Bonn"), ("u1", day(8), "Bonn"), ("u1", day(9), "Kiel")])


def test_a_record_that_has_ended_does_not_count(build_profiles):
    rows = [member(city="Bonn", since=day(1), until=day(3)), member(since=day(3), ended=True)]
    assert build_profiles(rows).isEmpty()


def test_a_record_belongs_to_its_strongest_identifier(build_profiles):
    # The card of this record belongs to somebody else.
    found = build_profiles(
        [member(2, "Bonn", card="k1", since=day(1)), version(None, "k1", "Kiel", None, None, since=day(1))]
    )
    assert_rows(cities(found), [("u1", D, "Kiel"), ("u2", D, "Bonn")])


def test_an_identifier_without_a_user_is_its_own_user(build_profiles):
    found = build_profiles([member(7, "Bonn", since=day(1))])
    assert [len(row["user_id"]) for row in found.collect()] == [32]


def test_values_are_cast_and_checked_against_allowed_values(build_profiles):
    attributes = {
        "born_on": {"from": ["members.born"], "unit": "date", "description": "Day of birth"},
        "tone": {"from": ["members.tone"], "unit": "name", "values": ["formal", "casual"], "description": "Tone"},
    }  # fmt: skip
    members = [
        member(1, born="1984-02-29", tone="casual", since=day(1)),
        member(2, born="eighty", tone="rude", since=day(1)),
    ]
    found = build_profiles(members, attributes=attributes)
    assert_rows(found.select("user_id", "born_on", "tone"), [("u1", date(1984, 2, 29), "casual")])


def test_because_names_the_record_of_each_value(build_profiles):
    attributes = {"city": CITY, "tone": {"from": ["members.tone"], "unit": "name", "description": "Tone"}}
    found = build_profiles(
        [member(tone="casual", since=day(3))], [version("k1", "Kiel", since=day(9))], attributes
    )
    because = found.first()["because"]
    assert {name: (why["source"], why["valid_from"]) for name, why in because.items()} == {
        "city": ("cards", day(9)),
        "tone": ("members", day(3)),
    }
    assert {why["known_at"].astimezone(UTC) for why in because.values()} == {READ}


def test_without_values_there_is_no_profile(build_profiles):
    assert build_profiles().isEmpty()
    assert build_profiles([member(since=day(1))]).isEmpty()


def test_order_and_partitions_of_records_do_not_matter(build_profiles):
    members = [member(n % 5, f"c{n % 7}", since=day(1 + n % 3)) for n in range(40)]
    users = [(f"m{n}", f"u{n % 2}") for n in range(5)]
    once = build_profiles(members, users=users)
    again = build_profiles(members[::-1], users=users[::-1])
    assert_frames(shuffled(again), once)
    assert once.count() == 2
