from datetime import date, timedelta
from decimal import Decimal

import pytest

from lifestage.activation.report import step
from lifestage.activation.report.config import ReportSettings
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.config.shared import Keep
from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.platform.run import Run
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.project.pipeline import STEPS, reads_of, sections_of
from lifestage.project.registry import tables_of
from lifestage.project.tables import RUNS
from support.frames import build
from support.projects import packaged_config
from support.reporting import AS_OF, BEFORE, NOW


def job_on(spark, root):
    config = packaged_config()
    run = Run(run_id="run-1", as_of_dates=(AS_OF,), now=NOW, config_hash="h")
    return Job(
        step="report",
        run=run,
        store=DeltaStore(spark, Location(root=str(root))),
        tables=tables_of(config),
        reads=frozenset(reads_of(STEPS["report"])),
        writes=frozenset(),
        config=config,
        sections=sections_of(),
    )


def test_a_run_writes_one_file_and_the_same_one_again(spark, tmp_path):
    job, path = job_on(spark, tmp_path / "root"), tmp_path / "out" / "report.html"
    rows = spark.createDataFrame([("u1", AS_OF, "declining", "true", {})], USER_STAGES.schema)
    job.store.write(USER_STAGES, rows, {}, {"as_of": [AS_OF]})
    totals = spark.createDataFrame([(AS_OF, "declining", 1, Decimal(0))], STAGE_TOTALS.schema)
    job.store.write(STAGE_TOTALS, totals, {}, {"as_of": [AS_OF]})
    config = job.config.of(ReportSettings).model_copy(update={"path": str(path), "min_cell_users": 1})
    step.run(job, config)
    first = path.read_text(encoding="utf-8")
    step.run(job, config)
    assert path.read_text(encoding="utf-8") == first
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    assert "1 (100.0%)" in first


def test_a_run_of_past_dates_leaves_the_page_of_the_newest(spark, tmp_path):
    store = job_on(spark, tmp_path).store
    assert step.is_newest(store.read(RUNS), AS_OF)
    for day in (AS_OF - timedelta(days=1), AS_OF):
        store.write(RUNS, build(spark, RUNS, [{"run_id": str(day), "as_of_dates": [day]}]), {})
    runs = store.read(RUNS)
    assert [step.is_newest(runs, AS_OF + timedelta(days=days)) for days in (-1, 0, 1)] == [False, True, True]


def runs_of(spark, *dates):
    return build(spark, RUNS, [{"run_id": str(day), "as_of_dates": [day]} for day in dates])


def test_a_report_compares_with_dates_of_which_rows_are_kept(spark):
    """Of a week that is kept and of month-ends; dates of the run itself count as well."""
    keep, old, month_end = Keep(days=7, month_ends=True), AS_OF - timedelta(days=8), date(2026, 10, 31)
    runs = runs_of(spark, month_end, date(2026, 11, 10), old)
    assert step.find_earlier_dates(runs, Run("r", (AS_OF,), NOW), keep) == EarlierDates(month_end)
    both = step.find_earlier_dates(runs, Run("r", (BEFORE, AS_OF), NOW), keep)
    assert both == EarlierDates(month_end, None, BEFORE)
    assert step.find_earlier_dates(runs, Run("r", (month_end,), NOW), keep) == EarlierDates()


def test_a_report_can_count_changes_since_any_kept_date(spark):
    keep, month_end = Keep(days=7, month_ends=True), date(2026, 10, 31)
    runs = runs_of(spark, month_end, BEFORE)
    run = Run("r", (AS_OF,), NOW)
    assert step.find_earlier_dates(runs, run, keep, against=BEFORE).before == BEFORE
    for day in (AS_OF, date(2026, 10, 30)):
        with pytest.raises(
            NoDataError, match=f"no rows as of {day} are kept: choose one of 2026-10-31, 2026-11-20"
        ):
            step.find_earlier_dates(runs, run, keep, against=day)
