from datetime import date, timedelta
from decimal import Decimal

from analytics.stages.section_builders import empty_stages, full_stages, rung, stage
from lifestage.analytics.channels.tables import CHANNEL_TOTALS
from lifestage.analytics.stages.decline import CategoryChange
from lifestage.analytics.stages.section import SECTION
from lifestage.analytics.stages.section_data import StageCount, count_stages, find_changed_rules, read_spend
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.users.identity.movement import Move
from support.frames import build
from support.reporting import AS_OF, BEFORE, chart, grid, labels, render_chapters, summarize, texts, values


def lifecycle(data, least_users=1):
    return render_chapters(SECTION, data, least_users)["lifecycle"]


def test_stages_are_counted_by_date_up_to_as_of(spark):
    later, too_old = AS_OF + timedelta(days=1), AS_OF - timedelta(days=401)
    rows = [
        {"as_of": day, "stage": name, "n_users": n, "net_amount_30d": spend}
        for day, name, n, spend in (
            (AS_OF, "mature", 2, "2.75"), (BEFORE, "novice", 1, "9.00"), (later, "mature", 3, "1.00"), (too_old, "mature", 4, "1.00"),
        )
    ]  # fmt: skip
    counts = (StageCount(BEFORE, "novice", 1, Decimal(9)), StageCount(AS_OF, "mature", 2, Decimal("2.75")))
    assert count_stages(build(spark, STAGE_TOTALS, rows), AS_OF) == counts
    assert count_stages(build(spark, STAGE_TOTALS, []), AS_OF) == ()


def test_stages_keep_the_display_order_and_others_follow():
    chapter = lifecycle(full_stages(counts=(stage("novice", 2), stage("retired", 1), stage("mature", 5))))
    found = grid(chapter, "Users by date")
    assert labels(found) == ["As of", "novice", "mature", "retired", "All"]
    assert texts(found) == [["Nov 21, 2026", "2", "5", "1", "8"]]
    assert [entry.text for entry in chart(chapter, "stages-chart").legend] == [
        "2 (25.0%)",
        "5 (62.5%)",
        "1 (12.5%)",
    ]


def test_a_stage_that_is_empty_on_a_date_counts_zero():
    found = grid(lifecycle(full_stages()), "Users by date")
    assert texts(found) == [["Nov 21, 2026", "2", "8", "10"], ["Nov 20, 2026", "0", "7", "7"]]


def test_the_newest_stages_have_shares_change_and_spend():
    found = grid(lifecycle(full_stages()), "Stages as of")
    assert [row[:4] for row in texts(found)] == [
        ["novice", "2", "20.0%", "+2"],
        ["mature", "8", "80.0%", "+1"],
    ]


def test_the_chart_of_moves_leaves_out_users_who_stayed_and_the_matrix_has_all():
    moves = (Move("mature", "mature", 5), Move("novice", "mature", 3), Move(None, "novice", 2))
    chapter = lifecycle(full_stages(moves=moves))
    assert values(chart(chapter, "moves-chart")) == [("novice → mature", "", 3), ("new → novice", "", 2)]
    found = grid(chapter, "All moves")
    assert labels(found) == ["Before", "novice", "mature"]
    assert texts(found) == [["novice", "0", "3"], ["mature", "0", "5"], ["new", "2", "0"]]


def test_small_moves_are_withheld_and_a_note_says_so():
    chapter = lifecycle(full_stages(), least_users=5)
    assert chapter.notes == ("No users changed stage between the two dates, or too few to show.",)
    assert texts(grid(chapter, "All moves"))[0] == ["novice", "–"]


def test_the_rules_in_force_are_at_the_end_of_the_page():
    chapter = render_chapters(SECTION, full_stages())["made"]
    rules = [row[1].below for row in grid(chapter, "Rules of the stages").rows]
    assert rules == ["tenure_days <= 90", "true"]


def test_the_tile_compares_users_with_the_date_before():
    (tile,) = summarize(SECTION, full_stages()).tiles
    assert tile.lines == ("in a lifecycle stage", "+3 since Nov 20, 2026")


