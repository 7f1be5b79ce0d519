"""One user explained on a real project: every reason, and what would change it, held against real events."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from lifestage.core.errors import NoDataError
from lifestage.explaining import explain
from lifestage.reading import manifest_of, read_audience_moves, users_of
from support.projects import make_project

pytestmark = pytest.mark.slow

D, BEFORE = date(2026, 4, 30), date(2026, 3, 31)
# A small town: everybody is scored, and the index takes one component.
VALUE = """
tiers:
  - {tier: high, from_share: 0.5, strategy: {owner: CRM}}
  - {tier: low}
"""
AUDIENCES = """
audiences:
  regulars: {when: "occasions_all >= 3", strategy: {message: Thanks}}
"""


def bought(card, day, amount="10.00", receipt=None):
    at = f"{day}T12:00:00-04:00"
    return {
        "receipt": receipt or f"{card}-{day}", "line": 1, "version": 1, "deleted": "false", "card": card, "at": at,
        "kind": "purchase", "quantity": 1, "amount": amount,
    }  # fmt: skip


def every(card, step, first, last, amount="10.00"):
    n = (last - first).days // step
    return [bought(card, first + timedelta(days=step * k), amount) for k in range(n + 1)]


LINES = [
    *every("weekly", 7, date(2026, 1, 8), D),
    *every("gone", 7, date(2026, 1, 8), date(2026, 3, 19), "30.00"),
    *every("tiring", 10, date(2026, 1, 5), date(2026, 4, 15), "20.00"),
    bought("new", D, "5.00"),
    *[bought(f"once{n}", date(2026, 2, 1 + n)) for n in range(3)],
]


@pytest.fixture(scope="module")
def town(spark_session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explaining") / "p"
    town = make_project(spark_session, folder, value=VALUE, audiences=AUDIENCES)
    town.deliver("all.csv", LINES)
    town.run(f"{BEFORE},{D}")
    return town


@pytest.fixture(scope="module")
def gone(town):
    return explain(town.project, "gone", D)


def test_the_stage_has_its_rule_its_values_and_its_history(gone):
    stage = gone["stage"]
    assert stage["name"] == "churned"
    assert (stage["rule"], stage["matched"]) == (
        "silence_days > 4 * cycle_days",
        {"cycle_days": "7", "silence_days": "42"},
    )
    assert (stage["previous"], stage["observed_since"]) == ("novice", D)
    assert [row["stage"] for row in stage["history"]] == ["novice", "churned"]


def test_a_name_may_be_raw_a_pseudonym_or_a_user_id(town, gone):
    pseudonym = town.read("identity_map").where(f"user_id = '{gone['user_id']}'").first()["identifier"]
    assert explain(town.project, pseudonym, D)["user_id"] == gone["user_id"]
    assert explain(town.project, gone["user_id"], D)["user_id"] == gone["user_id"]


def test_scores_tier_and_audiences_have_their_reasons(gone):
    assert gone["rfm"]["rfm_status"] == "scored"
    assert {"measure": "frequency", "score": gone["rfm"]["f_score"]}.items() <= next(
        cut for cut in gone["rfm"]["cut_points"]
        if cut["measure"] == "frequency" and cut["score"] == gone["rfm"]["f_score"]
    ).items()  # fmt: skip
    parts = gone["tier"]["parts"]
    assert sum(part["gives"] for part in parts) == pytest.approx(float(gone["tier"]["value_index"]), abs=1e-4)
    assert gone["tier"]["name"] == "high"
    found = {audience["name"]: (audience["rule"], audience["matched"]) for audience in gone["audiences"]}
    assert found["regulars"] == ("occasions_all >= 3", {"occasions_all": "11"})
    assert found.keys() == {"regulars", "win_back", "high_value_at_risk"}


def test_one_purchase_brings_back_who_has_churned(gone):
    """The median occasion is 30.00; the gap of at least 43 days is more than four cycles of a week."""
    change = gone["would_change"]["stage"]
    assert change["purchase"] == {"on": D + timedelta(days=1), "to": "recalled", "amount": Decimal("30.00")}
    assert change["silence"] is None


def test_silence_moves_who_buys_weekly_to_dormant_after_two_cycles(town):
    change = explain(town.project, "weekly", D)["would_change"]["stage"]["silence"]
    # Bought last on 30 April: 15 days later silence is more than 2 x 7.
    assert change == {"on": date(2026, 5, 15), "to": "dormant"}


def test_what_is_named_comes_true_when_it_is_delivered(town, spark_session, tmp_path):
    """With few enough others that no norm moves: the same stage on the same day."""
    named = explain(town.project, "gone", D)["would_change"]["stage"]["purchase"]
    later = make_project(spark_session, tmp_path / "p", value=VALUE, audiences=AUDIENCES)
    later.deliver("all.csv", [*LINES, bought("gone", named["on"], named["amount"], "again")])
    later.run(str(named["on"]))
    assert explain(later.project, "gone", named["on"])["stage"]["name"] == named["to"]


@pytest.mark.parametrize(
    ("user", "as_of", "message"),
    [
        ("nobody", D, "nobody is known by that name"),
        ("new", BEFORE, "was not known as of 2026-03-31: the first date with them is 2026-04-30"),
        ("new", date(2026, 4, 1), "the nearest dates are 2026-03-31, 2026-04-30"),
    ],
)
def test_who_is_unknown_or_came_later_is_told(town, user, as_of, message):
    with pytest.raises(NoDataError, match=message):
        explain(town.project, user, as_of)


def test_the_snapshot_holds_tier_audiences_and_strategies(town):
    manifest = manifest_of(town.project, str(D))
    owners = {(each["kind"], each["name"]): each["owner"] for each in manifest["strategies"]}
    assert owners["tier", "high"] == "CRM"
    assert manifest["counts"]["audience:regulars"] == 3
    rows = users_of(town.project, manifest["snapshot_id"]).where("array_contains(audiences, 'regulars')")
    assert rows.count() == 3


def test_movement_is_against_the_date_before(town):
    moved = (
        read_audience_moves(town.project, D)
        .where("audience = 'regulars'")
        .groupBy("movement")
        .count()
        .collect()
    )
    assert {row["movement"]: row["count"] for row in moved} == {"stayed": 3}
