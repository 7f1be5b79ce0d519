"""The tables behind a report, reduced to a few plain rows; one Spark job a function."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage.activation.report.channel_data import MIX, channel_counts, reach
from lifestage.activation.report.config import ReportConfig
from lifestage.activation.report.content import (
    Check,
    CompletedRun,
    Delivery,
    Feature,
    Header,
    ReportData,
    RfmCount,
    Rule,
    SegmentCount,
    Snapshot,
    StageCount,
)
from lifestage.activation.report.value_data import (
    audience_counts,
    audience_rules,
    date_before,
    flows,
    index_parts,
    tier_counts,
    top_shares,
)
from lifestage.ingestion.sources.tables import COUNT_COLUMNS
from lifestage.platform.job import Run
from lifestage.platform.reporting.pivots import USERS, pivot, unordered_index
from lifestage.platform.runtime.frames import materialize
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.contracts import Table
from lifestage.users.identity.regrouping import (
    LATEST_VERSION,
    add_journal_version,
    find_regrouped_users,
    journal_versions,
    restore_identity_map,
)

HISTORY_DAYS = 400
MAX_DELIVERIES = 2_000
MAX_RUNS = 10
MANIFEST = ("snapshot_id", "as_of", "revision", "n_users", "digest", "checks")
MINUTE = "yyyy-MM-dd HH:mm"
DELIVERY_COUNTS = (*[column.name for column in COUNT_COLUMNS], "n_late")


def read_data(
    read: Callable[[str], DataFrame],
    run: Run,
    config: ReportConfig,
    users_table: Table,
    commits: Mapping[str, int],
) -> ReportData:
    """What the report of a run says of its newest date.

    Args:
        read: gives the rows of a table.
        run: the run that the report is about.
        config: what is shown.
        users_table: the contract of user_features.
        commits: version of each table that the run has written.
    """
    as_of = run.as_of
    features = features_of(users_table, config.segment_features)
    stages, totals, users, value, segments = (
        read(name) for name in ("user_stages", "stage_totals", "user_features", "user_value", "user_segments")
    )
    before = date_before(totals, as_of)
    versions = {as_of: LATEST_VERSION, **journal_versions(read("runs"))}
    built = [(day, versions[day]) for day in (before, as_of) if day in versions]
    known = add_journal_version(stages, built)
    others = materialize(find_regrouped_users(read, built, known).drop("as_of"))
    persons = restore_identity_map(read, (as_of, versions[as_of]))
    has_mix = MIX in users_table.names
    parts: dict[str, Callable[[], Any]] = {
        "stages": lambda: stage_counts(totals, as_of),
        "stage_flows": lambda: flows(stages, "stage", as_of, before, others),
        "rfm": lambda: rfm_counts(value, as_of),
        "parts": lambda: index_parts(read("value_scales"), as_of),
        "tiers": lambda: tier_counts(value, as_of),
        "tier_flows": lambda: flows(value, "tier", as_of, before, others),
        "top_shares": lambda: top_shares(value, as_of),
        "segments": lambda: segment_counts(segments, users, features, as_of),
        "segment_flows": lambda: flows(segments, "segment_id", as_of, before, others),
        "audiences": lambda: audience_counts(
            read("user_audiences"), value, config.audiences, as_of, before, others
        ),
        "audience_rules": lambda: audience_rules(read("audience_definitions"), as_of),
        "channels": lambda: channel_counts(users, stages, value, as_of) if has_mix else (),
        "reach": lambda: reach(read("events"), persons, config.known, config.actions, as_of),
        "regrouped": lambda: regrouped_counts(known, others, as_of),
        "deliveries": lambda: newest_deliveries(read("ingest_ledger"), run.now),
        "snapshots": lambda: newest_snapshots(read("snapshots"), run.as_of_dates),
        "runs": lambda: newest_runs(read("runs")),
    }
    with unordered_index():
        found = dict(zip(parts, run_in_parallel([*parts.values()]), strict=True))
    return ReportData(
        header=Header(config.business, as_of, run.run_id, run.now, run.code_version),
        before=before,
        least_users=config.min_cell_users,
        stage_order=config.display,
        rules=tuple(Rule(**each.model_dump()) for each in config.ladder),
        rfm_names=config.rfm_names,
        features=features,
        commits=dict(commits),
        **found,
    )


def regrouped_counts(users: DataFrame, others: DataFrame, as_of: date) -> dict[str, tuple[int, int]]:
    """By what became of users, how many they were on the date before and how many they are now; at most three."""
    is_now = F.col("as_of") == F.lit(as_of)
    rows = users.join(F.broadcast(others), on="user_id").groupBy("change")
    counts = rows.agg(F.count_if(~is_now).alias("n_before"), F.count_if(is_now).alias("n_after"))
    return {row["change"]: (row["n_before"], row["n_after"]) for row in counts.collect()}


def features_of(table: Table, names: Sequence[str]) -> tuple[Feature, ...]:
    """Features as their columns are declared."""
    columns = {column.name: column for column in table.columns}
    return tuple(Feature(name, columns[name].description, columns[name].unit) for name in names)


def stage_counts(stage_totals: DataFrame, as_of: date) -> tuple[StageCount, ...]:
    """Users and spend by date and stage; bounded by the as_of dates kept in HISTORY_DAYS times the ladder's stages."""
    since = as_of - timedelta(days=HISTORY_DAYS)
    rows = stage_totals.where(F.col("as_of").between(F.lit(since), F.lit(as_of))).collect()
    counts = [StageCount(row["as_of"], row["stage"], row["n_users"], row["net_amount_30d"]) for row in rows]
    return tuple(sorted(counts, key=lambda count: (count.as_of, count.stage)))


