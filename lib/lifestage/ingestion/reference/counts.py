"""Count the rows of extracts by outcome, and decide whether a reference table may be loaded."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.config import Extract, ReferenceSource
from lifestage.ingestion.sources.gates import GateCounts, describe_gate_failure
from lifestage.ingestion.sources.reasons import DATA_ROWS, count_reasons

# Ledger columns of a delivery, and the number of its extract dates, which the ledger does not store.
LedgerEntry = Mapping[str, Any]
N_DATES = "n_dates"


def count_rows(lines: DataFrame) -> dict[int, LedgerEntry]:
    """Count rows in, accepted, duplicate, skipped and rejected per delivery, with reasons and warnings.

    Header lines do not count. The result is bounded by deliveries times declared columns.
    """
    rows = lines.where("NOT is_header")
    is_data = ~F.col("is_skipped")
    is_bad, is_good = is_data & (F.size("reasons") > 0), is_data & (F.size("reasons") == 0)
    counts = (
        rows.groupBy("delivery_no")
        .agg(
            F.count("*").alias("n"),
            F.count_if(is_bad).alias("bad"),
            F.count_if("is_skipped").alias("skipped"),
            F.count_if(F.size("_warnings") > 0).alias("with_warning"),
            F.count_if(is_good & F.col("is_repeat")).alias("repeats"),
            F.count_distinct(F.when(is_good, F.col("extract_date"))).alias("dates"),
        )
        .collect()
    )
    rows = rows.where(is_data)
    reasons = count_reasons(rows, "reasons") if any(row["bad"] for row in counts) else {}
    warnings = count_reasons(rows, "_warnings") if any(row["with_warning"] for row in counts) else {}
    return {
        row["delivery_no"]: {
            N_DATES: row["dates"],
            "n_rows": row["n"],
            "n_accepted": row["n"] - row["bad"] - row["repeats"] - row["skipped"],
            "n_duplicate": row["repeats"],
            "n_rejected": row["bad"],
            "n_skipped": row["skipped"],
            **{f"n_{name}": 0 for name in ("replaced", "superseded", "suppressed")},
            "reasons": reasons.get(row["delivery_no"], {}),
            "warnings": warnings.get(row["delivery_no"], {}),
        }
        for row in counts
    }


def find_load_problems(
    name: str, source: ReferenceSource, counts: Mapping[int, LedgerEntry], lines: DataFrame
) -> list[str]:
    """Return the reasons not to load the extracts of a table: too few rows pass, or a full extract has several dates.

    Each date of a full extract would count as an extract of its own, and end the keys that it lacks.
    """
    gate_counts = GateCounts()
    for entry in counts.values():
        n_judged = entry["n_rows"] - entry["n_duplicate"] - entry["n_skipped"]
        gate_counts.add(n_judged, entry["n_rejected"], entry["reasons"])
    rows = lines.where(DATA_ROWS).withColumn("raw", F.col("_raw"))
    with_several_dates = [
        f"reference {name}: delivery {number} has rows of {entry[N_DATES]} dates, but a full extract must have one date: "
        "if each row has its own date, declare `extract: delta`"
        for number, entry in sorted(counts.items())
        if source.extract is Extract.FULL and entry[N_DATES] > 1
    ]
    gate_failure = describe_gate_failure(f"reference {name}", source.gate, gate_counts, rows)
    return [*gate_failure, *with_several_dates]
