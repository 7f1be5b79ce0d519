"""Progress of identity resolution: what the newest commits of its tables cover."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import functions as F

from lifestage.ingestion.sources.ledger import KNOWN, LEDGER
from lifestage.platform.as_of_dates import newest_built
from lifestage.platform.job import Job
from lifestage.users.identity.config import IdentityConfig

# The evidence that a table covers: the last delivery_no, and the version of `matches`.
Coverage = dict[str, int | None]


@dataclass(frozen=True)
class MapState:
    """The identity map before this run, as its newest commit recorded it."""

    as_of: date | None
    """Date of the map; None where there is no map."""
    meaning: str | None
    """Hash of the rules that the map was built with."""
    journal: int | None
    """Version of identity_changes that was written before the map; None where the log no longer has the map's commit."""
    newest: date
    """Date that the map is brought to: the newest date ever built, this run's included."""


def read_map_state(job: Job) -> MapState:
    """The state of the identity map before this run."""
    recorded = {name: str(value) for name, value in job.progress("identity_map").items()}
    as_of = date.fromisoformat(recorded["as_of"]) if "as_of" in recorded else None
    newest = max(day for day in (job.run.as_of, as_of, newest_built(job.read("runs"))) if day)
    was_written = bool(job.store.version(job.table("identity_map")))
    journal = None if was_written and "journal" not in recorded else int(recorded.get("journal", 0))
    return MapState(as_of, recorded.get("meaning"), journal, newest)


def read_available(job: Job, config: IdentityConfig) -> Coverage:
    """All evidence that exists: the last delivery with news, and the version of `matches`."""
    row = job.read(LEDGER).where(F.col("kind") != KNOWN).agg(F.max("delivery_no").alias("n")).first()
    matches = job.store.version(job.table("matches")) if config.is_matched else None
    return {"delivery_no": int(row["n"] or 0) if row else 0, "matches": matches}


def read_covered(job: Job, config: IdentityConfig) -> Coverage | None:
    """The evidence that the tables cover; None where everything has to be rebuilt.

    That is where the rules of evidence have changed, or where `links` is ahead of `link_days`: the last run stopped
    between the two commits. Its links may have lost their evidence since, and no delivery says so. A table that did not
    change has no new commit, so `links` may well lag behind.
    """
    links, link_days = job.progress("links"), job.progress("link_days")
    if {links.get("meaning"), link_days.get("meaning")} != {config.evidence_meaning}:
        return None
    written, covered = _to_coverage(links), _to_coverage(link_days)
    is_ahead = any((written[name] or 0) > (covered[name] or 0) for name in covered)
    return None if is_ahead else covered


def _to_coverage(progress: Mapping[str, object]) -> Coverage:
    numbers = {name: progress.get(name) for name in ("delivery_no", "matches")}
    return {name: None if number is None else int(str(number)) for name, number in numbers.items()}