def rfm_counts(user_value: DataFrame, as_of: date) -> tuple[RfmCount, ...]:
    """Users and spend by status and cell; at most 25 cells and two statuses without one."""
    users = user_value.where(F.col("as_of") == F.lit(as_of))
    cells = pivot(users, ("rfm_status", "rfm_period_days", "r_score", "f_score"), ("monetary_amount",))
    found = [
        RfmCount(*_scores(key), values[USERS], _amount(values["monetary_amount"]))
        for key, values in cells.items()
    ]
    return tuple(sorted(found, key=lambda c: (c.status, c.r_score or 0, c.f_score or 0)))


def segment_counts(
    user_segments: DataFrame, user_features: DataFrame, features: Sequence[Feature], as_of: date
) -> tuple[SegmentCount, ...]:
    """Users by status and segment with sum and count of each feature's values; bounded by segments and statuses.

    Both frames are unique on user_id at one as_of. Values are summed as decimals, so that no order of rows shows.
    """
    group = ("status", "model_id", "segment_id", "segment")
    values = [F.col(f.name).try_cast("decimal(18,4)").alias(f"_{i}") for i, f in enumerate(features)]
    mine = user_segments.where(F.col("as_of") == F.lit(as_of)).select("user_id", *group)
    if features:
        described = user_features.where(F.col("as_of") == F.lit(as_of)).select("user_id", *values)
        mine = mine.join(described, on="user_id", how="left")
    sums = [F.coalesce(F.sum(f"_{i}"), F.lit(0)).alias(f"sum_{i}") for i, _ in enumerate(features)]
    counts = [F.count(f"_{i}").alias(f"count_{i}") for i, _ in enumerate(features)]
    rows = mine.groupBy(*group).agg(F.count("*").alias("n"), *sums, *counts).collect()
    return tuple(_segment(row, len(features)) for row in _sorted(rows, *group))


def newest_deliveries(ingest_ledger: DataFrame, now: datetime) -> tuple[Delivery, ...]:
    """The newest MAX_DELIVERIES deliveries up to the run, newest first."""
    rows = ingest_ledger.where(F.col("ingested_at") <= F.lit(now)).select(
        "delivery_no",
        "source",
        "kind",
        F.coalesce("path", F.lit("")).alias("path"),
        F.date_format("ingested_at", MINUTE).alias("at"),
        (F.col("ingested_at") == F.lit(now)).alias("is_new"),
        *DELIVERY_COUNTS,
        "reasons",
        "last_event_date",
    )
    return tuple(
        _delivery(row) for row in rows.orderBy(F.desc("delivery_no")).limit(MAX_DELIVERIES).collect()
    )


def newest_snapshots(snapshots: DataFrame, as_of_dates: Sequence[date]) -> tuple[Snapshot, ...]:
    """The last revision of each date of the run, newest date first; bounded by the dates' revisions."""
    mine = snapshots.where(F.col("as_of").isin(*as_of_dates))
    rows = mine.select(*MANIFEST, F.date_format("published_at", MINUTE).alias("at")).collect()
    last = {row["as_of"]: row for row in _sorted(rows, "as_of", "revision")}
    return tuple(_snapshot(row) for row in reversed(last.values()))


def newest_runs(runs: DataFrame) -> tuple[CompletedRun, ...]:
    """The newest MAX_RUNS completed runs, newest first."""
    ordered = runs.orderBy(F.desc("now"), F.desc("run_id")).limit(MAX_RUNS)
    return tuple(_run(row) for row in ordered.withColumn("at", F.date_format("now", MINUTE)).collect())


def _sorted(rows: Sequence[Row], *columns: str) -> list[Row]:
    """Rows of a small result by some columns, NULL first; an ORDER BY would cost a job of its own to sample them."""
    return sorted(rows, key=lambda row: [(row[name] is not None, row[name]) for name in columns])


def _amount(total: Any) -> Decimal:
    """A sum; of nothing but NULL it is 0."""
    return total if isinstance(total, Decimal) else Decimal()


def _scores(key: Sequence[Any]) -> tuple[str, int, int | None, int | None]:
    """A cell of the R x F map; integers beside NULL come back from pandas as fractions."""
    status, period, r_score, f_score = key
    return status, int(period), *(None if score is None else int(score) for score in (r_score, f_score))


def _segment(row: Row, n_features: int) -> SegmentCount:
    sums = tuple(row[f"sum_{i}"] for i in range(n_features))
    counts = tuple(row[f"count_{i}"] for i in range(n_features))
    return SegmentCount(
        row["status"], row["model_id"], row["segment_id"], row["segment"], row["n"], sums, counts
    )


def _delivery(row: Row) -> Delivery:
    counts = {name: row[name] or 0 for name in DELIVERY_COUNTS}
    return Delivery(
        row["delivery_no"],
        row["source"],
        row["kind"],
        row["path"],
        row["at"],
        row["is_new"],
        counts,
        _plain(row["reasons"]),
        row["last_event_date"],
    )


def _snapshot(row: Row) -> Snapshot:
    checks = tuple(Check(c["name"], bool(c["passed"]), c["detail"] or "") for c in row["checks"] or ())
    return Snapshot(
        row["snapshot_id"], row["as_of"], row["revision"], row["n_users"], row["digest"], row["at"], checks
    )


def _run(row: Row) -> CompletedRun:
    return CompletedRun(
        run_id=row["run_id"],
        now=row["at"],
        as_of_dates=tuple(row["as_of_dates"] or ()),
        delivery_no=row["delivery_no"],
        code_version=row["code_version"] or "",
        snapshot_ids=tuple(row["snapshot_ids"] or ()),
        table_versions=_plain(row["table_versions"]),
        seconds=_plain(row["seconds"]),
    )


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(values or {})
