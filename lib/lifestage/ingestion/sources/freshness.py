"""Sources that are stale: no delivery for longer than they declare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.ledger import KNOWN
from lifestage.ingestion.sources.tables import REPLAY
from lifestage.platform.config.configuration import Config

# Columns of the ledger that `find_stale_sources` needs.
DELIVERY_COLUMNS = ("source", "kind", "ingested_at")


@dataclass(frozen=True)
class StaleSource:
    """A source without a delivery for longer than `expected_every`, as of an instant."""

    source: str
    expected_every: str
    last_delivery_at: datetime | None
    """When a run read its newest delivery; None if there was none."""

    @property
    def text(self) -> str:
        """The source with its last delivery and what it declares."""
        at = self.last_delivery_at
        last = f"last delivery {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "no delivery yet"
        return f"{self.source}: {last}, expected every {self.expected_every}"


def list_expected_sources(config: Config) -> dict[str, FileLayout]:
    """Every source and reference table that declares `freshness`, by name."""
    layouts: dict[str, FileLayout] = {**config.parts[SOURCES], **config.parts[REFERENCE_SOURCES]}
    return {name: layout for name, layout in sorted(layouts.items()) if layout.freshness}


def find_stale_sources(
    expected: Mapping[str, FileLayout], ledger: Iterable[Mapping[str, Any]], now: datetime
) -> tuple[StaleSource, ...]:
    """Find the sources whose newest delivery is older than they declare, or that never had one, in order of name.

    A file whose content was delivered before is no delivery, and neither is a replay of rejected rows.

    Args:
        expected: Sources that declare `freshness`.
        ledger: Rows of ingest_ledger; one small row for each file. They need `DELIVERY_COLUMNS`.
        now: The run's now. Later deliveries don't count, so the answer for a past run stays the same.
    """
    last: dict[str, datetime] = {}
    for row in ledger:
        # Spark returns instants in the local zone, without naming it.
        at = row["ingested_at"].astimezone(UTC)
        if row["kind"] not in (KNOWN, REPLAY) and at <= now:
            last[row["source"]] = max(at, last.get(row["source"], at))
    return tuple(
        StaleSource(name, str(layout.freshness), last.get(name))
        for name, layout in expected.items()
        if layout.expected_every and (name not in last or now - last[name] > layout.expected_every)
    )
