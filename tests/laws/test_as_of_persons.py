"""Law 1 where persons differ by date: whom evidence of later days joined or parted is on an old date who they were then."""

import pytest
from pyspark.sql import functions as F

from lifestage.users.resolution import resolve_users
from support.frames import assert_frames
from support.projects import ALL_STEPS, MAIN, copy_of, delta_store
from users.identity.world import LIMITS, World

pytestmark = pytest.mark.slow

FIRST, LATER = 2, 4
AGAIN = (
    "identity",
    "profiles",
    "features",
    "stages",
    "value",
    "segments",
    "channels",
    "audiences",
    "publish",
)
DATED = (
    *("user_profiles", "norms", "user_features", "user_stages", "stage_totals", "rfm_cuts", "value_scales"),
    *("tier_cuts", "user_value", "user_segments", "user_audiences"),
    *(
        "value_totals",
        "spend_shares",
        "segment_totals",
        "segment_profiles",
        "channel_totals",
        "channel_reach",
        "audience_totals",
    ),
)
FEATURES = """
profile:
  is_in_file: {from: [profiles.since IS NOT NULL], unit: flag, description: Whether the customer file knows somebody}
"""


def bought(event, day, amount, **named):
    return (event, day, {"kind": "purchase", "amount": amount, **named})


def deliver_first(world):
    """Two cookies, each of somebody who bought; a device that one member used."""
    world.deliver_events(
        bought("1", 1, "30.00", cookie="c"),
        bought("2", 1, "20.00", member="m"),
        bought("3", 2, "5.00", cookie="d"),
        ("4", 2, {"device": "k", "member": "m"}),
        bought("5", 2, "1.00", device="k"),
    )
    world.deliver_profiles(("m", "+49777771", 1))


def deliver_later(world):
    """The member is one person with both cookies, and the device turns out to be a kiosk."""
    world.deliver_events(
        ("6", 3, {"cookie": "c", "member": "m"}),
        ("7", 4, {"cookie": "d", "member": "m"}),
        *[(f"k{n}", 4, {"device": "k", "member": f"guest{n}"}) for n in (1, 2, 3)],
        bought("8", 4, "7.00", cookie="c"),
    )


def rows(test, table, day):
    """A table's rows of a date now, whatever is written later."""
    return test.read(table).where(F.col("as_of") == F.lit(World.day(day))).localCheckpoint()


@pytest.fixture(scope="module")
def built(spark_session, tmp_path_factory):
    """Two dates, each as it was when it was the newest; then the first again, when later evidence is there."""
    folder = tmp_path_factory.mktemp("as_of_persons")
    store = delta_store(spark_session, folder / "p")
    world = World(spark_session, folder / "p", MAIN + LIMITS, store=store, features=FEATURES)
    deliver_first(world)
    world.run(FIRST, steps=ALL_STEPS)
    before = {(table, FIRST): rows(world.test, table, FIRST) for table in DATED}
    deliver_later(world)
    world.run(LATER, steps=ALL_STEPS)
    before |= {(table, LATER): rows(world.test, table, LATER) for table in DATED}
    world.run(FIRST, now="2026-03-05T06:00:00+00:00", steps=AGAIN)
    return world, before


@pytest.fixture(scope="module")
def once(built, tmp_path_factory):
    """Both dates built in one run from the same files."""
    once = copy_of(built[0].test, tmp_path_factory.mktemp("as_of_persons") / "once")
    once.run("2026-03-02,2026-03-04", steps=ALL_STEPS)
    return once


def spent(world, day):
    """Net spend of every user of a date, by their identifiers then."""
    users = resolve_users(world.test.read("identity_map"), world.test.read("identity_past"), [world.day(day)])
    then = users.where(F.col("only_on").isNull() | (F.col("only_on") == F.lit(world.day(day))))
    names = {}
    for row in then.collect():
        names.setdefault(row["user_id"], []).append(world.names[row["identifier"]])
    features = rows(world.test, "user_features", day).collect()
    return {" ".join(sorted(names[row["user_id"]])): str(row["net_amount_all"]) for row in features}


def test_each_date_has_the_persons_of_then(built):
    world, _ = built
    assert spent(world, FIRST) == {"c": "30.00", "d": "5.00", "+49777771 k m": "21.00"}
    assert spent(world, LATER).items() >= {"+49777771 c d m": "62.00", "k": "1.00"}.items()


@pytest.mark.parametrize("table", DATED)
def test_an_old_date_built_after_later_evidence_has_the_same_rows(built, table):
    world, before = built
    for day in (FIRST, LATER):
        assert_frames(rows(world.test, table, day), before[table, day])


@pytest.mark.parametrize("table", DATED)
def test_both_dates_built_in_one_run_have_the_same_rows(built, once, table):
    _, before = built
    for day in (FIRST, LATER):
        # When a record was read is another in a run of its own.
        found, expected = (frame.drop("because") for frame in (rows(once, table, day), before[table, day]))
        assert_frames(found, expected)
