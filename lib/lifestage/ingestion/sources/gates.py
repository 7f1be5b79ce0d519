"""The accuracy gate of a source: the share of its rows that must pass, and the message if too few do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.encoding import guess_encoding
from lifestage.ingestion.sources.reasons import WRONG_ENCODING
from lifestage.platform.errors import CheckError
from lifestage.platform.plurals import count_of

N_EXAMPLES = 3
N_GUESSED = 100


@dataclass
class GateCounts:
    """Row counts of one source in one run, not counting duplicates."""

    n_rows: int = 0
    n_rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, n_rows: int, n_rejected: int, reasons: Mapping[str, int]) -> None:
        """Add the counts of one more delivery."""
        self.n_rows += n_rows
        self.n_rejected += n_rejected
        for reason, n in reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + n


def describe_gate_failure(name: str, gate: float, counts: GateCounts, rows: DataFrame) -> list[str]:
    """Return the lines of an error message if fewer rows pass than the gate requires, else an empty list.

    The lines list each broken rule, how many rows break it, and masked examples. Accuracy is the number of rows that
    pass every rule of severity error, divided by the number of rows without duplicates. A source without rows passes.

    Args:
        name: Name of the source in the message.
        gate: Minimum share of rows that must pass, 0 to 1.
        counts: Row counts of the source.
        rows: The source's rows with `reasons`, and with `raw` if there are reasons.
    """
    n_passed = counts.n_rows - counts.n_rejected
    # Compare whole rows, so that 95 of 100 pass a gate of 0.95.
    if counts.n_rows == 0 or n_passed >= round(gate * counts.n_rows, 6):
        return []
    share = n_passed / counts.n_rows
    lines = [f"{name}: {share:.1%} of {count_of(counts.n_rows, 'row')} pass, the gate is {100 * gate:.6g}%"]
    for reason, n in sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"  {reason}: {count_of(n, 'row')}, e.g. {'; '.join(_mask_examples(rows, reason))}")
        if reason == WRONG_ENCODING:
            lines.append(f"    the bytes look like {_guess_encoding(rows)}: set encoding")
    return lines


def raise_gate_failures(problems: Sequence[str]) -> None:
    """Raise a CheckError that lists the problems, if there are any. Call it before the first write."""
    if problems:
        raise CheckError("\n".join(problems) + "\nnothing was written; the next run reads these files again")


def _guess_encoding(rows: DataFrame) -> str:
    texts = rows.where(F.array_contains("reasons", WRONG_ENCODING)).select(
        F.col("raw").cast("binary").alias("raw")
    )
    return guess_encoding(b"\n".join(bytes(row["raw"]) for row in texts.limit(N_GUESSED).collect()))


def _mask_examples(rows: DataFrame, reason: str) -> list[str]:
    """Return raw rows with letters as x and digits as 9, which shows the fault but no personal data."""
    masked = F.regexp_replace(
        F.regexp_replace(F.substring("raw", 1, 120), r"[\p{L}\p{M}]", "x"), r"\p{N}", "9"
    )
    shapes = rows.where(F.array_contains("reasons", reason)).select(masked.alias("shape")).distinct()
    return [row["shape"] for row in shapes.orderBy("shape").limit(N_EXAMPLES).collect()]
