"""Which rows count: winners, duplicates, corrections and deletes, by declared rules and never by row position.

Rows compete on a *slot*: (source, event_id) and their own event_date; rows of a source that looks back compete on
every date from the window's start on. Within a slot they are taken in order of delivery, version and content:

    no version     the first row stays, a row whose key is present is a duplicate, a delete takes it out
    version        a higher version replaces, an equal one is a duplicate, a lower one is superseded

A deleted key is remembered with its version: a later row (of a higher version) is accepted anew. A delete that finds
nothing, and any change of a key from before the window, are rejected as too late and leave everything as it was.
"""

from dataclasses import dataclass
from enum import StrEnum

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lifestage.ingestion.events.keys import content_hash
from lifestage.ingestion.events.tables import EVENT_COLUMNS, EVENT_VERSIONS
from lifestage.platform.runtime.frames import checkpoint

ANY_DAY = "DATE'0001-01-01'"
SLOT = ("source", "event_id", "_slot")
TOO_LATE = "correction_too_late"
CHANGED = "changed_without_version"


class Outcome(StrEnum):
    """What became of a row: the terms of law 4."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Left(StrEnum):
    """Why a row is in event_versions."""

    CORRECTED = "corrected"
    DELETED = "deleted"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Resolution:
    """What a run's rows do to the events known so far."""

    judged: DataFrame
    """Every arriving row once, with `outcome`, `reasons` and `stays` (it is an event when the run ends)."""
    removed: DataFrame | None
    """Known events that no longer count; None where no row met another."""
    versions: DataFrame | None
    """Rows of event_versions to add; None where no row met another."""


def resolve(arrivals: DataFrame, known: DataFrame, deleted: DataFrame, window_starts: Column) -> Resolution:
    """Judge arriving rows against each other and against the events known.

    Args:
        arrivals: canonical rows with reasons, is_delete, looks_back and rejects_changes.
        known: events that an arrival may meet: all on the arrivals' dates, and all of the window.
        deleted: tombstones of the same dates.
        window_starts: first date of a source's window (a column over `source`).
    """
    good = arrivals.where(F.size("reasons") == 0).withColumn("_slot", _slot(window_starts))
    met = _met(known, deleted, arrivals).withColumn("_slot", _slot(window_starts))
    # Slots of which more than one row is known: narrow, and usually there are none.
    contested = checkpoint(_contested(good, met))
    if not contested.count():
        return Resolution(_judged(_lone_outcome(arrivals), F.col("outcome")), None, None)
    alone = good.join(contested, on=list(SLOT), how="left_anti")
    contenders = good.join(contested, on=list(SLOT), how="left_semi").withColumn("_known", F.lit(False))
    met = met.join(contested, on=list(SLOT), how="left_semi")
    decided = checkpoint(_decided(contenders.unionByName(met, allowMissingColumns=True), window_starts))
    bad = arrivals.where(F.size("reasons") > 0)
    judged = (
        _judged(_lone_outcome(bad), F.col("outcome"))
        .unionByName(_judged(_lone_outcome(alone), F.col("outcome")))
        .unionByName(_judged(decided.where(~F.col("_known")), F.col("outcome"), F.col("stays")))
    )
    gone = decided.where(F.col("_known") & ~F.col("is_delete") & ~F.col("stays"))
    return Resolution(judged, gone.select(*[c.name for c in EVENT_COLUMNS]), _versions(decided))


def tombstones(versions: DataFrame) -> DataFrame:
    """The deleted keys of event_versions as rows of events, with the version and delivery that deleted them."""
    deleted = versions.where(F.col("reason") == Left.DELETED).withColumns(
        {"version": F.col("superseded_by_version"), "delivery_no": F.col("superseded_by")}
    )
    return deleted.select(*[column.name for column in EVENT_COLUMNS])


def _slot(window_starts: Column) -> Column:
    in_window = F.col("looks_back") & (F.col("event_date") >= window_starts)
    return F.when(in_window, F.expr(ANY_DAY)).otherwise(F.col("event_date"))


