"""List, decrypt and replay rejected rows."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.corrected import drop_corrected
from lifestage.ingestion.events.domain import DOMAIN as EVENTS
from lifestage.ingestion.events.rejected import RejectedRows, count_rejected
from lifestage.ingestion.events.replay import (
    ReplayFilter,
    ReplayResult,
    add_origins,
    decrypt_text,
    keep_waiting,
    replay,
)
from lifestage.ingestion.sources.config import SOURCES
from lifestage.ingestion.sources.deliveries import show_path
from lifestage.platform.errors import ConfigError, suggest_name
from lifestage.platform.run import Run
from lifestage.project.opening import Project, Request
from lifestage.project.root import hold_root
from lifestage.project.runner import make_job
from lifestage.project.secrets import read_secrets


@dataclass(frozen=True)
class RejectedRow:
    """One rejected row that waits for a replay, decrypted."""

    source: str
    delivery_no: int
    path: str | None
    """The file that held the row; None for a row that a replay rejected again."""
    reasons: tuple[str, ...]
    raw: str


def list_rejected(project: Project, source: str | None = None) -> list[RejectedRows]:
    """Rejected rows by source. Raises a ConfigError if the source does not exist.

    Without keys, rows whose corrected version has arrived count as waiting.
    """
    counts = count_rejected(*_read_tables(project), partial(_drop_corrected, project))
    _check_source(project, source, [item.source for item in counts])
    return [item for item in counts if source in (None, item.source)]


def keep_reference_tables(project: Project, rejected: Iterable[RejectedRows]) -> list[RejectedRows]:
    """Reference tables with waiting rows. They cannot be replayed, because a reference table needs a whole extract."""
    return [item for item in rejected if item.source in project.references and item.n_waiting]


def read_rejected(project: Project, source: str | None, limit: int) -> list[RejectedRow]:
    """The first waiting rows by delivery, decrypted with the project's key."""
    assert project.secrets is not None, "the project was opened without keys"
    rejected, ledger = _read_tables(project)
    rows = _drop_corrected(project, keep_waiting(rejected, ledger))
    if source is not None:
        rows = rows.where(F.col("source") == source)
    first = rows.orderBy("delivery_no", "rejected_id").limit(limit)
    found = first.join(ledger.select("delivery_no", "path"), on="delivery_no", how="left")
    key = project.secrets.quarantine_key
    return [
        RejectedRow(
            row["source"],
            row["delivery_no"],
            row["path"] and show_path(row["path"]),
            tuple(row["reasons"]),
            decrypt_text(row["raw"], key),
        )
        for row in found.orderBy("delivery_no", "rejected_id").collect()
    ]


def replay_rejected(
    project: Project, choice: ReplayFilter, now: datetime, wall_clock: datetime
) -> list[ReplayResult]:
    """Process waiting rows again with the current configuration, as a separate run. Empty if none was ever rejected.

    Args:
        project: an open project, with keys.
        choice: which rows.
        now: the instant that the replay uses as now.
        wall_clock: the current time, only for the lock.

    Raises:
        ConfigError: the source does not exist.
        NoDataError: rows wait, but none of them for the chosen reason.
    """
    _check_source(project, choice.source)
    if not project.store.exists(project.tables["rejected_events"]):
        return []
    run_id = f"replay-{uuid.uuid4().hex[:8]}"
    job = make_job(project, EVENTS, Run(run_id, (), now, project.config.hash), {})
    with hold_root(project, Request(run_id, (), now, wall_clock, (EVENTS.name,))):
        return replay(job, project.config.of(IngestConfig), choice)


def _drop_corrected(project: Project, waiting: DataFrame) -> DataFrame:
    """Drop the rows whose corrected version has arrived, if the keys are set."""
    try:
        keys = project.secrets or read_secrets(project.config)
    except ConfigError:
        return waiting
    events = project.store.read(project.tables["events"])
    waiting = add_origins(waiting, *_read_tables(project))
    return drop_corrected(waiting, events, project.config.of(IngestConfig), keys)


def _read_tables(project: Project) -> tuple[DataFrame, DataFrame]:
    """Rejected rows and the ledger as they are now, whether or not a run has completed since."""
    rejected, ledger = project.tables["rejected_events"], project.tables["ingest_ledger"]
    return project.store.read(rejected), project.store.read(ledger)


def _check_source(project: Project, source: str | None, others: Iterable[str] = ()) -> None:
    known = {*project.config.parts[SOURCES], *project.references, *others}
    if source is not None and source not in known:
        raise ConfigError([f"--source: unknown source {source}: {suggest_name(source, known)}"])
