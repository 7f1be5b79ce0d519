"""What may be wrong with deliveries: rejected rows that wait, personal data, and keys that count on two dates."""

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.corrected import drop_corrected
from lifestage.ingestion.events.rejected import count_rejected
from lifestage.ingestion.events.replay import add_origins
from lifestage.ingestion.sources.deliveries import find_files, show_path
from lifestage.ingestion.sources.layout import OnBadFile
from lifestage.ingestion.sources.ledger import KNOWN_COLUMNS, read_ledger
from lifestage.ingestion.sources.stored_forms import FORM_COLUMNS, count_forms
from lifestage.platform.errors import ConfigError
from lifestage.platform.findings import N_NAMED, Examination, Finding, Level
from lifestage.platform.plurals import count_of
from lifestage.platform.security.personal_data import mask_personal_data


def diagnose_events(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Findings about rejected rows, held files and personal data, and about keys on two dates unless the examination is fast."""
    yield from _diagnose_rejected_rows(root, config)
    yield from _diagnose_held_files(root, config)
    yield from _diagnose_personal_data(root)
    if not root.is_fast:
        yield from _diagnose_keys(root, config)


def _diagnose_rejected_rows(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Rows that wait. Those whose corrected version is in are left out, which takes the keys and a pass over events."""
    rejected, ledger, keys = root.read("rejected_events"), root.read("ingest_ledger"), root.secrets

    def drop_done(rows: DataFrame) -> DataFrame:
        if keys is None or root.is_fast:
            return rows
        return drop_corrected(add_origins(rows, rejected, ledger), root.read("events"), config, keys)

    try:
        counts = count_rejected(rejected, ledger, drop_done)
    except ConfigError as error:
        yield Finding(
            Level.PROBLEM,
            "rejected rows",
            str(error),
            "set the quarantine key that the rows were encrypted with",
        )
        return
    found = [item for item in counts if item.n_waiting]
    if not found:
        yield Finding(Level.OK, "rejected rows", "no row waits")
    for item in found:
        reasons = ", ".join(f"{reason.reason} {reason.n_rows:,}" for reason in item.reasons[:N_NAMED])
        detail = f"{item.source}: {count_of(item.n_waiting, 'row')} {'waits' if item.n_waiting == 1 else 'wait'}: {reasons}"
        next_step = f"lifestage quarantine list --source {item.source} --show"
        yield Finding(Level.NOTE, "rejected rows", detail, next_step)


def _diagnose_held_files(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Files that no run has read, of sources that hold the files that they cannot read."""
    holding = {name: s for name, s in config.sources.items() if s.on_bad_file is OnBadFile.HOLD}
    if not holding:
        return
    # One small row for each file ever delivered.
    known = read_ledger(root.store.read_rows(root.tables["ingest_ledger"], KNOWN_COLUMNS)).files
    waiting = [
        file
        for name, source in holding.items()
        for file in find_files(root.store.spark, name, source, config.landing)
        if file.identity not in known
    ]
    if not waiting:
        yield Finding(Level.OK, "held files", "every file was read")
    for file in waiting:
        detail = f"source {file.source}: {show_path(file.path)} is not read yet"
        yield Finding(
            Level.NOTE, "held files", detail, "if the last run warned of it, deliver it again in order"
        )


def _diagnose_personal_data(root: Examination) -> Iterator[Finding]:
    """Columns that are stored as delivered, and hold values that look like personal data."""
    # One small row for each file ever delivered.
    found = count_forms(root.store.read_rows(root.tables["ingest_ledger"], FORM_COLUMNS))
    if all(each.is_masked for each in found):
        yield Finding(Level.OK, "personal data", "no text that is stored as delivered looks like it")
    for each in found:
        next_step = (
            "deliver files under other names"
            if each.column == "path"
            else f"set mask_personal_data for {each.source}, or map another value (docs/how-to/add-a-source.md)"
        )
        if not each.is_masked:
            yield Finding(Level.NOTE, "personal data", str(each), next_step)


def _diagnose_keys(root: Examination, config: IngestConfig) -> Iterator[Finding]:
    """Sources without a version look a row up on its own date only: a key that comes back on another counts twice."""
    sources = [name for name, source in config.sources.items() if source.key and source.version is None]
    events = root.read("events").where(F.col("source").isin(*sources))
    keys = events.groupBy("source", "event_id").count().where("count > 1")
    counts = keys.groupBy("source").agg(F.count("*").alias("n"), F.min("event_id").alias("example"))
    found = counts.orderBy("source").collect()
    if not found:
        yield Finding(Level.OK, "keys on two dates", "none")
    for row in found:
        detail = f"{row['source']}: {count_of(row['n'], 'key')}, e.g. {mask_personal_data(row['example'])}: each counts on both dates"
        next_step = (
            f"if its rows are corrected, declare `version` in sources/{row['source']}.yaml; "
            "if keys are reused, add the date to `key`"
        )
        yield Finding(Level.NOTE, "keys on two dates", detail, next_step)
