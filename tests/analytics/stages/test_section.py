from datetime import timedelta
from decimal import Decimal

from analytics.stages.section_builders import empty_stages, full_stages, rung, stage
from lifestage.analytics.stages.section import SECTION
from lifestage.analytics.stages.section_data import StageCount, count_stages
from lifestage.analytics.stages.tables import STAGE_TOTALS
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
    assert chapter.notes == ("No users changed stage since the previous date, or too few to show.",)
    assert texts(grid(chapter, "All moves"))[0] == ["novice", "–"]


def test_the_rules_in_force_are_at_the_end_of_the_page():
    chapter = render_chapters(SECTION, full_stages())["made"]
    rules = [row[1].below for row in grid(chapter, "Rules of the stages").rows]
    assert rules == ["tenure_days <= 90", "true"]


def test_the_tile_compares_users_with_the_date_before():
    (tile,) = summarize(SECTION, full_stages()).tiles
    assert tile.lines == ("in a lifecycle stage", "+3 since Nov 20, 2026")


def test_sentences_name_the_largest_stage_and_who_fell_silent():
    found = summarize(SECTION, full_stages(display=("novice", "mature", "churned"))).sentences
    assert [(sentence.target, sentence.text) for sentence in found] == [
        ("stages-chart", "10 users are in a lifecycle stage; the largest is mature with 80.0% of them. Planned: Status."),
        ("lifecycle", "Since Nov 20, 2026, 0 users came back and 0 fell silent (dormant or churned). Continue what brings them back."),
    ]  # fmt: skip


def test_without_data_there_is_a_note_and_no_sentence():
    chapters = render_chapters(SECTION, empty_stages())
    assert chapters["lifecycle"].notes == ("No user has a stage as of Nov 21, 2026 or before.",)
    assert chapters["lifecycle"].figures == chapters["made"].figures == ()
    assert summarize(SECTION, empty_stages()).sentences == ()


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
