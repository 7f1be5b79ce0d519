from datetime import date
from decimal import Decimal

import pytest

from analytics.segments.section_builders import empty_segments, full_segments, outside, segment
from lifestage.analytics.segments.retraining import Retraining
from lifestage.analytics.segments.section import (
    SECTION,
    Feature,
    Known,
    SegmentCount,
    describe_features,
    list_models,
    to_counts,
)
from lifestage.analytics.segments.tables import SEGMENT_PROFILES, SEGMENT_TOTALS
from lifestage.platform.storage.contracts import Column, Kind, Table, WriteMode
from support.frames import build
from support.reporting import AS_OF, BEFORE, grid, labels, render_chapters, texts


def segments(data, least_users=1):
    return render_chapters(SECTION, data, least_users)["segments"]


def test_counts_have_the_profile_of_their_segment(spark):
    totals = [
        {"status": "modelled", "model_id": "m", "segment_id": 1, "segment": "big", "n_users": 2},
        {"status": "not_eligible", "n_users": 3},
    ]
    profiles = [{"segment_id": 1, "feature": "spend", "n_known": 2, "total": "4.00"}]
    found = to_counts(build(spark, SEGMENT_TOTALS, totals), build(spark, SEGMENT_PROFILES, profiles))
    assert found == (
        SegmentCount("modelled", "m", 1, "big", 2, {"spend": Known(2, Decimal(4))}),
        SegmentCount("not_eligible", None, None, None, 3),
    )


@pytest.mark.parametrize(("unit", "comment"), [("money", "Net spend [money]"), ("", "Net spend")])
def test_a_feature_is_described_as_its_column(unit, comment):
    column = Column("x", SEGMENT_TOTALS.columns[0].type, "Net spend", unit=unit)
    table = Table("t", Kind.DERIVED, "", (column,), ("x",), WriteMode.APPEND)
    assert describe_features(table, ["x"]) == (Feature("x", "Net spend", unit),)
    assert column.comment == comment


def test_profiles_are_means_over_known_values_the_largest_segment_first():
    unknown = SegmentCount("modelled", "m", 3, "unknown", 9)
    counts = (segment(1, "small", 1, "10.00"), segment(2, "large", 3, "90.00"), unknown)
    found = grid(segments(full_segments(counts=counts)), "Segments as of")
    assert labels(found) == ["Segment", "Users", "Entered", "Left", "Net amount, 365 days"]
    assert found.columns[4].about == "Purchases minus returns (EUR)"
    assert texts(found) == [
        ["unknown", "9", "0", "0", "unknown"],
        ["large", "3", "0", "\N{MINUS SIGN}1", "€30.00"],
        ["small", "1", "+1", "0", "€10.00"],
        ["All segments", "13", "", "", "€25.00"],
    ]
    assert [row[4].heat for row in found.rows] == [None, 1.0, 0.0, None]


def test_a_small_segment_is_withheld_with_its_profile():
    counts = (segment(1, "few", 2, "10.00"), segment(2, "some", 6, "60.00"), segment(3, "many", 30, "900.00"))
    found = grid(segments(full_segments(counts=counts), least_users=5), "Segments as of")
    assert texts(found) == [
        ["many", "30", "0", "0", "€30.00"],
        ["some", "–", "–", "–", "–"],
        ["few", "–", "–", "–", "–"],
        ["All segments", "38", "", "", "unknown"],
    ]


def test_what_a_training_changed_is_told():
    training = Retraining(
        date(2026, 9, 30),
        ((1, "high spend", "low spend"),),
        ((7, "average"),),
        ((2, "broad range"),),
        ("discount",),
    )
    model, *told = segments(full_segments(training=training)).notes
    assert model.startswith("The model is 2026-09-30-ab")
    assert told == [
        "Segment 1 is now called low spend: traits of its earlier name, high spend, no longer held at the training of "
        "Sep 30, 2026.",
        "Segment 7, average, is new since the training of Sep 30, 2026.",
        "Segment 2, broad range, ended with the training of Sep 30, 2026: no group of users resembles it.",
        "Left out of the model, because all users have the same value: discount.",
    ]


def test_users_without_a_segment_are_counted_by_reason():
    assert segments(full_segments(counts=(outside(5),))).notes == (
        "5 users are in no segment because no model is trained yet.",
    )
    assert segments(empty_segments()).notes == ("No user is in a segment as of Nov 21, 2026.",)


def test_a_note_says_that_the_model_was_trained_again_since_the_date_before():
    (model,) = full_segments().models
    retrained = segments(full_segments(before=BEFORE, models_before=("2026-06-30-aa",)))
    assert retrained.notes[1] == (
        f"The model was trained again since Nov 20, 2026: it is now {model}. Users also entered and left segments because of that."
    )
    assert len(segments(full_segments(before=BEFORE, models_before=(model,))).notes) == 1
    assert len(segments(full_segments(before=BEFORE)).notes) == 1


def test_models_are_those_of_the_date(spark):
    rows = [
        {"as_of": day, "status": "modelled", "model_id": model}
        for day, model in ((BEFORE, "a"), (BEFORE, None), (AS_OF, "b"))
    ]
    totals = build(spark, SEGMENT_TOTALS, rows)
    assert [list_models(totals, day) for day in (BEFORE, AS_OF, None)] == [("a",), ("b",), ()]
