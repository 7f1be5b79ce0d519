"""doctor: is this storage root sound, and what is to be done about what is not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from pyspark.sql import functions as F

from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.segments.schedule import training_date
from lifestage.cli.quarantine import quarantined
from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    at_work,
    console,
    grid,
    minute,
    opened,
    say_json,
)
from lifestage.ingestion.events.step import TABLES as INGEST_TABLES
from lifestage.ingestion.sources.config import SOURCES
from lifestage.ingestion.sources.ledger import LEDGER, read_committed_versions
from lifestage.platform.errors import ConfigError, ExitCode
from lifestage.platform.storage import lock
from lifestage.project import runner
from lifestage.project.secrets import read_secrets
from lifestage.services.readers import last_run
from lifestage.users.matching.config import MatchingConfig

N_NAMED = 3


class Level(StrEnum):
    """A problem makes numbers wrong or runs fail; a note is worth knowing and may need something done."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.PROBLEM: "red"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and what to do next."""

    level: Level
    subject: str
    detail: str
    next_step: str = "nothing to do"


@dataclass(frozen=True)
class Patient:
    """A project, and the instant at which it is examined."""

    project: runner.Project
    now: datetime


def doctor(
    conf: Conf = DEFAULT_CONF,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out what reads every event.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at the storage root: exit code 1 where something is wrong.

    Example: lifestage doctor --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=False)
    with at_work("looking"):
        findings = list(examine(project, datetime.now(UTC), fast))
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def examine(project: runner.Project, now: datetime, is_fast: bool = False) -> Iterator[Finding]:
    """Every finding, in order; after a root that holds nothing or cannot be reached there is no more to find."""
    patient, key_problems = _with_keys(Patient(project, now))
    yield from key_problems
    reached = _storage(patient)
    yield reached
    if reached.level is not Level.OK:
        return
    checks: list[Callable[[Patient], Iterable[Finding]]] = [
        _identity,
        _lock,
        _unfinished,
        _versions,
        _stale,
        _rejected,
        _model,
        _matches,
    ]
    if not is_fast:
        checks.append(_twice_dated)
    for check in checks:
        yield from check(patient)


def _print(findings: Iterable[Finding]) -> None:
    rows = grid("", "looked at", "found, and what to do next", wraps=["found, and what to do next"])
    for finding in findings:
        style = STYLES[finding.level]
        rows.add_row(f"[{style}]{finding.level}[/{style}]", finding.subject, finding.detail)
        if finding.level is not Level.OK:
            rows.add_row("", "", f"-> {finding.next_step}")
    console.print(rows)


def _with_keys(patient: Patient) -> tuple[Patient, list[Finding]]:
    project = patient.project
    try:
        secrets = read_secrets(project.config)
    except ConfigError as error:
        return patient, [
            Finding(
                Level.PROBLEM,
                "keys",
                problem.removeprefix("secrets: "),
                "without its keys a project can be read, not run",
            )
            for problem in error.problems
        ]
    return replace(patient, project=replace(project, secrets=secrets)), []


def _storage(patient: Patient) -> Finding:
    project = patient.project
    where = project.store.location.root or f"schema {project.store.location.schema}"
    try:
        found = [name for name, table in project.tables.items() if project.store.exists(table)]
    except Exception as error:  # Whatever a file system or catalog says, it is what there is to tell
        reason = str(error).strip().splitlines()[0]
        return Finding(
            Level.PROBLEM,
            "storage root",
            f"{where} cannot be reached: {reason}",
            "check storage in the main file",
        )
    if "runs" not in found:
        return Finding(Level.NOTE, "storage root", f"{where} holds nothing yet", "lifestage run")
    return Finding(Level.OK, "storage root", f"{where}: {len(found)} of {len(project.tables)} tables")


def _identity(patient: Patient) -> Iterator[Finding]:
    """The root belongs to one key and one zone."""
    theirs = patient.project.store.properties(patient.project.tables["runs"])
    for name, value in runner.identity_of(patient.project).items():
        subject = name.partition(".")[2].replace("_", " ")
        if theirs.get(name) == value:
            yield Finding(Level.OK, subject, value)
        else:
            detail = f"the root was made with {theirs.get(name)}, the configuration gives {value}"
            yield Finding(
                Level.PROBLEM, subject, detail, "go back to the old one, or choose a new storage root"
            )


def _lock(patient: Patient) -> Iterator[Finding]:
    project = patient.project
    holder = lock.current(project.store, project.tables["run_lock"])
    me = lock.this_process("doctor", patient.now, is_job=False)
    dead_after = timedelta(hours=project.config.shared.run.dead_after_hours)
    if holder is None:
        yield Finding(Level.OK, "lock", "free")
    elif lock.is_alive(holder, me, dead_after):
        yield Finding(
            Level.NOTE,
            "lock",
            f"run {holder.run_id} on {holder.host} has held it since {minute(holder.taken_at)} UTC",
            f"wait for it, or end process {holder.pid or 'of its jobs'}",
        )
    else:
        yield Finding(
            Level.NOTE,
            "lock",
            f"run {holder.run_id} ended before it was done",
            "lifestage run: it takes over and repeats what is missing",
        )


def _unfinished(patient: Patient) -> Iterator[Finding]:
    """Tables that were written without the ledger row that completes the write."""
    project = patient.project
    committed = read_committed_versions(project.store.read(project.tables[LEDGER]))
    newer = []
    for name in (*project.references, *INGEST_TABLES):
        version = project.store.version(project.tables[name])
        if version is not None and version > committed.get(name, 0):
            newer.append(f"{name} (version {version}, completed {committed.get(name, 0)})")
    if newer:
        yield Finding(
            Level.NOTE,
            "unfinished writes",
            f"by a run that was ended, or by another tool: {', '.join(newer)}",
            "lifestage run: it restores what a run left, and leaves what OPTIMIZE did",
        )
    else:
        yield Finding(Level.OK, "unfinished writes", "none")