def test_sentences_name_who_fell_silent_and_the_largest_stage():
    found = summarize(SECTION, full_stages(display=("novice", "mature", "churned"))).sentences
    assert [(sentence.target, sentence.text) for sentence in found] == [
        ("lifecycle", "Since Nov 20, 2026, 0 users came back and 0 fell silent (dormant or churned). Owner: not assigned."),
        ("stages-chart", "10 users are in a lifecycle stage; the largest is mature with 80.0% of them. Planned: Status. Owner: not assigned."),
    ]  # fmt: skip


def test_without_data_there_is_a_note_and_no_sentence():
    chapters = render_chapters(SECTION, empty_stages())
    assert chapters["lifecycle"].notes == ("No user has a stage as of Nov 21, 2026 or before.",)
    assert chapters["lifecycle"].figures == chapters["made"].figures == ()
    assert summarize(SECTION, empty_stages()).sentences == ()


def declining_stages(**changes):
    return full_stages(**{
        "display": ("mature", "declining"),
        "ladder": (rung("mature"), rung("declining", benefits="A benefit in the categories that fade", owner="CRM")),
        "counts": (StageCount(BEFORE, "declining", 100), stage("declining", 118), stage("mature", 82)),
        "moves": (),
        "spend": {"declining": Decimal(30_000), "mature": Decimal(70_000)},
        "period": 365,
        "categories": (
            CategoryChange("DELI", 40, Decimal(2000), Decimal(500), Decimal(900), Decimal(990)),
            CategoryChange("MEAT", 4, Decimal(1000), Decimal(900), Decimal(100), Decimal(100)),
            CategoryChange("SALAD", 9, Decimal(0), Decimal(100), Decimal(0), Decimal(10)),
        ),
        **changes,
    })  # fmt: skip


def test_the_first_sentences_are_the_value_at_risk_with_the_reasons_and_the_owner():
    found = summarize(SECTION, declining_stages(), least_users=5).sentences
    assert [sentence.text for sentence in found[:2]] == [
        "118 users are declining (+18 since Nov 20, 2026). At risk is their spend of the last 365 days: €30K, 30.0% of all spend. "
        "Planned: A benefit in the categories that fade. Owner: CRM.",
        "In the last 90 days, declining users spent €1.4K less than in the 90 days before (−70%; all others +11%), most of all in: "
        "DELI (−75%; all others +10%).",
    ]  # fmt: skip
    assert [sentence.target for sentence in found[:2]] == ["stages-chart", "declining"]


def test_without_known_spend_the_sentence_is_about_users_alone():
    (first, *_) = summarize(SECTION, declining_stages(spend={}, period=0)).sentences
    assert first.text == (
        "118 users are declining (+18 since Nov 20, 2026). Planned: A benefit in the categories that fade. Owner: CRM."
    )


def test_the_categories_of_declining_users_are_a_table_that_withholds_those_of_a_few():
    found = grid(lifecycle(declining_stages(), least_users=5), "Categories in which declining")
    assert texts(found) == [
        ["DELI", "40", "€2,000", "€500", "−75%", "+10%"],
        ["MEAT", "–", "–", "–", "–", "0%"],
    ]
    assert (found.key, found.is_withheld) == ("declining", True)


def test_a_sentence_says_that_the_number_of_declining_users_is_withheld():
    few = (stage("declining", 4), stage("mature", 96), stage("novice", 7))
    (first, *_) = summarize(SECTION, declining_stages(counts=few, categories=()), least_users=5).sentences
    assert first.text == (
        "The number of declining users is withheld: it, or a number that follows from it, is about fewer than 5 users."
    )


def short_stages(**changes):
    """A history that is long enough for mature and declining from the newest date on."""
    return declining_stages(full_from={"declining": AS_OF, "mature": AS_OF}, **changes)


def test_dates_before_the_history_is_long_enough_are_pale_and_are_compared_with_nothing():
    """From May to July 2017 mature fell from 1,000 to 387, because nobody could be declining before."""
    chapter = lifecycle(short_stages())
    drawn = chart(chapter, "stages-chart").spec["data"]["values"]
    assert [(row["label"], row["is_partial"]) for row in drawn] == [
        ("100 (100.0%), history too short", True),
        ("118 (59.0%)", False),
        ("82 (41.0%)", False),
    ]
    assert [row[3] for row in texts(grid(chapter, "Stages as of"))] == ["history too short"] * 2
    assert [row[2].below for row in grid(chapter, "Users by date").rows] == ["", "history too short"]
    assert chapter.notes[0].startswith(
        "Before Nov 21, 2026 the history is too short for mature, declining: their rules look back"
    )
    assert "since Nov 20" not in summarize(SECTION, short_stages()).sentences[0].text


