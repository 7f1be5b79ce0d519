"""quarantine list, replay."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    Now,
    at_work,
    console,
    grid,
    instant,
    opened,
    refuse,
    say_json,
)
from lifestage.ingestion.events.config import IngestConfig
from lifestage.ingestion.events.replay import ReplayFilter, ReplayResult, decrypt_text, keep_waiting
from lifestage.ingestion.events.replay import replay as replay_rows
from lifestage.ingestion.sources.config import SOURCES
from lifestage.platform.errors import suggest_name
from lifestage.platform.job import Run
from lifestage.project import runner
from lifestage.project.pipeline import STEPS

app = typer.Typer(no_args_is_help=True, help="Rows that were rejected, and how those of events still get in.")

SourceName = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
Limit = Annotated[int, typer.Option(help="With --show: at most so many rows.", min=1)]


@dataclass(frozen=True)
class Reason:
    """Waiting rows of one source with one reason; a row with two reasons counts in both."""

    reason: str
    n_rows: int
    first_read_on: date
    last_read_on: date


@dataclass(frozen=True)
class Quarantine:
    """The rejected rows of one source: those that wait, and those that a replay took up."""

    source: str
    n_waiting: int
    n_replayed: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class RejectedRow:
    """One waiting row, in clear."""

    source: str
    delivery_no: int
    path: str | None
    reasons: tuple[str, ...]
    raw: str


@app.command("list")
def list_rows(
    conf: Conf = DEFAULT_CONF,
    source: SourceName = None,
    show: Annotated[
        bool, typer.Option("--show", help="The rows themselves, decrypted with the quarantine key.")
    ] = False,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Rejected rows by source and reason.

    Example: lifestage quarantine list --source pos --show --conf conf/prod.yaml
    """
    project = opened(conf, needs_keys=show)
    with at_work("reading"):
        found = quarantined(project, source)
        rows = rejected_rows(project, source, limit) if show else []
    if as_json:
        shown: dict[str, Any] = {"rows": [asdict(row) for row in rows]} if show else {}
        say_json({"sources": [asdict(item) for item in found], **shown})
        return
    if not any(item.n_waiting for item in found):
        console.print("no row waits in quarantine")
        return
    _print_summary(found)
    for row in rows:
        console.print()
        file = row.path.rpartition("/")[2] if row.path else "a replay"
        console.print(
            f"{row.source}, delivery {row.delivery_no}, {file}: {', '.join(row.reasons)}", markup=False
        )
        console.print(f"  {_printable(row.raw)}", markup=False, soft_wrap=True)
    console.print()
    extracts = of_extracts(project, found)
    if any(item.n_waiting for item in found if item not in extracts):
        console.print("once the configuration lets them in: lifestage quarantine replay")
    _print_not_replayed(extracts)
    if not show:
        console.print("to see them: lifestage quarantine list --show")


