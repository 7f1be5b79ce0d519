import doctest
import subprocess
import sys
import warnings
from datetime import UTC, date, datetime

import pytest

import lifestage
from lifestage.platform.errors import NoDataError
from lifestage.services.completed import StaleWarning, find_last_run, read_table, reader
from lifestage.services.snapshots import find_manifest, read_manifests, read_users
from support.frames import assert_rows, build
from support.projects import delta_store, make_project

pytestmark = pytest.mark.slow

D30, D31 = date(2026, 1, 30), date(2026, 1, 31)
CHECKS = [("has users", True, "1 user")]


def stage(day, name, user="u1"):
    return {"user_id": user, "as_of": day, "stage": name, "rule": "true"}


def member(audience, day):
    return {"audience": audience, "user_id": "u1", "as_of": day}


def manifest(day, revision):
    return {
        "snapshot_id": f"{day}.r{revision}",
        "as_of": day,
        "revision": revision,
        "n_users": 1,
        "checks": CHECKS,
        "erased": 0,
    }


def write(project, table, rows, replace=None):
    """The version that the write makes."""
    contract = project.tables[table]
    frame = build(project.store.spark, contract, rows)
    return project.store.write(contract, frame, {"run_id": "r"}, replace).version


def complete(project, run_id, versions, days=(D30, D31), now=None, delivery_no=1):
    write(
        project,
        "runs",
        [
            {
                "run_id": run_id,
                "now": now or datetime(2026, 2, 1, 6, tzinfo=UTC),
                "as_of_dates": list(days),
                "delivery_no": delivery_no,
                "table_versions": versions,
            }
        ],
    )


@pytest.fixture(scope="module")
def project(spark_session, tmp_path_factory):
    """Two runs; the later one was given an older `now`. After it, a run that was killed changed user_stages."""
    folder = tmp_path_factory.mktemp("reading") / "p"
    project = make_project(spark_session, folder, store=delta_store(spark_session, folder)).project
    days = {"as_of": [D30, D31]}
    first = write(project, "user_stages", [stage(D30, "novice")], {"as_of": [D30]})
    complete(project, "first", {"user_stages": first, "gone": 99})
    second = write(project, "user_stages", [stage(D30, "growth"), stage(D31, "mature")], days)
    frozen = [
        {"snapshot_id": f"{day}.r1", "user_id": user, "as_of": day}
        for day, user in ((D30, "u1"), (D31, "u2"))
    ]
    versions = {
        "user_stages": second,
        "events": 0,
        "snapshot_users": write(
            project, "snapshot_users", frozen, {"snapshot_id": [f"{D30}.r1", f"{D31}.r1"]}
        ),
        "snapshots": write(project, "snapshots", [manifest(D30, 1), manifest(D31, 1)]),
        "user_audiences": write(
            project,
            "user_audiences",
            [member("regulars", D30), member("regulars", D31), member("win_back", D30)],
            days,
        ),
    }
    project.store.create(project.tables["events"])
    complete(project, "second", versions, now=datetime(2026, 1, 1, tzinfo=UTC))
    write(project, "user_stages", [stage(D31, "churned")], days)
    delivery = {"delivery_no": 2, "source": "till", "kind": "events", "first_event_date": D31}
    write(project, "ingest_ledger", [delivery])
    return project


def test_a_table_is_read_as_the_last_completed_run_left_it(project):
    assert_rows(
        read_table(project, "user_stages").select("as_of", "stage"), [(D30, "growth"), (D31, "mature")]
    )


def test_the_last_run_is_the_one_with_the_later_versions_whatever_its_now(project):
    assert find_last_run(project).run_id == "second"


def test_a_date_can_be_given_as_text(project):
    assert_rows(read_table(project, "user_stages", "2026-01-30").select("stage"), [("growth",)])


