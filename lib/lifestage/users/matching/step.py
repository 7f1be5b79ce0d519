"""Match the records of the reference tables, and keep the links."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lifestage.platform.job import Job
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.records import to_records
from lifestage.users.matching.scoring import scored
from lifestage.users.matching.tables import MATCHES

# Least scores, the surest first.
BANDS = (0.999, 0.99, 0.95, 0.9, 0.8, 0.5)


@dataclass(frozen=True)
class Matched:
    """What a match has looked at, and what it found."""

    n_records: int
    n_pairs: int
    n_links: int
    bands: Mapping[str, int]
    """Links by the greatest of some scores that they reach, the surest first."""
    is_learned: bool


def run(job: Job, config: MatchingConfig) -> Matched:
    """Compare what the reference tables say today, and put the links into the place of those before."""
    records = to_records(job.read, config, job.keys.quarantine_key)
    found = scored(records, config)
    rows = job.spark.createDataFrame(found.links, MATCHES.schema)
    job.replace_all("matches", rows, meaning=config.meaning)
    return Matched(
        len(records),
        found.n_pairs,
        len(found.links),
        by_band(found.links["score"].to_pylist()),
        found.is_learned,
    )


def by_band(scores: Sequence[float]) -> dict[str, int]:
    """How many scores lie in each band, by the band's least score; bands without any are left out."""
    counts = Counter(next(str(least) for least in BANDS if score >= least) for score in scores)
    return {str(least): counts[str(least)] for least in BANDS if counts[str(least)]}
