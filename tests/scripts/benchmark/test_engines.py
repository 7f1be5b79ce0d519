from dataclasses import replace
from importlib.util import find_spec

import duckdb
import pytest

from benchmark.engines import Task, run_duckdb, run_polars, run_spark_sql
from benchmark.events import write_events
from benchmark.sizes import Size
from benchmark.state_query import columns_of_state, write_state_query
from documents import packaged_config
from lifestage.ingestion.events.event_types import EVENT_TYPES, actions_of
from lifestage.users.catalogue.model import CATALOGUE

SIZE = Size(events=4_000, days=400, users=60)


@pytest.fixture(scope="module")
def config():
    return packaged_config()


@pytest.fixture(scope="module")
def task(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("events")
    write_events(SIZE, folder / "landing", folder / "later")
    # As of a day within the files, so that later events must not count.
    return Task(folder / "landing", SIZE.dates[-20], actions_of(config.parts[EVENT_TYPES]), "", folder)


def read_state(task, config, engine, compute):
    # DuckDB chooses the format by the end of the name.
    result = task.result / f"{engine}.parquet"
    compute(replace(task, query=write_state_query(config.parts[CATALOGUE], engine), result=result))
    files = f"{result}/*.parquet" if result.is_dir() else str(result)
    columns = "* REPLACE (coalesce(list_sort(occasion_days)::DATE[], []) AS occasion_days)"
    return duckdb.sql(f"SELECT {columns} FROM read_parquet('{files}') ORDER BY member").to_arrow_table()


def test_the_query_has_every_window_and_date(task, config):
    state = read_state(task, config, "duckdb", run_duckdb)
    catalogue = config.parts[CATALOGUE]
    names = [*catalogue.dates, *(window.name for window in catalogue.all_windows())]
    assert state.column_names == ["member", "first_purchase_channel", "occasion_days", *names]
    assert columns_of_state(catalogue) == names
    assert len(state) == 60


@pytest.mark.skipif(find_spec("polars") is None, reason="scripts/setup bench installs Polars")
def test_polars_gives_the_state_of_duckdb(task, config):
    theirs = read_state(task, config, "polars", run_polars)
    assert theirs.to_pylist() == read_state(task, config, "duckdb", run_duckdb).to_pylist()


def test_spark_sql_gives_the_state_of_duckdb(task, config, spark):
    theirs = read_state(task, config, "spark", lambda each: run_spark_sql(each, spark))
    assert theirs.to_pylist() == read_state(task, config, "duckdb", run_duckdb).to_pylist()
