"""The segment of one user with its distance, and what hypotheses would make of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import DataFrame

from lifestage.analytics.segments.assignment import assign_segments_on_driver
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.schedule import model_in_force
from lifestage.analytics.segments.tables import USER_SEGMENTS
from lifestage.platform.explain import BLANK, Explain, Line, ResultColumn
from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.user_rows import Scope, UserFrames, UserRows


def explain_segment(rows: UserRows, _config: SegmentsConfig) -> dict[str, Any]:
    """The user's row of user_segments."""
    return {"segment": rows.row("user_segments")}


def show_segment(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """The segment with its distance and the next nearest, or why there is none."""
    segment = answer["segment"]
    yield BLANK
    if not segment or segment["segment"] is None:
        yield "segment", str(segment.get("status", "none")).replace("_", " ")
        return
    yield "segment", segment["segment"]
    other = segment["runner_up_distance"]
    beside = f", segment {segment['runner_up_id']} at {other:.2f}" if other is not None else ""
    yield "  distance", f"segment {segment['segment_id']} at {segment['distance']:.2f}{beside}"
    yield "  model", segment["model_id"]


def assume_segments(hypotheses: Hypotheses, config: SegmentsConfig) -> dict[str, DataFrame]:
    """The segment under each hypothesis, by the model of the date."""
    features = hypotheses.tables["user_features"]
    model = _model(hypotheses.rows, config)
    found = assign_segments_on_driver(features, dict.fromkeys(hypotheses.dates, model), config)
    rows = [[row[name] for name in USER_SEGMENTS.names] for row in found]
    return {"user_segments": local_rows(features.sparkSession, rows, USER_SEGMENTS.schema)}


EXPLAIN = Explain(
    reads={"user_segments": Scope.USER, "segment_models": Scope.TABLE},
    answer=explain_segment,
    lines=show_segment,
    assume=assume_segments,
    results=(ResultColumn("user_segments", "segment", "segment"),),
)


def _model(rows: UserFrames, config: SegmentsConfig) -> SegmentModel | None:
    """The model that assigned the user; the one in force for a user whom no model assigned."""
    # One row a training date, ever.
    models = [SegmentModel.from_row(row) for row in rows.tables["segment_models"].collect()]
    used = rows.row("user_segments").get("model_id")
    own = next((model for model in models if model.model_id == used), None)
    return own or model_in_force({model.trained_on: model for model in models}, rows.as_of, config)
