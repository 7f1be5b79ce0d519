"""Read what is new, judge it, write it, and commit it with its ledger rows, last."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial, reduce
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.counts import Tally, check_conservation, check_gates, ledger_entry, tally
from lifestage.ingestion.events.keys import add_keyless_ids
from lifestage.ingestion.events.mapping import Door, to_canonical
from lifestage.ingestion.events.resolve import Outcome, Resolution, resolve, tombstones
from lifestage.ingestion.events.tables import EVENT_COLUMNS
from lifestage.ingestion.sources.deliveries import Delivery, by_source
from lifestage.ingestion.sources.ledger import LEDGER, commit_deliveries, undelivered
from lifestage.ingestion.sources.quarantine import to_rejected
from lifestage.ingestion.sources.readers import check_headers, read_raw
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.store import literals

TABLES = ("events", "event_versions", "rejected_events")
MAX_LISTED_DATES = 100


def run(job: Job, config: IngestConfig) -> None:
    """Ingest every file of every source that the ledger does not know.

    Nothing is written unless all rows are accounted for and every source passes its gate. What a run that is killed
    between its commits has written is taken back when the next one begins, and the same files are read again.
    """
    deliveries = undelivered(job, config.sources, config.landing)
    if not deliveries:
        return
    fresh = [delivery for delivery in deliveries if delivery.known_as is None]
    tallies = _ingest(job, config, fresh) if fresh else {}
    # A file without rows has no tally, and is delivered all the same.
    entries = {d.delivery_no: ledger_entry(tallies.get(d.delivery_no, Tally())) for d in fresh}
    commit_deliveries(job, deliveries, "events", entries, TABLES)


def _ingest(job: Job, config: IngestConfig, deliveries: Sequence[Delivery]) -> dict[int, Tally]:
    # Read by counts, events, versions and quarantine: reading the files once and keeping the rows is cheaper.
    lines = checkpoint(_lines(job, config, deliveries))
    check_headers(lines, config.sources, deliveries)
    arrivals = lines.where("NOT is_header").drop("is_header")
    return settle(job, config, arrivals, deliveries, _window_starts(config, job.run.now))


def settle(
    job: Job,
    config: IngestConfig,
    arrivals: DataFrame,
    deliveries: Sequence[Delivery],
    window_starts: Mapping[str, date],
    is_gated: bool = True,
) -> dict[int, Tally]:
    """Judge arriving rows against the events known, count them and write them; their ledger rows are still to come.

    Args:
        job: the ingest step.
        config: its configuration.
        arrivals: canonical rows of the deliveries, kept in memory by the caller.
        deliveries: what the rows came with.
        window_starts: first date on which a row may change one of another day, for each source that looks back.
        is_gated: whether a source below its accuracy gate stops the run.
    """
    resolution = _resolved(job, arrivals, window_starts)
    tallies = tally(arrivals, resolution, config.finality_days, config.time_zone)
    of_source = {delivery.delivery_no: delivery.source for delivery in deliveries}
    check_conservation(tallies, of_source)
    if is_gated:
        check_gates(tallies, of_source, config.sources, resolution.judged)
    _write(job, resolution, tallies)
    return tallies


def _lines(job: Job, config: IngestConfig, deliveries: Sequence[Delivery]) -> DataFrame:
    """Canonical rows of all deliveries, of every source, and their header lines."""
    door = door_of(job, config)
    fresh = by_source(deliveries)

    def arriving(name: str) -> DataFrame:
        return canonical(read_raw(job.spark, config.sources[name], fresh[name]), name, door)

    # What a source's plan takes is the time to analyse it.
    return reduce(DataFrame.unionByName, run_in_parallel([partial(arriving, name) for name in fresh]))


def door_of(job: Job, config: IngestConfig) -> Door:
    """What the rows of this run pass on their way in."""
    lookups = {name: job.read(name).where("NOT is_ended") for name in sorted(job.reads - {LEDGER})}
    return Door(config, lookups, job.keys.pseudonym_key, job.run.now)


def canonical(raw: DataFrame, name: str, door: Door) -> DataFrame:
    """Raw rows of one source as canonical rows, those without a key with an event_id of their content."""
    source = door.config.sources[name]
    rows = to_canonical(raw, name, source, door)
    return rows if source.key else add_keyless_ids(rows, source.across_files)


def _resolved(job: Job, arrivals: DataFrame, starts: Mapping[str, date]) -> Resolution:
    days = sorted(
        row["event_date"]
        for row in arrivals.where("event_date IS NOT NULL").select("event_date").distinct().collect()
    )
    near = _on_days(days, min(starts.values(), default=None))
    window_start = _window_column(starts)
    known = job.read("events").where(near)
    deleted = tombstones(job.read("event_versions").where(near))
    return resolve(arrivals, known, deleted, window_start)


def _window_starts(config: IngestConfig, now: datetime) -> dict[str, date]:
    today = now.astimezone(ZoneInfo(config.time_zone)).date()
    return {
        name: today - timedelta(days=source.lookback_days)
        for name, source in config.sources.items()
        if source.looks_back
    }


def _window_column(starts: Mapping[str, date]) -> Column:
    """The window's first date by source; a source without a window never looks back."""
    pairs = [part for name, start in starts.items() for part in (F.lit(name), F.lit(start))]
    never = F.lit(date(9999, 12, 31))
    return F.coalesce(F.create_map(*pairs)[F.col("source")], never) if pairs else never


def _on_days(days: Sequence[date], window_start: date | None) -> Column:
    """Events that an arrival may meet, as a predicate that partitions and file statistics can prune."""
    if not days:
        return F.lit(False)
    listed = (
        F.col("event_date").isin(list(days))
        if len(days) <= MAX_LISTED_DATES
        else F.col("event_date").between(days[0], days[-1])
    )
    months = F.col("event_month").between(days[0].replace(day=1), days[-1])
    if window_start is None:
        return months & listed
    in_window = (F.col("event_month") >= window_start.replace(day=1)) & (F.col("event_date") >= window_start)
    return (months & listed) | in_window


def _write(job: Job, resolution: Resolution, tallies: Mapping[int, Tally]) -> None:
    """At most one commit a table: what the run adds nothing to is left alone."""
    outcomes = [tally_.outcomes for tally_ in tallies.values()]
    happened = {name for counts in outcomes for name, n in counts.items() if n}
    additions = resolution.judged.where("stays").select(*[column.name for column in EVENT_COLUMNS])
    if Outcome.REJECTED in happened:
        rejected = resolution.judged.where(F.col("outcome") == Outcome.REJECTED)
        job.write("rejected_events", to_rejected(rejected, job.table("rejected_events"), job.keys))
    if resolution.versions is not None and happened & {Outcome.REPLACED, Outcome.SUPERSEDED}:
        job.write("event_versions", resolution.versions)
    if resolution.removed is not None and Outcome.REPLACED in happened:
        removals = resolution.removed.select(*job.table("events").key)
        job.exchange("events", removals, additions, _prune(resolution.removed))
    elif Outcome.ACCEPTED in happened:
        job.write("events", additions)


def _prune(removed: DataFrame) -> str:
    """The months that hold the rows to remove: the rest of the table is not read."""
    months = [row["event_month"] for row in removed.select("event_month").distinct().collect()]
    return f"event_month IN ({literals(months)})" if months else "false"
