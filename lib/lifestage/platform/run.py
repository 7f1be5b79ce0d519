"""A run as steps see it, and the keys of the project."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Run:
    """One run: its name, the dates that it builds (ascending), and the instant that it uses as now."""

    run_id: str
    as_of_dates: tuple[date, ...]
    now: datetime
    config_hash: str = ""
    code_version: str = ""
    dates_to_keep: tuple[date, ...] = ()
    """Dates of completed runs that tables with as_of keep. The commit that writes new dates removes all others."""
    attempt: str = ""
    """Distinguishes this process from others with the same run_id. Commits record it; no table does."""

    @property
    def as_of(self) -> date:
        """The newest date that the run builds."""
        return self.as_of_dates[-1]


@dataclass(frozen=True)
class Secrets:
    """Keys from the environment. They never appear in output, logs or query plans."""

    pseudonym_key: bytes
    quarantine_key: bytes

    def __repr__(self) -> str:
        return "Secrets(***)"
