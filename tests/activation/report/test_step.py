from datetime import date, timedelta
from decimal import Decimal

from lifestage.activation.report import step
from lifestage.activation.report.config import ReportSettings
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.platform.config.shared import Keep
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
    rows = spark.createDataFrame([("u1", AS_OF, "novice", "true", {})], USER_STAGES.schema)
    job.store.write(USER_STAGES, rows, {}, {"as_of": [AS_OF]})
    totals = spark.createDataFrame([(AS_OF, "novice", 1, Decimal(0))], STAGE_TOTALS.schema)
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


def test_the_date_before_is_the_last_one_of_which_rows_are_kept(spark):
    """Of a week that is kept and of month-ends; dates of the run itself count as well."""
    keep, old = Keep(days=7, month_ends=True), AS_OF - timedelta(days=8)
    dates = [date(2026, 10, 31), date(2026, 11, 10), old]
    runs = build(spark, RUNS, [{"run_id": str(day), "as_of_dates": [day]} for day in dates])
    assert step.date_before(runs, Run("r", (AS_OF,), NOW), keep) == date(2026, 10, 31)
    assert step.date_before(runs, Run("r", (BEFORE, AS_OF), NOW), keep) == BEFORE
    assert step.date_before(runs, Run("r", (date(2026, 10, 31),), NOW), keep) is None
