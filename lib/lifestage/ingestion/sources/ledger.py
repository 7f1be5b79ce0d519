"""The ingest ledger: the deliveries that were read, their row counts, and the table versions they completed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.deliveries import Delivery, find_files, number_deliveries
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.store import Store

# Ledger kind of a delivery whose content was delivered before: it changes no table.
KNOWN = "known"
LEDGER = "ingest_ledger"


@dataclass(frozen=True)
class LedgerState:
    """The files and contents that earlier runs read."""

    last_delivery_no: int
    files: set[tuple[str, str, int, datetime]]
    contents: dict[tuple[str, str], int]


def read_ledger(ledger: DataFrame) -> LedgerState:
    """Collect the ledger to the driver: one small row for each file ever delivered."""
    rows = ledger.select(
        "delivery_no", "source", "path", "n_bytes", "modified_at", "fingerprint", "known_as"
    ).collect()
    return LedgerState(
        last_delivery_no=max((row["delivery_no"] for row in rows), default=0),
        files={(row["source"], row["path"], row["n_bytes"], row["modified_at"]) for row in rows},
        contents={
            (row["source"], row["fingerprint"]): row["delivery_no"] for row in rows if row["known_as"] is None
        },
    )


def find_new_deliveries(job: Job, sources: Mapping[str, FileLayout], landing: str) -> list[Delivery]:
    """Find the files of the sources that the ledger does not list, numbered as the next deliveries.

    Args:
        job: The step; it reads the ledger.
        sources: Layout by source name.
        landing: Folder that relative paths start from.
    """
    ledger = read_ledger(job.read(LEDGER))
    found = [
        file for name, layout in sources.items() for file in find_files(job.spark, name, layout, landing)
    ]
    return number_deliveries(job.spark, found, ledger.files, ledger.contents, ledger.last_delivery_no)


def roll_back_unfinished(store: Store, tables: Iterable[Table], ledger: DataFrame) -> None:
    """Restore each table to the version that the newest ledger row naming it completed.

    Later versions belong to a run that died before it committed its ledger rows. A table that the ledger does not name
    goes back to version 0; a missing table is created.
    """
    committed = read_committed_versions(ledger)

    def roll_back(table: Table) -> None:
        store.create(table)
        store.roll_back(table, committed.get(table.name, 0))

    run_in_parallel([partial(roll_back, table) for table in tables])


def read_committed_versions(ledger: DataFrame) -> dict[str, int]:
    """Return, per table, the version that the newest ledger row naming it completed."""
    versions = ledger.where("table_versions IS NOT NULL")
    entries = versions.select("delivery_no", F.explode("table_versions").alias("name", "version"))
    newest = entries.groupBy("name").agg(
        F.max_by("version", F.struct("delivery_no", "version")).alias("version")
    )
    return {row["name"]: row["version"] for row in newest.collect()}


def commit_deliveries(
    job: Job,
    deliveries: Sequence[Delivery],
    kind: str,
    entries: Mapping[int, Mapping[str, Any]],
    tables: Sequence[str],
) -> None:
    """Append the ledger rows of all deliveries of a step. This one commit makes the deliveries count.

    Call it after every other write of the step: a step that dies before it is rolled back by the next run.

    Args:
        job: The step.
        deliveries: Files read, and files whose content was known.
        kind: `events`, `reference` or `replay`.
        entries: Further ledger columns by delivery number.
        tables: The step's tables; the ledger rows record their current versions.
    """
    contract = job.table(LEDGER)
    versions = {name: job.store.version(job.table(name)) or 0 for name in tables}
    rows = [
        {
            "delivery_no": delivery.delivery_no,
            "source": delivery.source,
            "kind": kind if delivery.known_as is None else KNOWN,
            "path": delivery.path,
            "n_bytes": delivery.n_bytes,
            "modified_at": delivery.modified_at,
            "fingerprint": delivery.fingerprint,
            "known_as": delivery.known_as,
            "ingested_at": job.run.now,
            "table_versions": versions,
            **entries.get(delivery.delivery_no, {}),
        }
        for delivery in deliveries
    ]
    values = [tuple(row.get(name) for name in contract.names) for row in rows]
    job.write(LEDGER, local_rows(job.spark, values, contract.schema))
