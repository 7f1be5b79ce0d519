"""Measure identity resolution: all users on the driver, all users on the cluster, and one night of new links."""

import argparse
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
from rich.console import Console

from lifestage.project.opening import Project, Request, open_project
from lifestage.project.runner import execute
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.solving import build_identity_map

OUT = Path("out/bench-links")
FIRST_DAY = date(2026, 1, 1)
N_DAYS = 100
N_NEW = 100_000
STEPS = ("ingest", "identity")
console = Console(highlight=False)

MAIN = f"""
storage: {{root: {OUT}/tables}}
landing: {OUT}/landing
business: {{name: Benchmark, time_zone: UTC, history_starts_on: {FIRST_DAY}, left_censor_margin_days: 30}}
report: {{path: {OUT}/report.html}}
spark: {{spark.driver.memory: 3g}}
"""

SOURCE = """
path: logins/logins_*.parquet
format: parquet
columns: {event_no: bigint, event_at: timestamp, member: string, cookie: string, device: string}
key: [event_no]
map: {event_type: "'login'", event_at: event_at, channel: "'web'"}
identifiers: {member: member, cookie: cookie, device: device}
"""

# Each member has five cookies. Some families share a device, which joins two members. Some cookies are of a kiosk, with too
# many members.
KNOWN = f"""
SELECT n AS event_no, DATE '{FIRST_DAY}' + (n % {N_DAYS})::INT || 'T12:00:00Z' AS event_at, 'M' || n // 5 AS member,
       CASE WHEN n % 997 = 0 THEN 'K' || n // 100000 ELSE 'C' || n END AS cookie,
       CASE WHEN n % 50 = 0 THEN 'D' || n // 100 END AS device
FROM range({{n}}) AS events (n)
"""
# Half are new members. Most of the others have a new cookie; some have a cookie of another member, which joins the two.
NEW = f"""
SELECT {{n}} + n AS event_no, DATE '{FIRST_DAY}' + {N_DAYS} || 'T12:00:00Z' AS event_at,
       'M' || CASE WHEN n % 2 = 0 THEN hash(n) % ({{n}} // 5) ELSE {{n}} + n // 10 END AS member,
       'C' || CASE WHEN n % 20 = 0 THEN hash(n + 1) % {{n}} ELSE {{n}} + n END AS cookie, NULL::VARCHAR AS device
FROM range({N_NEW}) AS events (n)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate logins, resolve all users twice, and then resolve one more night of logins."""
    parser = argparse.ArgumentParser(prog="scripts/bench --links", description=__doc__)
    parser.add_argument(
        "--links",
        type=int,
        default=10_000_000,
        metavar="N",
        help="number of logins; each has one link, and some have more",
    )
    n_logins = parser.parse_args(arguments).links
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "sources").mkdir(parents=True)
    (OUT / "main.yaml").write_text(MAIN)
    (OUT / "sources" / "logins.yaml").write_text(SOURCE)
    project = open_project(OUT / "main.yaml")
    last = FIRST_DAY + timedelta(days=N_DAYS - 1)
    run_night(project, KNOWN.format(n=n_logins), last, "all users, on the driver")
    compare_with_cluster(project)
    run_night(project, NEW.format(n=n_logins), last + timedelta(days=1), f"{N_NEW:,} new logins")


def run_night(project: Project, logins: str, as_of: date, title: str) -> None:
    """Deliver logins, and run the steps on them."""
    folder = OUT / "landing" / "logins"
    folder.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"COPY ({logins}) TO '{folder}/logins_{as_of}.parquet'")
    now = datetime.combine(as_of + timedelta(days=1), datetime.min.time(), UTC)
    console.print(f"[bold]{title}[/bold]")
    request = Request(f"bench-{as_of}", (as_of,), now, datetime.now(UTC), STEPS)
    execute(project, request, lambda step, taken, _: console.print(f"  {step:<10} {taken:7.1f} s"))
    counts = {name: project.store.read(project.tables[name]).count() for name in ("links", "identity_map")}
    console.print(f"  {counts['links']:,} pairs of {counts['identity_map']:,} identifiers")


def compare_with_cluster(project: Project) -> None:
    """Resolve all users again, without the driver. Exits with code 1 if a row differs."""
    read = project.store.read
    config = project.config.of(IdentityConfig).model_copy(update={"driver_links": 0})
    console.print("[bold]all users, on the cluster[/bold]")
    started = time.monotonic()
    found = build_identity_map(read(project.tables["links"]), config).localCheckpoint()
    console.print(f"  {'identity':<10} {time.monotonic() - started:7.1f} s")
    known = read(project.tables["identity_map"]).select(*found.columns)
    n_differing = known.exceptAll(found).count() + found.exceptAll(known).count()
    console.print(f"  {n_differing:,} rows differ")
    if n_differing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