def _met(known: DataFrame, deleted: DataFrame, arrivals: DataFrame) -> DataFrame:
    """Known rows and deleted keys with the flags of their source, which every arrival of the source carries."""
    rows = known.withColumn("is_delete", F.lit(False)).unionByName(
        deleted.withColumn("is_delete", F.lit(True))
    )
    flags = arrivals.select("source", "looks_back", "rejects_changes").distinct()
    no_reasons = F.array().cast("array<string>")
    return rows.join(F.broadcast(flags), on="source", how="inner").withColumns(
        {
            "_known": F.lit(True),
            "reasons": no_reasons,
            "warnings": no_reasons,
            "raw": F.lit(None).cast("string"),
        }
    )


def _contested(good: DataFrame, known: DataFrame) -> DataFrame:
    """Slots where an arrival meets another row; narrow, so that the wide rows of all others are never shuffled."""
    slots = good.select(*SLOT, F.lit(1).alias("new")).unionByName(known.select(*SLOT, F.lit(0).alias("new")))
    sizes = slots.groupBy(*SLOT).agg(F.count("*").alias("n"), F.sum("new").alias("n_new"))
    return sizes.where("n > 1 AND n_new > 0").select(*SLOT)


def _lone_outcome(rows: DataFrame) -> DataFrame:
    """A faulty row is rejected; a good one alone on its slot is an event, a delete alone has found nothing."""
    is_faulty = F.size("reasons") > 0
    too_late = ~is_faulty & F.col("is_delete")
    reasons = F.when(too_late, F.array(F.lit(TOO_LATE))).otherwise(F.col("reasons"))
    outcome = F.when(is_faulty | too_late, F.lit(Outcome.REJECTED)).otherwise(F.lit(Outcome.ACCEPTED))
    return rows.withColumns({"outcome": outcome, "reasons": reasons})


def _decided(rows: DataFrame, window_starts: Column) -> DataFrame:
    """Contenders in their order with outcome, and with the row that took the place of each (`_next`)."""
    slot = Window.partitionBy(*SLOT)
    order = slot.orderBy(
        F.col("_known").desc(), "delivery_no", F.col("version").asc_nulls_first(), "is_delete", "_content"
    )
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    twins = Window.partitionBy(*SLOT, "_known", "delivery_no", "version").orderBy("is_delete", "_content")
    rows = rows.withColumn("_content", content_hash()).withColumns(
        {
            "_n_before": F.count(F.when(F.col("_known") | ~F.col("is_delete"), 1)).over(before),
            "_n_twins": F.count("*").over(twins.rowsBetween(Window.unboundedPreceding, -1)),
            "_may_change": ~F.col("looks_back") | (F.col("event_date") >= window_starts),
        }
    )
    rows = rows.withColumn("_best", F.max(F.when(_counts(), F.col("version"))).over(before))
    rows = rows.withColumn(
        "_was_delete", F.last(F.when(_leads(), F.col("is_delete")), ignorenulls=True).over(before)
    )
    rows = rows.withColumn(
        "_present", F.last(F.when(_enters(), F.col("_content")), ignorenulls=True).over(before)
    )
    rows = rows.withColumn("outcome", F.when(F.col("_known"), F.lit(Outcome.ACCEPTED)).otherwise(_outcome()))
    rows = rows.withColumn("reasons", _late_reasons())
    takes_effect = F.col("outcome").isin(Outcome.ACCEPTED, Outcome.REPLACED)
    rows = rows.withColumn("_state", F.when(takes_effect, _successor()))
    after = order.rowsBetween(1, Window.unboundedFollowing)
    rows = rows.withColumn("_next", F.when(takes_effect, F.first("_state", ignorenulls=True).over(after)))
    return rows.withColumn("stays", takes_effect & ~F.col("is_delete") & F.col("_next").isNull())


def _counts() -> Column:
    """Whether those after must reckon with a row: not with a delete that found nothing, nor with a change too late."""
    found_none = F.col("_n_before") == 0
    return F.col("_known") | (found_none & ~F.col("is_delete")) | (~found_none & F.col("_may_change"))


def _leads() -> Column:
    """Whether a row is, in its turn, what its key says; without versions each is."""
    outranks = F.col("version").isNull() | F.col("_best").isNull() | (F.col("version") > F.col("_best"))
    return _counts() & outranks


def _enters() -> Column:
    """Whether a row makes its key present."""
    return _leads() & ~F.col("is_delete") & ((F.col("_n_before") == 0) | F.col("_was_delete"))


