"""Match the records of reference tables."""

import uuid
from datetime import datetime
from pathlib import Path

from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError
from lifestage.platform.run import Run
from lifestage.project.opening import Project, Request
from lifestage.project.root import hold_root
from lifestage.project.runner import make_job
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.domain import DOMAIN as MATCHING
from lifestage.users.matching.scoring import require_splink
from lifestage.users.matching.step import MatchSummary
from lifestage.users.matching.step import run as run_matching


def check_matching(config: Config, conf: Path) -> None:
    """Raise an error, before Spark starts, if no records are configured or Splink is not installed."""
    if not config.of(MatchingConfig).is_on:
        raise ConfigError(
            [f"{conf}: matching.records: no reference table is named: there is nothing to match"]
        )
    require_splink()


def match(project: Project, now: datetime) -> MatchSummary:
    """Compare the records and replace the matches. Holds the lock on the storage root, as a run does."""
    run_id = f"match-{uuid.uuid4().hex[:8]}"
    job = make_job(project, MATCHING, Run(run_id, (), now, project.config.hash), {})
    with hold_root(project, Request(run_id, (), now, now, (MATCHING.name,))):
        return run_matching(job, project.config.of(MatchingConfig))
