"""Estimate the weights of a match model from the records themselves."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lifestage.users.matching.model import Settings, blocking_rule

# A blocking rule with fewer pairs is too small to estimate from.
MIN_PAIRS = 100
RANDOM_PAIRS = 1_000_000
SEED = 1


def train_weights(
    linker: Any,
    n_pairs: Mapping[tuple[str, ...], int],
    n_records: int,
    comparisons: Collection[str],
) -> Settings:
    """Splink settings with weights estimated from the records.

    u (agreement of two people) is counted on random pairs. m (agreement of one person's records) is estimated by
    expectation maximisation on the pairs of each blocking rule, for the comparisons that the rule does not use. What
    cannot be estimated keeps its default.

    Args:
        linker: a Splink linker with default settings.
        n_pairs: blocking rule to its number of pairs.
        n_records: the number of records, at least 2.
        comparisons: the names of all comparisons.
    """
    defaults = linker.misc.save_model_to_json(out_path=None)
    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for columns, n in n_pairs.items():
        # A rule that uses all comparisons leaves none to estimate.
        if n >= MIN_PAIRS and not set(comparisons) <= set(columns):
            training.estimate_parameters_using_expectation_maximisation(
                blocking_rule(columns), populate_probability_two_random_records_match_from_trained_values=True
            )
    return repair_weights(linker.misc.save_model_to_json(out_path=None), defaults, n_records)


def repair_weights(trained: Settings, defaults: Settings, n_records: int) -> Settings:
    """Trained settings with implausible values replaced.

    A comparison in which closer agreement does not always weigh more gets its defaults back. The share of matches is
    bounded: of all pairs at least one matches, and at most one per record.
    """
    comparisons = [
        own if _is_monotonic(own["comparison_levels"]) else default
        for own, default in zip(trained["comparisons"], defaults["comparisons"], strict=True)
    ]
    least, most = 2 / (n_records * (n_records - 1)), 2 / (n_records - 1)
    share = min(max(trained["probability_two_random_records_match"], least), most)
    return {**trained, "comparisons": comparisons, "probability_two_random_records_match": share}


def _is_monotonic(levels: Sequence[Settings]) -> bool:
    """Whether weights fall from the closest level, which speaks for a match, to the last, which speaks against."""
    known = [level for level in levels if not level.get("is_null_level")]
    # Splink leaves out a probability that it has never seen.
    numbers = [(level.get("m_probability", 0.0), level.get("u_probability", 0.0)) for level in known]
    if any(min(pair) <= 0 for pair in numbers):
        return False
    weights = [math.log2(m / u) for m, u in numbers]
    return weights == sorted(weights, reverse=True) and weights[0] > 0 > weights[-1]
