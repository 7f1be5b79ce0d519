"""What the comparisons are for Splink: levels of agreement as SQL, with what is usual of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifestage.users.matching.config import Kind, MatchingConfig

# Where there are fewer records, nothing can be learned from them: two of one name are two of the whole town.
LEARNED_FROM = 1_000
# Of so many pairs of records, one is of one person, where nothing was learned.
USUAL_PAIRS = 20_000

Settings = dict[str, Any]


@dataclass(frozen=True)
class Level:
    """One level: the condition, and how often it holds of two records of one person, and of two people."""

    sql: str
    same: float
    others: float


EQUAL = "{l} = {r}"
ELSE = "ELSE"
# A day and a month that changed places.
SWAPPED = "{l} = substr({r}, 1, 4) || substr({r}, 7, 2) || substr({r}, 5, 2)"
LEVELS: Mapping[Kind, tuple[Level, ...]] = {
    Kind.NAME: (
        Level(EQUAL, 0.85, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.92", 0.07, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.8", 0.03, 0.03),
        Level(ELSE, 0.05, 0.95),
    ),
    Kind.TEXT: (
        Level(EQUAL, 0.7, 0.005),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.9", 0.15, 0.01),
        Level("jaro_winkler_similarity({l}, {r}) >= 0.8", 0.05, 0.05),
        Level(ELSE, 0.1, 0.935),
    ),
    Kind.DATE: (
        Level(EQUAL, 0.92, 0.0001),
        Level("damerau_levenshtein({l}, {r}) <= 1 OR " + SWAPPED, 0.07, 0.002),
        Level(ELSE, 0.01, 0.9979),
    ),
    Kind.CODE: (
        Level(EQUAL, 0.9, 0.005),
        Level("damerau_levenshtein({l}, {r}) <= 1", 0.06, 0.05),
        Level(ELSE, 0.04, 0.945),
    ),
    Kind.EXACT: (Level(EQUAL, 0.95, 0.1), Level(ELSE, 0.05, 0.9)),
}


def usual(config: MatchingConfig, is_to_learn: bool) -> Settings:
    """Splink's settings with what is usual; where something is to be learned, rare names also count for more."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": 1 / USUAL_PAIRS,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [rule_of(columns) for columns in config.blocking],
        "comparisons": [
            _comparison(name, kind, is_to_learn and kind is Kind.NAME)
            for name, kind in config.comparisons.items()
        ],
    }


def rule_of(columns: Sequence[str]) -> str:
    """The condition under which two records are compared."""
    return " AND ".join(f'l."{name}" = r."{name}"' for name in columns)


def _comparison(name: str, kind: Kind, by_frequency: bool) -> Settings:
    ends = {"l": f'"{name}_l"', "r": f'"{name}_r"'}
    unknown = {"sql_condition": f"{ends['l']} IS NULL OR {ends['r']} IS NULL", "is_null_level": True}
    levels = [
        {
            "sql_condition": level.sql.format(**ends),
            "m_probability": level.same,
            "u_probability": level.others,
        }
        for level in LEVELS[kind]
    ]
    if by_frequency:
        levels[0]["tf_adjustment_column"] = name
    return {"output_column_name": name, "comparison_levels": [unknown, *levels]}
