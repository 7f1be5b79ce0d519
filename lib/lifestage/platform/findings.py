"""What `lifestage doctor` finds in a storage root."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from pyspark.sql import DataFrame

from lifestage.platform.run import Secrets
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.store import Store

N_NAMED = 3


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; something may need to be done."""
    PROBLEM = "problem"
    """Numbers are wrong, or runs fail."""


@dataclass(frozen=True)
class Finding:
    """The result of one check: what was found, and what to do next."""

    level: Level
    subject: str
    detail: str
    next_step: str = "nothing to do"


@dataclass(frozen=True)
class Examination:
    """A storage root as the domains examine it."""

    store: Store
    tables: Mapping[str, Table]
    as_of: date | None
    """The newest date of the last completed run; None before the first."""
    is_fast: bool
    """True to skip checks that read every event."""
    secrets: Secrets | None = None
    """The keys of the project; None if they are not set."""

    def read(self, name: str) -> DataFrame:
        """The newest rows of a table, whether or not a run has completed since."""
        return self.store.read(self.tables[name])

    def metadata(self, name: str) -> Mapping[str, object]:
        """What the newest commit of a table recorded."""
        return self.store.last_metadata(self.tables[name])


Diagnose = Callable[[Examination, Any], Iterable[Finding]]
"""Returns the findings about one domain. The second argument is the domain's configuration."""


def list_first(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - N_NAMED
    return ", ".join(names[:N_NAMED]) + (f" and {more} more" if more > 0 else "")
