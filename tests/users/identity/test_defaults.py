"""The packaged limits: what is shared, and what belongs to one person with many identifiers."""

import random
from collections import Counter
from datetime import date
from math import comb

import pytest

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.solving import solve_identities
from lifestage.users.identity.suspicions import find_suspicions
from support.projects import packaged_config

LINKS = "a string, a_type string, b string, b_type string, first_on date"
CARDS = "identifiers: {card: {priority: 1}}\n"


def solve(spark, pairs, changes=""):
    """Rows of identity_map and of identity_suspicions of some pairs under the packaged rules.

    An identifier begins with its type. In the results it is a text again.
    """
    rows = [
        (a.encode().hex(), a.split("-")[0], b.encode().hex(), b.split("-")[0], date(2026, 3, 1))
        for a, b in (sorted(pair) for pair in pairs)
    ]
    config = packaged_config(changes).of(IdentityConfig)
    solved = solve_identities(local_rows(spark, rows, LINKS), config).localCheckpoint()
    return solved.collect(), find_suspicions(solved, config).collect()


def text(identifier):
    return bytes.fromhex(identifier).decode()


def users(rows):
    """The identifiers of each user with several, and the shared identifiers."""
    together = {}
    for row in rows:
        together.setdefault(row["user_id"], set()).add(text(row["identifier"]))
    shared = {text(row["identifier"]) for row in rows if row["status"] == "shared"}
    return sorted(sorted(each) for each in together.values() if len(each) > 1), shared


@pytest.mark.parametrize("kind", ["cookie", "device"])
@pytest.mark.parametrize("account", ["member", "email", "card"])
def test_a_browser_with_two_accounts_is_nobody_s(spark, kind, account):
    pairs = [(f"{kind}-b", f"{account}-1"), (f"{kind}-b", f"{account}-2"), (f"{account}-1", "cookie-own")]
    found, shared = users(solve(spark, pairs, CARDS)[0])
    assert found == [sorted([f"{account}-1", "cookie-own"])]
    assert shared == {f"{kind}-b"}


def test_a_guest_with_a_new_number_for_each_order_is_one_person(spark):
    orders = [("email-guest", f"member-{n}") for n in range(12)]
    rows, suspicions = solve(spark, orders)
    found, shared = users(rows)
    assert (len(found), len(found[0]), shared) == (1, 13, set())
    # It is one person by the limits, and said to be unusual.
    assert {(row["kind"], row["counted"], row["n"]) for row in suspicions} == {
        ("many", "member", 12),
        ("several", "member", 12),
    }


def test_the_address_of_a_shop_is_shared(spark):
    rows, suspicions = solve(spark, [("email-shop", f"member-{n}") for n in range(30)])
    assert users(rows) == ([], {"email-shop"})
    [row] = suspicions
    assert (row["kind"], text(row["identifier"]), row["n"], row["most"]) == ("shared", "email-shop", 30, 20)


@pytest.mark.parametrize(("other", "kind"), [("email", "placeholder"), ("phone", "placeholder")])
def test_a_number_that_stands_for_all_guests_is_shared(spark, other, kind):
    """A placeholder that no list knows is found by what it was seen with."""
    rows, suspicions = solve(spark, [("member-walkin", f"{other}-{n}") for n in range(40)])
    assert users(rows) == ([], {"member-walkin"})
    assert [(row["kind"], row["n"]) for row in suspicions] == [(kind, 40)]


def test_a_person_with_many_cookies_is_one_person(spark):
    rows, suspicions = solve(spark, [("member-m", f"cookie-{n}") for n in range(150)])
    found, shared = users(rows)
    assert (len(found), len(found[0]), shared) == (1, 151, set())
    assert [(row["kind"], row["counted"], row["n"]) for row in suspicions] == [("large", "any", 151)]


def test_a_telephone_of_a_family_joins_nobody(spark):
    pairs = [("phone-home", "member-1"), ("phone-home", "member-2"), ("member-1", "email-1")]
    assert users(solve(spark, pairs)[0]) == ([["email-1", "member-1"]], {"phone-home"})


def test_usual_persons_are_not_suspicious(spark):
    pairs = [("member-1", f"email-{n}") for n in range(2)] + [("member-1", f"cookie-{n}") for n in range(30)]
    rows, suspicions = solve(spark, [*pairs, ("member-1", "phone-1")])
    assert len(users(rows)[0]) == 1
    assert suspicions == []


def plant_population():
    """Pairs of 400 persons and what real data has beside them, and the person of each identifier that has one.

    Beside them are guests with up to 20 numbers, addresses of shops, browsers with two accounts, and numbers that stand
    for guests.
    """
    rng, pairs, person = random.Random(7), set(), {}

    def join(who, one, *others):
        person.update(dict.fromkeys((one, *others), who))
        pairs.update((one, other) for other in others)

    for n in range(400):
        cookies = [f"cookie-{n}.{i}" for i in range(rng.randint(0, 9))]
        addresses = [f"email-{n}.{i}" for i in range(rng.choice((1, 1, 1, 2, 3)))]
        join(f"p{n}", f"member-{n}", *addresses, f"phone-{n}", *cookies)
    for n in range(20):
        join(f"guest{n}", f"email-g{n}", *[f"member-g{n}.{i}" for i in range(n + 1)])
    for n, size in enumerate((25, 60, 200)):
        pairs.update((f"email-shop{n}", f"member-{i}") for i in rng.sample(range(400), size))
        pairs.update((f"member-walkin{n}", f"email-{i}.0") for i in rng.sample(range(400), size))
    for n in range(60):
        pairs.update((f"cookie-shared{n}", f"member-{i}") for i in rng.sample(range(400), 2))
    return pairs, person


def test_a_population_with_planted_hubs_is_resolved_to_its_persons(spark):
    pairs, person = plant_population()
    rows, suspicions = solve(spark, pairs)
    placed = [
        (row["user_id"], person[text(row["identifier"])]) for row in rows if text(row["identifier"]) in person
    ]
    right, joined, true = (
        sum(comb(n, 2) for n in Counter(groups).values())
        for groups in (placed, [user for user, _ in placed], [who for _, who in placed])
    )
    assert (right / joined, right / true) == (1.0, 1.0)
    shared = {text(row["identifier"]) for row in rows if row["status"] == "shared"}
    hubs = {f"email-shop{n}" for n in range(3)} | {f"member-walkin{n}" for n in range(3)}
    assert shared == hubs | {f"cookie-shared{n}" for n in range(60)}
    # Every planted hub is reported.
    assert hubs <= {text(row["identifier"]) for row in suspicions if row["kind"] in ("shared", "placeholder")}
