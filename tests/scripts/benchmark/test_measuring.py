"""A tiny benchmark, from events to figures: slow, because each run writes every table."""

import pytest

from benchmark.measuring import (
    lay_out_project,
    measure_build,
    measure_nights,
    measure_run,
    nightly_request,
    write_main_file,
)
from benchmark.peers import ENGINES, count_differing_users, measure_peer, rebuild_state
from benchmark.sizes import Size
from lifestage.project.opening import open_project
from lifestage.project.pipeline import groups
from support.frames import assert_frames

pytestmark = pytest.mark.slow
SIZE = Size(events=900, days=40, users=30)
TO_FEATURES = ("ingest", "identity", "activity", "profiles", "features")


@pytest.fixture(scope="module")
def measured(spark_session, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("bench"))
        lay_out_project(SIZE)
        project = open_project(SIZE.folder / "main.yaml", spark_session)
        build = measure_build(project, SIZE)
        nights = measure_nights(project, SIZE, SIZE.nights)
        late = measure_nights(project, SIZE, SIZE.late_nights)
        yield project, build, nights, late


def test_every_step_has_figures(measured):
    _, build, nights, late = measured
    steps = [[step.name for step in group if step.name not in ("reference", "report")] for group in groups()]
    for run in (build, *nights, *late):
        assert [part["steps"] for part in run["steps"]] == [names for names in steps if names]
        assert run["seconds"] >= sum(part["seconds"] for part in run["steps"]) - 0.1
        # A step that finds nothing to do takes less than a hundredth of a second.
        assert run["cpu"] > 0
        assert all(part["cpu"] >= 0 and part["memory"] > 0 for part in run["steps"])
    assert all(part["bytes"] > 0 for part in build["steps"] if part["steps"] == ["features"])


def test_nights_count_the_users_in_their_files(measured):
    *_, late = measured
    assert all(0 < night["touched_users"] <= night["events"] for night in late)


def test_late_nights_give_what_a_full_build_gives(measured, spark):
    project, *_ = measured
    again = open_project(write_main_file(SIZE, "again.yaml", "again"), spark)
    measure_run(again, nightly_request(SIZE.dates[-1], TO_FEATURES), SIZE)
    for name in ("activity_days", "category_days", "user_state"):
        assert_frames(project.store.read(project.tables[name]), again.store.read(again.tables[name]))
    newest = [
        each.store.read(each.tables["user_features"]).where(f"as_of = '{SIZE.dates[-1]}'")
        for each in (project, again)
    ]
    assert_frames(*newest)


@pytest.mark.usefixtures("measured")
def test_other_engines_give_our_state(spark):
    rebuild_state(SIZE, spark)
    for engine in ENGINES:
        measure_peer(SIZE, engine)
        assert count_differing_users(SIZE, engine) == 0
