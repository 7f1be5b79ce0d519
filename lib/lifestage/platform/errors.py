"""The exception tree. Each message says what is wrong, where, what was found and expected, and the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the commands, for schedulers."""

    DONE = 0
    FAILED = 1
    CONFIGURATION = 2


class LifestageError(Exception):
    """Base of every error that lifestage raises deliberately. The message is for the person who has to act."""

    exit_code = ExitCode.FAILED


class ConfigError(LifestageError):
    """The configuration is wrong. The error holds every problem found, each with its file and key."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, problems: Iterable[str]) -> None:
        """Create the error; each problem becomes one line of the message."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ContractError(LifestageError):
    """A frame does not have the schema that its table declares."""


class SourceError(LifestageError):
    """A delivery cannot be read in the way that its source declares."""


class CheckError(LifestageError):
    """A quality gate or an invariant failed. No later step has run."""


class NoDataError(LifestageError):
    """The date, table or snapshot that was asked for holds nothing."""


class NeedsSparkError(LifestageError):
    """The answer needs Spark, because Python might compute it differently from a run."""


class RunLockedError(LifestageError):
    """Another run is active on the same storage root."""


class ConcurrentWriteError(LifestageError):
    """Another writer committed to the same table at the same time."""


class StorageError(LifestageError):
    """The storage refuses writes: it is full, read-only, or access is denied."""


class LostCommitError(LifestageError):
    """A table lacks a commit that a completed run recorded. Results would silently miss its rows."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a remark with the known name closest to a wrong one, or an empty text if none is close.

    Example:
        >>> did_you_mean("chanel", ["amount", "channel"])
        ' (did you mean channel?)'
    """
    nearest = get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {nearest[0]}?)" if nearest else ""


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about a wrong name: the closest known name, or all of them if none is close.

    Example:
        >>> suggest_name("weekly", ["month", "day"])
        'expected one of day, month'
    """
    names = sorted(known)
    nearest = get_close_matches(name, names, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"expected one of {', '.join(names) or 'none'}"
