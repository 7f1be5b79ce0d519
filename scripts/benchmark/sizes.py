"""Sizes and cases of the benchmark, and the folder of each."""

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

OUT = Path("out/bench")
FIRST_DAY = date(2024, 1, 1)
N_NIGHTS = 3
N_LATE_NIGHTS = 3
LATE_SHARE = 0.01
LATE_DAYS = 150
USERS_PER_MILLION = 46_000


@dataclass(frozen=True)
class Size:
    """How many events, and what is unusual about them. The last days are nights, which a full build leaves out."""

    events: int
    days: int
    users: int
    case: str = "plain"
    heavy: int = 0
    """How many of all events belong to one additional user."""
    categories: int = 20
    files: int = 0
    """Files of the full build; one per day by default."""
    has_one_file: bool = False
    has_empty_nights: bool = False
    seed: int = 1

    @property
    def dates(self) -> list[date]:
        """All days."""
        return [FIRST_DAY + timedelta(days=number) for number in range(self.days)]

    @property
    def nights(self) -> list[date]:
        """The days that come one by one after the full build."""
        return self.dates[-N_NIGHTS - N_LATE_NIGHTS : -N_LATE_NIGHTS]

    @property
    def late_nights(self) -> list[date]:
        """The days after those, with late events of earlier days."""
        return self.dates[-N_LATE_NIGHTS:]

    @property
    def built_on(self) -> date:
        """The last day of the full build."""
        return self.nights[0] - timedelta(days=1)

    @property
    def folder(self) -> Path:
        """The folder of the project and of its figures."""
        return OUT / f"{self.events}-{self.days}-{self.users}-{self.case}"

    def to_json(self) -> dict[str, Any]:
        """The size as it is kept beside the figures."""
        return asdict(self)


def to_size(events: int, days: int, users: int | None = None) -> Size:
    """The size with so many events, without anything unusual."""
    return Size(events, days, users or max(100, events * USERS_PER_MILLION // 1_000_000))


def bad_inputs(plain: Size) -> list[Size]:
    """The usual input, and inputs of the same size with one unusual property each."""
    return [
        replace(plain, case="usual"),
        replace(plain, case="heavy-user", heavy=min(1_000_000, plain.events // 2)),
        replace(plain, case="empty-nights", has_empty_nights=True),
        replace(plain, case="10000-categories", categories=10_000),
        replace(plain, case="one-file", has_one_file=True),
        replace(plain, case="20000-files", files=20_000),
    ]
