"""The ingest ledger: the deliveries that were read, their row counts, and the table versions they completed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from lifestage.ingestion.sources.deliveries import Delivery, find_files, number_deliveries, path_forms
from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.opening import open_deliveries
from lifestage.platform.job import Job
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.security.personal_data import PREFIX
from lifestage.platform.storage.contracts import Table
from lifestage.platform.storage.store import Store

# Ledger kind of a delivery whose content was delivered before: it changes no table.
KNOWN = "known"
LEDGER = "ingest_ledger"
# Columns that `read_ledger` and `read_committed_versions` need.
KNOWN_COLUMNS = ("delivery_no", "source", "path", "n_bytes", "modified_at", "fingerprint", "known_as")
VERSION_COLUMNS = ("delivery_no", "table_versions")


@dataclass(frozen=True)
class LedgerState:
    """The files and contents that earlier runs read."""

    last_delivery_no: int
    files: set[tuple[str, str, int, datetime]]
    contents: dict[tuple[str, str], int]


def read_ledger(rows: Iterable[Mapping[str, Any]]) -> LedgerState:
    """Summarize the rows of the ledger, one small row for each file ever delivered. They need `KNOWN_COLUMNS`."""
    rows = [*rows]
    return LedgerState(
        last_delivery_no=max((row["delivery_no"] for row in rows), default=0),
        files={
            (row["source"], row["path"], row["n_bytes"], _to_local_time(row["modified_at"]))
            for row in rows
            # A replay has no file.
            if row["modified_at"] is not None
        },
        contents={
            (row["source"], row["fingerprint"]): row["delivery_no"] for row in rows if row["known_as"] is None
        },
    )


def _to_local_time(modified_at: datetime) -> datetime:
    """A file's time as Spark returns it when listing files: in the local zone, without naming it."""
    return modified_at.astimezone().replace(tzinfo=None)


def find_new_deliveries(job: Job, sources: Mapping[str, FileLayout], landing: str) -> list[Delivery]:
    """Find the files of the sources that the ledger does not list, numbered as the next deliveries.

    Args:
        job: The step; it reads the ledger.
        sources: Layout by source name.
        landing: Folder that relative paths start from.
    """
    ledger = read_ledger(job.read_rows(LEDGER, KNOWN_COLUMNS))
    found = [
        file for name, layout in sources.items() for file in find_files(job.spark, name, layout, landing)
    ]
    deliveries = number_deliveries(job.spark, found, ledger.files, ledger.contents, ledger.last_delivery_no)
    return open_deliveries(deliveries, sources)


def roll_back_unfinished(store: Store, tables: Iterable[Table], ledger: Iterable[Mapping[str, Any]]) -> None:
    """Restore each table to the version that the newest ledger row naming it completed.

    Later versions belong to a run that died before it committed its ledger rows. A table that the ledger does not name
    goes back to version 0; a missing table is created. The ledger rows need `VERSION_COLUMNS`.
    """
    committed, restorable = read_committed_versions(ledger), [*tables]
    for table in restorable:
        store.create(table)
    # Look up all tables at once; the store of a run remembers the result.
    store.newest(restorable)
    run_in_parallel([partial(store.roll_back, table, committed.get(table.name, 0)) for table in restorable])


def read_committed_versions(ledger: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return, per table, the version that the newest ledger row naming it completed."""
    newest: dict[str, tuple[int, int]] = {}
    for row in ledger:
        for name, version in (row["table_versions"] or {}).items():
            newest[name] = max(newest.get(name, (0, 0)), (row["delivery_no"], version))
    return {name: version for name, (_, version) in newest.items()}


def commit_deliveries(
    job: Job,
    deliveries: Sequence[Delivery],
    kind: str,
    entries: Mapping[int, Mapping[str, Any]],
    tables: Sequence[str],
) -> None:
    """Append the ledger rows of all deliveries of a step. With this commit, the deliveries count as read.

    Call it after every other write of the step. If a step dies before, the next run rolls back its writes.

    Args:
        job: The step.
        deliveries: Files read, and files whose content was known.
        kind: `events`, `reference` or `replay`.
        entries: Further ledger columns by delivery number.
        tables: The step's tables; the ledger rows record the versions that the step wrote.

    Raises:
        ConcurrentWriteError: another process wrote the same tables or deliveries meanwhile. The next run rolls back what
            this one wrote.
    """
    contract = job.table(LEDGER)
    versions = job.find_written_versions(tables)
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
            "header": delivery.header,
            "ingested_at": job.run.now,
            "table_versions": versions,
            **entries.get(delivery.delivery_no, {}),
            "warnings": _add_path_warnings(delivery, entries.get(delivery.delivery_no, {}).get("warnings")),
        }
        for delivery in deliveries
    ]
    values = [tuple(row.get(name) for name in contract.names) for row in rows]
    job.append_once(LEDGER, values, max(delivery.delivery_no for delivery in deliveries))


def _add_path_warnings(delivery: Delivery, warnings: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Add a warning for each kind of personal data that the path of a file seems to hold."""
    found = {f"{PREFIX}{form}:path": 1 for form in path_forms(delivery.path)}
    return {**(warnings or {}), **found} if found else warnings
