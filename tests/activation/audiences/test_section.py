from datetime import date, timedelta
from decimal import Decimal

from activation.audiences.section_builders import empty_audiences, full_audiences
from analytics.stages.section_builders import full_stages, stage
from lifestage.activation.audiences.config import Audience
from lifestage.activation.audiences.section import (
    SECTION,
    AudienceCount,
    combine,
    count_movement,
    find_changes,
    read_rules,
    read_totals,
)
from lifestage.activation.audiences.tables import AUDIENCE_DEFINITIONS, AUDIENCE_TOTALS, USER_AUDIENCES
from lifestage.analytics.stages.section import SECTION as STAGES
from support.frames import build, regrouped
from support.reporting import AS_OF, BEFORE, chart, grid, render_chapters, summarize, texts, values

LATER = AS_OF + timedelta(days=1)


def audiences(data, least_users=1, others=()):
    return render_chapters(SECTION, data, least_users, others)["audiences"]


def members(spark, *rows):
    return build(spark, USER_AUDIENCES, [{"audience": a, "user_id": u, "as_of": d} for a, u, d in rows])


def test_users_who_entered_and_left_are_counted_by_audience(spark):
    rows = members(
        spark,
        ("a", "stays", BEFORE), ("a", "stays", AS_OF), ("a", "comes", AS_OF), ("a", "goes", BEFORE), ("a", "u", LATER),
    )  # fmt: skip
    assert count_movement(rows, AS_OF, BEFORE, regrouped(spark)) == {"a": (1, 1)}
    assert count_movement(rows, AS_OF, None, regrouped(spark)) == {}


def test_users_who_merged_neither_entered_nor_left(spark):
    rows = members(spark, ("a", "kept", AS_OF), ("a", "absorbed", BEFORE), ("a", "comes", AS_OF))
    others = regrouped(spark, kept="merged", absorbed="merged")
    assert count_movement(rows, AS_OF, BEFORE, others) == {"a": (1, 0)}


def test_every_configured_audience_has_its_numbers_the_largest_first(spark):
    total = {"audience": "a", "n_users": 2, "monetary_amount": "5.00", "period_days": 365}
    rows = [{**total, "as_of": AS_OF}, {**total, "as_of": BEFORE, "n_users": 9}]
    totals = read_totals(build(spark, AUDIENCE_TOTALS, rows), AS_OF)
    configured = {
        "b": Audience(when="true", description="B"),
        "a": Audience(when="true", description="A", strategy={"owner": "CRM", "benefits": "An offer"}),
    }
    assert combine(configured, totals, {"a": (1, 1)}) == (
        AudienceCount("a", "A", "CRM", "An offer", 2, 1, 1, Decimal(5)),
        AudienceCount("b", "B"),
    )


def test_a_date_has_the_rule_of_its_time_and_early_dates_the_first(spark):
    rows = [
        {"audience": "a", "from_as_of": BEFORE, "sql": "old", "semantic_hash": "1"},
        {"audience": "a", "from_as_of": AS_OF, "sql": "new", "semantic_hash": "2"},
        {"audience": "a", "from_as_of": LATER, "sql": "later", "semantic_hash": "3"},
        {"audience": "b", "from_as_of": LATER, "sql": "first", "semantic_hash": "4"},
        {"audience": "ended", "from_as_of": BEFORE, "sql": "true", "semantic_hash": "5"},
        {"audience": "ended", "from_as_of": AS_OF, "sql": None, "semantic_hash": "6"},
    ]
    assert read_rules(build(spark, AUDIENCE_DEFINITIONS, rows), AS_OF) == {"a": "new", "b": "first"}


def test_audiences_have_size_movement_value_and_owner():
    chapter = audiences(full_audiences())
    assert texts(grid(chapter, "Audiences as of")) == [
        ["Win back", "2", "+1", "\N{MINUS SIGN}1", "€30", "€15.00", "CRM"],
        ["Sleeping", "0", "0", "0", "€0", "", ""],
    ]
    assert values(chart(chapter, "audiences-chart")) == [("Win back", "", 2)]


def test_the_rules_in_force_are_at_the_end_of_the_page():
    chapter = render_chapters(SECTION, full_audiences())["made"]
    rules = [row[1].below for row in grid(chapter, "Rules of the audiences").rows]
    assert rules == ["stage = 'churned'", "stage = 'dormant'"]


def test_the_sentence_is_about_the_audience_with_the_greatest_spend():
    (sentence,) = summarize(SECTION, full_audiences()).sentences
    assert (sentence.target, sentence.text) == (
        "audiences-chart",
        "The audience with the highest spend is “Win back”: 2 users, €30. Planned: An offer. Owner: CRM.",
    )
    assert summarize(SECTION, full_audiences(), least_users=5).sentences == ()


def test_without_audiences_there_is_a_note():
    assert audiences(empty_audiences()).notes == ("No audience is configured.",)
    assert summarize(SECTION, empty_audiences()).sentences == ()


def test_users_who_stayed_do_not_follow_from_those_who_came():
    few = AudienceCount("win_back", n_users=50, n_entered=48, amount=Decimal(10))
    found = grid(audiences(full_audiences(counts=(few,)), least_users=5), "Audiences as of")
    assert texts(found)[0][1:4] == ["50", "–", "–"]


def test_an_audience_of_all_but_a_few_users_is_withheld():
    nearly_all = AudienceCount("nearly_all", n_users=97, amount=Decimal(10))
    others = [(STAGES, full_stages(counts=(stage("mature", 100),)))]
    found = audiences(full_audiences(counts=(nearly_all,)), least_users=5, others=others)
    assert texts(grid(found, "Audiences as of"))[0][1] == "–"


def test_a_rule_that_has_changed_since_the_date_before_is_marked(spark):
    rows = [
        {"audience": name, "from_as_of": day, "sql": "x"}
        for name, day in (
            ("new", AS_OF),
            ("changed", date(2026, 1, 1)),
            ("changed", AS_OF),
            ("old", date(2026, 1, 1)),
            ("old", BEFORE),
            ("old", LATER),
        )
    ]
    definitions = build(spark, AUDIENCE_DEFINITIONS, rows)
    assert find_changes(definitions, AS_OF, BEFORE) == {"changed": AS_OF}
    assert find_changes(definitions, AS_OF, None) == {}


def test_the_table_marks_a_changed_rule_and_says_since_when_users_entered():
    found = grid(
        audiences(full_audiences(changed_on={"win_back": AS_OF})),
        "Audiences as of Nov 21, 2026, changes since Nov 20, 2026",
    )
    assert [row[1].below for row in found.rows] == ["new rule since Nov 21, 2026", ""]
