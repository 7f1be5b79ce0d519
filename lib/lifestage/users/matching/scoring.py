"""Score pairs of records with Splink on DuckDB, in memory only."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from lifestage.platform.errors import CheckError, ConfigError
from lifestage.platform.runtime.frames import arrow_schema
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.matching.learning import train_weights
from lifestage.users.matching.model import MIN_RECORDS_TO_LEARN, blocking_rule, build_settings
from lifestage.users.matching.tables import MATCHES

MAX_PAIRS = 200_000_000
DECIMALS = 6
MATCH_SCHEMA = arrow_schema(MATCHES.schema)


@dataclass(frozen=True)
class Scoring:
    """The links among records, and how they were found."""

    links: pa.Table
    """a, a_type, b, b_type, score, event_date, matched_on; sorted by a and b."""
    n_pairs: int
    """Pairs of records that were compared."""
    is_learned: bool
    """Whether the weights were learned from the records; for few records they are defaults."""


def score_records(records: pa.Table, config: MatchingConfig) -> Scoring:
    """The links among records: one row per pair of identifiers, with its best score.

    Scores are rounded to six decimals, so that the order of additions in the engine does not show. Of several pairs of
    records with the same score, the one with the earliest date counts, then the first by matched_on. Two records of one
    identifier are no link.

    Args:
        records: see to_records.
        config: comparisons, blocking rules and threshold.

    Raises:
        CheckError: where a blocking rule gives more pairs than can be compared.
        ConfigError: where Splink is not installed.
    """
    is_to_learn = len(records) >= MIN_RECORDS_TO_LEARN
    with _open_database() as database:
        database.register("records", records)
        n_by_rule = _count_pairs_by_rule(database, config)
        if not sum(n_by_rule):
            return Scoring(MATCH_SCHEMA.empty_table(), 0, is_to_learn)
        n_pairs = _count_pairs(database, config)
        settings = build_settings(config, is_to_learn)
        if is_to_learn:
            # In one thread, samples and sums are the same each time. Prediction goes row by row.
            database.execute("SET threads = 1")
            linker = _build_linker(database, records, settings)
            settings = train_weights(linker, config.blocking, n_by_rule, len(records), config.comparisons)
            database.execute("RESET threads")
        predict = _build_linker(database, records, settings).inference.predict
        scores = predict(threshold_match_probability=config.threshold).physical_name
        links = database.sql(_links_sql(scores, config)).to_arrow_table()
    return Scoring(links.cast(MATCH_SCHEMA), n_pairs, is_to_learn)


def require_splink() -> None:
    """Raises ConfigError where the extra that matching needs is not installed."""
    if find_spec("splink") is None:
        raise ConfigError(["matching: needs Splink: pip install 'lifestage[fuzzy]'"])


@contextmanager
def _open_database() -> Iterator[Any]:
    """A database in memory that cannot spill to disk, where records would lie in clear."""
    require_splink()
    import duckdb

    database = duckdb.connect(":memory:", config={"temp_directory": ""})
    database.execute("SET enable_progress_bar = false")
    try:
        yield database
    finally:
        database.close()


def _build_linker(database: Any, records: pa.Table, settings: dict[str, Any]) -> Any:
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    return Linker(records, settings, DuckDBAPI(database), set_up_basic_logging=False)


def _count_pairs_by_rule(database: Any, config: MatchingConfig) -> list[int]:
    """How many pairs of records agree on each blocking rule."""
    counts = []
    for columns in config.blocking:
        names = [f'"{name}"' for name in columns]
        known = " AND ".join(f"{name} IS NOT NULL" for name in names)
        groups = f"SELECT count(*) AS n FROM records WHERE {known} GROUP BY {', '.join(names)}"
        n = _query_number(database, f"SELECT sum(n * (n - 1) // 2) FROM ({groups})")
        if n > MAX_PAIRS:
            raise CheckError(
                f"matching.blocking: [{', '.join(columns)}] pairs records {n:,} times, expected at most "
                f"{MAX_PAIRS:,}: add a comparison to the list"
            )
        counts.append(n)
    return counts


def _count_pairs(database: Any, config: MatchingConfig) -> int:
    """How many pairs agree on any blocking rule: each rule adds the pairs that no rule before it has."""
    total = 0
    for number, columns in enumerate(config.blocking):
        before = [f"NOT coalesce({blocking_rule(earlier)}, false)" for earlier in config.blocking[:number]]
        where = " AND ".join(["l.record < r.record", *before])
        pairs = f"SELECT count(*) FROM records l JOIN records r ON {blocking_rule(columns)} WHERE {where}"
        total += _query_number(database, pairs)
    return total


def _query_number(database: Any, sql: str) -> int:
    ((n,),) = database.execute(sql).fetchall()
    return int(n or 0)


def _links_sql(scores: str, config: MatchingConfig) -> str:
    """SQL that turns scored pairs of records into links between identifiers."""
    agreed = ", ".join(
        f"CASE WHEN \"bf_{name}\" > 1 THEN '{name}' END" for name in sorted(config.comparisons)
    )
    return f"""
        WITH pairs AS (
            SELECT l.identifier AS l, l.type AS l_type, r.identifier AS r, r.type AS r_type,
                   round(match_probability, {DECIMALS}) AS score, greatest(l.since, r.since) AS event_date,
                   list_sort(list_distinct([{agreed}])) AS matched_on
            FROM {scores} JOIN records l ON l.record = record_l JOIN records r ON r.record = record_r
            WHERE l.identifier <> r.identifier
        )
        SELECT least(l, r) AS a, CASE WHEN l < r THEN l_type ELSE r_type END AS a_type,
               greatest(l, r) AS b, CASE WHEN l < r THEN r_type ELSE l_type END AS b_type,
               score, event_date, matched_on
        FROM pairs
        QUALIFY row_number() OVER (PARTITION BY a, b ORDER BY score DESC, event_date, matched_on) = 1
        ORDER BY a, b
    """
