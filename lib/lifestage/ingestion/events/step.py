"""The ingest step: read new files, resolve their rows, write them, and commit them with their ledger rows last."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial, reduce
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.counts import (
    DeliveryCounts,
    check_conservation,
    check_gates,
    count_deliveries,
    to_ledger_entry,
)
from lifestage.ingestion.events.keys import add_keyless_ids
from lifestage.ingestion.events.mapping import IngestContext, to_canonical
from lifestage.ingestion.events.resolve import ALL_TIME, Outcome, Resolution, build_tombstones, resolve
from lifestage.ingestion.events.tables import EVENTS
from lifestage.ingestion.sources.deliveries import Delivery, check_unchanged, group_by_source
from lifestage.ingestion.sources.holding import read_or_hold
from lifestage.ingestion.sources.ledger import LEDGER, commit_deliveries, find_new_deliveries
from lifestage.ingestion.sources.quarantine import to_rejected
from lifestage.ingestion.sources.readers import check_headers, read_raw
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.store import literals

TABLES = ("events", "event_versions", "rejected_events")
MAX_LISTED_DATES = 100


def run(job: Job, config: IngestConfig) -> None:
    """Ingest every file that the ledger does not list.

    Nothing is written unless all rows are accounted for and every source passes its gate. If a run dies between its
    commits, the next run rolls its writes back and reads the same files again.

    Raises:
        SourceError: if a file cannot be read as its source declares it.
        CheckError: if rows were lost or a source is below its gate.
    """
    deliveries = find_new_deliveries(job, config.sources, config.landing)
    if not deliveries:
        return
    lines, deliveries = read_or_hold(deliveries, config.sources, partial(_read_lines, job, config))
    fresh = [delivery for delivery in deliveries if delivery.known_as is None]
    counts = _ingest(job, config, lines, fresh) if fresh else {}
    # A file without rows has no counts, but it was delivered.
    entries = {d.delivery_no: to_ledger_entry(counts.get(d.delivery_no, DeliveryCounts())) for d in fresh}
    if deliveries:
        commit_deliveries(job, deliveries, "events", entries, TABLES)


def _read_lines(job: Job, config: IngestConfig, deliveries: Sequence[Delivery]) -> DataFrame | None:
    """Read the new files as canonical rows, header lines included, and check their headers; None if there are no new files."""
    fresh = [delivery for delivery in deliveries if delivery.known_as is None]
    if not fresh:
        return None
    # Counts, events, versions and quarantine all read the rows: keep them instead of reading the files four times.
    lines = checkpoint(_read_canonical(job, config, fresh))
    check_headers(lines, config.sources, fresh)
    return lines


def _ingest(
    job: Job, config: IngestConfig, lines: DataFrame | None, deliveries: Sequence[Delivery]
) -> dict[int, DeliveryCounts]:
    assert lines is not None, "there are new files"
    check_unchanged(job.spark, deliveries)
    today = job.run.now.astimezone(ZoneInfo(config.time_zone)).date()
    window_starts = {
        name: ALL_TIME if source.snapshot else today - timedelta(days=source.lookback_days)
        for name, source in config.sources.items()
        if source.looks_back
    }
    arrivals = lines.where("NOT is_header").drop("is_header")
    return resolve_and_write(job, config, arrivals, deliveries, window_starts)


def resolve_and_write(
    job: Job,
    config: IngestConfig,
    arrivals: DataFrame,
    deliveries: Sequence[Delivery],
    window_starts: Mapping[str, date],
    is_gated: bool = True,
) -> dict[int, DeliveryCounts]:
    """Resolve arriving rows against the known events, count them, check them and write them.

    The caller must commit the deliveries with `commit_deliveries` afterwards.

    Args:
        job: The ingest step.
        config: Its configuration.
        arrivals: Canonical rows of the deliveries, with `is_skipped`. They are read several times: the caller keeps them in memory.
        deliveries: The deliveries that the rows belong to.
        window_starts: For each source that looks back, the first date whose events it may change.
        is_gated: Whether to check the accuracy gates.

    Raises:
        CheckError: if rows were lost or a source is below its gate; nothing was written.
    """
    data = arrivals.where("NOT is_skipped").drop("is_skipped")
    resolution = _resolve_arrivals(job, data, window_starts)
    counts = count_deliveries(arrivals, resolution, config.finality_days, config.time_zone)
    of_source = {delivery.delivery_no: delivery.source for delivery in deliveries}
    check_conservation(counts, of_source)
    if is_gated:
        check_gates(counts, of_source, config.sources, resolution.arrivals)
    _write(job, resolution, counts)
    return counts


def build_context(job: Job, config: IngestConfig) -> IngestContext:
    """Collect what the mapping of this run needs: configuration, current reference rows, key and now."""
    lookups = {name: job.read(name).where("NOT is_ended") for name in sorted(job.reads - {LEDGER})}
    return IngestContext(config, lookups, job.keys.pseudonym_key, job.run.now)


def build_canonical_rows(raw: DataFrame, name: str, context: IngestContext) -> DataFrame:
    """Map raw rows of one source to canonical rows; keyless rows get an event_id from their content."""
    source = context.config.sources[name]
    rows = to_canonical(raw, name, source, context)
    return rows if source.key else add_keyless_ids(rows, source.across_files)


def _read_canonical(job: Job, config: IngestConfig, deliveries: Sequence[Delivery]) -> DataFrame:
    """Read the deliveries of every source as canonical rows, header lines included."""
    context = build_context(job, config)
    fresh = group_by_source(deliveries)

    def read_source(name: str) -> DataFrame:
        return build_canonical_rows(read_raw(job.spark, config.sources[name], fresh[name]), name, context)

    # In parallel, because analysing the plan of each source takes most of the time.
    return reduce(DataFrame.unionByName, run_in_parallel([partial(read_source, name) for name in fresh]))


def _resolve_arrivals(job: Job, arrivals: DataFrame, window_starts: Mapping[str, date]) -> Resolution:
    dates = sorted(
        row["event_date"]
        for row in arrivals.where("event_date IS NOT NULL").select("event_date").distinct().collect()
    )
    may_meet = _is_on_dates(dates, window_starts)
    # A source without a window never looks back.
    starts: Column = F.lit(date(9999, 12, 31))
    if window_starts:
        pairs = [part for name, start in window_starts.items() for part in (F.lit(name), F.lit(start))]
        starts = F.coalesce(F.create_map(*pairs)[F.col("source")], starts)
    known = job.read("events").where(may_meet)
    deleted = build_tombstones(job.read("event_versions").where(may_meet))
    return resolve(arrivals, known, deleted, starts)


def _is_on_dates(dates: Sequence[date], window_starts: Mapping[str, date]) -> Column:
    """Return a predicate for the events that may share a slot with an arrival. It prunes partitions and files."""
    if not dates:
        return F.lit(False)
    on_dates = (
        F.col("event_date").isin(list(dates))
        if len(dates) <= MAX_LISTED_DATES
        else F.col("event_date").between(dates[0], dates[-1])
    )
    in_months = F.col("event_month").between(dates[0].replace(day=1), dates[-1])
    condition = in_months & on_dates
    for source, start in window_starts.items():
        in_window = (F.col("event_month") >= start.replace(day=1)) & (F.col("event_date") >= start)
        condition |= (F.col("source") == source) & in_window
    return condition


def _write(job: Job, resolution: Resolution, counts: Mapping[int, DeliveryCounts]) -> None:
    """Write each table in at most one commit. Tables without new rows are not written."""
    outcomes = {name for c in counts.values() for name, n in c.outcomes.items() if n}
    additions = resolution.arrivals.where("stays").select(*EVENTS.names)
    if Outcome.REJECTED in outcomes:
        rejected = resolution.arrivals.where(F.col("outcome") == Outcome.REJECTED)
        job.write("rejected_events", to_rejected(rejected, job.table("rejected_events"), job.keys))
    if resolution.versions is not None and outcomes & {Outcome.REPLACED, Outcome.SUPERSEDED}:
        job.write("event_versions", resolution.versions)
    if resolution.removed is not None and Outcome.REPLACED in outcomes:
        # Only the months of the removed events are read.
        rows = resolution.removed.select("event_month").distinct().collect()
        months = literals([row["event_month"] for row in rows])
        removals = resolution.removed.select(*job.table("events").key)
        job.exchange("events", removals, additions, f"event_month IN ({months})" if rows else "false")
    elif Outcome.ACCEPTED in outcomes:
        job.write("events", additions)
