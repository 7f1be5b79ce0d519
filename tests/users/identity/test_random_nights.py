"""Random evidence, night by night, with late rows, corrections and deletes: the map equals the reference implementation."""

import random
from datetime import date
from itertools import combinations

import pytest

from lifestage.users.identity import suspicions
from lifestage.users.resolution import resolve_users
from support.frames import assert_frames
from support.projects import MAIN, copy_of, delta_store
from users.identity.model import Link, resolve_reference
from users.identity.world import STEPS, World

pytestmark = pytest.mark.slow
NIGHTS = range(1, 6)
BEFORE = 3
LIMITS = {"cookie": {"member": 4}, "device": {"member": 2}, "phone": {"member": 1}}
ON_DRIVER, ON_CLUSTER = 20_000_000, 0
PEOPLE = {"cookie": 6, "member": 4, "device": 2}


class Shop:
    """Random events. `live` has the current ones by id: day, version, identifiers."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.live = {}
        self.deleted = {}

    def night(self, day):
        """Rows of a file: new events of up to three days before, corrections and deletes of older ones."""
        rows = []
        for n in range(self.random.randint(3, 6)):
            event = f"{day}-{n}"
            rows.append(self._put(event, max(1, day - self.random.choice((0, 0, 0, 1, 3))), 1))
        for event in self.random.sample(sorted(self.live), min(2, len(self.live))):
            if event.startswith(f"{day}-"):
                continue
            when, version, named = self.live[event]
            if self.random.random() < 0.5:
                del self.live[event]
                rows.append((event, when, named, version + 1, True))
            else:
                rows.append(self._put(event, when, version + 1))
        return rows

    def _put(self, event, day, version):
        kinds = self.random.sample(sorted(PEOPLE), self.random.choice((2, 2, 3)))
        named = {kind: f"{kind}-{self.random.randrange(PEOPLE[kind])}" for kind in kinds}
        self.live[event] = (day, version, named)
        return (event, day, named, version, False)


def links_of(shop, known):
    """A link for each pair of identifiers on a live event or a customer record."""
    for day, _, named in shop.live.values():
        for one, other in combinations(named.values(), 2):
            yield Link(one, other, date(2026, 3, day))
    for member, phone, day in known:
        yield Link(member, phone, date(2026, 3, day))


def groups(members):
    """Identifier to (all identifiers of its user, status), from (user, status) of each."""
    together = {}
    for name, (user, _) in members.items():
        together.setdefault(user, set()).add(name)
    return {name: (together[user], status) for name, (user, status) in members.items()}


def group_rows(world, rows):
    named = {world.names[row["identifier"]]: (row["user_id"], row["status"]) for row in rows.collect()}
    return groups(named)


def read_earlier_date(world):
    day = world.day(BEFORE)
    users = resolve_users(world.test.read("identity_map"), world.test.read("identity_past"), [day])
    return group_rows(world, users.where("only_on IS NULL OR only_on = DATE'2026-03-03'"))


@pytest.mark.parametrize(("seed", "driver_links"), [(0, ON_DRIVER), (1, ON_DRIVER), (2, ON_CLUSTER)])
def test_every_night_gives_the_users_of_the_definition(spark, tmp_path, monkeypatch, seed, driver_links):
    # So few identifiers are unusual only by small numbers.
    monkeypatch.setattr(suspicions, "USUAL", 1)
    monkeypatch.setattr(suspicions, "LARGE", 4)
    main = f"{MAIN}identity: {{driver_links: {driver_links}, limits: {LIMITS}}}\n"
    # Nights on Delta, the rebuild below in memory: both have to give the same.
    folder = tmp_path / "nightly"
    world, shop, known = World(spark, folder, main, store=delta_store(spark, folder)), Shop(seed), []
    for day in NIGHTS:
        world.deliver_events(*shop.night(day))
        if day % 2:
            known.append((f"member-{shop.random.randrange(4)}", f"+4977777{day}", day))
            world.deliver_profiles(known[-1])
        world.run(day)
        expected = groups(resolve_reference([*links_of(shop, known)], world.day(day), LIMITS))
        assert group_rows(world, world.test.read("identity_map")) == expected
    world.run(BEFORE, now="2026-03-06T12:00:00+00:00")
    then = groups(resolve_reference([*links_of(shop, known)], world.day(BEFORE), LIMITS))
    # An identifier without evidence by then is a user of its own.
    assert read_earlier_date(world) == {name: ({name}, "active") for name in expected} | then
    once = copy_of(world.test, tmp_path / "once")
    once.run(str(world.day(NIGHTS[-1])), steps=STEPS)
    assert once.read("identity_suspicions").count() > 1
    for name in ("link_days", "links", "identity_map", "identity_suspicions"):
        assert_frames(world.test.read(name), once.read(name))
