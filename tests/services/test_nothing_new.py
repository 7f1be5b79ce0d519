"""A run that would find nothing to do is recognised without Spark, and every change leads to a run."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lifestage.platform.storage import lock
from lifestage.project.opening import open_for_reading
from lifestage.project.pipeline import STEPS
from lifestage.services import nothing_new
from lifestage.services.nothing_new import find_finished_run
from lifestage.services.run import make_request
from support.projects import TILL_COLUMNS, delta_store, make_project

pytestmark = pytest.mark.slow

D = date(2026, 1, 31)
NOW = datetime(2026, 2, 1, 6, tzinfo=UTC)


def sale(number, amount="5.00"):
    row = dict.fromkeys(TILL_COLUMNS, "") | {
        "receipt": f"r{number}",
        "line": 1,
        "version": 1,
        "deleted": "false",
    }
    return row | {
        "card": "c1",
        "at": f"2026-01-{number:02}T12:00:00-05:00",
        "kind": "purchase",
        "amount": amount,
    }


@pytest.fixture(scope="module")
def done(spark_session, tmp_path_factory):
    """A project after one run."""
    folder = tmp_path_factory.mktemp("nothing") / "p"
    project = make_project(spark_session, folder, store=delta_store(spark_session, folder))
    project.deliver("sales.csv", [sale(n) for n in range(1, 20)])
    project.run(str(D), steps=tuple(STEPS), run_id="night")
    return project


def ask(project, day=D, now=NOW, steps=None):
    """The outcome of a run that has nothing to do; None if Spark has to start."""
    readable = open_for_reading(project.folder / "main.yaml", needs_keys=True, is_checked=True)
    return find_finished_run(readable, make_request((day,), now, steps or tuple(STEPS)))


@pytest.fixture
def changed(done):
    """The project, whose folder is as it was after the test."""
    before = {path: path.stat() for path in done.folder.rglob("*") if path.is_file()}
    kept = done.folder.with_name("kept")
    shutil.copytree(done.folder, kept, copy_function=shutil.copy2)
    assert ask(done)
    yield done
    shutil.rmtree(done.folder)
    shutil.move(kept, done.folder)
    for path, stat in before.items():
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert ask(done)


def test_after_a_run_there_is_nothing_to_do(done):
    outcome = ask(done)
    assert (outcome.run_id, outcome.as_of_dates, outcome.snapshot_id) == ("night", (D,), f"{D}.r1")
    assert (outcome.steps, outcome.stale_sources, outcome.suspicions) == ((), (), None)
    assert {*outcome.deliveries.values()} == {0}
    assert outcome.report == str(done.folder / "report.html")
    assert ask(done, now=NOW + timedelta(days=30))


def test_another_date_or_other_steps_are_to_do(done):
    assert ask(done, D - timedelta(days=1)) is None
    assert ask(done, D + timedelta(days=1)) is None
    assert ask(done, steps=("reference", "ingest")) is None


def test_a_new_file_is_to_do(changed):
    changed.deliver("more.csv", [sale(20)])
    assert ask(changed) is None


def test_a_file_with_other_content_is_to_do(changed):
    changed.deliver("sales.csv", [sale(n, "7.00") for n in range(1, 20)])
    assert ask(changed) is None


def test_a_file_that_was_only_touched_is_a_doubt(changed):
    os.utime(changed.folder / "landing/till/sales.csv")
    assert ask(changed) is None


@pytest.mark.parametrize(
    "setting",
    [
        "report: {min_cell_users: 7}\n",
        "explain: {silent_days: 9}\n",
        "as_of: {keep: {days: 2}}\n",
        "run: {dead_after_hours: 3}\n",
    ],
)
def test_a_changed_setting_is_to_do_even_if_results_stay(changed, setting):
    main = changed.folder / "main.yaml"
    name = setting.partition(":")[0]
    kept = [line for line in main.read_text().splitlines() if not line.startswith(f"{name}:")]
    main.write_text("\n".join(kept) + "\n" + setting)
    assert ask(changed) is None


def test_a_changed_rule_is_to_do(changed):
    (changed.folder / "audiences.yaml").write_text(
        'audiences:\n  regulars: {when: "occasions_all >= 3", strategy: {message: Thanks}}\n'
    )
    assert ask(changed) is None


def test_another_version_of_the_package_and_a_missing_report_are_to_do(changed, monkeypatch):
    monkeypatch.setattr(nothing_new, "__version__", "99")
    assert ask(changed) is None
    monkeypatch.undo()
    report = changed.folder / "report.html"
    os.utime(report, (0, 0))
    assert ask(changed) is None, "the package is newer"
    report.write_text(report.read_text().replace("night", "other"))
    assert ask(changed) is None, "another run wrote it"
    report.unlink()
    assert ask(changed) is None


def test_an_unfinished_run_is_to_do(changed):
    """It wrote a table, and then it was killed: before it released the lock, or after."""
    store, tables = changed.project.store, changed.project.tables
    me = replace(lock.this_process("killed", NOW, is_job=False), host="elsewhere")
    held = lock.acquire(store, tables["run_lock"], me, timedelta(hours=1))
    assert ask(changed) is None
    held.release()
    assert ask(changed)
    changed.run(
        str(D),
        now="2026-02-01T07:00:00+00:00",
        run_id="stopped",
        steps=("reference", "ingest", "activity", "identity"),
    )
    store.write(tables["norms"], store.read(tables["norms"]), {"run_id": "stopped"}, {"as_of": [D]})
    assert ask(changed) is None


def test_a_lost_commit_is_to_do(changed):
    newest = max((changed.folder / "tables/user_stages/_delta_log").glob("*.json"))
    newest.unlink()
    assert ask(changed) is None


def test_other_keys_are_to_do(changed, monkeypatch):
    monkeypatch.setenv("LIFESTAGE_PSEUDONYM_KEY", "33" * 32)
    assert ask(changed) is None