def _outcome() -> Column:
    """The outcome of an arriving contender, from what came before it on its slot."""
    is_first = F.col("_n_before") == 0
    is_present = ~F.col("_was_delete")
    lower = F.when(F.col("_n_twins") > 0, F.lit(Outcome.DUPLICATE)).otherwise(F.lit(Outcome.SUPERSEDED))
    by_version = (
        F.when(F.col("version") > F.col("_best"), F.lit(Outcome.REPLACED))
        .when(F.col("version") == F.col("_best"), F.lit(Outcome.DUPLICATE))
        .when(F.col("version") < F.col("_best"), lower)
    )
    changed = F.col("rejects_changes") & (F.col("_content") != F.col("_present"))
    by_presence = (
        F.when(
            F.col("is_delete"),
            F.when(is_present, F.lit(Outcome.REPLACED)).otherwise(F.lit(Outcome.DUPLICATE)),
        )
        .when(~is_present, F.lit(Outcome.ACCEPTED))
        .otherwise(F.when(changed, F.lit(Outcome.REJECTED)).otherwise(F.lit(Outcome.DUPLICATE)))
    )
    revived = (F.col("version") > F.col("_best")) & F.col("_was_delete") & ~F.col("is_delete")
    contest = (
        F.when(revived, F.lit(Outcome.ACCEPTED))
        .when(F.col("_best").isNotNull(), by_version)
        .otherwise(by_presence)
    )
    alone = F.when(F.col("is_delete"), F.lit(Outcome.REJECTED)).otherwise(F.lit(Outcome.ACCEPTED))
    outcome = F.when(is_first, alone).otherwise(contest)
    too_late = ~F.col("_may_change") & ~is_first & outcome.isin(Outcome.ACCEPTED, Outcome.REPLACED)
    return F.when(too_late, F.lit(Outcome.REJECTED)).otherwise(outcome)


def _late_reasons() -> Column:
    """A rejected contender was changed without a version where its source refuses that, else it came too late."""
    changed = (
        F.col("rejects_changes") & F.col("version").isNull() & ~F.col("is_delete") & ~F.col("_was_delete")
    )
    reason = F.when(changed, F.lit(CHANGED)).otherwise(F.lit(TOO_LATE))
    return F.when(F.col("outcome") == Outcome.REJECTED, F.array(reason)).otherwise(F.col("reasons"))


def _successor() -> Column:
    return F.struct("delivery_no", "version", "is_delete", "ingested_at")


def _judged(rows: DataFrame, outcome: Column, stays: Column | None = None) -> DataFrame:
    events = [column.name for column in EVENT_COLUMNS]
    remains = stays if stays is not None else outcome == Outcome.ACCEPTED
    return rows.select(
        *events, "raw", "reasons", "warnings", "is_delete", outcome.alias("outcome"), remains.alias("stays")
    )


def _versions(decided: DataFrame) -> DataFrame:
    """Rows that another took the place of, rows that came with too low a version, and deletes that outrank a delete."""
    is_row = ~F.col("is_delete")
    replaced = decided.where(is_row & F.col("_next").isNotNull()).withColumns(
        {
            "superseded_at": F.col("_next.ingested_at"),
            "superseded_by": F.col("_next.delivery_no"),
            "superseded_by_version": F.col("_next.version"),
            "reason": F.when(F.col("_next.is_delete"), F.lit(Left.DELETED)).otherwise(F.lit(Left.CORRECTED)),
        }
    )
    is_outdated = is_row & (F.col("outcome") == Outcome.SUPERSEDED)
    outranks = ~is_row & F.col("_was_delete") & (F.col("outcome") == Outcome.REPLACED)
    idle = decided.where(~F.col("_known") & (is_outdated | outranks)).withColumns(
        {
            "superseded_at": F.col("ingested_at"),
            "superseded_by": F.col("delivery_no"),
            "superseded_by_version": F.when(is_row, F.col("_best")).otherwise(F.col("version")),
            "reason": F.when(is_row, F.lit(Left.OUTDATED)).otherwise(F.lit(Left.DELETED)),
        }
    )
    return replaced.unionByName(idle).select(*EVENT_VERSIONS.names)
