"""The segment model: everything that the assignment of users needs, as one row of segment_models."""

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Self

import numpy as np
from pyspark.sql import Row

from lifestage.analytics.segments.kmeans import Matrix
from lifestage.analytics.segments.scaling import GRID, ScaledFeature
from lifestage.platform.config.expressions import semantic_hash


@dataclass(frozen=True)
class ClusteringScore:
    """Scores of the clustering for one k on the coreset; inertia in scaled space, min_share of the smallest cluster."""

    k: int
    inertia: float
    silhouette: float
    min_share: float


@dataclass(frozen=True)
class Segment:
    """One segment: stable id, name, centroid in scaled space, and number of users at training."""

    segment_id: int
    name: str
    centroid: tuple[float, ...]
    size: int


@dataclass(frozen=True)
class SegmentModel:
    """A trained model. Segments are sorted by id, so that a tie of distances goes to the lowest id."""

    model_id: str
    trained_on: date
    features_hash: str
    seed: int
    n_users: int
    k: int
    scores: tuple[ClusteringScore, ...]
    features: tuple[ScaledFeature, ...]
    segments: tuple[Segment, ...]
    retired_ids: tuple[int, ...]

    @property
    def centroids(self) -> Matrix:
        """Centroids in grid steps (segments x features): whole numbers, because they are stored without loss."""
        return np.array([segment.centroid for segment in self.segments]) * GRID

    @property
    def known_ids(self) -> frozenset[int]:
        """Every id that this model or an earlier one has used."""
        return frozenset(self.retired_ids) | {segment.segment_id for segment in self.segments}

    def with_model_id(self) -> Self:
        """Return the model with its id: the training date and a digest of everything else."""
        content = {**asdict(self), "model_id": None}
        return replace(self, model_id=f"{self.trained_on.isoformat()}-{semantic_hash(content)}")

    def to_row(self) -> Row:
        """Return the model as a row of segment_models."""
        return Row(**asdict(self))

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the model of a row of segment_models, bit for bit as it was trained."""
        values = row.asDict(recursive=True)
        parts = {
            "scores": tuple(ClusteringScore(**score) for score in values["scores"]),
            "features": tuple(ScaledFeature(**feature) for feature in values["features"]),
            "segments": tuple(
                Segment(**{**segment, "centroid": tuple(segment["centroid"])})
                for segment in values["segments"]
            ),
            "retired_ids": tuple(values["retired_ids"]),
        }
        return cls(**{**values, **parts})