@app.command()
def replay(
    conf: Conf = DEFAULT_CONF,
    source: SourceName = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only rows with this reason.")] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Take rejected rows through the configuration of today, as a delivery of their own.

    Those of reference tables stay where they are: the next extract that has them right makes them good.

    Example: lifestage quarantine replay --source pos --reason malformed
    """
    moment = instant(now)
    project = opened(conf)
    with at_work("taking rows up"):
        done = replay_waiting(project, ReplayFilter(source, reason), moment, wall_clock=datetime.now(UTC))
        extracts = of_extracts(project, quarantined(project, source)) if project.references else []
    if as_json:
        say_json([asdict(item) for item in done])
        return
    if done:
        console.print(_replay_grid(done))
        console.print(
            f"\nThe events are in; the rest follows with: lifestage run --conf {conf}", soft_wrap=True
        )
    elif not extracts:
        console.print("no row waits in quarantine")
    _print_not_replayed(extracts)


def quarantined(project: runner.Project, source: str | None = None) -> list[Quarantine]:
    """What waits, by source and reason, the most frequent first; refuses a source that is not there."""
    rejected, ledger = _tables(project)
    totals = ledger.groupBy("source").agg(F.sum("n_rejected").alias("n")).where("n > 0").collect()
    rejected_ever = {row["source"]: row["n"] for row in totals}
    _check_source(project, source, rejected_ever)
    rows = keep_waiting(rejected, ledger)
    counts = {row["source"]: row["count"] for row in rows.groupBy("source").count().collect()}
    reasons = _reasons(rows)
    return [
        Quarantine(
            name, counts.get(name, 0), rejected_ever[name] - counts.get(name, 0), tuple(reasons.get(name, ()))
        )
        for name in sorted(rejected_ever)
        if source in (None, name)
    ]


def of_extracts(project: runner.Project, found: Iterable[Quarantine]) -> list[Quarantine]:
    """Those of reference tables in which rows wait. A row alone is no extract, so none is replayed."""
    return [item for item in found if item.source in project.references and item.n_waiting]


def rejected_rows(project: runner.Project, source: str | None, limit: int) -> list[RejectedRow]:
    """The first waiting rows by delivery, decrypted."""
    assert project.secrets is not None
    rejected, ledger = _tables(project)
    rows = keep_waiting(rejected, ledger).where(F.lit(True) if source is None else F.col("source") == source)
    found = (
        rows.orderBy("delivery_no", "rejected_id")
        .limit(limit)
        .join(ledger.select("delivery_no", "path"), on="delivery_no", how="left")
    )
    key = project.secrets.quarantine_key
    return [
        RejectedRow(
            row["source"],
            row["delivery_no"],
            row["path"],
            tuple(row["reasons"]),
            decrypt_text(row["raw"], key),
        )
        for row in found.orderBy("delivery_no", "rejected_id").collect()
    ]


def replay_waiting(
    project: runner.Project, choice: ReplayFilter, now: datetime, wall_clock: datetime
) -> list[ReplayResult]:
    """Take the storage root as a run does, and replay; nothing is taken where nothing was ever rejected."""
    _check_source(project, choice.source)
    if not project.store.exists(project.tables["rejected_events"]):
        return []
    run_id = f"replay-{uuid.uuid4().hex[:8]}"
    run = Run(run_id, (), now, project.config.hash)
    job = runner.job_for(project, STEPS["ingest"], run, {})
    with runner.held(project, runner.Request(run_id, (), now, wall_clock, ("ingest",))):
        return replay_rows(job, project.config.of(IngestConfig), choice)


def _tables(project: runner.Project) -> tuple[DataFrame, DataFrame]:
    """Rejected rows and the ledger as they are now, also those that no completed run has taken up yet."""
    return project.store.read(project.tables["rejected_events"]), project.store.read(
        project.tables["ingest_ledger"]
    )


def _check_source(project: runner.Project, source: str | None, others: Iterable[str] = ()) -> None:
    known = {*project.config.parts[SOURCES], *project.references, *others}
    if source is not None and source not in known:
        refuse(f"--source: unknown source {source}: {suggest_name(source, known)}")


def _reasons(rows: DataFrame) -> dict[str, list[Reason]]:
    """Bounded by sources and rules."""
    named = rows.select("source", F.explode("reasons").alias("reason"), F.to_date("ingested_at").alias("day"))
    counts = named.groupBy("source", "reason").agg(
        F.count("*").alias("n"), F.min("day").alias("first"), F.max("day").alias("last")
    )
    found: dict[str, list[Reason]] = {}
    for row in counts.orderBy("source", F.col("n").desc(), "reason").collect():
        found.setdefault(row["source"], []).append(Reason(row["reason"], row["n"], row["first"], row["last"]))
    return found


def _print_summary(found: Sequence[Quarantine]) -> None:
    sources = grid("source", "rows waiting", "replayed", numbers=["rows waiting", "replayed"])
    reasons = grid("source", "reason", "rows", "first read", "last read", numbers=["rows"], wraps=["reason"])
    for item in found:
        sources.add_row(item.source, f"{item.n_waiting:,}", f"{item.n_replayed:,}")
        for reason in item.reasons:
            reasons.add_row(
                item.source,
                reason.reason,
                f"{reason.n_rows:,}",
                str(reason.first_read_on),
                str(reason.last_read_on),
            )
    console.print(sources)
    console.print()
    console.print(reasons)


def _print_not_replayed(extracts: Sequence[Quarantine]) -> None:
    for item in extracts:
        console.print(
            f"{item.source} is a reference table, whose rows ({item.n_waiting:,}) are not replayed: "
            "what was known of their keys goes on until an extract has them right",
            soft_wrap=True,
        )


def _replay_grid(done: Sequence[ReplayResult]) -> Any:
    names = ("accepted", "replaced", "superseded", "duplicate", "rejected")
    rows = grid("source", "delivery", "rows", *names, numbers=["delivery", "rows", *names])
    for item in done:
        outcomes: Mapping[str, int] = item.counts.outcomes
        rows.add_row(
            item.source,
            str(item.delivery_no),
            str(item.counts.n_rows),
            *[str(outcomes.get(name, 0)) for name in names],
        )
    return rows


def _printable(text: str) -> str:
    """A raw row may hold what would move the cursor or colour the screen."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)
