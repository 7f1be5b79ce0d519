"""Replay rejected rows: read their raw text again with today's mapping, as a delivery of its own.

A rejected row is identified by its rejected_id (source, text, occurrence) and its delivery. If replay number R names an
id, it processes every row with this id from a delivery before R. A row that fails again is rejected again, with R as its
delivery.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import PurePosixPath
from urllib.parse import unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.counts import DeliveryCounts, to_ledger_entry
from lifestage.ingestion.events.resolve import ALL_TIME
from lifestage.ingestion.events.step import TABLES, build_canonical_rows, build_context, resolve_and_write
from lifestage.ingestion.sources.config import Source
from lifestage.ingestion.sources.decoding import codec_name
from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.ledger import KNOWN_COLUMNS, LEDGER, commit_deliveries, read_ledger
from lifestage.ingestion.sources.parsing import parse_lines
from lifestage.ingestion.sources.quarantine import decrypt_raw
from lifestage.ingestion.sources.tables import REPLAY
from lifestage.platform.errors import ConfigError, NoDataError, suggest_name
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint, local_rows

TEXT = ("source", "raw")
LATIN_1 = "iso8859-1"
# A replay has no file.
NO_FILE: Mapping[str, None] = dict.fromkeys(("path", "n_bytes", "modified_at"))


@dataclass(frozen=True)
class ReplayFilter:
    """Which waiting rows to replay; None means all."""

    source: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ReplayResult:
    """The outcomes of the replayed rows of one source."""

    source: str
    delivery_no: int
    counts: DeliveryCounts


def replay(job: Job, config: IngestConfig, choice: ReplayFilter) -> list[ReplayResult]:
    """Replay the waiting rows that match a filter. Rows of sources that are no longer configured keep waiting.

    Raises:
        NoDataError: if rows wait, but none for the given reason; the message suggests a reason.
        ConfigError: if the quarantine key is not the one that the rows were encrypted with.

    Example: replay(job, config, ReplayFilter(source="till", reason="not_a_decimal:amount"))
    """
    rows = keep_waiting(job.read("rejected_events"), job.read(LEDGER))
    return replay_ids(job, config, select_ids(rows.where(F.col("source").isin(*config.sources)), choice))


def replay_ids(job: Job, config: IngestConfig, ids: Mapping[str, Sequence[str]]) -> list[ReplayResult]:
    """Replay the rejected rows with the given ids. Each source is one delivery, numbered in order of source name.

    Nothing is written unless all rows are accounted for, and one append to the ledger commits everything, last. A
    replay has no accuracy gate, and a source that looks back looks at every date.

    Args:
        job: The ingest step.
        config: Its configuration.
        ids: Source to rejected_ids.
    """
    if not ids:
        return []
    _check_key(job)
    last = read_ledger(job.read_rows(LEDGER, KNOWN_COLUMNS)).last_delivery_no
    deliveries = [
        Delivery(
            delivery_no=number,
            source=source,
            path="",
            n_bytes=0,
            modified_at=job.run.now,
            fingerprint=hashlib.sha256("\n".join(sorted(ids[source])).encode()).hexdigest(),
        )
        for number, source in enumerate(sorted(ids), start=last + 1)
    ]
    # Each source reads the rows. Decrypting and ordering them again would cost more than keeping them.
    rows = checkpoint(_read_rejected(job, config, deliveries, ids))
    context = build_context(job, config)
    frames = [
        build_canonical_rows(parse_source(rows, d.source, config.sources[d.source]), d.source, context)
        for d in deliveries
    ]
    # A rejected row of a full list may be older than the latest list, so it never replaces the row of its key.
    arrivals = reduce(DataFrame.unionByName, frames).withColumn("replaces_changes", F.lit(False))
    arrivals = checkpoint(arrivals.drop("is_header"))
    window_starts = {name: ALL_TIME for name in ids if config.sources[name].looks_back}
    counts = resolve_and_write(job, config, arrivals, deliveries, window_starts, is_gated=False)
    entries = {
        d.delivery_no: {
            **to_ledger_entry(counts[d.delivery_no]),
            **NO_FILE,
            "replayed": sorted(ids[d.source]),
        }
        for d in deliveries
    }
    commit_deliveries(job, deliveries, REPLAY, entries, TABLES)
    return [ReplayResult(d.source, d.delivery_no, counts[d.delivery_no]) for d in deliveries]


def keep_waiting(rejected: DataFrame, ledger: DataFrame) -> DataFrame:
    """Keep the rejected rows of committed deliveries that no later replay processed; columns as in rejected_events."""
    committed = ledger.select("delivery_no")
    replays = ledger.where(F.col("kind") == REPLAY)
    replayed = replays.select(
        F.col("delivery_no").alias("_replay"), F.explode("replayed").alias("rejected_id")
    )
    newest = replayed.groupBy("rejected_id").agg(F.max("_replay").alias("_replay"))
    rows = rejected.join(F.broadcast(committed), on="delivery_no", how="left_semi")
    rows = rows.join(newest, on="rejected_id", how="left").where("_replay IS NULL OR delivery_no >= _replay")
    return rows.select(*rejected.columns)


def select_ids(rows: DataFrame, choice: ReplayFilter) -> dict[str, list[str]]:
    """Return the ids of the waiting rows that match the filter, by source; at most as many as rows in quarantine.

    Rows with equal text are selected together, whatever their reasons. If an equal row of another file stayed in
    quarantine, the two would count as two events (see `_read_rejected`).
    """
    if choice.source is not None:
        rows = rows.where(F.col("source") == choice.source)
    if choice.reason is not None:
        hits = rows.where(F.array_contains("reasons", choice.reason))
        if hits.isEmpty():
            _raise_unknown_reason(rows, choice.reason)
        # The encryption is deterministic, so equal texts are equal bytes.
        rows = rows.join(hits.select(*TEXT).distinct(), on=list(TEXT), how="left_semi")
    ids: dict[str, list[str]] = {}
    for row in rows.select("source", "rejected_id").distinct().collect():
        ids.setdefault(row["source"], []).append(row["rejected_id"])
    return ids


def decrypt_text(raw: bytes, key: bytes) -> str:
    """Return the raw text of one rejected row; bytes that are not UTF-8 become replacement characters.

    Raises:
        ConfigError: if the key is not the one that the row was encrypted with.
    """
    try:
        return AESSIV(key).decrypt(bytes(raw), None).decode("utf-8", errors="replace")
    except InvalidTag as error:
        raise ConfigError(
            ["secrets: the quarantine key is not the one that rejected rows were encrypted with"]
        ) from error


def _raise_unknown_reason(rows: DataFrame, reason: str) -> None:
    """Raise NoDataError if rows wait, but for other reasons. An empty quarantine is not an error."""
    reasons = rows.select(F.explode("reasons").alias("reason")).distinct()
    if known := [row["reason"] for row in reasons.collect()]:
        raise NoDataError(f"no row waits for the reason {reason}: {suggest_name(reason, known)}")


def _check_key(job: Job) -> None:
    """Decrypt one row on the driver, so that a wrong key is a ConfigError and not a failed Spark task."""
    row = job.read("rejected_events").select("raw").first()
    if row is not None:
        decrypt_text(row["raw"], job.keys.quarantine_key)


def _read_rejected(
    job: Job, config: IngestConfig, deliveries: Sequence[Delivery], ids: Mapping[str, Sequence[str]]
) -> DataFrame:
    """Read rejected rows as if a file had delivered them: delivery_no (of the replay), source, file_name, header, raw.

    If several deliveries contain a line, only the first one counts, as it would among accepted rows. A source with
    `across_files: new` keeps all of them.
    """
    numbers = {delivery.source: delivery.delivery_no for delivery in deliveries}
    requested = [(source, numbers[source], row_id) for source in ids for row_id in ids[source]]
    wanted = local_rows(job.spark, requested, "source string, _number bigint, rejected_id string")
    rejected, ledger = job.read("rejected_events"), job.read(LEDGER)
    rows = keep_waiting(rejected, ledger).join(F.broadcast(wanted), on=["source", "rejected_id"], how="inner")
    order = Window.partitionBy("rejected_id").orderBy("delivery_no")
    is_first = F.row_number().over(order.rowsBetween(Window.unboundedPreceding, Window.currentRow)) == 1
    keep_all = [
        name for name, source in config.sources.items() if not source.key and source.across_files == "new"
    ]
    rows = rows.withColumn("_is_first", is_first).where(F.col("_is_first") | F.col("source").isin(keep_all))
    plain = decrypt_raw(add_origins(rows, rejected, ledger), job.keys.quarantine_key)
    return plain.select(F.col("_number").alias("delivery_no"), "source", "file_name", "header", "raw")


def add_origins(rows: DataFrame, rejected: DataFrame, ledger: DataFrame) -> DataFrame:
    """Add the name and the header of the file that delivered each rejected row, as `file_name` and `header`.

    A row that a replay rejected has those of its first delivery.

    Args:
        rows: Rejected rows, for example those that wait.
        rejected: All rejected rows, to find first deliveries.
        ledger: Rows of the ledger.
    """
    # One small row for each file ever delivered.
    paths = ledger.where("path IS NOT NULL").select("delivery_no", "path", "header").collect()
    found = [(row["delivery_no"], (PurePosixPath(unquote(row["path"])).name, row["header"])) for row in paths]
    schema = "delivery_no bigint, _file struct<name: string, header: string>"
    files = F.broadcast(local_rows(ledger.sparkSession, found, schema))
    origins = (
        rejected.join(files, on="delivery_no", how="inner")
        .groupBy(*TEXT)
        .agg(F.min_by("_file", "delivery_no").alias("_origin"))
    )
    rows = rows.join(files, on="delivery_no", how="left").join(origins, on=list(TEXT), how="left")
    origin = F.coalesce("_file", "_origin")
    return rows.withColumns({"file_name": origin["name"], "header": origin["header"]}).drop(
        "_file", "_origin"
    )


def parse_source(rows: DataFrame, name: str, source: Source) -> DataFrame:
    """Parse the rows of one source, each with the header of its file.

    Bytes that are not UTF-8 are decoded with the encoding configured today, if Spark knows it.
    """
    text = F.col("raw").cast("string")
    if codec_name(source.encoding) == LATIN_1:
        decoded = F.decode(text.cast("binary"), "ISO-8859-1")
        text = F.when(F.is_valid_utf8(text), text).otherwise(decoded)
    of_source = rows.where(F.col("source") == name).withColumn("raw", text).drop("source")
    # The columns of a file depend on its header: there are as many as a source had layouts.
    headers = sorted({row["header"] for row in of_source.select("header").distinct().collect()}, key=str)
    frames = [
        parse_lines(of_source.where(F.col("header").eqNullSafe(header)).drop("header"), source, header)
        for header in headers or [None]
    ]
    return reduce(DataFrame.unionByName, frames)
