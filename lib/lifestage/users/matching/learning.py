"""What the records themselves say of the weight of each agreement."""

import math
from collections.abc import Collection, Sequence
from typing import Any

from lifestage.users.matching.model import Settings, rule_of

# A rule that pairs fewer says too little of any comparison.
LEAST_PAIRS = 100
RANDOM_PAIRS = 1_000_000
SEED = 1


def learned(
    linker: Any,
    blocking: Sequence[tuple[str, ...]],
    sizes: Sequence[int],
    n_records: int,
    comparisons: Collection[str],
) -> Settings:
    """The settings with weights learned from the records, by expectation maximisation for each blocking rule.

    How often two people agree is counted on random pairs; how often one person does with themselves follows from the
    pairs of each rule, for the comparisons that are not in it. What cannot be learned stays what is usual.
    """
    usual = linker.misc.save_model_to_json(out_path=None)
    training = linker.training
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for columns, n in zip(blocking, sizes, strict=True):
        # A rule that has all comparisons leaves none to learn of.
        if n >= LEAST_PAIRS and not set(comparisons) <= set(columns):
            training.estimate_parameters_using_expectation_maximisation(
                rule_of(columns), populate_probability_two_random_records_match_from_trained_values=True
            )
    return sound(linker.misc.save_model_to_json(out_path=None), usual, n_records)


def sound(found: Settings, usual: Settings, n_records: int) -> Settings:
    """Learned settings in which closer agreement always says more; a comparison of which that is not so stays usual.

    Of all pairs at least one is a match, and at most one for each record.
    """
    comparisons = [
        one if _is_in_order(one["comparison_levels"]) else other
        for one, other in zip(found["comparisons"], usual["comparisons"], strict=True)
    ]
    least, most = 2 / (n_records * (n_records - 1)), 2 / (n_records - 1)
    share = min(max(found["probability_two_random_records_match"], least), most)
    return {**found, "comparisons": comparisons, "probability_two_random_records_match": share}


def _is_in_order(levels: Sequence[Settings]) -> bool:
    given = [level for level in levels if not level.get("is_null_level")]
    # Splink leaves out what it has never seen.
    numbers = [(level.get("m_probability", 0.0), level.get("u_probability", 0.0)) for level in given]
    if any(min(pair) <= 0 for pair in numbers):
        return False
    weights = [math.log2(same / others) for same, others in numbers]
    return weights == sorted(weights, reverse=True) and weights[0] > 0 > weights[-1]
