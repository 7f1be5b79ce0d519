"""Read evidence from its sources: events, reference tables and record matches."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.storage.store import literals
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.evidence import (
    diff_evidence,
    to_event_evidence,
    to_match_evidence,
    to_reference_evidence,
)
from lifestage.users.identity.progress import Coverage
from lifestage.users.pairs import FUZZY

Read = Callable[[str], DataFrame]


def read_all_evidence(read: Read, config: IdentityConfig) -> DataFrame:
    """Rows of link_days from everything that was ever delivered."""
    events = read("events").where(F.col("source").isin(list(config.sources)))
    names = [*config.references, *([FUZZY] if config.is_matched else [])]
    return _read_evidence(read, config, events, names)


def read_changed_evidence(
    read: Read, config: IdentityConfig, covered: Coverage, available: Coverage
) -> DataFrame:
    """Rows of link_days that are added, removed or changed since `covered` (see diff_evidence).

    Events are compared on the days that deliveries touched; reference tables and matches as a whole, where they
    changed.
    """
    delivery_no = covered["delivery_no"] or 0
    changed = [
        name
        for name in config.references
        if not read(name).where(F.col("delivery_no") > delivery_no).isEmpty()
    ]
    if covered["matches"] != available["matches"]:
        changed.append(FUZZY)
    days = _find_touched_days(read, config, delivery_no)
    on_days = f"{in_months(days)} AND event_date IN ({literals(days)})" if days else "false"
    is_event = F.col("source").isin(list(config.sources))
    # Two reads, so that evidence of events is read only from the months of those days.
    link_days = read("link_days")
    before = link_days.where(is_event & F.expr(on_days))
    if changed:
        before = before.unionByName(link_days.where(F.col("source").isin(changed)))
    events = read("events").where(is_event).where(on_days)
    return diff_evidence(before, _read_evidence(read, config, events, changed))


def _read_evidence(read: Read, config: IdentityConfig, events: DataFrame, names: Sequence[str]) -> DataFrame:
    """Rows of link_days from some events, and from the reference tables and matches in `names`."""
    parts = [to_event_evidence(events)]
    for name in names:
        if name == FUZZY:
            parts.append(to_match_evidence(read("matches")))
        else:
            versions = read(name).where("NOT is_ended")
            parts.append(to_reference_evidence(versions, name, config.references[name]))
    return reduce(DataFrame.unionByName, parts)


def _find_touched_days(read: Read, config: IdentityConfig, since: int) -> list[date]:
    """Days of added or superseded events with several identifiers; bounded by what was delivered."""
    has_pairs = F.col("source").isin(list(config.sources)) & (F.size("identifiers") >= 2)
    added = read("events").where(has_pairs & (F.col("delivery_no") > since))
    removed = read("event_versions").where(has_pairs & (F.col("superseded_by") > since))
    return collect_days(added.select("event_date").unionByName(removed.select("event_date")))


def collect_days(rows: DataFrame) -> list[date]:
    """The distinct event dates of rows, on the driver."""
    return [row["event_date"] for row in rows.select("event_date").distinct().collect()]


def in_months(days: Sequence[date]) -> str:
    """SQL condition for the month partitions of some days; false without days."""
    months = {day.replace(day=1) for day in days}
    return f"event_month IN ({literals([*months])})" if months else "false"
