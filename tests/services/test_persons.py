"""Persons found by their names on any date, and shown with the evidence that joins them."""

import pytest
from pyspark.sql import functions as F

from lifestage.cli.identity import person_lines
from lifestage.platform.errors import NoDataError
from lifestage.services.completed import CompletedTables, find_last_run
from lifestage.services.identifiers import find_identifiers
from lifestage.services.persons import describe_person
from lifestage.users.resolution import user_id_of
from support.projects import ALL_STEPS
from users.identity.world import World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(spark_session, tmp_path_factory):
    """A cookie and a card that become one on the third; a telephone that two share; somebody alone."""
    world = World(spark_session, tmp_path_factory.mktemp("persons") / "p")
    world.deliver_events(
        ("1", 1, {"cookie": "c", "kind": "purchase", "amount": "30.00"}),
        ("2", 1, {"member": "k", "kind": "return", "amount": "-30.00"}),
        ("3", 2, {"cookie": "c"}),
        ("4", 2, {"member": "k", "kind": "purchase", "amount": "10.00"}),
        ("5", 3, {"cookie": "c", "member": "k"}),
        ("6", 1, {"cookie": "alone"}),
    )
    world.deliver_profiles(("k", "+49777777", 3), ("other", "+49777777", 3))
    world.run(2, steps=ALL_STEPS)
    world.run(3, steps=ALL_STEPS)
    return world


def names(world, rows):
    return sorted(world.names[row["identifier"]] for row in rows)


def found(world, name, day):
    project = world.test.project
    return find_identifiers(CompletedTables(project, find_last_run(project)), name, world.day(day))


def user_of(world, name, day):
    return found(world, name, day)[0]["user_id"]


def test_any_name_finds_the_same_person_on_the_newest_date(world):
    for name in ("c", "k", user_of(world, "c", 3)):
        assert names(world, found(world, name, 3)) == ["c", "k"]


def test_the_person_was_two_users_on_an_earlier_date(world):
    assert names(world, found(world, "c", 2)) == ["c"]
    assert names(world, found(world, "k", 2)) == ["k"]


def test_a_merged_user_is_reported_with_their_present_user(world):
    now = user_of(world, "c", 3)
    before = {user_of(world, name, 2) for name in ("c", "k")} - {now}
    with pytest.raises(NoDataError, match=f"has been user {now} since 2026-03-03: merged"):
        found(world, before.pop(), 3)


def test_a_user_without_evidence_is_found_and_an_unknown_one_is_not(world):
    assert names(world, found(world, "alone", 3)) == ["alone"]
    with pytest.raises(NoDataError, match="no user has that name"):
        found(world, "somebody", 3)


def test_a_withheld_link_names_its_limit(world):
    person = describe_person(world.test.project, "k")
    assert [(world.names[each["identifier"]], each["is_key"]) for each in person["identifiers"]] == [
        (name, user_id_matches(world, name, person["user_id"])) for name in sorted_by_pseudonym(world, "ck")
    ]
    against = {each["source"]: each["against"] for each in person["evidence"]}
    assert against == {"web": [], "profiles": ["phone is shared: member > 1"]}
    assert [each["cause"] for each in person["changes"]] == ["merged"]


def user_id_matches(world, name, user_id):
    by_name = {name: identifier for identifier, name in world.names.items()}
    rows = world.test.read("identity_map").where(F.col("identifier") == by_name[name])
    return not rows.where(user_id_of(F.col("identifier")) == user_id).isEmpty()


def sorted_by_pseudonym(world, wanted):
    return [name for _, name in sorted(world.names.items()) if name in wanted]


def test_the_lines_of_a_person_name_no_raw_identifier(world):
    told = "\n".join(" ".join(line) for line in person_lines(describe_person(world.test.project, "k")))
    assert "does not count: phone is shared: member > 1" in told
    assert "+49777777" not in told


def test_days_of_two_subjects_of_one_user_merge_as_defined(world):
    """Known answer: on the first day 30.00 bought and returned, on the second 10.00 bought."""
    rows = world.test.read("user_features").where(F.col("as_of") == world.day(3))
    mine = rows.where(F.col("user_id") == user_of(world, "c", 3)).first()
    assert (mine["active_days_90d"], mine["occasions_all"], str(mine["net_amount_all"])) == (3, 1, "10.00")


def test_late_evidence_does_not_count_on_a_date_that_was_built_without_it(spark, tmp_path):
    world = World(spark, tmp_path / "late")
    world.deliver_events(("1", 1, {"cookie": "c"}), ("2", 1, {"member": "k"}))
    world.run(2, steps=ALL_STEPS)
    world.deliver_events(("3", 1, {"cookie": "c", "member": "k"}))
    world.run(3, steps=ALL_STEPS)
    assert names(world, found(world, "c", 2)) == ["c"]
    assert names(world, found(world, "c", 3)) == ["c", "k"]
    [late] = describe_person(world.test.project, "c", world.day(2))["evidence"]
    assert late["against"] == ["not joined when this date was built"]
