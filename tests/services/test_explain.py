"""Users explained on a real project: every reason, and what would change it, held against real events."""

import json
import logging
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lifestage.analytics.stages.config import StageLadder
from lifestage.platform.errors import NoDataError
from lifestage.services.explain import explain, explain_with_changes
from lifestage.services.readers import read_audience_moves
from lifestage.services.snapshots import find_manifest, read_users
from lifestage.users.resolution import user_id_of
from support.projects import MAIN, TILL_COLUMNS, make_project
from support.scenarios import HISTORY

pytestmark = pytest.mark.slow

# The ten people of one scenario, alone: their own norms and medians.
SCENARIO = Path(__file__).parents[1] / "scenarios" / "one_of_each_stage"
TILL_FILE = SCENARIO / "given/2026-03-11/till/history.csv"
D, BEFORE = date(2026, 3, 11), date(2026, 2, 11)
# Few people: everybody is scored, and the index takes one component.
VALUE = """
tiers:
  - {tier: high, from_share: 0.5, strategy: {owner: CRM}}
  - {tier: low}
"""
AUDIENCES = """
audiences:
  regulars: {when: "occasions_all >= 30", strategy: {message: Thanks}}
"""
SEGMENTS = """
min_users: 5
k: [2, 2]
features:
  - {name: spend, expression: net_amount_365d, log: true, high: high spend, low: low spend}
  - {name: recency, expression: silence_days, log: true, high: long silent, low: recently active}
training: {every: null, dates: [2026-02-11]}
"""
MAIN_FILE = MAIN.replace(*HISTORY) + "explain: {silent_days: 40}\n"


def town_in(spark, folder):
    town = make_project(spark, folder, main=MAIN_FILE, value=VALUE, audiences=AUDIENCES, segments=SEGMENTS)
    town.write("till/history.csv", TILL_FILE.read_text(encoding="utf-8"))
    return town


@pytest.fixture(scope="module")
def town(spark_session, tmp_path_factory):
    town = town_in(spark_session, tmp_path_factory.mktemp("explaining") / "p")
    town.run(f"{BEFORE},{D}")
    return town


