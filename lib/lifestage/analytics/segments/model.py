"""The segment model: everything that assigning a user needs, one row of segment_models."""

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Self

import numpy as np
from pyspark.sql import Row

from lifestage.analytics.segments.kmeans import Matrix
from lifestage.analytics.segments.scaling import GRID, ScaledFeature
from lifestage.platform.config.expressions import semantic_hash


@dataclass(frozen=True)
class Score:
    """What one k was worth on the coreset."""

    k: int
    inertia: float
    silhouette: float
    min_share: float


@dataclass(frozen=True)
class Segment:
    """One segment: stable id, name, centroid in scaled space, and its users at training."""

    segment_id: int
    name: str
    centroid: tuple[float, ...]
    size: int


@dataclass(frozen=True)
class SegmentModel:
    """A trained model. Segments are in order of their ids, so that the first of equals has the lowest id."""

    model_id: str
    trained_on: date
    features_hash: str
    seed: int
    n_users: int
    k: int
    scores: tuple[Score, ...]
    features: tuple[ScaledFeature, ...]
    segments: tuple[Segment, ...]
    retired_ids: tuple[int, ...]

    @property
    def centroids(self) -> Matrix:
        """Centroids in grid steps (segments x features); whole numbers, as they were stored without loss."""
        return np.array([segment.centroid for segment in self.segments]) * GRID

    @property
    def known_ids(self) -> frozenset[int]:
        """Every id that this model or one before it has used."""
        return frozenset(self.retired_ids) | {segment.segment_id for segment in self.segments}

    def identified(self) -> Self:
        """The model under its id: training date and a digest of all the rest."""
        content = {**asdict(self), "model_id": None}
        return replace(self, model_id=f"{self.trained_on.isoformat()}-{semantic_hash(content)}")

    def to_row(self) -> Row:
        """The row of segment_models, for createDataFrame with the table's schema."""
        return Row(**asdict(self))

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """The model of a row of segment_models, bit for bit what was stored."""
        values = row.asDict(recursive=True)
        parts = {
            "scores": tuple(Score(**score) for score in values["scores"]),
            "features": tuple(ScaledFeature(**feature) for feature in values["features"]),
            "segments": tuple(
                Segment(**{**segment, "centroid": tuple(segment["centroid"])})
                for segment in values["segments"]
            ),
            "retired_ids": tuple(values["retired_ids"]),
        }
        return cls(**{**values, **parts})
