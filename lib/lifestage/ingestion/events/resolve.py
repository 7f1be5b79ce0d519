"""Decide which rows count: winners, duplicates, corrections and deletes, by declared rules and never by row position.

Rows compete for a *slot*: source, event_id and event_date. If the source looks back, all dates from the start of its
window on are one slot. Rows of a slot are taken in order of delivery, version and content:

    no version     the first row stays; a row whose key is present is a duplicate; a delete removes the key
    version        a higher version replaces, an equal one is a duplicate, a lower one is superseded
    snapshot       one row of each delivery counts: it replaces a row of other content, and is a duplicate of an equal one

A deleted key keeps its version. A later row is accepted; if the source has versions, it needs a higher one. A delete
whose key is not found is rejected as too late. So is any change to a key from before the window.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.ingestion.events.keys import content_hash
from lifestage.ingestion.events.tables import EVENT_VERSIONS, EVENTS
from lifestage.platform.runtime.frames import checkpoint

ANY_DAY = "DATE'0001-01-01'"
SLOT = ("source", "event_id", "_slot")
# Start of a window that holds every event. The JVM reads years of four digits only.
ALL_TIME = date(1000, 1, 1)
TOO_LATE = "correction_too_late"
CHANGED = "changed_without_version"


class Outcome(StrEnum):
    """The outcome of a row: the terms of law 4."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class RemovalReason(StrEnum):
    """Why a row is in event_versions."""

    CORRECTED = "corrected"
    DELETED = "deleted"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Resolution:
    """The outcomes of the rows of a run, and the changes to the known events."""

    arrivals: DataFrame
    """Every arriving row once, with `outcome`, `reasons` and `stays` (whether it is an event when the run ends)."""
    removed: DataFrame | None
    """Known events that no longer count; None if no two rows share a slot."""
    versions: DataFrame | None
    """Rows to add to event_versions; None if no two rows share a slot."""


def resolve(arrivals: DataFrame, known: DataFrame, deleted: DataFrame, window_starts: Column) -> Resolution:
    """Resolve arriving rows against each other and against the known events. Row order does not matter.

    Args:
        arrivals: Canonical rows with `reasons`, `is_delete`, `looks_back`, `rejects_changes` and `replaces_changes`.
        known: Events that may share a slot with an arrival: all on the arrivals' dates, and all in the window.
        deleted: Tombstones of the same dates (see `build_tombstones`).
        window_starts: First date of a source's window, a column over `source`.
    """
    good = arrivals.where(F.size("reasons") == 0).withColumn("_slot", _slot(window_starts))
    present = _build_known_rows(known, deleted, arrivals).withColumn("_slot", _slot(window_starts))
    # The slots that an arrival shares with another row. They have few columns, and usually there are none.
    contested = checkpoint(_find_contested_slots(good, present))
    if not contested.count():
        return Resolution(_select_outcomes(_decide_uncontested(arrivals)), None, None)
    alone = good.join(contested, on=list(SLOT), how="left_anti")
    contenders = good.join(contested, on=list(SLOT), how="left_semi").withColumn("_known", F.lit(False))
    present = present.join(contested, on=list(SLOT), how="left_semi")
    decided = checkpoint(
        _decide_contenders(contenders.unionByName(present, allowMissingColumns=True), window_starts)
    )
    faulty = arrivals.where(F.size("reasons") > 0)
    resolved = (
        _select_outcomes(_decide_uncontested(faulty))
        .unionByName(_select_outcomes(_decide_uncontested(alone)))
        .unionByName(_select_outcomes(decided.where(~F.col("_known"))))
    )
    removed = decided.where(F.col("_known") & ~F.col("is_delete") & ~F.col("stays"))
    return Resolution(resolved, removed.select(*EVENTS.names), _build_versions(decided))


def build_tombstones(versions: DataFrame) -> DataFrame:
    """Build one row per deleted key of event_versions, with the version and delivery that deleted it."""
    deleted = versions.where(F.col("reason") == RemovalReason.DELETED).withColumns(
        {"version": F.col("superseded_by_version"), "delivery_no": F.col("superseded_by")}
    )
    return deleted.select(*EVENTS.names)


def _slot(window_starts: Column) -> Column:
    in_window = F.col("looks_back") & (F.col("event_date") >= window_starts)
    return F.when(in_window, F.expr(ANY_DAY)).otherwise(F.col("event_date"))