def test_while_the_history_is_too_short_a_sentence_says_so_instead_of_a_number():
    later = AS_OF + timedelta(days=100)
    (first, *_) = summarize(SECTION, short_stages()).sentences
    assert first.text.startswith("118 users are declining.")
    data = declining_stages(full_from={"declining": later})
    (first,) = summarize(SECTION, data).sentences
    assert first.text == (
        "The history is too short to tell who is declining: the rules look back further than it, until Mar 1, 2027."
    )


def test_stages_are_compared_with_a_month_end_and_a_year_before_and_the_last_date_in_small():
    year, month = date(2025, 11, 21), date(2026, 10, 31)
    counts = [
        StageCount(day, "mature", n) for day, n in ((year, 50), (month, 80), (BEFORE, 99), (AS_OF, 100))
    ]
    data = full_stages(earlier=EarlierDates(month, year, BEFORE), counts=tuple(counts))
    found = grid(lifecycle(data), "Stages as of")
    assert labels(found)[3:5] == ["Since Oct 31, 2026", "Since Nov 21, 2025"]
    assert [(cell.text, cell.below) for cell in found.rows[0][3:5]] == [("+20", "last date: +1"), ("+50", "")]
    (tile,) = summarize(SECTION, data).tiles
    assert tile.lines[1:] == ("+20 since Oct 31, 2026", "+50 since Nov 21, 2025", "+1 since Nov 20, 2026")


def test_a_note_names_the_stages_whose_rule_has_changed():
    assert lifecycle(full_stages(changed_rules=("mature",))).notes == (
        "The rules of these stages have changed since Nov 20, 2026: mature. Users also moved because of that.",
    )


def test_changed_rules_are_those_that_differ_between_the_two_dates(spark):
    rules = [
        (BEFORE, "mature", "true"),
        (AS_OF, "mature", "x > 1"),
        (AS_OF, "new", "y"),
        (BEFORE, "same", "z"),
        (AS_OF, "same", "z"),
    ]
    rows = [
        {"user_id": f"u{n}", "as_of": day, "stage": name, "rule": rule}
        for n, (day, name, rule) in enumerate(rules)
    ]
    user_stages = build(spark, USER_STAGES, rows)
    assert find_changed_rules(user_stages, AS_OF, BEFORE) == ("mature",)
    assert find_changed_rules(user_stages, AS_OF, None) == ()


def test_the_spend_of_a_stage_is_that_of_all_channels(spark):
    rows = [
        {
            "as_of": day,
            "channel_mix": mix,
            "stage": "mature",
            "n_users": 1,
            "monetary_amount": "2.50",
            "period_days": 365,
        }
        for day, mix in ((AS_OF, "both"), (AS_OF, None), (BEFORE, "both"))
    ]
    assert read_spend(build(spark, CHANNEL_TOTALS, rows), AS_OF) == ({"mature": Decimal(5)}, 365)


def test_a_ladder_without_silent_stages_has_no_sentence_on_them():
    found = summarize(SECTION, full_stages()).sentences
    assert "lifecycle" not in [sentence.target for sentence in found]


def test_where_a_move_is_withheld_the_sentence_counts_silent_users():
    moves = {"mm": 57, "mc": 3, "mg": 4, "gg": 30, "gc": 4, "gm": 3, "cc": 36, "cg": 2, "cm": 2}
    names = {"m": "mature", "g": "growth", "c": "churned"}
    counts = {
        (day, names[letter]): sum(n for move, n in moves.items() if move[side] == letter)
        for side, day in ((0, BEFORE), (1, AS_OF))
        for letter in names
    }
    data = full_stages(
        display=tuple(names.values()),
        ladder=tuple(rung(name) for name in names.values()),
        counts=tuple(StageCount(*key, n) for key, n in counts.items()),
        moves=tuple(Move(names[a], names[b], n) for (a, b), n in moves.items()),
    )
    found = [sentence.text for sentence in summarize(SECTION, data, least_users=5).sentences]
    assert any(text.startswith("43 users are silent (dormant or churned), +3 since") for text in found)
