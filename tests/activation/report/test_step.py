from datetime import timedelta
from decimal import Decimal

from activation.report.builders import AS_OF, NAMES, NOW
from lifestage.activation.audiences.tables import AUDIENCE_DEFINITIONS, USER_AUDIENCES
from lifestage.activation.publish.tables import SNAPSHOTS
from lifestage.activation.report import step
from lifestage.activation.report.config import AudienceText, ReportConfig
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.analytics.value.tables import USER_VALUE, VALUE_SCALES
from lifestage.ingestion.events.tables import EVENTS
from lifestage.ingestion.sources.tables import INGEST_LEDGER
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.job import Job, Run
from lifestage.platform.storage.delta import DeltaStore, Location
from lifestage.project.tables import RUNS
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import user_features
from lifestage.users.identity.tables import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST
from support.frames import build


def job_on(spark, root):
    catalogue = Catalogue.model_validate(packaged_yaml("users/catalogue/defaults.yaml"))
    tables = (
        USER_STAGES,
        STAGE_TOTALS,
        USER_VALUE,
        VALUE_SCALES,
        USER_SEGMENTS,
        USER_AUDIENCES,
        AUDIENCE_DEFINITIONS,
        user_features(catalogue),
        INGEST_LEDGER,
        EVENTS,
        IDENTITY_MAP,
        IDENTITY_PAST,
        IDENTITY_CHANGES,
        SNAPSHOTS,
        RUNS,
    )
    by_name = {table.name: table for table in tables}
    run = Run(run_id="run-1", as_of_dates=(AS_OF,), now=NOW, config_hash="h")
    return Job(
        "report", run, DeltaStore(spark, Location(root=str(root))), by_name, frozenset(by_name), frozenset()
    )


def test_a_run_writes_one_file_and_the_same_one_again(spark, tmp_path):
    job, path = job_on(spark, tmp_path / "root"), tmp_path / "out" / "report.html"
    rows = spark.createDataFrame([("u1", AS_OF, "novice", "true", {})], USER_STAGES.schema)
    job.store.write(USER_STAGES, rows, {}, {"as_of": [AS_OF]})
    totals = spark.createDataFrame([(AS_OF, "novice", 1, Decimal(0))], STAGE_TOTALS.schema)
    job.store.write(STAGE_TOTALS, totals, {}, {"as_of": [AS_OF]})
    config = ReportConfig(
        path=str(path),
        business="Shop",
        currency="EUR",
        language="en",
        locale=None,
        min_cell_users=1,
        display=("novice",),
        ladder=(),
        rfm_names=NAMES,
        segment_features=("net_amount_365d",),
        known=("member",),
        actions=("purchase",),
        audiences={"win_back": AudienceText(description="Long gone", owner="CRM")},
    )
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
