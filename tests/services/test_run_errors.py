"""SQL of a configuration that fails: reported before anything is written, or with its file and key."""

from datetime import UTC, date, datetime

import pytest
from pyspark.errors import PySparkException

from lifestage.platform.errors import ConfigError
from lifestage.project.opening import Request
from lifestage.services.run import run
from support.projects import MAIN, TILL, make_project

NOW = datetime(2026, 3, 10, 23, tzinfo=UTC)
LINE = {"line": 1, "version": 1, "deleted": "false", "at": "2026-03-10T12:00:00-04:00", "amount": "1.00"}
REQUEST = Request("r", (date(2026, 3, 10),), NOW, NOW, ("reference", "ingest"))


def till_with(**columns):
    added = "".join(f", {name}: {sql}" for name, sql in columns.items())
    return TILL.replace("order_id: receipt", f"order_id: receipt{added}")


def test_sql_that_fails_on_an_odd_value_stops_a_run_before_it_writes(spark_session, tmp_path):
    till = till_with(location_id="to_date(product)", session_id="no_such_function(product)")
    shop = make_project(spark_session, tmp_path / "shop", {"till": till}, MAIN)
    shop.deliver("monday.csv", [{**LINE, "receipt": "r1", "product": "p1", "kind": "purchase", "card": "c1"}])
    with pytest.raises(ConfigError) as refused:
        run(shop.project, REQUEST)
    keys = {problem.partition("till.yaml: ")[2].partition(": ")[0] for problem in refused.value.problems}
    assert keys == {"map.location_id", "map.session_id"}
    assert shop.project.store.version(shop.project.tables["ingest_ledger"]) is None


def test_an_error_on_a_row_names_the_file_and_the_key_but_not_the_row(spark_session, tmp_path):
    """The product of two numbers can overflow: no check looks for that."""
    till = till_with(duration="line * 9000000000000000")
    shop = make_project(spark_session, tmp_path / "shop", {"till": till}, MAIN)
    line = {**LINE, "line": 2000, "receipt": "r1", "product": "p1", "kind": "purchase", "card": "c1"}
    shop.deliver("monday.csv", [line])
    with pytest.raises(PySparkException) as failed:
        run(shop.project, REQUEST)
    notes = "\n".join(failed.value.__notes__)
    assert "sources/till.yaml: map.duration: line * 9000000000000000" in notes
    assert "c1" not in notes
