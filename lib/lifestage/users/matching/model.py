"""The match model for Splink: levels of agreement as SQL, with default weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifestage.users.matching.config import ComparisonKind

# Fewer records are too few to estimate weights from: agreement within a small sample says little of all people.
MIN_RECORDS_TO_LEARN = 1_000
# The default prior: one of this many pairs of records is a match.
PAIRS_PER_MATCH = 20_000

Settings = dict[str, Any]


@dataclass(frozen=True)
class Level:
    """One level of agreement, with the probabilities of the Fellegi-Sunter model."""

    sql: str
    m: float
    """Share of pairs of one person's records that are at this level."""
    u: float
    """Share of pairs of two people's records that are at this level."""


EQUAL = "{l} = {r}"
ELSE = "ELSE"
# Day and month are swapped.
SWAPPED = "{l} = substr({r}, 1, 4) || substr({r}, 7, 2) || substr({r}, 5, 2)"
LEVELS: Mapping[ComparisonKind, tuple[Level, ...]] = {
    ComparisonKind.NAME: (
        Level(EQUAL, 0.85, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.92", 0.07, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.8", 0.03, 0.03),
        Level(ELSE, 0.05, 0.95),
    ),
    ComparisonKind.TEXT: (
        Level(EQUAL, 0.7, 0.005),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.9", 0.15, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.8", 0.05, 0.05),
        Level(ELSE, 0.1, 0.935),
    ),
    ComparisonKind.DATE: (
        Level(EQUAL, 0.92, 0.0001),
        Level("damerau_levenshtein({l}, {r}) <= 1 OR " + SWAPPED, 0.07, 0.002),
        Level(ELSE, 0.01, 0.9979),
    ),
    ComparisonKind.CODE: (
        Level(EQUAL, 0.9, 0.005),
        Level("damerau_levenshtein({l}, {r}) <= 1", 0.06, 0.05),
        Level(ELSE, 0.04, 0.945),
    ),
    ComparisonKind.EXACT: (Level(EQUAL, 0.95, 0.1), Level(ELSE, 0.05, 0.9)),
}


def build_settings(
    comparisons: Mapping[str, ComparisonKind], blocking: Sequence[tuple[str, ...]], is_to_learn: bool
) -> Settings:
    """Splink settings with default weights.

    Args:
        comparisons: the kind of each comparison.
        blocking: the blocking rules.
        is_to_learn: whether weights will be trained. Then agreement on a rare name also weighs more than on a common one.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": 1 / PAIRS_PER_MATCH,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [blocking_rule(columns) for columns in blocking],
        "comparisons": [
            _build_comparison(name, kind, is_to_learn and kind is ComparisonKind.NAME)
            for name, kind in comparisons.items()
        ],
    }


def blocking_rule(columns: Sequence[str]) -> str:
    """SQL condition of a blocking rule: two records agree on all of its comparisons."""
    return " AND ".join(f'l."{name}" = r."{name}"' for name in columns)


def _build_comparison(name: str, kind: ComparisonKind, by_frequency: bool) -> Settings:
    ends = {"l": f'"{name}_l"', "r": f'"{name}_r"'}
    unknown = {"sql_condition": f"{ends['l']} IS NULL OR {ends['r']} IS NULL", "is_null_level": True}
    levels = [
        {"sql_condition": level.sql.format(**ends), "m_probability": level.m, "u_probability": level.u}
        for level in LEVELS[kind]
    ]
    if by_frequency:
        levels[0]["tf_adjustment_column"] = name
    return {"output_column_name": name, "comparison_levels": [unknown, *levels]}
