"""Train where the calendar asks for it, then assign every user of the run's dates."""

from datetime import date

from pyspark.sql import functions as F

from lifestage.analytics.segments.assignment import assign
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.schedule import training_date
from lifestage.analytics.segments.training import train
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.users.resolution import IS_PERSON


def run(job: Job, config: SegmentsConfig) -> None:
    """Train the models that are due on the run's dates, in order, then assign.

    A model that is stored is never trained again: it is an input of any later rebuild.
    """
    features = job.read("user_features").where(IS_PERSON).where(F.col("as_of").isin(*job.run.as_of_dates))
    # One row a training date, ever.
    stored = {row["trained_on"]: SegmentModel.from_row(row) for row in job.read("segment_models").collect()}
    for day in job.run.as_of_dates:
        if day not in stored and training_date(day, config.training) == day:
            previous = _latest(stored, day)
            taken = {segment_id for other in stored.values() for segment_id in other.known_ids}
            model = train(features.where(F.col("as_of") == F.lit(day)), config, day, previous, taken)
            if model is not None:
                stored[day] = model
                row = local_rows(job.spark, [model.to_row()], job.table("segment_models").schema)
                job.write("segment_models", row)
    models = {day: in_force(stored, day, config) for day in job.run.as_of_dates}
    job.write_as_of("user_segments", assign(features, models, config))


def in_force(stored: dict[date, SegmentModel], as_of: date, config: SegmentsConfig) -> SegmentModel | None:
    """The model of the latest training date up to as_of that had users enough.

    Args:
        stored: models by training date.
        as_of: the date that asks for it.
        config: with the calendar of trainings.
    """
    due = training_date(as_of, config.training)
    return _latest(stored, due) if due else None


def _latest(stored: dict[date, SegmentModel], up_to: date) -> SegmentModel | None:
    known = [day for day in stored if day <= up_to]
    return stored[max(known)] if known else None
