"""Questions that need no Spark get the same answers without it."""

import os
import subprocess
import sys
import textwrap
import warnings
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

import lifestage
from lifestage.platform.errors import ConfigError, NoDataError
from lifestage.platform.findings import Level
from lifestage.platform.storage.arrow import ArrowStore
from lifestage.project.opening import open_for_reading, open_project
from lifestage.services.completed import (
    CompletedTables,
    StaleWarning,
    find_last_run,
    read_arrow,
    read_table,
)
from lifestage.services.doctor import examine_root
from lifestage.services.explain import explain
from lifestage.services.identifiers import find_identifiers
from lifestage.services.snapshots import find_manifest, list_snapshots
from support.frames import assert_frames
from support.projects import TILL_COLUMNS, delta_store, make_project

pytestmark = pytest.mark.slow

D, BEFORE = date(2026, 1, 31), date(2026, 1, 30)
NOW = datetime(2026, 2, 2, 6, tzinfo=UTC)
CARDS = ("c1", "c2", "c3", "c4", "c5", "c6")


def sale(number, card, day, amount):
    row = dict.fromkeys(TILL_COLUMNS, "")
    row |= {"receipt": f"r{number}", "line": 1, "version": 1, "deleted": "false", "card": card}
    return row | {"at": f"2026-01-{day:02}T12:00:00-05:00", "kind": "purchase", "amount": amount}


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    """Two dates of six customers, and a late delivery after them."""
    folder = tmp_path_factory.mktemp("questions") / "p"
    shop = make_project(spark_session, folder, store=delta_store(spark_session, folder))
    sales = [sale(n, card, 1 + 4 * n % 29, 10 + n) for n, card in enumerate(CARDS * 5)]
    shop.deliver("sales.csv", sales)
    shop.run(str(BEFORE))
    shop.run(str(D))
    shop.deliver("late.csv", [sale(99, "c1", 30, 5)])
    shop.run(str(D), now="2026-02-01T23:00:00+00:00", steps=("reference", "ingest"))
    return shop


@pytest.fixture(scope="module")
def readable(shop):
    """The same project without Spark."""
    found = open_for_reading(shop.folder / "main.yaml", needs_keys=True)
    assert isinstance(found.store, ArrowStore)
    return found


def tables_of(project):
    return CompletedTables(project, find_last_run(project))


def test_users_are_found_and_explained_as_with_spark(shop, readable):
    for card in CARDS:
        found, expected = (find_identifiers(tables_of(each), card, D) for each in (readable, shop.project))
        assert found == expected
        for name in (card, found[0]["user_id"], found[0]["identifier"]):
            for day in (D, BEFORE, None):
                assert explain(readable, name, day) == explain(shop.project, name, day)
    for project in (readable, shop.project):
        with pytest.raises(NoDataError, match="no user has that name"):
            explain(project, "nobody")
        with pytest.raises(NoDataError, match="the nearest dates are 2026-01-30, 2026-01-31"):
            explain(project, "c1", "2026-01-15")


def test_snapshots_are_listed_as_with_spark(shop, readable):
    assert list_snapshots(readable) == list_snapshots(shop.project)
    assert [each.is_latest for each in list_snapshots(readable)] == [True, False]
    for wanted in ("latest", str(BEFORE), f"{D}.r1"):
        assert find_manifest(readable, wanted) == find_manifest(shop.project, wanted)
    with pytest.raises(NoDataError, match=r"the nearest are 2026-01-30.r1, 2026-01-31.r1"):
        find_manifest(readable, "2026-02-05")


def test_the_root_is_examined_as_with_spark(shop, readable):
    found = [*examine_root(readable, NOW)]
    assert found == [*examine_root(shop.project, NOW)]
    by_subject = {finding.subject: finding for finding in found}
    assert by_subject["stale dates"].level is Level.NOTE
    assert by_subject["lost commits"].level is Level.OK


def test_tables_are_read_in_arrow_as_the_last_completed_run_left_them(spark, shop, readable):
    for name in ("user_features", "user_stages", "events", "snapshots", "runs", "norms"):
        assert_frames(spark.createDataFrame(read_arrow(readable, name)), read_table(shop.project, name))
    assert read_arrow(readable, "events").num_rows == len(CARDS) * 5
    assert {*read_arrow(readable, "user_stages", BEFORE)["as_of"].to_pylist()} == {BEFORE}
    with pytest.raises(NoDataError, match="events has no column as_of"):
        read_arrow(readable, "events", D)
    with pytest.raises(NoDataError, match="there is no table user_stage: did you mean user_stages"):
        read_arrow(readable, "user_stage")


def test_arrow_is_an_engine_of_read(shop):
    main = shop.folder / "main.yaml"
    with pytest.warns(StaleWarning, match="user_stages as of 2026-01-31 is stale") as caught:
        stages = lifestage.read("user_stages", as_of="latest", conf=main, engine="arrow")
    assert caught[0].filename == __file__
    assert isinstance(stages, pa.Table)
    assert sorted(stages.column_names) == sorted(shop.read("user_stages").columns)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lifestage.read("user_stages", conf=main, engine="arrow").num_rows == 2 * len(CARDS)
    with pytest.raises(ConfigError, match="engine: arow is unknown: did you mean arrow"):
        lifestage.read("user_stages", conf=main, engine="arow")


def test_no_java_is_started(shop):
    """In a process without Java: every question that needs no Spark."""
    asked = textwrap.dedent(
        """
        import sys
        from lifestage.cli import app
        def ask(*words):
            app([*words, "--conf", sys.argv[1], "--json"], standalone_mode=False)
        ask("snapshot", "list")
        ask("snapshot", "show", "latest")
        ask("explain", "c1")
        for name in ("pandas", "scipy", "pyarrow.compute"):
            assert name not in sys.modules, name
        import lifestage
        lifestage.read("user_stages", conf=sys.argv[1], engine="arrow")
        """
    )
    command = [sys.executable, "-c", asked, str(shop.folder / "main.yaml")]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "JAVA_HOME": "/none"}
    )
    assert done.returncode == 0, done.stderr


def test_a_root_on_this_machine_is_named_as_delta_names_it(shop, spark):
    # Delta refuses to create a table at file:///shop, which it takes for a place other than file:/shop.
    file = shop.folder / "by_uri.yaml"
    file.write_text((shop.folder / "main.yaml").read_text().replace("root: /", "root: file:///"))
    store = open_project(file, spark, needs_keys=False).store
    assert store.location.root == f"file:{shop.folder}/tables"


def test_only_spark_reads_a_catalog_and_a_uri(shop, monkeypatch):
    main = (shop.folder / "main.yaml").read_text()
    roots = {
        "uri": "root: s3://shop/tables",
        "file": "root: file:///shop/tables",
        "catalog": "schema: main.shop",
    }
    for name, root in roots.items():
        file = shop.folder / f"{name}.yaml"
        file.write_text(main.replace(f"root: {shop.folder}/tables", root))
        assert open_for_reading(file) is None
    elsewhere = shop.folder / "elsewhere.yaml"
    elsewhere.write_text(main.replace(f"{shop.folder}/tables", f"{shop.folder}/none"))
    assert open_for_reading(elsewhere) is not None
    monkeypatch.setenv("SPARK_HOME", "/opt/spark")
    assert open_for_reading(elsewhere) is None
    assert open_for_reading(shop.folder / "main.yaml") is not None
