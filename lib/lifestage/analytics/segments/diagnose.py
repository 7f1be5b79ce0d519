"""Whether the newest date has a segment model."""

from collections.abc import Iterator

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.schedule import training_date
from lifestage.platform.findings import Examination, Finding, Level
from lifestage.platform.plurals import count_of


def diagnose_model(root: Examination, config: SegmentsConfig) -> Iterator[Finding]:
    """A finding about the model in force on the newest date; none before the first run."""
    if root.as_of is None:
        return
    due = training_date(root.as_of, config.training)
    columns = ("model_id", "trained_on", "k", "n_users")
    # One row a training date, ever.
    stored = root.read("segment_models").select(*columns).collect()
    models = {row["trained_on"]: row for row in stored if due is not None and row["trained_on"] <= due}
    if models:
        model = models[max(models)]
        users = f"{count_of(model['k'], 'segment')} from {count_of(model['n_users'], 'user')}"
        detail = f"{model['model_id']} in force as of {root.as_of}: {users}"
        yield Finding(Level.OK, "segment model", detail)
    elif due is None:
        detail = f"none as of {root.as_of}: no training date has come"
        yield Finding(Level.NOTE, "segment model", detail, "segments.yaml: set training")
    else:
        detail = (
            f"none as of {root.as_of}: fewer than {count_of(config.min_users, 'user')} to train on by {due}"
        )
        next_step = "wait for the next training date, or lower min_users in segments.yaml"
        yield Finding(Level.NOTE, "segment model", detail, next_step)
