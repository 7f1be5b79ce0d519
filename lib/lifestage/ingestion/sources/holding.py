"""Files that cannot be read: they stop the run, or they are held until they can be read, as their source declares."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.layout import FileLayout, OnBadFile
from lifestage.platform.errors import SourceError

T = TypeVar("T")

logger = logging.getLogger(__name__)


class BadFilesError(SourceError):
    """Files cannot be read as their sources declare."""

    def __init__(self, faults: Mapping[Delivery, str], advice: str = "") -> None:
        """Create the error; each file becomes one line of the message, followed by the advice."""
        self.faults = faults
        super().__init__(
            "\n".join([*(f"{d}: {fault}" for d, fault in faults.items()), *([advice] if advice else [])])
        )


def hold_bad_files(
    deliveries: Sequence[Delivery], error: BadFilesError, layouts: Mapping[str, FileLayout]
) -> list[Delivery]:
    """Return the deliveries without the bad files, and warn of each. The ledger does not list them, so the next run tries again.

    A file with the same content as a bad one is held too.

    Args:
        deliveries: New files, bad ones included.
        error: The bad files.
        layouts: Layout by source.

    Raises:
        BadFilesError: the given error, if the source of a bad file does not hold such files.
    """
    if any(layouts[d.source].on_bad_file is OnBadFile.STOP for d in error.faults):
        raise error
    for delivery, fault in error.faults.items():
        logger.warning("%s: held, and tried again by the next run: %s", delivery, fault)
    held = {delivery.delivery_no for delivery in error.faults}
    return [d for d in deliveries if not held & {d.delivery_no, d.known_as}]


def read_or_hold(
    deliveries: Sequence[Delivery],
    layouts: Mapping[str, FileLayout],
    read: Callable[[Sequence[Delivery]], T],
) -> tuple[T, list[Delivery]]:
    """Read deliveries, again without the files that turn out to be bad, and return the result with those that were read.

    Raises:
        BadFilesError: the source of a bad file does not hold such files.
    """
    left = [*deliveries]
    while True:
        try:
            return read(left), left
        except BadFilesError as error:
            left = hold_bad_files(left, error, layouts)