def _build_known_rows(known: DataFrame, deleted: DataFrame, arrivals: DataFrame) -> DataFrame:
    """Give known events and tombstones the columns of an arrival; every arrival of a source has the same flags."""
    rows = known.withColumn("is_delete", F.lit(False)).unionByName(
        deleted.withColumn("is_delete", F.lit(True))
    )
    flags = arrivals.select("source", "looks_back", "rejects_changes", "replaces_changes").distinct()
    no_reasons = F.array().cast("array<string>")
    return rows.join(F.broadcast(flags), on="source", how="inner").withColumns(
        {
            "_known": F.lit(True),
            "reasons": no_reasons,
            "warnings": no_reasons,
            "raw": F.lit(None).cast("string"),
        }
    )


def _find_contested_slots(good: DataFrame, present: DataFrame) -> DataFrame:
    """Return the slots that an arrival shares with another row, so that wide rows of other slots are never shuffled."""
    slots = good.select(*SLOT, F.lit(1).alias("new")).unionByName(
        present.select(*SLOT, F.lit(0).alias("new"))
    )
    sizes = slots.groupBy(*SLOT).agg(F.count("*").alias("n"), F.sum("new").alias("n_new"))
    return sizes.where("n > 1 AND n_new > 0").select(*SLOT)


def _decide_uncontested(rows: DataFrame) -> DataFrame:
    """Decide rows without a rival: a faulty row is rejected, a delete is too late, any other row is an event."""
    is_faulty = F.size("reasons") > 0
    is_too_late = ~is_faulty & F.col("is_delete")
    reasons = F.when(is_too_late, F.array(F.lit(TOO_LATE))).otherwise(F.col("reasons"))
    outcome = F.when(is_faulty | is_too_late, F.lit(Outcome.REJECTED)).otherwise(F.lit(Outcome.ACCEPTED))
    stays = outcome == Outcome.ACCEPTED
    return rows.withColumns({"outcome": outcome, "reasons": reasons, "stays": stays})


def _decide_contenders(rows: DataFrame, window_starts: Column) -> DataFrame:
    """Add the outcome of each contender, and as `_next` the row that took its place, to the rows of each slot."""
    order = Window.partitionBy(*SLOT).orderBy(
        F.col("_known").desc(), "delivery_no", F.col("version").asc_nulls_first(), "is_delete", "_content"
    )
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    after = order.rowsBetween(1, Window.unboundedFollowing)
    twins = Window.partitionBy(*SLOT, "_known", "delivery_no", "version").orderBy("is_delete", "_content")

    def last_before(condition: Column, value: str) -> Column:
        return F.last(F.when(condition, F.col(value)), ignorenulls=True).over(before)

    rows = rows.withColumn("_content", content_hash()).withColumns(
        {
            "_n_twins": F.count("*").over(twins.rowsBetween(Window.unboundedPreceding, -1)),
            "_n_later_twins": F.count("*").over(twins.rowsBetween(1, Window.unboundedFollowing)),
            "_may_change": ~F.col("looks_back") | (F.col("event_date") >= window_starts),
        }
    )
    counts = (F.col("_known") | ~F.col("is_delete")) & ~_is_repeated()
    rows = rows.withColumn("_n_before", F.count(F.when(counts, 1)).over(before))
    # Each column needs the previous one: greatest version, whether the key is deleted, content of the key.
    rows = rows.withColumn("_best", F.max(F.when(_is_effective(), F.col("version"))).over(before))
    rows = rows.withColumn("_was_delete", last_before(_outranks_earlier(), "is_delete"))
    makes_present = (
        _outranks_earlier()
        & ~F.col("is_delete")
        & ((F.col("_n_before") == 0) | F.col("_was_delete") | F.col("replaces_changes"))
    )
    rows = rows.withColumn("_present", last_before(makes_present, "_content"))
    outcome = F.when(F.col("_known"), F.lit(Outcome.ACCEPTED)).otherwise(_contender_outcome())
    rows = rows.withColumn("outcome", outcome)
    rows = rows.withColumn("reasons", _contender_reasons())
    took_effect = F.col("outcome").isin(Outcome.ACCEPTED, Outcome.REPLACED)
    successor = F.struct("delivery_no", "version", "is_delete", "ingested_at")
    rows = rows.withColumn("_state", F.when(took_effect, successor))
    rows = rows.withColumn("_next", F.when(took_effect, F.first("_state", ignorenulls=True).over(after)))
    return rows.withColumn("stays", took_effect & ~F.col("is_delete") & F.col("_next").isNull())


def _is_effective() -> Column:
    """Return whether a row affects later rows: neither a delete without a key nor a change that is too late does."""
    is_first = F.col("_n_before") == 0
    changes = (is_first & ~F.col("is_delete")) | (~is_first & F.col("_may_change"))
    return F.col("_known") | (changes & ~_is_repeated())


def _is_repeated() -> Column:
    """Return whether a later row of the same delivery has the key of this row of a full list. The later one counts."""
    return F.col("replaces_changes") & ~F.col("_known") & (F.col("_n_later_twins") > 0)