def test_reading_a_stale_date_warns_and_reading_a_fresh_one_does_not(project):
    with pytest.warns(StaleWarning, match="user_stages as of 2026-01-31 is stale: .*backfill --stale"):
        newest = read_table(project, "user_stages", "latest")
    assert_rows(newest.select("stage"), [("mature",)])
    with warnings.catch_warnings():
        warnings.simplefilter("error", StaleWarning)
        read_table(project, "user_stages", D30)


@pytest.mark.parametrize(
    ("table", "as_of", "message"),
    [
        ("user_stage", None, "there is no table user_stage: did you mean user_stages"),
        (
            "user_stages",
            "2026-01-29",
            "no rows as of 2026-01-29: the nearest dates are 2026-01-30, 2026-01-31",
        ),
        ("user_stages", "yesterday", "yesterday is not a date such as"),
        ("events", "2026-01-30", "events has no column as_of: omit as_of, or read one of .*user_stages"),
        ("user_value", None, "run second, the last completed one, did not have this table"),
    ],
)
def test_the_message_about_a_missing_table_or_date_names_what_exists(project, table, as_of, message):
    with pytest.raises(NoDataError, match=message):
        read_table(project, table, as_of)


def test_a_reader_uses_one_run_and_tables_that_the_run_lacks_are_empty(project):
    rows_of = reader(project)
    assert_rows(rows_of("user_stages").select("as_of", "stage"), [(D30, "growth"), (D31, "mature")])
    assert rows_of("segment_models").isEmpty()


def test_before_the_first_run_there_is_nothing_to_read(spark_session, tmp_path):
    store = delta_store(spark_session, tmp_path / "p")
    empty = make_project(spark_session, tmp_path / "p", store=store).project
    with pytest.raises(NoDataError, match="no run has completed yet: start `lifestage run`"):
        read_table(empty, "user_stages")
    assert read_manifests(empty) == []
    with pytest.raises(NoDataError, match="no snapshot has been published yet"):
        find_manifest(empty, "latest")


def test_the_latest_snapshot_is_the_greatest_date_and_revision(project):
    assert find_manifest(project, "latest")["snapshot_id"] == "2026-01-31.r1"
    assert find_manifest(project, "2026-01-30")["snapshot_id"] == "2026-01-30.r1"
    assert [row["snapshot_id"] for row in read_manifests(project)] == ["2026-01-31.r1", "2026-01-30.r1"]
    assert_rows(read_users(project, "2026-01-30.r1").select("user_id"), [("u1",)])


@pytest.mark.parametrize("wanted", ["2026-02-14.r1", "2026-01-31.r2", "01-31"])
def test_an_unknown_snapshot_names_the_nearest(project, wanted):
    with pytest.raises(NoDataError, match=f"there is no snapshot {wanted}: the nearest are .*2026-01-31.r1"):
        find_manifest(project, wanted)


def test_reading_needs_a_configuration_but_no_key(project, spark_session, monkeypatch):
    conf = f"{project.store.location.root}/../main.yaml"
    for key in ("PSEUDONYM", "QUARANTINE"):
        monkeypatch.delenv(f"LIFESTAGE_{key}_KEY")
    assert_rows(lifestage.snapshot(conf=conf, spark=spark_session).select("user_id"), [("u2",)])
    monkeypatch.setenv("LIFESTAGE_CONF", conf)
    assert lifestage.read("user_stages", spark=spark_session).count() == 2


def test_the_package_imports_without_spark():
    program = (
        "import sys, lifestage; assert 'pyspark' not in sys.modules; assert not hasattr(lifestage, 'write')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", lifestage.__all__)
@pytest.mark.filterwarnings("ignore::lifestage.services.completed.StaleWarning")
def test_the_docstring_example_of_a_reader_is_correct(project, spark_session, monkeypatch, name):
    monkeypatch.setenv("LIFESTAGE_CONF", f"{project.store.location.root}/../main.yaml")
    names = {"lifestage": lifestage, "spark": spark_session}
    [example] = doctest.DocTestFinder().find(getattr(lifestage, name), name, globs=names)
    assert example.examples
    failures = []
    doctest.DocTestRunner().run(example, out=failures.append)
    assert not failures, "".join(failures)
