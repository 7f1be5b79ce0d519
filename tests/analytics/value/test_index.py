"""The value index: known answers, ties, missing data, and independence of order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from analytics.value.builders import SPEND_ALONE, D, buyer, index_of, valued
from support.frames import assert_frames, assert_rows, shuffled

# 20 users: the 5th percentile is the first spend, the 95th the 19th.
TWENTY = [buyer(f"u{n:02}", spend=f"{n}.00") for n in range(1, 21)]


def indexes(spark, rows, index=None):
    return valued(spark, rows, index)[0].select("user_id", "value_index")


def test_components_are_scaled_between_their_percentiles(spark):
    """(x - 1) / (19 - 1), clipped to 0..1."""
    found = {row["user_id"]: row["value_index"] for row in indexes(spark, TWENTY).collect()}
    assert [found[name] for name in ("u01", "u10", "u19", "u20")] == [
        Decimal(text) for text in ("0.0000", "0.5000", "1.0000", "1.0000")
    ]


def test_the_scales_have_weights_percentiles_and_counts(spark):
    scales = valued(spark, TWENTY)[1]
    assert_rows(
        scales.select("as_of", "dimension", "component", "weight", "p5", "p95", "n_users", "n_known"),
        [(D, "economic", "spend", 1.0, 1.0, 19.0, 20, 20)],
    )


def test_if_all_values_are_equal_the_index_is_zero(spark):
    assert_rows(indexes(spark, [buyer("a"), buyer("b")]), [("a", "0.0000"), ("b", "0.0000")])


def test_users_who_are_not_scored_have_no_index_and_do_not_count_in_the_scales(spark):
    silent = buyer("silent", recency=400, frequency=0, spend="0.00")
    users, scales = valued(spark, [*TWENTY, silent])
    assert_rows(users.where("user_id = 'silent'").select("rfm_status", "value_index"), [("not_scored", None)])
    assert_rows(scales.select("n_users"), [(20,)])


def test_weights_multiply_down_the_dimensions(spark):
    """Spend contributes 0.6 x 0.75, frequency 0.6 x 0.25, and the dimension without data 0.4 x 0."""
    index = index_of(
        weights={"economic": 0.6, "psychological": 0.4},
        dimensions={
            "economic": {
                "components": {"spend": "net_amount_365d", "frequency": "occasions_365d"},
                "weights": {"spend": 0.75, "frequency": 0.25},
            },
            "psychological": {
                "components": {"satisfaction": "satisfaction_365d"},
                "weights": {"satisfaction": 1},
            },
        },
    )
    rows = [buyer("a", frequency=1, spend="10"), buyer("b", frequency=3, spend="10"), buyer("c", spend="30")]
    users, scales = valued(spark, rows, index)
    assert_rows(users.select("user_id", "value_index"), [("a", "0"), ("b", "0.15"), ("c", "0.45")])
    assert_rows(scales.where("component = 'satisfaction'").select("n_users", "n_known"), [(3, 0)])


def test_null_counts_as_zero(spark):
    index = index_of(
        dimensions={"economic": {"components": {"spend": "IF(recency_days = 1, NULL, net_amount_365d)"},
                                 "weights": {"spend": 1}}}
    )  # fmt: skip
    rows = [buyer("a", recency=1, spend="99"), buyer("b", spend="5"), buyer("c", spend="10")]
    assert_rows(indexes(spark, rows, index), [("a", "0"), ("b", "0.5"), ("c", "1")])


def test_each_date_has_its_own_scales(spark):
    later = [buyer(row["user_id"], spend="7", as_of=D + timedelta(days=1)) for row in TWENTY]
    users, scales = valued(spark, [*TWENTY, *later])
    assert_rows(scales.select("as_of", "p5", "p95"), [(D, 1.0, 19.0), (D + timedelta(days=1), 7.0, 7.0)])
    assert users.where("value_index > 0").select("as_of").distinct().collect() == [(D,)]


def test_order_partitions_and_the_order_of_names_do_not_matter(spark):
    names = {"a": "net_amount_365d", "b": "occasions_365d", "c": "-recency_days"}
    weights = {"a": 0.1, "b": 0.2, "c": 0.7}

    def of(order):
        chosen = {
            "components": {name: names[name] for name in order},
            "weights": {name: weights[name] for name in order},
        }
        return index_of(dimensions={"economic": chosen})

    rows = [buyer(f"u{n}", recency=n % 7, frequency=1 + n % 5, spend=f"{n % 4}.50") for n in range(40)]
    assert_frames(shuffled(indexes(spark, rows[::-1], of("cba"))), indexes(spark, rows, of("abc")))


def test_an_empty_input_gives_no_rows(spark):
    assert_rows(indexes(spark, []), [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"economic": 0.9}}, "weights sum to 0.9, expected 1"),
        ({"weights": None}, "give exactly one of weights and comparisons"),
        ({"weights": {"economic": 0.5, "social": 0.5}}, "expected each of economic"),
        ({"comparisons": {"economic": [1]}}, "give exactly one of weights and comparisons"),
        ({"weights": None, "comparisons": {"economic": ["one"]}}, "one is not a number such as 3 or 1/3"),
    ],
)
def test_invalid_weights_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        index_of(**changes)


def test_a_disabled_dimension_has_no_weight():
    off = {"enabled": False, "components": {"shares": "n_recommendations_365d"}, "weights": {"shares": 1}}
    dimensions = {**SPEND_ALONE["dimensions"], "social": off}
    assert index_of(dimensions=dimensions).weighing.weights == {"economic": 1}
    with pytest.raises(ValidationError, match="an item that is switched off has no weight"):
        index_of(dimensions=dimensions, weights={"economic": 0.5, "social": 0.5})


def test_comparisons_give_weights_and_their_consistency():
    dimensions = {
        name: {"components": {"n": "occasions_365d"}, "weights": {"n": 1}} for name in ("a", "b", "c")
    }
    comparisons = {"a": [1, 3, 5], "b": ["1/3", 1, 2], "c": ["1/5", 0.5, 1]}
    weighing = index_of(weights=None, comparisons=comparisons, dimensions=dimensions).weighing
    assert [round(weight, 3) for weight in weighing.weights.values()] == [0.648, 0.230, 0.122]
    assert round(weighing.consistency_ratio, 3) == 0.003
