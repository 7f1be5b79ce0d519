"""Records to the pairs of them that are probably of one person, with Splink on DuckDB, in memory alone."""

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
from lifestage.users.matching.learning import learned
from lifestage.users.matching.model import LEARNED_FROM, rule_of, usual
from lifestage.users.matching.tables import MATCHES

MOST_PAIRS = 200_000_000
DECIMALS = 6
LINKS = arrow_schema(MATCHES.schema)


@dataclass(frozen=True)
class Scored:
    """What was compared, and the links that came of it."""

    links: pa.Table
    """a, a_type, b, b_type, score, event_date, matched_on; in order of a and b."""
    n_pairs: int
    """Pairs of records that were compared."""
    is_learned: bool
    """Whether the weights are learned; of too few records they are what is usual."""


def scored(records: pa.Table, config: MatchingConfig) -> Scored:
    """The links among records, each pair of identifiers with its best score.

    Args:
        records: see to_records.
        config: comparisons, blocking and threshold.

    Scores are rounded to six decimals, so that the order in which an engine adds does not show. Of several pairs of
    records with one score the one of the earliest date counts.

    Raises:
        CheckError: where the blocking lists pair more records than can be compared.
        ConfigError: where Splink is not installed.
    """
    is_learned = len(records) >= LEARNED_FROM
    with _database() as database:
        database.register("records", records)
        sizes = _sizes(database, config)
        if not sum(sizes):
            return Scored(LINKS.empty_table(), 0, is_learned)
        n_pairs = _n_pairs(database, config)
        settings = usual(config, is_learned)
        if is_learned:
            # Samples and sums are the same each time in one thread; what follows goes row by row.
            database.execute("SET threads = 1")
            settings = learned(
                _linker(database, records, settings),
                config.blocking,
                sizes,
                len(records),
                config.comparisons,
            )
            database.execute("RESET threads")
        predict = _linker(database, records, settings).inference.predict
        found = predict(threshold_match_probability=config.threshold).physical_name
        links = database.sql(_links_sql(found, config)).to_arrow_table()
    return Scored(links.cast(LINKS), n_pairs, is_learned)


def require_splink() -> None:
    """Raises ConfigError where the extra that matching needs is not installed."""
    if find_spec("splink") is None:
        raise ConfigError(["matching: needs Splink: pip install 'lifestage[fuzzy]'"])


@contextmanager
def _database() -> Iterator[Any]:
    """A database in memory that has nowhere to write to."""
    require_splink()
    import duckdb

    database = duckdb.connect(":memory:", config={"temp_directory": ""})
    database.execute("SET enable_progress_bar = false")
    try:
        yield database
    finally:
        database.close()


def _linker(database: Any, records: pa.Table, settings: dict[str, Any]) -> Any:
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    return Linker(records, settings, DuckDBAPI(database), set_up_basic_logging=False)


def _sizes(database: Any, config: MatchingConfig) -> list[int]:
    """How many pairs of records agree in all of each blocking list."""
    found = []
    for columns in config.blocking:
        groups = f"SELECT count(*) AS n FROM records WHERE {_known(columns)} GROUP BY {', '.join(map(_quoted, columns))}"
        n = _number(database, f"SELECT sum(n * (n - 1) // 2) FROM ({groups})")
        if n > MOST_PAIRS:
            raise CheckError(
                f"matching.blocking: [{', '.join(columns)}] pairs records {n:,} times, expected at most "
                f"{MOST_PAIRS:,}: add a comparison to the list"
            )
        found.append(n)
    return found


def _n_pairs(database: Any, config: MatchingConfig) -> int:
    """How many pairs agree in any of the lists: each list adds those that none before it has."""
    total = 0
    for number, columns in enumerate(config.blocking):
        before = [f"NOT coalesce({rule_of(earlier)}, false)" for earlier in config.blocking[:number]]
        where = " AND ".join(["l.record < r.record", *before])
        total += _number(
            database, f"SELECT count(*) FROM records l JOIN records r ON {rule_of(columns)} WHERE {where}"
        )
    return total


def _number(database: Any, sql: str) -> int:
    ((n,),) = database.execute(sql).fetchall()
    return int(n or 0)


def _links_sql(found: str, config: MatchingConfig) -> str:
    """Links from scored pairs; two records of one identifier are no link."""
    agreed = ", ".join(
        f"CASE WHEN \"bf_{name}\" > 1 THEN '{name}' END" for name in sorted(config.comparisons)
    )
    return f"""
        WITH pairs AS (
            SELECT l.identifier AS l, l.type AS l_type, r.identifier AS r, r.type AS r_type,
                   round(match_probability, {DECIMALS}) AS score, greatest(l.since, r.since) AS event_date,
                   list_sort(list_distinct([{agreed}])) AS matched_on
            FROM {found} JOIN records l ON l.record = record_l JOIN records r ON r.record = record_r
            WHERE l.identifier <> r.identifier
        )
        SELECT least(l, r) AS a, CASE WHEN l < r THEN l_type ELSE r_type END AS a_type,
               greatest(l, r) AS b, CASE WHEN l < r THEN r_type ELSE l_type END AS b_type,
               score, event_date, matched_on
        FROM pairs
        QUALIFY row_number() OVER (PARTITION BY a, b ORDER BY score DESC, event_date, matched_on) = 1
        ORDER BY a, b
    """


def _known(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in columns)


def _quoted(name: str) -> str:
    return f'"{name}"'
