"""The accuracy gate of a source: whether enough of its rows pass, and what is said where they do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import CheckError

N_EXAMPLES = 3


@dataclass
class Received:
    """The rows of one source in a run, duplicates apart."""

    n_rows: int = 0
    n_rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, n_rows: int, n_rejected: int, reasons: Mapping[str, int]) -> None:
        """Count another delivery in."""
        self.n_rows += n_rows
        self.n_rejected += n_rejected
        for reason, n in reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + n


def gate_failure(name: str, gate: float, received: Received, rows: DataFrame) -> list[str]:
    """Nothing, or that fewer rows than the gate asks for pass: which rule failed how often, with masked examples.

    Accuracy = rows that pass every rule of severity error / rows received, duplicates apart.

    Args:
        name: what the source is called.
        gate: least share of its rows that must pass.
        received: its rows.
        rows: the same rows with `reasons` and, where there are any, `raw`.
    """
    n_passed = received.n_rows - received.n_rejected
    # A whole number of rows decides, so that 95 of 100 passes a gate of 0.95.
    if received.n_rows == 0 or n_passed >= round(gate * received.n_rows, 6):
        return []
    share = n_passed / received.n_rows
    lines = [f"{name}: {share:.1%} of {received.n_rows} rows pass, the gate is {100 * gate:.6g}%"]
    for reason, n in sorted(received.reasons.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"  {reason}: {n} rows, e.g. {'; '.join(_examples(rows, reason))}")
    return lines


def stop(problems: Sequence[str]) -> None:
    """CheckError with the problems, if there are any; to be asked before anything is written."""
    if problems:
        raise CheckError("\n".join(problems) + "\nnothing was written; the next run reads these files again")


def _examples(rows: DataFrame, reason: str) -> list[str]:
    """Raw rows with letters as x and digits as 9: their shape shows the fault, not the person."""
    masked = F.regexp_replace(
        F.regexp_replace(F.substring("raw", 1, 120), r"[\p{L}\p{M}]", "x"), r"\p{N}", "9"
    )
    shapes = rows.where(F.array_contains("reasons", reason)).select(masked.alias("shape")).distinct()
    return [row["shape"] for row in shapes.orderBy("shape").limit(N_EXAMPLES).collect()]
