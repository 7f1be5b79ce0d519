"""Run steps of the map on a project, in order, and complete the run."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any
from uuid import uuid4

from lifestage import __version__
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.domain import Domain
from lifestage.platform.errors import ConfigError
from lifestage.platform.job import Job
from lifestage.platform.run import Run
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.project.dates import (
    add_needed_dates,
    find_changed_tables,
    find_other_dates_to_keep,
    read_builds,
)
from lifestage.project.opening import Project, Request
from lifestage.project.pipeline import COMPLETES, STEPS, expand, groups, reads_of, sections_of
from lifestage.project.registry import register
from lifestage.project.root import hold_root

logger = logging.getLogger(__name__)

# In the metadata of the commit that completes a run: the hash of its settings.
SETTINGS_HASH = "settings_hash"

Progress = Callable[[str, float, int], None]
"""Called after each step with its name, its seconds and the rows that it wrote."""


def execute(project: Project, request: Request, progress: Progress) -> None:
    """Run the requested steps in the order of the map.

    A run that includes publish is complete after it: readers then see its tables.
    """
    with hold_root(project, request) as project:
        built = read_builds(project, request)
        _check_definitions(project, request, built)
        dates = add_needed_dates(project, request, built)
        to_keep = find_other_dates_to_keep(project, dates, built)
        attempt = uuid4().hex
        run = Run(request.run_id, dates, request.now, project.config.hash, __version__, to_keep, attempt)
        commits: dict[str, int] = {}

        def run_step(step: Domain) -> None:
            job = make_job(project, step, run, commits)
            with _time_step(step.name, request.seconds):
                step.run(job, project.config.domains[step.name])
                n_rows = job.count_rows()
                request.bytes_written[step.name] = job.count_bytes()
            progress(step.name, request.seconds[step.name], n_rows)

        for group in groups():
            chosen = [step for step in group if step.name in request.steps]
            run_in_parallel([partial(run_step, step) for step in chosen])
            if COMPLETES in [step.name for step in chosen]:
                complete_run(project, request, run, commits)


def make_job(project: Project, step: Domain, run: Run, commits: dict[str, int]) -> Job:
    """The part of the project that a step can access."""
    return Job(
        step=step.name,
        run=run,
        store=project.store,
        tables=project.tables,
        reads=expand(reads_of(step), project.references),
        writes=expand(step.writes, project.references),
        secrets=project.secrets,
        results=next(each.results for each in register(project.config) if each.domain.name == step.name),
        config=project.config,
        sections=sections_of(),
        commits=commits,
    )


def complete_run(project: Project, request: Request, run: Run, commits: Mapping[str, int]) -> None:
    """Write the row of the run. From then on readers see its tables."""
    store, table = project.store, project.tables["runs"]
    # Equal content is published once, so the newest snapshot of the date may be that of an earlier run.
    snapshots = store.read_rows(project.tables["snapshots"], ("snapshot_id", "as_of", "revision"))
    of_date = {each["revision"]: each["snapshot_id"] for each in snapshots if each["as_of"] == run.as_of}
    row: dict[str, Any] = {
        "run_id": run.run_id,
        "now": run.now,
        "as_of_dates": list(run.as_of_dates),
        "delivery_no": store.last_metadata(project.tables["user_features"]).get("delivery_no"),
        "table_versions": _read_versions(project, commits),
        "snapshot_ids": [of_date[max(of_date)]] if of_date else [],
        "config_hash": run.config_hash,
        "code_version": __version__,
        "seconds": dict(request.seconds),
        "bytes_written": dict(request.bytes_written),
        "n_touched_subjects": count_touched_subjects(project, run.run_id),
    }
    metadata = {"run_id": run.run_id, SETTINGS_HASH: hash_settings(project.config)}
    store.write(table, [tuple(row[name] for name in table.names)], metadata)


def hash_settings(config: Config) -> str:
    """A hash of all settings, including those that change only how results are shown or where they are stored."""
    settings = {"shared": config.shared, **config.domains}
    return semantic_hash({name: each.model_dump(mode="json") for name, each in settings.items()})


def count_touched_subjects(project: Project, run_id: str) -> int:
    """Number of subjects whose days the run computed: of those with changed events, or of all in a rebuild."""
    done = project.store.last_metadata(project.tables["activity_days"])
    return int(str(done.get("n_subjects", 0))) if done.get("run_id") == run_id else 0


def check_step_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of steps as a tuple.

    Raises:
        ConfigError: a name is unknown.
    """
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        raise ConfigError([f"--steps: unknown {', '.join(unknown)}, expected some of {', '.join(STEPS)}"])
    return tuple(names)


def _check_definitions(project: Project, request: Request, built: Mapping[date, int]) -> None:
    """Stop a run if the meaning of a table has changed: all of its rows must have the same meaning."""
    if request.accept_definitions:
        return
    day = request.as_of_dates[-1]
    changed = find_changed_tables(project, request.steps)
    if changed:
        command = "--stale" if built else f"--from {day} --to {day} --every day"
        what = "every date that is kept; then run again" if built else "this date"
        raise ConfigError(
            [
                f"{table}: the meaning of its columns has changed since it was built (features, event types, lookups or the time "
                f"zone); `lifestage backfill {command}` accepts that and rebuilds {what}"
                for table in changed
            ]
        )


@contextmanager
def _time_step(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Record the seconds of a step, and add its name to an error that stops it."""
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        error.add_note(f"step {name} was not completed")
        raise
    seconds[name] = round(time.monotonic() - started, 2)
    logger.info("step=%s seconds=%.1f", name, seconds[name])


def _read_versions(project: Project, commits: Mapping[str, int]) -> dict[str, int]:
    """The version of every table that exists. The run knows the versions that it wrote."""
    others = [name for name in project.tables if name not in commits and name not in ("runs", "run_lock")]
    newest = project.store.newest([project.tables[name] for name in others])
    versions = {**{name: each.version for name, each in newest.items()}, **commits}
    return dict(sorted(versions.items()))
