"""Which evidence counts, and who a person is known as: known answers, and random graphs against the definition."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.components import on_cluster, on_driver
from lifestage.users.identity.config import IdentityConfig, IdentitySettings, Pair
from lifestage.users.identity.rules import solved
from lifestage.users.identity.solving import person_of
from users.identity.model import Link, kind_of, who_is_who

DAY = date(2026, 3, 1)
LIMITS = {"device": {"member": 2}, "phone": {"member": 1}}
LINKS = "a string, a_type string, b string, b_type string, first_on date"


def link(a, b, day=0):
    return Link(a, b, DAY + timedelta(days=day))


def pseudonym(name):
    """Like one of a key, in that it is hexadecimal; in the order of the names."""
    return name.encode().hex()


def name_of(pseudonym):
    return bytes.fromhex(pseudonym).decode()


def frame(spark, links, as_of):
    first = {}
    for each in links:
        if each.on <= as_of:
            first[each.ends] = min(first.get(each.ends, each.on), each.on)
    rows = [(pseudonym(a), kind_of(a), pseudonym(b), kind_of(b), on) for (a, b), on in sorted(first.items())]
    return local_rows(spark, rows, LINKS)


def config(limits, allow=(), deny=()):
    # Not of a pseudonym's length.
    pairs = {
        name: tuple(Pair.model_construct(a=pseudonym(a), b=pseudonym(b), because="") for a, b in given)
        for name, given in (("allow", allow), ("deny", deny))
    }
    return IdentityConfig.model_construct(limits=limits, **pairs)


def answer(spark, links, as_of=DAY + timedelta(days=99), limits=LIMITS, allow=(), deny=(), by=on_driver):
    rows = solved(frame(spark, links, as_of), config(limits, allow, deny), by).collect()
    found = {name_of(row["identifier"]): (name_of(row["key_identifier"]), row["status"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_without_evidence_there_is_nobody(spark):
    assert answer(spark, []) == {}


def test_a_cookie_a_login_and_a_card_are_one_person_known_by_the_oldest(spark):
    links = [link("cookie-1", "member-1", 5), link("member-1", "card-1", 2), link("cookie-2", "member-2", 1)]
    assert answer(spark, links) == {
        "cookie-1": ("card-1", "active"),
        "member-1": ("card-1", "active"),
        "card-1": ("card-1", "active"),
        "cookie-2": ("cookie-2", "active"),
        "member-2": ("cookie-2", "active"),
    }


def test_a_device_of_many_is_shared_and_joins_nobody(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(3)] + [link("member-0", "cookie-0", 9)]
    found = answer(spark, links)
    assert found["device-k"] == ("device-k", "shared")
    assert found["member-0"] == found["cookie-0"] == ("member-0", "active")
    assert found["member-1"] == ("member-1", "active")


def test_a_device_within_its_limit_joins(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(2)]
    assert set(answer(spark, links).values()) == {("device-k", "active")}


def test_an_identifier_crosses_its_limit_on_the_day_on_which_it_does(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(3)]
    before, after = (answer(spark, links, DAY + timedelta(days=day)) for day in (1, 2))
    assert before["member-0"] == before["member-1"] == ("device-k", "active")
    assert after["member-0"] != after["member-1"]


def test_what_is_shared_counts_for_the_limits_of_others(spark):
    """So that no order in which identifiers are looked at decides."""
    links = [link("phone-1", "member-1"), link("phone-1", "member-2"), link("device-1", "member-1"), link("device-1", "member-2"), link("device-1", "member-3")]  # fmt: skip
    found = answer(spark, links)
    assert {found[one][1] for one in ("phone-1", "device-1")} == {"shared"}


def test_decisions_win_over_limits_and_evidence(spark):
    hub = [link("device-k", f"member-{n}", n) for n in range(3)]
    allowed = answer(spark, hub, allow=[("device-k", "member-1")])
    assert allowed["device-k"] == allowed["member-1"] == ("member-1", "active")
    denied = answer(spark, hub, deny=[("device-k", "member-1")])
    assert denied["device-k"] == denied["member-2"] == ("device-k", "active")
    assert "member-1" not in denied


def test_a_person_found_by_their_links_has_the_decisions_too(spark):
    """A pair that is denied does not count for a limit, whichever way somebody is looked for."""
    links = [link("device-k", f"member-{n}", n) for n in range(2)] + [link("device-k", "member-x")]
    rules = config(LIMITS, deny=[("device-k", "member-x")]).model_copy(update={"driver_links": 100})
    seeds = local_rows(spark, [(pseudonym("member-0"),)], "identifier string")
    found = person_of(frame(spark, links, DAY + timedelta(days=9)), seeds, rules).collect()
    assert sorted(name_of(row["identifier"]) for row in found) == ["device-k", "member-0", "member-1"]
    assert len({row["user_id"] for row in found}) == 1


def test_a_pair_that_is_allowed_and_denied_is_no_decision():
    a, b = "0" * 32, "1" * 32
    with pytest.raises(ValueError, match=f"both allowed and denied: {a} and {b}"):
        IdentitySettings(
            limits={}, known=[], driver_links=0, allow=[{"a": a, "b": b}], deny=[{"a": b, "b": a}]
        )


def test_who_is_named_by_a_decision_alone_comes_last(spark):
    found = answer(spark, [link("member-2", "cookie-2", 50)], allow=[("card-1", "member-2")])
    assert set(found.values()) == {("cookie-2", "active")}


def test_the_limits_that_are_exceeded_are_named(spark):
    links = frame(spark, [link("device-k", f"member-{n}") for n in range(3)], DAY)
    rows = (
        solved(links, config(LIMITS), on_driver).where(F.col("identifier") == pseudonym("device-k")).collect()
    )
    assert [row["withheld"] for row in rows] == [["member > 2"]]


names = st.sampled_from([f"{kind}-{n}" for kind in ("member", "device", "phone", "cookie") for n in range(4)])
pairs = st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: tuple(sorted(pair)))
graphs = st.tuples(
    st.lists(st.tuples(pairs, st.integers(0, 20)), max_size=14),
    st.lists(pairs, max_size=2),
    st.lists(pairs, max_size=2),
)


def named(number, pair):
    """Each graph has identifiers of its own, so that many are solved at once."""
    return tuple(f"{name}-{number}" for name in pair)


@pytest.mark.parametrize("by", [on_driver, on_cluster])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(many=st.lists(graphs, min_size=40, max_size=40), day=st.integers(0, 20))
def test_random_graphs_are_solved_as_defined(spark, by, many, day):
    links = [link(*named(n, pair), on) for n, (found, _, _) in enumerate(many) for pair, on in found]
    allow, deny = (
        sorted({tuple(sorted(named(n, pair))) for n, graph in enumerate(many) for pair in graph[which]})
        for which in (1, 2)
    )
    allow = sorted(set(allow) - set(deny))
    as_of = DAY + timedelta(days=day)
    expected = who_is_who(links, as_of, LIMITS, allow, deny)
    assert answer(spark, links, as_of, LIMITS, allow, deny, by) == expected


@pytest.mark.parametrize("by", [on_driver, on_cluster])
@pytest.mark.parametrize("shape", ["path", "star", "ring"])
def test_long_chains_are_one_component(spark, by, shape):
    n = 40
    edges = {
        "path": [(number, number + 1) for number in range(n)],
        "star": [(0, number + 1) for number in range(n)],
        "ring": [(number, (number + 1) % n) for number in range(n)],
    }[shape]
    rows = [(f"{a * 7919 % 104729:06}", f"{b * 7919 % 104729:06}") for a, b in edges]
    found = by(local_rows(spark, rows, "a string, b string")).collect()
    assert {row["component"] for row in found} == {"000000"}
    assert len(found) == len({end for row in rows for end in row})


@pytest.mark.parametrize("by", [on_driver, on_cluster])
def test_an_identifier_beside_itself_is_alone(spark, by):
    found = by(local_rows(spark, [("aa", "aa")], "a string, b string"))
    assert [tuple(row) for row in found.collect()] == [("aa", "aa")]


def test_both_ways_of_solving_agree_on_a_large_graph(spark):
    numbers = spark.range(20_000).select(
        F.sha1((F.col("id") % 7_001).cast("string")).alias("a"),
        F.sha1(F.pmod(F.xxhash64("id"), F.lit(9_000)).cast("string")).alias("b"),
    )
    sides = [sorted(map(tuple, by(numbers).collect())) for by in (on_driver, on_cluster)]
    assert sides[0] == sides[1]


def test_another_reason_or_order_of_decisions_changes_nothing():
    decided, more = config(LIMITS, deny=[("c1", "m1"), ("c2", "m2")]), config(LIMITS, deny=[("c1", "m1")])
    turned = [pair.model_copy(update={"because": "it was sold"}) for pair in reversed(decided.deny)]
    assert decided.model_copy(update={"deny": tuple(turned)}).meaning == decided.meaning != more.meaning
