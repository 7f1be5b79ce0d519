"""Match the records of the reference tables, and write the links."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lifestage.platform.job import Job
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.records import to_records
from lifestage.users.matching.scoring import score_records
from lifestage.users.matching.tables import MATCHES

# Least score of each band, the highest first.
BANDS = (0.999, 0.99, 0.95, 0.9, 0.8, 0.5)


@dataclass(frozen=True)
class MatchSummary:
    """What a run of record matching compared and found."""

    n_records: int
    n_pairs: int
    n_links: int
    bands: Mapping[str, int]
    """Number of links by the least score of their band, the highest band first."""
    is_learned: bool


def run(job: Job, config: MatchingConfig) -> MatchSummary:
    """Compare the current records of the reference tables, and replace all links of `matches`."""
    records = to_records(job.read, config, job.keys.quarantine_key)
    scoring = score_records(records, config)
    rows = job.spark.createDataFrame(scoring.links, MATCHES.schema)
    job.replace_all("matches", rows, meaning=config.meaning)
    bands = count_by_band(scoring.links["score"].to_pylist())
    return MatchSummary(len(records), scoring.n_pairs, len(scoring.links), bands, scoring.is_learned)


def count_by_band(scores: Sequence[float]) -> dict[str, int]:
    """Number of scores in each band, by the least score of the band; empty bands are left out."""
    counts = Counter(next(str(least) for least in BANDS if score >= least) for score in scores)
    return {str(least): counts[str(least)] for least in BANDS if counts[str(least)]}
