"""A run as steps see it, and its keys."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Run:
    """One run: its name, the dates it builds (ascending) and the instant it counts as now."""

    run_id: str
    as_of_dates: tuple[date, ...]
    now: datetime
    config_hash: str = ""
    code_version: str = ""
    stay: tuple[date, ...] = ()
    """Dates of completed runs that tables per as_of keep; all others go in the commit that writes the new ones."""

    @property
    def as_of(self) -> date:
        """The newest date that is built."""
        return self.as_of_dates[-1]


@dataclass(frozen=True)
class Secrets:
    """Keys from the environment; never shown, logged or compared in a plan."""

    pseudonym_key: bytes
    quarantine_key: bytes

    def __repr__(self) -> str:
        return "Secrets(***)"
