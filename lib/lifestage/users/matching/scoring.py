"""Score pairs of records with Splink on DuckDB, in memory only."""

import logging
from collections.abc import Iterator, Sequence
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
class BlockingList:
    """A list of comparisons, and the pairs of records that agree on all of them."""

    comparisons: tuple[str, ...]
    n_pairs: int
    n_added: int
    """Pairs that no earlier list has. 0 for a list that is left out."""
    is_left_out: bool = False
    """Whether the list was chosen by kind and pairs too many records to compare."""


@dataclass(frozen=True)
class Scoring:
    """The links among records, and how they were found."""

    links: pa.Table
    """a, a_type, b, b_type, score, event_date, matched_on; sorted by a and b."""
    lists: tuple[BlockingList, ...]
    n_uncompared: int
    """Records that no list pairs with another one."""
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
        CheckError: where a blocking rule of the configuration gives more pairs than can be compared.
        ConfigError: where Splink is not installed.
    """
    is_to_learn = len(records) >= MIN_RECORDS_TO_LEARN
    with _open_database() as database:
        database.register("records", records)
        lists = _count_pairs(database, config)
        used = {each.comparisons: each.n_pairs for each in lists if not each.is_left_out}
        n_uncompared = _count_uncompared(database, [*used])
        if not any(used.values()):
            return Scoring(MATCH_SCHEMA.empty_table(), lists, n_uncompared, is_to_learn)
        settings = build_settings(config.comparisons, [*used], is_to_learn)
        if is_to_learn:
            # In one thread, samples and sums are the same each time. Prediction goes row by row.
            database.execute("SET threads = 1")
            linker = _build_linker(database, records, settings)
            settings = train_weights(linker, used, len(records), config.comparisons)
            database.execute("RESET threads")
        predict = _build_linker(database, records, settings).inference.predict
        scores = predict(threshold_match_probability=config.threshold).physical_name
        links = database.sql(_links_sql(scores, config)).to_arrow_table()
    return Scoring(links.cast(MATCH_SCHEMA), lists, n_uncompared, is_to_learn)


def require_splink() -> None:
    """Raises ConfigError where the extra that matching needs is not installed."""
    if find_spec("splink") is None:
        raise ConfigError(
            [
                "matching: needs Splink, of the extra `fuzzy`: pip install '.[fuzzy]' in the folder of the sources, or "
                "pip install 'splink>=4,<5'"
            ]
        )


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


def _count_pairs(database: Any, config: MatchingConfig) -> tuple[BlockingList, ...]:
    """The blocking lists, with the pairs of records that agree on each and the pairs that each adds."""
    lists: list[BlockingList] = []
    for columns in config.blocking_lists:
        groups = f"SELECT count(*) AS n FROM records {_group_known(columns)}"
        n = _query_number(database, f"SELECT sum(n * (n - 1) // 2) FROM ({groups})")
        if n > MAX_PAIRS and config.blocking:
            raise CheckError(
                f"matching.blocking: [{', '.join(columns)}] pairs records {n:,} times, expected at most "
                f"{MAX_PAIRS:,}: add a comparison to the list"
            )
        if n > MAX_PAIRS:
            lists.append(BlockingList(columns, n, 0, is_left_out=True))
            continue
        before = [
            f"NOT coalesce({blocking_rule(earlier.comparisons)}, false)"
            for earlier in lists
            if not earlier.is_left_out
        ]
        where = " AND ".join(["l.record < r.record", *before])
        pairs = f"SELECT count(*) FROM records l JOIN records r ON {blocking_rule(columns)} WHERE {where}"
        lists.append(BlockingList(columns, n, _query_number(database, pairs)))
    return tuple(lists)


def _count_uncompared(database: Any, lists: Sequence[tuple[str, ...]]) -> int:
    """How many records share the values of no list with another record."""
    compared = [
        f"SELECT unnest(list(record)) AS record FROM records {_group_known(columns)} HAVING count(*) > 1"
        for columns in lists
    ]
    some = " UNION ".join(compared) or "SELECT record FROM records WHERE false"
    return _query_number(database, f"SELECT count(*) FROM records WHERE record NOT IN ({some})")


def _group_known(columns: Sequence[str]) -> str:
    """SQL that groups the records in which all of the columns have a value."""
    names = [f'"{name}"' for name in columns]
    return f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in names)} GROUP BY {', '.join(names)}"


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
