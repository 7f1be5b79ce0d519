"""Measure each step of a full build and of a daily run on generated events, and compute the same features with DuckDB."""

import argparse
import hashlib
import hmac
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from bench_events import FIRST_DAY, LAST_DAY, N_DAYS, make
from lifestage.project.opening import Project, Request, open_project
from lifestage.project.pipeline import STEPS as MAP
from lifestage.project.runner import execute

OUT = Path("out/bench")
STEPS = tuple(name for name in MAP if name not in ("reference", "report"))
console = Console(highlight=False)

MAIN = f"""
storage: {{root: {OUT}/tables}}
landing: {OUT}/landing
business: {{name: Benchmark, time_zone: UTC, history_starts_on: {FIRST_DAY}, left_censor_margin_days: 30}}
report: {{path: {OUT}/report.html}}
"""

SOURCE = """
path: events/events_*.parquet
format: parquet
columns: {event_no: bigint, event_at: timestamp, kind: string, member: string, channel: string, product: string,
          category: string, quantity: bigint, amount: "decimal(18,2)", starts_session: boolean}
key: [event_no]
map: {event_type: kind, event_at: event_at, channel: channel, product_id: product, category: category, quantity: quantity,
      amount: amount, starts_session: starts_session}
identifiers: {member: member}
identifier: required
"""

FEATURES = (
    "occasions_90d",
    "occasions_365d",
    "net_amount_90d",
    "net_amount_365d",
    "active_days_7d",
    "active_days_28d",
    "active_days_90d",
    "login_days_90d",
    "n_views_90d",
    "recency_days",
    "tenure_days",
    "days_since_active",
    "return_share_365d",
)

# The same definitions, written independently: an occasion is a day with net spend above zero, and windows end with as_of.
ORACLE = """
WITH days AS (
    SELECT member, CAST(event_at AS DATE) AS day, DATE '{as_of}' - CAST(event_at AS DATE) AS age,
           coalesce(sum(amount), 0) AS net,
           coalesce(sum(amount) FILTER (kind = 'purchase'), 0) AS gross,
           coalesce(-sum(amount) FILTER (kind = 'return'), 0) AS returned,
           count(*) FILTER (kind = 'login') AS logins,
           count(*) FILTER (kind = 'page_view') AS views,
           count(*) FILTER (kind = 'purchase') AS purchases
    FROM read_parquet('{files}') WHERE CAST(event_at AS DATE) <= DATE '{as_of}'
    GROUP BY ALL
)
SELECT member,
       count(*) FILTER (net > 0 AND age < 90) AS occasions_90d,
       count(*) FILTER (net > 0 AND age < 365) AS occasions_365d,
       coalesce(sum(net) FILTER (age < 90), 0)::DECIMAL(18, 2) AS net_amount_90d,
       coalesce(sum(net) FILTER (age < 365), 0)::DECIMAL(18, 2) AS net_amount_365d,
       count(*) FILTER (age < 7) AS active_days_7d,
       count(*) FILTER (age < 28) AS active_days_28d,
       count(*) FILTER (age < 90) AS active_days_90d,
       count(*) FILTER (logins > 0 AND age < 90) AS login_days_90d,
       coalesce(sum(views) FILTER (age < 90), 0)::BIGINT AS n_views_90d,
       min(age) FILTER (net > 0) AS recency_days,
       max(age) FILTER (purchases > 0) AS tenure_days,
       min(age) AS days_since_active,
       CASE WHEN coalesce(sum(gross) FILTER (age < 365), 0) <> 0
            THEN (sum(returned) FILTER (age < 365))::DOUBLE / (sum(gross) FILTER (age < 365))::DOUBLE
       END AS return_share_365d
FROM days GROUP BY member
"""


@dataclass(frozen=True)
class Figures:
    """Seconds for one as_of date: the steps of the run, and DuckDB for the features only."""

    steps: dict[str, float]
    duckdb: float
    n_users: int
    n_differing: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate the events, build all days except the last, run the last day, and print a table."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args(arguments)
    shutil.rmtree(OUT, ignore_errors=True)
    started = time.monotonic()
    last = lay_out(options.events, options.seed)
    console.print(
        f"{options.events:,} events of {N_DAYS} days generated in {time.monotonic() - started:.1f} s"
    )
    started = time.monotonic()
    project = open_project(OUT / "main.yaml")
    console.print(f"configuration and session: {time.monotonic() - started:.1f} s")
    full = measure(project, LAST_DAY - timedelta(days=1), "full")
    last.rename(OUT / "landing" / "events" / last.name)
    daily = measure(project, LAST_DAY, "daily")
    project.store.spark.stop()
    show(options.events, full, daily)
    if full.n_differing or daily.n_differing:
        raise SystemExit(1)


