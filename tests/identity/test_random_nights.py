"""Random evidence night by night, with late rows, corrections and deletes: the map is always what the definition says."""

import random
from datetime import date

import pytest

from identity.model import Link, who_is_who
from identity.world import STEPS, World
from support.frames import assert_frames
from support.projects import copy_of

pytestmark = pytest.mark.slow
NIGHTS = range(1, 6)
LIMITS = {"device": {"member": 2}, "phone": {"member": 1}}
PEOPLE = {"cookie": 6, "member": 4, "device": 2}


class Shop:
    """Events that are live, by id: day, version, identifiers."""

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
        kinds = self.random.sample(sorted(PEOPLE), 2)
        named = {kind: f"{kind}-{self.random.randrange(PEOPLE[kind])}" for kind in kinds}
        self.live[event] = (day, version, named)
        return (event, day, named, version, False)


def links_of(shop, known):
    """Every pair that a live event or a customer record names."""
    for day, _, named in shop.live.values():
        yield Link(*named.values(), date(2026, 3, day))
    for member, phone, day in known:
        yield Link(member, phone, date(2026, 3, day))


def groups(members):
    """Identifier to whom it is one person with, from (user, status) of each."""
    together = {}
    for name, (user, _) in members.items():
        together.setdefault(user, set()).add(name)
    return {name: (together[user], status) for name, (user, status) in members.items()}


def mapped(world):
    rows = world.test.read("identity_map").collect()
    return groups({world.names[row["identifier"]]: (row["user_id"], row["status"]) for row in rows})


@pytest.mark.parametrize("seed", range(3))
def test_every_night_gives_the_persons_of_the_definition(spark, tmp_path, seed):
    world, shop, known = World(spark, tmp_path / "nightly"), Shop(seed), []
    for day in NIGHTS:
        world.see(*shop.night(day))
        if day % 2:
            known.append((f"member-{shop.random.randrange(4)}", f"+4977777{day}", day))
            world.know(known[-1])
        world.run(day)
        assert mapped(world) == groups(who_is_who([*links_of(shop, known)], world.day(day), LIMITS))
    once = copy_of(world.test, tmp_path / "once")
    once.run(str(world.day(NIGHTS[-1])), steps=STEPS)
    for name in ("link_days", "links", "identity_map"):
        assert_frames(world.test.read(name), once.read(name))
