"""What a training changed: segments that are new, ended or renamed, and features that are left out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel


@dataclass(frozen=True)
class Retraining:
    """A training compared with the one before. Segments are (id, name); `renamed` has the name before and the name now."""

    trained_on: date
    renamed: tuple[tuple[int, str, str], ...] = ()
    added: tuple[tuple[int, str], ...] = ()
    ended: tuple[tuple[int, str], ...] = ()
    constant: tuple[str, ...] = ()
    """Configured features with one value for all users, which the model leaves out."""


def describe_training(
    model: SegmentModel, models: Iterable[SegmentModel], config: SegmentsConfig
) -> Retraining:
    """Compare a model with the latest one before it. A first model added nothing.

    Features that are left out are known as long as the configured features are those of the training.
    """
    earlier = [each for each in models if each.trained_on < model.trained_on]
    previous = max(earlier, key=lambda each: each.trained_on, default=None)
    now = {segment.segment_id: segment.name for segment in model.segments}
    before = {segment.segment_id: segment.name for segment in previous.segments} if previous else now
    return Retraining(
        model.trained_on,
        tuple((each, before[each], now[each]) for each in now if before.get(each, now[each]) != now[each]),
        _select(now, now.keys() - before.keys()),
        _select(before, before.keys() - now.keys()),
        _list_constant_features(model, config),
    )


def _select(names: dict[int, str], ids: Collection[int]) -> tuple[tuple[int, str], ...]:
    return tuple((each, names[each]) for each in sorted(ids))


def _list_constant_features(model: SegmentModel, config: SegmentsConfig) -> tuple[str, ...]:
    if model.features_hash != config.features_hash:
        return ()
    used = {feature.name for feature in model.features if not feature.is_constant}
    return tuple(feature.name for feature in config.features if feature.name not in used)