def lay_out(n_events: int, seed: int) -> Path:
    """Write the project and its files. Returns the file of the last day, which is not yet delivered."""
    files = make(OUT / "landing" / "events", n_events, seed)
    (OUT / "sources").mkdir()
    (OUT / "main.yaml").write_text(MAIN)
    (OUT / "sources" / "events.yaml").write_text(SOURCE)
    trained_on = LAST_DAY - timedelta(days=1)
    (OUT / "segments.yaml").write_text(f"training: {{every: null, dates: [{trained_on}]}}\n")
    return files[-1].rename(OUT / files[-1].name)


def measure(project: Project, as_of: date, name: str) -> Figures:
    """Measure one run, and DuckDB on the files that the run has read."""
    now = datetime(as_of.year, as_of.month, as_of.day, 6, tzinfo=UTC) + timedelta(days=1)
    request = Request(f"bench-{name}", (as_of,), now, datetime.now(UTC), STEPS)
    console.print(f"[bold]{name}[/bold]: as of {as_of}")
    execute(project, request, lambda step, taken, _: console.print(f"  {step:<10} {taken:7.1f} s"))
    columns = project.store.read(project.tables["user_features"]).where(F.col("as_of") == F.lit(as_of))
    ours = columns.select("user_id", *FEATURES).toArrow()
    started = time.monotonic()
    found = duckdb.sql(ORACLE.format(as_of=as_of, files=OUT / "landing/events/*.parquet"))
    assert found is not None
    theirs = found.to_arrow_table()
    seconds = time.monotonic() - started
    return Figures(request.seconds, seconds, len(ours), count_differing_users(ours, theirs))


def count_differing_users(ours: pa.Table, theirs: pa.Table) -> int:
    """Count the users of either table whose features differ from those in the other."""
    key = bytes.fromhex(os.environ["LIFESTAGE_PSEUDONYM_KEY"])
    user_ids = [user_id_of(member, key) for member in theirs["member"].to_pylist()]
    connection = duckdb.connect()
    connection.register("ours", ours)
    connection.register(
        "theirs", theirs.drop_columns(["member"]).add_column(0, "user_id", pa.array(user_ids))
    )
    columns = ", ".join(("user_id", *FEATURES))
    sides = [
        f"(SELECT {columns} FROM {a} EXCEPT SELECT {columns} FROM {b})"
        for a, b in (("ours", "theirs"), ("theirs", "ours"))
    ]
    found = connection.execute(
        f"SELECT count(DISTINCT user_id) FROM ({' UNION ALL '.join(sides)})"
    ).fetchone()
    assert found is not None
    return int(found[0])


def user_id_of(member: str, key: bytes) -> str:
    """The user_id of a member without other identifiers."""
    pseudonym = hmac.digest(key, b"member\0" + member.encode(), "sha256")[:16].hex()
    return hashlib.sha256(f"user:{pseudonym}".encode()).hexdigest()[:32]


def show(n_events: int, full: Figures, daily: Figures) -> None:
    """Print both runs side by side."""
    grid = Table(
        "seconds", "full build", "one day", box=None, title=f"{n_events:,} events, {daily.n_users:,} users"
    )
    for column in grid.columns[1:]:
        column.justify = "right"
    for step in STEPS:
        grid.add_row(step, f"{full.steps[step]:.1f}", f"{daily.steps[step]:.1f}")
    grid.add_row("all steps", f"{sum(full.steps.values()):.1f}", f"{sum(daily.steps.values()):.1f}")
    grid.add_row(f"DuckDB, {len(FEATURES)} features", f"{full.duckdb:.1f}", f"{daily.duckdb:.1f}")
    grid.add_row("users that differ", str(full.n_differing), str(daily.n_differing))
    console.print(grid)


if __name__ == "__main__":
    main()
