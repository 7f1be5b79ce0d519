"""match: records that are probably of one person."""

import uuid
from dataclasses import asdict
from datetime import UTC, datetime

from lifestage.cli.terminal import (
    DEFAULT_CONF,
    AsJson,
    Conf,
    at_work,
    console,
    grid,
    loaded,
    opened,
    refuse,
    say_json,
)
from lifestage.platform.job import Run
from lifestage.project import runner
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.domain import DOMAIN as MATCHING
from lifestage.users.matching.scoring import require_splink
from lifestage.users.matching.step import MatchSummary
from lifestage.users.matching.step import run as match_records


def match(conf: Conf = DEFAULT_CONF, as_json: AsJson = False) -> None:
    """Compare the records of reference tables, and keep the pairs that are probably one person, for identity to join.

    Example: lifestage match --conf conf/prod.yaml
    """
    if not loaded(conf).of(MatchingConfig).is_on:
        refuse(f"{conf}: matching.records: names no reference table: there is nothing to match")
    require_splink()
    project = opened(conf)
    with at_work("matching records"):
        found = matched(project, datetime.now(UTC))
    if as_json:
        say_json(asdict(found))
        return
    _print(found)
    console.print(f"\nPersons follow with: lifestage run --conf {conf}", markup=False, soft_wrap=True)


def matched(project: runner.Project, now: datetime) -> MatchSummary:
    """Take the storage root as a run does, and match."""
    run_id = f"match-{uuid.uuid4().hex[:8]}"
    run = Run(run_id, (), now, project.config.hash)
    job = runner.job_for(project, MATCHING, run, {})
    with runner.held(project, runner.Request(run_id, (), now, now, (MATCHING.name,))):
        return match_records(job, project.config.of(MatchingConfig))


def _print(found: MatchSummary) -> None:
    console.print(f"{found.n_records:,} records, {found.n_pairs:,} pairs compared, {found.n_links:,} links")
    if not found.is_learned:
        console.print("too few records to learn from: agreements have the weight that is usual")
    if not found.bands:
        return
    rows = grid("score from", "links", numbers=["links"])
    for least, n in found.bands.items():
        rows.add_row(least, f"{n:,}")
    console.print(rows)