def _versions(patient: Patient) -> Iterator[Finding]:
    """What readers see against what is there."""
    run = last_run(patient.project)
    if run is None:
        yield Finding(Level.NOTE, "last completed run", "none: readers see no table", "lifestage run")
        return
    done = f"{run.run_id}, as of {', '.join(map(str, run.as_of_dates[-1:]))}"
    now = {
        name: patient.project.store.version(patient.project.tables[name])
        for name in run.table_versions
        if name in patient.project.tables
    }
    newer = sorted(
        name for name, version in now.items() if version is not None and version > run.table_versions[name]
    )
    missing = sorted(name for name in run.table_versions if now.get(name) is None)
    if missing:
        detail = f"{done}; tables it had are gone: {', '.join(missing)}"
        yield Finding(
            Level.PROBLEM,
            "last completed run",
            detail,
            "put them back into the configuration or the root, or start a new root",
        )
    elif newer:
        detail = (
            f"{done}; {len(newer)} of {len(now)} tables are newer: {_named(newer)}; readers see the run's"
        )
        yield Finding(Level.NOTE, "last completed run", detail, "lifestage run")
    else:
        yield Finding(Level.OK, "last completed run", f"{done}; all {len(now)} tables are as it left them")


def _stale(patient: Patient) -> Iterator[Finding]:
    dates = [str(day) for day in runner.stale_dates(patient.project)]
    if dates:
        detail = f"deliveries since reach {len(dates)} of the dates kept: {_named(dates)}"
        yield Finding(Level.NOTE, "stale dates", detail, "lifestage backfill --stale")
    else:
        yield Finding(Level.OK, "stale dates", "none")


def _rejected(patient: Patient) -> Iterator[Finding]:
    found = [item for item in quarantined(patient.project) if item.n_waiting]
    if not found:
        yield Finding(Level.OK, "rejected rows", "none waits")
    for item in found:
        reasons = ", ".join(f"{reason.reason} {reason.n_rows:,}" for reason in item.reasons[:N_NAMED])
        detail = f"{item.source}: {item.n_waiting:,} wait: {reasons}"
        yield Finding(
            Level.NOTE, "rejected rows", detail, f"lifestage quarantine list --source {item.source} --show"
        )


def _matches(patient: Patient) -> Iterator[Finding]:
    """Whether the links of fuzzy matching are of the settings of today: a run takes them as they are."""
    project, config = patient.project, patient.project.config.of(MatchingConfig)
    if not config.records:
        return
    meaning = project.store.last_metadata(project.tables["matches"]).get("meaning")
    if meaning == config.meaning:
        yield Finding(Level.OK, "matches", "of the settings of today")
    else:
        what = "records were never matched" if meaning is None else "of other settings than today's"
        yield Finding(Level.NOTE, "matches", what, "lifestage match, then lifestage run")


def _model(patient: Patient) -> Iterator[Finding]:
    """The model of the latest training date up to the newest as_of that had users enough."""
    project, run = patient.project, last_run(patient.project)
    if run is None or not run.as_of_dates:
        return
    as_of = run.as_of_dates[-1]
    due = training_date(as_of, project.config.of(SegmentsConfig).training)
    # One row a training date, ever.
    stored = (
        project.store.read(project.tables["segment_models"])
        .select("model_id", "trained_on", "k", "n_users")
        .collect()
    )
    models = {row["trained_on"]: row for row in stored if due is not None and row["trained_on"] <= due}
    if models:
        model = models[max(models)]
        yield Finding(
            Level.OK,
            "segment model",
            f"{model['model_id']} in force as of {as_of}: {model['k']} segments from {model['n_users']:,} users",
        )
    elif due is None:
        yield Finding(
            Level.NOTE,
            "segment model",
            f"none as of {as_of}: no training date has come",
            "segments.yaml: set training",
        )
    else:
        least = project.config.of(SegmentsConfig).min_users
        detail = f"none as of {as_of}: fewer than {least} users to train on by {due}"
        yield Finding(
            Level.NOTE,
            "segment model",
            detail,
            "wait for the next training date, or lower min_users in segments.yaml",
        )


def _twice_dated(patient: Patient) -> Iterator[Finding]:
    """Keys of sources without version that are events of two dates: a row is looked up on its own date only."""
    project = patient.project
    sources = [
        name
        for name, source in project.config.parts[SOURCES].items()
        if source.key and source.version is None
    ]
    events = project.store.read(project.tables["events"]).where(F.col("source").isin(*sources))
    keys = events.groupBy("source", "event_id").count().where("count > 1")
    per_source = (
        keys.groupBy("source")
        .agg(F.count("*").alias("n"), F.min("event_id").alias("example"))
        .orderBy("source")
        .collect()
    )
    found: Mapping[str, tuple[int, str]] = {row["source"]: (row["n"], row["example"]) for row in per_source}
    if not found:
        yield Finding(Level.OK, "keys on two dates", "none")
    for name, (n, example) in found.items():
        detail = f"{name}: {n:,} keys, e.g. {example}: each counts on both dates"
        next_step = f"if its rows are corrected, declare `version` in sources/{name}.yaml; if keys are reused, add the date to `key`"
        yield Finding(Level.NOTE, "keys on two dates", detail, next_step)


def _named(names: list[str]) -> str:
    """The first few."""
    more = len(names) - N_NAMED
    return ", ".join(names[:N_NAMED]) + (f" and {more} more" if more > 0 else "")
