from dataclasses import replace
from datetime import date, timedelta

from activation.publish.section_builders import completed, empty_making, full_making, snapshot
from lifestage.activation.publish.section import SECTION, newest_runs, newest_snapshots
from lifestage.activation.publish.tables import SNAPSHOTS
from lifestage.platform.reporting.grids import Chart
from lifestage.platform.result import Check
from lifestage.project.tables import RUNS
from support.frames import build
from support.reporting import AS_OF, BEFORE, NOW, chart, grid, render_chapters, summarize, texts, values


def manifest(as_of, revision, checks=()):
    row = {"snapshot_id": f"{as_of}.r{revision}", "as_of": as_of, "revision": revision, "published_at": NOW}
    return {**row, "run_id": "run-1", "n_users": 2, "digest": "d", "checks": list(checks)}


def test_the_last_revision_of_each_date_of_the_run_is_taken(spark):
    rows = [
        manifest(AS_OF, 1),
        manifest(AS_OF, 2, [("has users", True, None)]),
        manifest(BEFORE, 1),
        manifest(date(2026, 1, 31), 1),
    ]
    snapshots = newest_snapshots(build(spark, SNAPSHOTS, rows), [BEFORE, AS_OF])
    assert [s.snapshot_id for s in snapshots] == [f"{AS_OF}.r2", f"{BEFORE}.r1"]
    assert snapshots[0].checks == (Check("has users", True, ""),)
    assert newest_snapshots(build(spark, SNAPSHOTS, []), [AS_OF]) == ()


def test_runs_come_newest_first_and_may_lack_everything_else(spark):
    rows = [
        {"run_id": "a", "now": NOW - timedelta(days=1), "seconds": {"ingest": 1.5}},
        {"run_id": "b", "now": NOW},
    ]
    newest, oldest = newest_runs(build(spark, RUNS, rows))
    assert (newest.run_id, newest.now, newest.as_of_dates, newest.seconds) == (
        "b",
        "2026-11-22 03:15",
        (),
        {},
    )
    assert oldest.seconds == {"ingest": 1.5}
    assert newest_runs(build(spark, RUNS, [])) == ()


def test_a_failed_check_comes_first_and_is_counted():
    checks = (Check("has users", True, ""), Check("money", False, "1.00 missing"))
    data = full_making(snapshots=(snapshot(checks),))
    found = grid(render_chapters(SECTION, data)["data"], "Checks")
    assert texts(found)[0] == ["money", "failed", "1.00 missing"]
    summary = summarize(SECTION, data)
    assert summary.tiles[0].value == "1 of 2"
    assert [sentence.text for sentence in summary.sentences] == ["One check before publication failed."]


def test_a_snapshot_without_checks_has_a_note():
    assert render_chapters(SECTION, empty_making())["data"].notes == ("No snapshot of this date has checks.",)
    summary = summarize(SECTION, empty_making())
    assert (summary.sentences, summary.facts) == ((), {"Snapshot": "none"})


def test_details_of_checks_withhold_small_numbers_of_users():
    checks = (
        Check("has users", True, "3 users, 7 in 2026-11-20.r1"),
        Check("data", True, "spend for 4 users"),
    )
    data = full_making(snapshots=(snapshot(checks),))
    found = grid(render_chapters(SECTION, data, least_users=5)["data"], "Checks")
    assert [row[2] for row in texts(found)] == ["– users, 7 in 2026-11-20.r1", "spend for – users"]


def test_seconds_are_those_of_the_run_once_it_is_complete():
    before = render_chapters(SECTION, full_making())["made"]
    runs = (completed("run-1"), completed("run-0"))
    after = render_chapters(SECTION, full_making(runs=runs))["made"]
    assert before.notes[0].startswith(
        "This run was not complete when the report was written; the previous run, run-0,"
    )
    assert after.notes == ("Up to this report the run took 14 seconds in 2 steps.",)
    assert values(chart(after, "seconds-chart")) == [("ingest", "", 12.5), ("stages", "", 2.0)]


def test_versions_of_this_run_stand_beside_those_of_the_last():
    chapter = render_chapters(SECTION, full_making(commits={"user_value": 9}))["made"]
    assert texts(grid(chapter, "Table versions")) == [["user_stages", "", "3"], ["user_value", "9", ""]]


def test_a_completed_run_without_seconds_has_no_chart():
    chapter = render_chapters(SECTION, full_making(runs=(replace(completed(), seconds={}),)))["made"]
    assert not [f for f in chapter.figures if isinstance(f, Chart)]