class Logged(logging.Handler):
    """Everything that was logged, as text."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module", autouse=True)
def logged():
    logger, handler = logging.getLogger("lifestage"), Logged()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def told(town):
    """What explain says of one of the ten as of D, by the raw name, worked out once."""
    return cache(lambda stage: explain_with_changes(town.project, f"es-{stage}", D))


# Stage: the values that matched, then what one purchase and what silence would change. Buying every ten days, one is
# dormant on the 21st silent day, and back from dormancy with a purchase on it.
KNOWN = {
    "visitor": ({"joined_on": None}, ("2026-03-12", "novice"), None),
    "registered": ({"activated_on": None}, ("2026-03-12", "novice"), None),
    "churned": ({"cycle_days": "10", "silence_days": "50"}, ("2026-03-12", "recalled"), None),
    "dormant": (
        {"cycle_days": "10", "silence_days": "25"}, ("2026-03-12", "reawakened"), ("2026-03-27", "churned"),
    ),
    # The return of 1 March counts for 30 days; on the 31st it is the new gap of 30 days that does.
    "recalled": (
        {"returned_gap_cycle_days": "10", "returned_gap_days": "50"},
        ("2026-03-31", "reawakened"), ("2026-03-22", "dormant"),
    ),
    "reawakened": (
        {"returned_gap_cycle_days": "10", "returned_gap_days": "25"}, None, ("2026-03-22", "dormant"),
    ),
    "novice": (
        {"is_left_censored": "false", "tenure_days": "69"},
        ("2026-03-23", "reawakened"), ("2026-03-23", "dormant"),
    ),
    "declining": (
        {"consumption_ratio_90d": "0.5", "interaction_ratio_90d": "0.5"},
        ("2026-04-01", "reawakened"), ("2026-04-01", "dormant"),
    ),
    "growth": (
        {"consumption_ratio_90d": "2.0", "interaction_ratio_90d": "2.0", "is_below_median_spend": "false"},
        ("2026-04-01", "reawakened"), ("2026-04-01", "dormant"),
    ),
    "mature": ({}, ("2026-04-01", "reawakened"), ("2026-04-01", "dormant")),
}  # fmt: skip


def test_every_stage_of_the_ladder_has_its_known_answer(town):
    assert KNOWN.keys() == {rung.stage for rung in town.project.config.of(StageLadder).ladder}


@pytest.mark.parametrize("stage", KNOWN)
def test_the_stage_has_its_rule_and_its_values(town, told, stage):
    rules = {rung.stage: rung.when for rung in town.project.config.of(StageLadder).ladder}
    found = told(stage)["stage"]
    assert (found["name"], found["rule"], found["matched"]) == (stage, rules[stage], KNOWN[stage][0])


@pytest.mark.parametrize("stage", KNOWN)
def test_the_changes_of_each_stage_are_predicted(told, stage):
    _, purchase, silence = KNOWN[stage]
    by = told(stage)["would_change"]["stage"]
    assert (by["purchase"] and (str(by["purchase"]["on"]), by["purchase"]["to"])) == purchase
    assert (by["silence"] and (str(by["silence"]["on"]), by["silence"]["to"])) == silence


@pytest.mark.parametrize(
    ("stage", "amount"), [("churned", "30.00"), ("growth", "100.00"), ("visitor", "30.00")]
)
def test_a_hypothetical_purchase_has_the_median_of_the_user_or_of_all_users(told, stage, amount):
    bought = told(stage)["would_change"]["stage"]["purchase"]["amount"]
    assert bought == Decimal(amount)


def test_the_stage_has_its_history(told):
    stage = told("churned")["stage"]
    assert (stage["previous"], stage["observed_since"]) == ("dormant", D)
    assert stage["history"] == [{"as_of": BEFORE, "stage": "dormant"}, {"as_of": D, "stage": "churned"}]


def test_a_user_is_found_by_raw_identifier_pseudonym_or_user_id(town, told):
    user_id = told("visitor")["user_id"]
    own = user_id_of(F.col("subject")) == user_id
    pseudonym = town.read("activity_days").where(own).first()["subject"]
    assert len({"es-visitor", pseudonym, user_id}) == 3
    for name in ("es-visitor", pseudonym, user_id):
        with pytest.raises(NoDataError, match=f"user {user_id} was not known as of"):
            explain(town.project, name, BEFORE)


def test_a_raw_identifier_is_neither_returned_nor_logged(town, told, logged):
    found = told("churned")
    with pytest.raises(NoDataError) as unknown:
        explain(town.project, "es-nobody")
    assert any("user_features" in line for line in logged)
    assert "es-" not in "".join(logged) + str(unknown.value) + json.dumps(found, default=str)


def test_scores_tier_and_audiences_have_their_reasons(told):
    found = told("declining")
    assert found["rfm"]["rfm_status"] == "scored"
    cuts = defaultdict(dict)
    for cut in found["rfm"]["cut_points"]:
        cuts[cut["measure"]][cut["score"]] = cut["least_value"]
    reached = max(score for score, least in cuts["frequency"].items() if found["rfm"]["frequency"] >= least)
    assert reached == found["rfm"]["f_score"]
    parts = found["tier"]["parts"]
    assert sum(part["gives"] for part in parts) == pytest.approx(
        float(found["tier"]["value_index"]), abs=1e-4
    )
    assert found["tier"]["name"] == "high"
    audiences = {audience["name"]: (audience["rule"], audience["matched"]) for audience in found["audiences"]}
    assert audiences["regulars"] == ("occasions_all >= 30", {"occasions_all": "36"})
    assert {audience["name"] for audience in told("churned")["audiences"]} == {"win_back"}


def test_a_user_without_a_segment_gets_one_from_the_model_in_force(told):
    visitor = told("visitor")
    assert visitor["segment"]["status"] == "not_eligible"
    bought = visitor["would_change"]["segment"]["purchase"]
    assert str(bought["on"]) == "2026-03-12"
    assert bought["to"] in {told(stage)["segment"]["segment"] for stage in ("growth", "mature", "churned")}


def test_a_predicted_change_happens_when_the_event_is_delivered(told, spark_session, tmp_path):
    """The others' rhythms are their own, so that no norm moves: the same stage on the same day."""
    named = told("churned")["would_change"]["stage"]["purchase"]
    later = town_in(spark_session, tmp_path / "p")
    bought = {
        "receipt": "again", "line": 1, "version": 1, "deleted": "false", "card": "es-churned",
        "at": f"{named['on']}T12:00:00-04:00", "kind": "purchase", "amount": named["amount"],
    }  # fmt: skip
    assert bought.keys() <= set(TILL_COLUMNS)
    later.deliver("again.csv", [bought])
    later.run(str(named["on"]), steps=("ingest", "activity", "identity", "features", "stages"))
    stages = later.read("user_stages").where(f"user_id = '{told('churned')['user_id']}'")
    assert [row["stage"] for row in stages.collect()] == [named["to"]]


@pytest.mark.parametrize(
    ("user", "as_of", "message"),
    [
        ("es-nobody", D, "no user has that name"),
        ("es-visitor", BEFORE, "was not known as of 2026-02-11: the first date with this user is 2026-03-11"),
        ("es-visitor", date(2026, 3, 1), "the nearest dates are 2026-02-11, 2026-03-11"),
    ],
)
def test_the_message_about_a_missing_user_says_why(town, user, as_of, message):
    with pytest.raises(NoDataError, match=message):
        explain(town.project, user, as_of)


def test_no_changes_are_predicted_after_the_configuration_changed(town):
    """Its rules would be held against a result of the old ones."""
    edited = replace(town.project, config=replace(town.project.config, hash="edited"))
    found = explain_with_changes(edited, "es-dormant", D)
    assert (found["stage"]["name"], found["is_config_changed"], found["would_change"]) == (
        "dormant",
        True,
        {},
    )


def test_the_snapshot_holds_tier_audiences_and_strategies(town):
    manifest = find_manifest(town.project, str(D))
    owners = {(each["kind"], each["name"]): each["owner"] for each in manifest["strategies"]}
    assert owners["tier", "high"] == "CRM"
    assert manifest["counts"]["audience:regulars"] == 2
    rows = read_users(town.project, manifest["snapshot_id"]).where("array_contains(audiences, 'regulars')")
    assert rows.count() == 2


def test_movement_compares_with_the_previous_date(town):
    moved = (
        read_audience_moves(town.project, D)
        .where("audience = 'regulars'")
        .groupBy("movement")
        .count()
        .collect()
    )
    assert {row["movement"]: row["count"] for row in moved} == {"stayed": 1, "entered": 1}