def _outranks_earlier() -> Column:
    """Return whether an effective row has the highest version of its slot so far. Without versions, every row does."""
    has_best = F.col("version").isNull() | F.col("_best").isNull() | (F.col("version") > F.col("_best"))
    return _is_effective() & has_best


def _contender_outcome() -> Column:
    """Return the outcome of an arriving contender, from the rows before it in its slot."""
    is_first = F.col("_n_before") == 0
    alone = F.when(F.col("is_delete"), F.lit(Outcome.REJECTED)).otherwise(F.lit(Outcome.ACCEPTED))
    is_revived = (F.col("version") > F.col("_best")) & F.col("_was_delete") & ~F.col("is_delete")
    contest = (
        F.when(is_revived, F.lit(Outcome.ACCEPTED))
        .when(F.col("_best").isNotNull(), _outcome_by_version())
        .otherwise(_outcome_by_presence())
    )
    outcome = F.when(_is_repeated(), F.lit(Outcome.DUPLICATE)).when(is_first, alone).otherwise(contest)
    is_too_late = ~F.col("_may_change") & ~is_first & outcome.isin(Outcome.ACCEPTED, Outcome.REPLACED)
    return F.when(is_too_late, F.lit(Outcome.REJECTED)).otherwise(outcome)


def _outcome_by_version() -> Column:
    lower = F.when(F.col("_n_twins") > 0, F.lit(Outcome.DUPLICATE)).otherwise(F.lit(Outcome.SUPERSEDED))
    return (
        F.when(F.col("version") > F.col("_best"), F.lit(Outcome.REPLACED))
        .when(F.col("version") == F.col("_best"), F.lit(Outcome.DUPLICATE))
        .when(F.col("version") < F.col("_best"), lower)
    )


def _outcome_by_presence() -> Column:
    is_present = ~F.col("_was_delete")
    is_refused = F.col("rejects_changes") & (F.col("_content") != F.col("_present"))
    delete = F.when(is_present, F.lit(Outcome.REPLACED)).otherwise(F.lit(Outcome.DUPLICATE))
    is_replaced = F.col("replaces_changes") & (F.col("_content") != F.col("_present"))
    repeat = (
        F.when(is_refused, F.lit(Outcome.REJECTED))
        .when(is_replaced, F.lit(Outcome.REPLACED))
        .otherwise(F.lit(Outcome.DUPLICATE))
    )
    return F.when(F.col("is_delete"), delete).when(~is_present, F.lit(Outcome.ACCEPTED)).otherwise(repeat)


def _contender_reasons() -> Column:
    """Return the reason for a rejected contender: a change that its source refuses, or a change that is too late."""
    is_refused = (
        F.col("rejects_changes") & F.col("version").isNull() & ~F.col("is_delete") & ~F.col("_was_delete")
    )
    reason = F.when(is_refused, F.lit(CHANGED)).otherwise(F.lit(TOO_LATE))
    return F.when(F.col("outcome") == Outcome.REJECTED, F.array(reason)).otherwise(F.col("reasons"))


def _select_outcomes(rows: DataFrame) -> DataFrame:
    return rows.select(*EVENTS.names, "raw", "reasons", "warnings", "is_delete", "outcome", "stays")


def _build_versions(decided: DataFrame) -> DataFrame:
    """Build the rows of event_versions: replaced rows, rows with a lower version, and deletes that outrank a delete."""
    is_row = ~F.col("is_delete")
    replaced = decided.where(is_row & F.col("_next").isNotNull()).withColumns(
        {
            "superseded_at": F.col("_next.ingested_at"),
            "superseded_by": F.col("_next.delivery_no"),
            "superseded_by_version": F.col("_next.version"),
            "reason": F.when(F.col("_next.is_delete"), F.lit(RemovalReason.DELETED)).otherwise(
                F.lit(RemovalReason.CORRECTED)
            ),
        }
    )
    is_outdated = is_row & (F.col("outcome") == Outcome.SUPERSEDED)
    outranks = ~is_row & F.col("_was_delete") & (F.col("outcome") == Outcome.REPLACED)
    without_effect = decided.where(~F.col("_known") & (is_outdated | outranks)).withColumns(
        {
            "superseded_at": F.col("ingested_at"),
            "superseded_by": F.col("delivery_no"),
            "superseded_by_version": F.when(is_row, F.col("_best")).otherwise(F.col("version")),
            "reason": F.when(is_row, F.lit(RemovalReason.OUTDATED)).otherwise(F.lit(RemovalReason.DELETED)),
        }
    )
    return replaced.unionByName(without_effect).select(*EVENT_VERSIONS.names)
