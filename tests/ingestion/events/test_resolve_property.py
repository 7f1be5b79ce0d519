"""Random small histories, divided into runs in three ways, compared with the row-by-row model."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from ingestion.events.builders import (
    BEFORE,
    INSIDE,
    LATER,
    SOURCES,
    WINDOW_START,
    apply,
    arrivals,
    empty_books,
    row,
)
from ingestion.events.model import Model
from lifestage.ingestion.events.keys import content_hash
from support.frames import shuffled

pytestmark = pytest.mark.slow

# Deliveries of the first run; the second run has the rest.
DIVISIONS = {"once": set(), "early": {1}, "late": {1, 2}}
DAYS = (INSIDE, LATER, BEFORE)

# A row: delivery, version, whether it deletes, day and amount.
steps = st.tuples(
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([False, False, True]),
    st.sampled_from(DAYS),
    st.integers(1, 2),
)
histories = st.lists(st.lists(steps, min_size=1, max_size=5), min_size=30, max_size=40)


def rows_of(history, division):
    """Build the rows. Keys alternate between kinds of source; only some kinds have versions or deletes."""
    kinds = list(SOURCES)
    for number, key_steps in enumerate(history):
        kind = kinds[number % len(kinds)]
        looks_back, _, _ = SOURCES[kind]
        for delivery, version, is_delete, day, amount in key_steps:
            yield row(
                f"{kind}-{division}",
                f"k{number}",
                delivery=delivery,
                version=version if kind == "versioned" else None,
                is_delete=is_delete and looks_back,
                day=day,
                amount=amount,
            )


def identity_of(item):
    return (
        item["source"],
        item["event_id"],
        item["delivery_no"],
        item["version"],
        item["event_date"],
        item["amount"],
    )


def run_in_spark(spark, rows):
    """Return outcomes, events and versions after two runs, as counted tuples."""
    first = [item for item in rows if item["delivery_no"] in DIVISIONS[item["source"].partition("-")[2]]]
    rest = [item for item in rows if item not in first]
    books = empty_books(spark)
    outcomes = []
    for part in (first, rest):
        books = apply(books, shuffled(arrivals(spark, part), 2))
        outcomes += books.arrivals.withColumn("reason", F.try_element_at("reasons", F.lit(1))).collect()
    short = {"correction_too_late": "rejected: late", "changed_without_version": "rejected: changed"}
    return (
        Counter(
            (*identity_of(item), item["is_delete"], short.get(item["reason"], item["outcome"]))
            for item in outcomes
        ),
        Counter(identity_of(item) for item in books.events.collect()),
        Counter(
            (*identity_of(item), item["reason"], item["superseded_by"], item["superseded_at"])
            for item in books.versions.collect()
        ),
    )


def run_in_python(rows):
    model = Model(WINDOW_START)
    for number in (1, 2, 3):
        model.deliver([item for item in rows if item["delivery_no"] == number])
    return (
        Counter((*identity_of(item), item["is_delete"], outcome) for item, outcome in model.outcomes),
        Counter(identity_of(item) for item in model.events()),
        Counter(
            (*identity_of(old), reason, new["delivery_no"], new["ingested_at"])
            for old, reason, new in model.versions
        ),
    )


@settings(
    max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(history=histories)
def test_random_histories_match_the_model_however_they_are_divided_into_runs(spark_session, history):
    rows = [item for division in DIVISIONS for item in rows_of(history, division)]
    hashes = arrivals(spark_session, rows).select("raw", "event_date", content_hash().alias("content"))
    contents = {(item["raw"], item["event_date"]): item["content"] for item in hashes.collect()}
    outcomes, events, versions = run_in_spark(spark_session, rows)
    expected = run_in_python(
        [{**item, "content": contents[item["raw"], item["event_date"]]} for item in rows]
    )
    assert outcomes == expected[0]
    assert events == expected[1]
    assert versions == expected[2]
