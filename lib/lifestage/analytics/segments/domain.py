"""The declaration of segments."""

from datetime import date

from lifestage.analytics.segments.checks import declare_expressions
from lifestage.analytics.segments.config import SEGMENTS, SegmentsConfig, compose_config
from lifestage.analytics.segments.diagnose import diagnose_model
from lifestage.analytics.segments.explain import EXPLAIN
from lifestage.analytics.segments.schedule import training_date
from lifestage.analytics.segments.section import SECTION
from lifestage.analytics.segments.step import run
from lifestage.analytics.segments.tables import (
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENT_TOTALS,
    USER_SEGMENTS,
)
from lifestage.platform.domain import Configuration, Domain
from lifestage.platform.result import Group, Result


def find_training_date(config: SegmentsConfig, as_of: date) -> date | None:
    """Return the training date of the model that a date uses."""
    return training_date(as_of, config.training)


DOMAIN = Domain(
    name="segments",
    does="distributed K-means",
    reads=("user_features",),
    writes=("segment_models", "user_segments", "segment_totals", "segment_profiles"),
    run=run,
    config=Configuration((SEGMENTS,), compose_config),
    tables=lambda _config, _results: (SEGMENT_MODELS, USER_SEGMENTS, SEGMENT_TOTALS, SEGMENT_PROFILES),
    expressions=declare_expressions,
    result=Result(
        "user_segments",
        rules=("segment_id", "segment"),
        snapshot={"segment_id": "segment_id", "segment": "segment"},
        # A training can rename a segment, whose id stays.
        groups={"segment": Group("segment", key="segment_id")},
    ),
    needs_date=find_training_date,
    explain=EXPLAIN,
    diagnose=diagnose_model,
    section=SECTION,
)
