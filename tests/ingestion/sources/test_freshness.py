"""Sources that are stale at the run's now: ages, kinds of deliveries, and sources without any."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from lifestage.ingestion.sources.freshness import StaleSource, find_stale_sources
from lifestage.ingestion.sources.layout import FileLayout

NOW = datetime(2026, 4, 1, 6, tzinfo=UTC)


def layout(freshness):
    return FileLayout(path="x", format="csv", columns={"a": "string"}, freshness=freshness)


def delivery(number, hours_ago, source="till", kind="events"):
    row = {"delivery_no": number, "source": source, "kind": kind, "fingerprint": "x"}
    return {**row, "ingested_at": NOW - timedelta(hours=hours_ago)}


def stale(rows, now=NOW, **freshness):
    expected = {name: layout(every) for name, every in freshness.items()}
    return find_stale_sources(expected, rows, now)


@pytest.mark.parametrize(
    ("every", "is_stale"), [("27 hours", False), ("26 hours", False), ("25 hours", True), ("1 day", True)]
)
def test_a_source_is_stale_after_longer_than_it_declares(every, is_stale):
    found = stale([delivery(1, 50), delivery(2, 26)], till=every)
    assert found == ((StaleSource("till", every, NOW - timedelta(hours=26)),) if is_stale else ())


def test_content_that_was_known_and_replays_are_no_deliveries():
    rows = [delivery(1, 30), delivery(2, 1, kind="known"), delivery(3, 1, kind="replay")]
    [found] = stale(rows, till="1 day")
    assert found.text == "till: last delivery 2026-03-31 00:00 UTC, expected every 1 day"


def test_a_source_that_never_delivered_is_stale_and_others_do_not_count_for_it():
    rows = [delivery(1, 1, "products", "reference")]
    found = stale(rows, till="7 days", products="1 hour")
    assert [each.text for each in found] == ["till: no delivery yet, expected every 7 days"]


def test_the_clock_is_that_of_the_run_and_later_deliveries_do_not_count():
    rows = [delivery(1, 48), delivery(2, 1)]
    assert stale(rows, till="1 day") == ()
    assert len(stale(rows, NOW - timedelta(hours=10), till="1 day")) == 1


@pytest.mark.parametrize("text", ["daily", "0 hours", "1.5 days", "1 week", "-1 days"])
def test_what_is_no_number_of_hours_or_days_is_refused(text):
    with pytest.raises(ValidationError):
        layout(text)
