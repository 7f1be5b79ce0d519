"""Train the segment models that are due, then assign every user a segment on each date of the run."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.analytics.segments.assignment import assign_segments
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.model import SegmentModel
from lifestage.analytics.segments.profiles import build_profiles, build_totals
from lifestage.analytics.segments.schedule import latest_model, model_in_force, training_date
from lifestage.analytics.segments.training import train_model
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.users.resolution import IS_PERSON


def run(job: Job, config: SegmentsConfig) -> None:
    """Write user_segments for the run's dates, and segment_models for those of them that are training dates.

    A stored model is never trained again: it is an input of every rebuild.
    """
    features = job.read("user_features").where(IS_PERSON).where(F.col("as_of").isin(*job.run.as_of_dates))
    # Bounded: one row for each training date.
    stored = {row["trained_on"]: SegmentModel.from_row(row) for row in job.read("segment_models").collect()}
    for day in job.run.as_of_dates:
        if day not in stored and training_date(day, config.training) == day:
            previous = latest_model(stored, day)
            taken = {segment_id for other in stored.values() for segment_id in other.known_ids}
            model = train_model(features.where(F.col("as_of") == F.lit(day)), config, day, previous, taken)
            if model is not None:
                stored[day] = model
                row = local_rows(job.spark, [model.to_row()], job.table("segment_models").schema)
                job.write("segment_models", row)
    models = {day: model_in_force(stored, day, config) for day in job.run.as_of_dates}
    job.write_as_of("user_segments", assign_segments(features, models, config))
    _write_profiles(job, features, config)


def _write_profiles(job: Job, features: DataFrame, config: SegmentsConfig) -> None:
    """Add up the segments as they were written, which costs less than assigning them again."""
    segments = job.read("user_segments").where(F.col("as_of").isin(*job.run.as_of_dates))
    profiles = build_profiles(segments, features, config.profile, job.table("segment_profiles"))
    written = {"segment_totals": build_totals(segments), "segment_profiles": profiles}
    run_in_parallel([partial(job.write_as_of, name, frame) for name, frame in written.items()])
