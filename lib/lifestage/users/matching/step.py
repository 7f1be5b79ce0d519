"""Match the records of the reference tables, and write the links."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lifestage.platform.errors import NoDataError
from lifestage.platform.job import Job
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.records import to_records
from lifestage.users.matching.scoring import BlockingList, score_records
from lifestage.users.matching.tables import MATCHES

logger = logging.getLogger(__name__)

# Least score of each band, the highest first.
BANDS = (0.999, 0.99, 0.95, 0.9, 0.8, 0.5)


@dataclass(frozen=True)
class MatchSummary:
    """What a run of record matching compared and found."""

    n_records: int
    n_pairs: int
    n_uncompared: int
    """Records that no blocking list pairs with another one."""
    n_links: int
    lists: tuple[BlockingList, ...]
    bands: Mapping[str, int]
    """Number of links by the least score of their band, the highest band first."""
    is_learned: bool


def run(job: Job, config: MatchingConfig) -> MatchSummary:
    """Compare the current records of the reference tables, and replace all links of `matches`.

    Raises:
        NoDataError: none of the reference tables was ever loaded.
    """
    _check_loaded(job, config)
    records = to_records(job.read, config, job.keys.quarantine_key)
    scoring = score_records(records, config)
    rows = job.spark.createDataFrame(scoring.links, MATCHES.schema)
    job.replace_all("matches", rows, meaning=config.meaning)
    bands = count_by_band(scoring.links["score"].to_pylist())
    return MatchSummary(
        n_records=len(records),
        n_pairs=sum(each.n_added for each in scoring.lists),
        n_uncompared=scoring.n_uncompared,
        n_links=len(scoring.links),
        lists=scoring.lists,
        bands=bands,
        is_learned=scoring.is_learned,
    )


def _check_loaded(job: Job, config: MatchingConfig) -> None:
    newest = job.store.newest([job.table(name) for name in config.records])
    # A table is created before its first rows are written.
    missing = [name for name in config.records if name not in newest or newest[name].commit is None]
    if len(missing) == len(config.records):
        raise NoDataError(
            f"matching.records: never loaded: {', '.join(missing)}: there is nothing to compare yet; load them with "
            "lifestage run --steps reference,ingest"
        )
    for name in missing:
        logger.warning("matching.records: %s was never loaded: the others are compared without it", name)


def count_by_band(scores: Sequence[float]) -> dict[str, int]:
    """Number of scores in each band, by the least score of the band; empty bands are left out."""
    counts = Counter(next(str(least) for least in BANDS if score >= least) for score in scores)
    return {str(least): counts[str(least)] for least in BANDS if counts[str(least)]}
