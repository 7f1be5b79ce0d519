"""Rules of identity resolution: known answers, and random graphs against the reference implementation."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.identity.components import find_components_on_cluster, find_components_on_driver
from lifestage.users.identity.config import IdentityConfig, IdentitySettings, Pair, expand_limits
from lifestage.users.identity.rules import resolve_identifiers
from lifestage.users.identity.solving import resolve_user
from users.identity.model import Link, kind_of, resolve_reference

DAY = date(2026, 3, 1)
LIMITS = {"device": {"member": 2}, "phone": {"member": 1}}
LINKS = "a string, a_type string, b string, b_type string, first_on date"


def link(a, b, day=0):
    return Link(a, b, DAY + timedelta(days=day))


def pseudonym(name):
    """A pseudonym in hexadecimal, like a real one, that sorts as the names do."""
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
    # Built without validation, because these pseudonyms are shorter than real ones.
    pairs = {
        name: tuple(Pair.model_construct(a=pseudonym(a), b=pseudonym(b), because="") for a, b in given)
        for name, given in (("allow", allow), ("deny", deny))
    }
    return IdentityConfig.model_construct(limits=limits, **pairs)


def resolve(
    spark,
    links,
    as_of=DAY + timedelta(days=99),
    limits=LIMITS,
    allow=(),
    deny=(),
    by=find_components_on_driver,
):
    rows = resolve_identifiers(frame(spark, links, as_of), config(limits, allow, deny), by).collect()
    found = {name_of(row["identifier"]): (name_of(row["key_identifier"]), row["status"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_no_evidence_gives_no_rows(spark):
    assert resolve(spark, []) == {}


def test_linked_identifiers_are_one_user_with_the_oldest_as_key(spark):
    links = [link("cookie-1", "member-1", 5), link("member-1", "card-1", 2), link("cookie-2", "member-2", 1)]
    assert resolve(spark, links) == {
        "cookie-1": ("card-1", "active"),
        "member-1": ("card-1", "active"),
        "card-1": ("card-1", "active"),
        "cookie-2": ("cookie-2", "active"),
        "member-2": ("cookie-2", "active"),
    }


def test_a_device_beyond_its_limit_is_shared_and_links_nobody(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(3)] + [link("member-0", "cookie-0", 9)]
    found = resolve(spark, links)
    assert found["device-k"] == ("device-k", "shared")
    assert found["member-0"] == found["cookie-0"] == ("member-0", "active")
    assert found["member-1"] == ("member-1", "active")


def test_a_device_within_its_limit_links(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(2)]
    assert set(resolve(spark, links).values()) == {("device-k", "active")}


def test_an_identifier_is_withheld_from_the_day_it_exceeds_its_limit(spark):
    links = [link("device-k", f"member-{n}", n) for n in range(3)]
    before, after = (resolve(spark, links, DAY + timedelta(days=day)) for day in (1, 2))
    assert before["member-0"] == before["member-1"] == ("device-k", "active")
    assert after["member-0"] != after["member-1"]


def test_a_withheld_identifier_counts_for_the_limits_of_others(spark):
    """The order of evaluation does not matter."""
    links = [link("phone-1", "member-1"), link("phone-1", "member-2"), link("device-1", "member-1"), link("device-1", "member-2"), link("device-1", "member-3")]  # fmt: skip
    found = resolve(spark, links)
    assert {found[one][1] for one in ("phone-1", "device-1")} == {"shared"}


def test_decisions_win_over_limits_and_evidence(spark):
    hub = [link("device-k", f"member-{n}", n) for n in range(3)]
    allowed = resolve(spark, hub, allow=[("device-k", "member-1")])
    # The pair that is allowed joins the withheld device to one user; its other links still do not count.
    assert allowed["device-k"] == allowed["member-1"] == ("member-1", "active")
    assert allowed["member-0"] == ("member-0", "active")
    # A denied pair counts toward no limit.
    denied = resolve(spark, hub, deny=[("device-k", "member-1")])
    assert denied["device-k"] == denied["member-2"] == ("device-k", "active")
    assert "member-1" not in denied


def test_a_user_resolved_from_a_seed_follows_the_decisions(spark):
    """A denied pair does not count for a limit, also when one user is resolved alone."""
    links = [link("device-k", f"member-{n}", n) for n in range(2)] + [link("device-k", "member-x")]
    rules = config(LIMITS, deny=[("device-k", "member-x")]).model_copy(update={"driver_links": 100})
    seeds = local_rows(spark, [(pseudonym("member-0"),)], "identifier string")
    found = resolve_user(frame(spark, links, DAY + timedelta(days=9)), seeds, rules).collect()
    assert sorted(name_of(row["identifier"]) for row in found) == ["device-k", "member-0", "member-1"]
    assert len({row["user_id"] for row in found}) == 1


def test_a_pair_cannot_be_allowed_and_denied():
    a, b = "0" * 32, "1" * 32
    with pytest.raises(ValueError, match=f"both allowed and denied: {a} and {b}"):
        IdentitySettings(
            limits={}, known=[], driver_links=0, allow=[{"a": a, "b": b}], deny=[{"a": b, "b": a}]
        )


def test_an_identifier_named_only_by_a_decision_is_the_last_choice_of_key(spark):
    found = resolve(spark, [link("member-2", "cookie-2", 50)], allow=[("card-1", "member-2")])
    assert set(found.values()) == {("cookie-2", "active")}


def test_the_limits_that_are_exceeded_are_named(spark):
    links = frame(spark, [link("device-k", f"member-{n}") for n in range(3)], DAY)
    rows = (
        resolve_identifiers(links, config(LIMITS), find_components_on_driver)
        .where(F.col("identifier") == pseudonym("device-k"))
        .collect()
    )
    assert [row["withheld"] for row in rows] == [["member > 2"]]


names = st.sampled_from([f"{kind}-{n}" for kind in ("member", "device", "phone", "cookie") for n in range(4)])
pairs = st.tuples(names, names).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: tuple(sorted(pair)))
graphs = st.tuples(
    st.lists(st.tuples(pairs, st.integers(0, 20)), max_size=14),
    st.lists(pairs, max_size=2),
    st.lists(pairs, max_size=2),
)


def with_suffix(number, pair):
    """Each graph has its own identifiers, so that many graphs are resolved in one call."""
    return tuple(f"{name}-{number}" for name in pair)


@pytest.mark.parametrize("by", [find_components_on_driver, find_components_on_cluster])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(many=st.lists(graphs, min_size=40, max_size=40), day=st.integers(0, 20))
def test_random_graphs_equal_the_reference_implementation(spark, by, many, day):
    links = [link(*with_suffix(n, pair), on) for n, (found, _, _) in enumerate(many) for pair, on in found]
    allow, deny = (
        sorted({tuple(sorted(with_suffix(n, pair))) for n, graph in enumerate(many) for pair in graph[which]})
        for which in (1, 2)
    )
    allow = sorted(set(allow) - set(deny))
    as_of = DAY + timedelta(days=day)
    expected = resolve_reference(links, as_of, LIMITS, allow, deny)
    assert resolve(spark, links, as_of, LIMITS, allow, deny, by) == expected


@pytest.mark.parametrize("by", [find_components_on_driver, find_components_on_cluster])
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


@pytest.mark.parametrize("by", [find_components_on_driver, find_components_on_cluster])
def test_an_identifier_linked_to_itself_is_alone(spark, by):
    found = by(local_rows(spark, [("aa", "aa")], "a string, b string"))
    assert [tuple(row) for row in found.collect()] == [("aa", "aa")]


def test_driver_and_cluster_agree_on_a_large_graph(spark):
    numbers = spark.range(20_000).select(
        F.sha1((F.col("id") % 7_001).cast("string")).alias("a"),
        F.sha1(F.pmod(F.xxhash64("id"), F.lit(9_000)).cast("string")).alias("b"),
    )
    sides = [
        sorted(map(tuple, by(numbers).collect()))
        for by in (find_components_on_driver, find_components_on_cluster)
    ]
    assert sides[0] == sides[1]


def test_a_limit_by_name_comes_before_those_of_groups():
    types = {
        name: IdentifierType(priority=priority)
        for name, priority in {"customer": 1, "email": 2, "card": 3, "phone": 3, "cookie": 4, "ip": 9}.items()
    }
    limits = {
        "known": {"known": 5, "anonymous": 400},
        "anonymous": {"known": 1, "anonymous": 100, "email": 2},
        "email": {"known": 20},
        "card": {"customer": 1, "card": 7},
    }
    found = expand_limits(limits, types, known=["email", "phone"])
    # customer is stronger than the weakest known type, so it is known too.
    assert found["cookie"] == {"customer": 1, "email": 2, "card": 1, "phone": 1, "ip": 100}
    assert found["email"] == {"customer": 20, "card": 20, "phone": 20, "cookie": 400, "ip": 400}
    assert found["card"] == {"customer": 1, "email": 5, "card": 7, "phone": 5, "cookie": 400, "ip": 400}
    assert "customer" not in found["customer"]


def test_another_reason_or_order_of_decisions_changes_nothing():
    decided, more = config(LIMITS, deny=[("c1", "m1"), ("c2", "m2")]), config(LIMITS, deny=[("c1", "m1")])
    turned = [pair.model_copy(update={"because": "it was sold"}) for pair in reversed(decided.deny)]
    assert decided.model_copy(update={"deny": tuple(turned)}).meaning == decided.meaning != more.meaning
