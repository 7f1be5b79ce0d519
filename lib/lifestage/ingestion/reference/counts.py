"""What became of the rows of extracts, per delivery, and whether a table is fit to be loaded."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.ingestion.sources.config import Extract, ReferenceSource
from lifestage.ingestion.sources.gates import Received, gate_failure
from lifestage.ingestion.sources.readers import count_reasons

# What the ledger says of a delivery; the number of its dates is for the check alone.
Entry = Mapping[str, Any]
N_DATES = "n_dates"


def counted(lines: DataFrame) -> dict[int, Entry]:
    """Rows in, accepted, duplicate and rejected per delivery; reasons and warnings bounded by the declared columns."""
    rows = lines.where("NOT is_header")
    is_bad = F.size("reasons") > 0
    counts = (
        rows.groupBy("delivery_no")
        .agg(
            F.count("*").alias("n"),
            F.count_if(is_bad).alias("bad"),
            F.count_if(F.size("_warnings") > 0).alias("warned"),
            F.count_if(~is_bad & F.col("is_repeat")).alias("repeats"),
            F.count_distinct(F.when(~is_bad, F.col("extract_date"))).alias("dates"),
        )
        .collect()
    )
    reasons = count_reasons(rows, "reasons") if any(row["bad"] for row in counts) else {}
    warnings = count_reasons(rows, "_warnings") if any(row["warned"] for row in counts) else {}
    return {
        row["delivery_no"]: {
            N_DATES: row["dates"],
            "n_rows": row["n"],
            "n_accepted": row["n"] - row["bad"] - row["repeats"],
            "n_duplicate": row["repeats"],
            "n_rejected": row["bad"],
            **{f"n_{name}": 0 for name in ("replaced", "superseded", "suppressed")},
            "reasons": reasons.get(row["delivery_no"], {}),
            "warnings": warnings.get(row["delivery_no"], {}),
        }
        for row in counts
    }


def problems(name: str, source: ReferenceSource, counted: Mapping[int, Entry], lines: DataFrame) -> list[str]:
    """Why extracts of a table may not be loaded: too few rows pass, or one that is full has several dates.

    Each date of it would be an extract of its own, and end what the others hold.
    """
    received = Received()
    for entry in counted.values():
        received.add(entry["n_rows"] - entry["n_duplicate"], entry["n_rejected"], entry["reasons"])
    rows = lines.where("NOT is_header").withColumn("raw", F.col("_raw"))
    several = [
        f"reference {name}: delivery {number} has rows of {entry[N_DATES]} dates, and a full extract is of one: "
        "where each row has its own, declare `extract: delta`"
        for number, entry in sorted(counted.items())
        if source.extract is Extract.FULL and entry[N_DATES] > 1
    ]
    return [*gate_failure(f"reference {name}", source.gate, received, rows), *several]
