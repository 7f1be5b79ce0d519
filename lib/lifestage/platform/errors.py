"""The one exception tree. Each message says what, where, got, expected and the next step."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit code means to a scheduler."""

    DONE = 0
    FAILED = 1
    CONFIGURATION = 2


class LifestageError(Exception):
    """Anything lifestage refuses or cannot do, worded for the person who has to act."""

    exit_code = ExitCode.FAILED


class ConfigError(LifestageError):
    """The configuration is wrong; carries every problem found, each with file and key."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, problems: Iterable[str]) -> None:
        """All problems at once, each a line of its own."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class ContractError(LifestageError):
    """A frame does not have the schema that its table declares."""


class SourceError(LifestageError):
    """A whole delivery cannot be read as its source describes it."""


class CheckError(LifestageError):
    """A quality gate or an invariant does not hold; nothing downstream has run."""


class NoDataError(LifestageError):
    """The question is about a date, table or snapshot that holds nothing."""


class RunLockedError(LifestageError):
    """Another run is alive on the same storage root."""


def expectation(name: str, known: Iterable[str]) -> str:
    """What a message says after an unknown name: what was probably meant, or else everything there is."""
    names = sorted(known)
    nearest = get_close_matches(name, names, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"expected one of {', '.join(names) or 'none'}"
