"""Rejected rows taken up again: a delivery of its own, from their raw text and through the mapping of today.

A rejected row is known by its rejected_id (source, text, occurrence) and its delivery. A replay with number R that
names an id takes up every row with this id of a delivery before R; a row that fails again is rejected again, under R.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import PurePosixPath
from urllib.parse import unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.counts import Tally, ledger_entry
from lifestage.ingestion.events.step import TABLES, canonical, door_of, settle
from lifestage.ingestion.sources.config import Source
from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.ledger import LEDGER, commit_deliveries, read_ledger
from lifestage.ingestion.sources.quarantine import decrypted
from lifestage.ingestion.sources.readers import parsed
from lifestage.ingestion.sources.tables import REPLAY
from lifestage.platform.errors import ConfigError, NoDataError, expectation
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import checkpoint, local_rows

ROW = ("source", "raw")
# A window that every event lies in; the JVM reads a year of four digits only.
EVER = date(1000, 1, 1)


@dataclass(frozen=True)
class Choice:
    """Which of the waiting rows to take up; None stands for all."""

    source: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Replayed:
    """What became of the rows of one source."""

    source: str
    delivery_no: int
    tally: Tally


def replay(job: Job, config: IngestConfig, choice: Choice) -> list[Replayed]:
    """Take up the waiting rows of the choice; rows of sources that are no longer configured stay where they are.

    Raises:
        NoDataError: naming the nearest reason, where rows wait but none for the reason chosen.
    """
    rows = waiting(job.read("rejected_events"), job.read(LEDGER)).where(F.col("source").isin(*config.sources))
    return replay_ids(job, config, chosen_ids(rows, choice))


def replay_ids(job: Job, config: IngestConfig, ids: Mapping[str, Sequence[str]]) -> list[Replayed]:
    """Take up the rejected rows with these ids by source, as the next deliveries, one a source in order of its name.

    Nothing is written unless all rows are accounted for; one append to the ledger commits all of them, last. There is
    no gate, and no window: a source that looks back looks at every day.
    """
    if not ids:
        return []
    _check_key(job)
    deliveries = _deliveries(job, ids)
    # Read for its texts and for each source; decrypting and ordering it again would cost more than keeping it.
    rows = checkpoint(_taken_up(job, config, deliveries, ids))
    lines = checkpoint(_canonical(job, config, rows, deliveries))
    starts = {name: EVER for name in ids if config.sources[name].looks_back}
    tallies = settle(job, config, lines, deliveries, starts, is_gated=False)
    entries = {
        d.delivery_no: {
            **ledger_entry(tallies[d.delivery_no]),
            **_no_file(),
            "replayed": sorted(ids[d.source]),
        }
        for d in deliveries
    }
    commit_deliveries(job, deliveries, REPLAY, entries, TABLES)
    return [Replayed(d.source, d.delivery_no, tallies[d.delivery_no]) for d in deliveries]


def waiting(rejected: DataFrame, ledger: DataFrame) -> DataFrame:
    """Rejected rows of deliveries that happened, which no later replay took up; columns as in rejected_events."""
    happened = ledger.select("delivery_no")
    replays = ledger.where(F.col("kind") == REPLAY)
    named = replays.select(F.col("delivery_no").alias("_replay"), F.explode("replayed").alias("rejected_id"))
    newest = named.groupBy("rejected_id").agg(F.max("_replay").alias("_replay"))
    rows = rejected.join(F.broadcast(happened), on="delivery_no", how="left_semi")
    rows = rows.join(newest, on="rejected_id", how="left").where("_replay IS NULL OR delivery_no >= _replay")
    return rows.select(*rejected.columns)


def chosen_ids(rows: DataFrame, choice: Choice) -> dict[str, list[str]]:
    """The ids of waiting rows by source; as many as there are rows in quarantine. Rows of equal text go together.

    Otherwise a row that is chosen by its reason could leave an equal one of another file behind, and the two would be
    counted apart: see _taken_up.
    """
    if choice.source is not None:
        rows = rows.where(F.col("source") == choice.source)
    if choice.reason is not None:
        hits = rows.where(F.array_contains("reasons", choice.reason))
        _check_reason(rows, hits, choice.reason)
        # The encryption is deterministic: equal texts are equal bytes.
        rows = rows.join(hits.select(*ROW).distinct(), on=list(ROW), how="left_semi")
    ids: dict[str, list[str]] = {}
    for row in rows.select("source", "rejected_id").distinct().collect():
        ids.setdefault(row["source"], []).append(row["rejected_id"])
    return ids


def plain_text(raw: bytes, key: bytes) -> str:
    """The raw text of one rejected row; ConfigError where the key is not the one it was encrypted with."""
    try:
        return AESSIV(key).decrypt(bytes(raw), None).decode("utf-8", errors="replace")
    except InvalidTag as error:
        raise ConfigError(
            ["secrets: the quarantine key is not the one that rejected rows were encrypted with"]
        ) from error


def _check_reason(rows: DataFrame, hits: DataFrame, reason: str) -> None:
    if not hits.isEmpty():
        return
    reasons = rows.select(F.explode("reasons").alias("reason")).distinct()
    if known := [row["reason"] for row in reasons.collect()]:
        raise NoDataError(f"no row waits for the reason {reason}: {expectation(reason, known)}")


def _check_key(job: Job) -> None:
    """One row tells before a worker fails over it."""
    row = job.read("rejected_events").select("raw").first()
    if row is not None:
        plain_text(row["raw"], job.keys.quarantine_key)


def _deliveries(job: Job, ids: Mapping[str, Sequence[str]]) -> list[Delivery]:
    last = read_ledger(job.read(LEDGER)).last_delivery_no
    return [
        Delivery(number, source, "", 0, job.run.now, _fingerprint(ids[source]))
        for number, source in enumerate(sorted(ids), start=last + 1)
    ]


def _fingerprint(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def _no_file() -> dict[str, None]:
    """What the ledger says of the file of a delivery that is none."""
    return dict.fromkeys(("path", "n_bytes", "modified_at"))


def _taken_up(
    job: Job, config: IngestConfig, deliveries: Sequence[Delivery], ids: Mapping[str, Sequence[str]]
) -> DataFrame:
    """Rows as a file would have brought them: delivery_no (the replay's), source, file_name and raw, in clear.

    A line that several deliveries brought is one row, as it would be had it been accepted: of the rows with one id
    the first delivered is taken. Sources with `across_files: new` have all of them.
    """
    numbers = {delivery.source: delivery.delivery_no for delivery in deliveries}
    named = [(source, numbers[source], item) for source in ids for item in ids[source]]
    wanted = local_rows(job.spark, named, "source string, _number bigint, rejected_id string")
    rejected, ledger = job.read("rejected_events"), job.read(LEDGER)
    rows = waiting(rejected, ledger).join(F.broadcast(wanted), on=["source", "rejected_id"], how="inner")
    first = Window.partitionBy("rejected_id").orderBy("delivery_no")
    is_first = F.row_number().over(first.rowsBetween(Window.unboundedPreceding, Window.currentRow)) == 1
    all_count = [
        name for name, source in config.sources.items() if not source.key and source.across_files == "new"
    ]
    rows = rows.withColumn("_is_first", is_first).where(F.col("_is_first") | F.col("source").isin(all_count))
    plain = decrypted(_with_file_names(rows, rejected, ledger), job.keys.quarantine_key)
    return plain.select(F.col("_number").alias("delivery_no"), "source", "file_name", "raw")


def _with_file_names(rows: DataFrame, rejected: DataFrame, ledger: DataFrame) -> DataFrame:
    """Adds the name of the file a row came in; for one that a replay rejected, of the first with the same text."""
    # One small row a file ever delivered, as the ledger itself.
    paths = ledger.where("path IS NOT NULL").select("delivery_no", "path").collect()
    named = [(row["delivery_no"], PurePosixPath(unquote(row["path"])).name) for row in paths]
    files = F.broadcast(local_rows(ledger.sparkSession, named, "delivery_no bigint, _file string"))
    origins = (
        rejected.join(files, on="delivery_no", how="inner")
        .groupBy(*ROW)
        .agg(F.min_by("_file", "delivery_no").alias("_origin"))
    )
    found = rows.join(files, on="delivery_no", how="left").join(origins, on=list(ROW), how="left")
    return found.select("_number", "source", "raw", F.coalesce("_file", "_origin").alias("file_name"))


def _canonical(job: Job, config: IngestConfig, rows: DataFrame, deliveries: Sequence[Delivery]) -> DataFrame:
    door = door_of(job, config)
    frames = [
        canonical(_parsed(rows, d.source, config.sources[d.source]), d.source, door) for d in deliveries
    ]
    return reduce(DataFrame.unionByName, frames).drop("is_header")


def _parsed(rows: DataFrame, name: str, source: Source) -> DataFrame:
    """The rows of one source; bytes that were no text under the encoding of then may be under that of today."""
    text = F.col("raw").cast("string")
    text = F.when(F.is_valid_utf8(text), text).otherwise(_decoded(text, source.encoding))
    return parsed(rows.where(F.col("source") == name).withColumn("raw", text).drop("source"), source)


def _decoded(text: Column, encoding: str) -> Column:
    return text if encoding.upper() == "UTF-8" else F.decode(text.cast("binary"), encoding)
