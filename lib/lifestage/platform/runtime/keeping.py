"""Rows that several queries read: worked out once, without the plan that made them."""

from pyspark import StorageLevel
from pyspark.sql import DataFrame


def kept(frame: DataFrame) -> DataFrame:
    """The rows of a frame, worked out when they are first read; they stay on the executors while the frame is in use.

    A persisted frame carries its plan along: every query on it walks the plan again and compares it with what is kept,
    which takes longer than a night's rows do. The price is that rows lost with an executor cannot be worked out again: the
    run ends, and the next one begins anew.
    """
    # As bytes: as objects, ten million rows would not fit beside the work on them.
    return frame.localCheckpoint(eager=False, storageLevel=StorageLevel.MEMORY_AND_DISK)
