"""Whether the newest date has a segment model."""

from collections.abc import Iterator

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.retraining import Retraining, describe_training
from lifestage.analytics.segments.schedule import training_date
from lifestage.platform.findings import Examination, Finding, Level
from lifestage.platform.plurals import count_of


def diagnose_model(root: Examination, config: SegmentsConfig) -> Iterator[Finding]:
    """A finding about the model in force on the newest date; none before the first run."""
    if root.as_of is None:
        return
    due = training_date(root.as_of, config.training)
    # One row a training date, ever.
    stored = [SegmentModel.from_row(row) for row in root.read("segment_models").collect()]
    models = {model.trained_on: model for model in stored if due is not None and model.trained_on <= due}
    if models:
        model = models[max(models)]
        users = f"{count_of(model.k, 'segment')} from {count_of(model.n_users, 'user')}"
        told = "; ".join([users, *_tell_changes(describe_training(model, stored, config))])
        yield Finding(Level.OK, "segment model", f"{model.model_id} in force as of {root.as_of}: {told}")
    elif due is None:
        detail = f"none as of {root.as_of}: no training date has come"
        yield Finding(Level.NOTE, "segment model", detail, "segments.yaml: set training")
    else:
        detail = (
            f"none as of {root.as_of}: fewer than {count_of(config.min_users, 'user')} to train on by {due}"
        )
        next_step = "wait for the next training date, or lower min_users in segments.yaml"
        yield Finding(Level.NOTE, "segment model", detail, next_step)


def _tell_changes(training: Retraining) -> Iterator[str]:
    for segment_id, before, now in training.renamed:
        yield f"segment {segment_id} was renamed from `{before}` to `{now}`"
    for segment_id, name in training.added:
        yield f"segment {segment_id} `{name}` is new"
    for segment_id, name in training.ended:
        yield f"segment {segment_id} `{name}` has ended"
    if training.constant:
        yield f"left out, equal for all users: {', '.join(training.constant)}"
