"""What a run leaves behind when it does not complete: nothing that stands in the next one's way."""

import pytest

from lifestage.core.errors import NoDataError
from support.frames import assert_rows
from support.projects import TO_ACTIVITY, make_project

MONDAY, TUESDAY = "2026-03-09", "2026-03-10"


@pytest.fixture(scope="module")
def shop(spark_session, tmp_path_factory):
    shop = make_project(spark_session, tmp_path_factory.mktemp("runner") / "p")
    shop.deliver(
        "monday.csv",
        [{"receipt": "r1", "line": 1, "version": 1, "deleted": "false", "card": "c1", "kind": "purchase",
          "at": "2026-03-09T12:00:00-04:00", "quantity": 1, "amount": "5.00"}],
    )  # fmt: skip
    return shop


def test_a_run_that_fails_gives_the_lock_back(shop):
    with pytest.raises(NoDataError):
        shop.run(MONDAY, steps=("features",), run_id="fails")
    assert shop.read("run_lock").isEmpty()


def test_a_date_that_no_completed_run_keeps_goes_with_the_next(shop):
    shop.run(MONDAY, steps=(*TO_ACTIVITY, "features"), run_id="never completed")
    assert_rows(shop.read("user_features").selectExpr("CAST(as_of AS STRING)"), [(MONDAY,)])
    shop.run(TUESDAY, steps=("features",), run_id="next")
    assert_rows(shop.read("user_features").selectExpr("CAST(as_of AS STRING)"), [(TUESDAY,)])
