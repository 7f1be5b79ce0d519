"""The section of the report on deliveries: what became of their rows, and how fresh each source is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage.ingestion.sources.freshness import (
    DELIVERY_COLUMNS,
    StaleSource,
    find_stale_sources,
    list_expected_sources,
)
from lifestage.ingestion.sources.tables import COUNT_COLUMNS, REFERENCE, REPLAY
from lifestage.platform.reporting.charts import Point, Titles, bars_chart
from lifestage.platform.reporting.disclosure import Disclosure
from lifestage.platform.reporting.grids import (
    Cell,
    Chart,
    Grid,
    Look,
    Tile,
    columns,
    drop_empty,
    figure,
    text,
)
from lifestage.platform.reporting.section import DATA, Chapter, Section, Sentence, Source, Summary
from lifestage.platform.reporting.words import Words

MINUTE = "yyyy-MM-dd HH:mm"
# Suppressed rows are left out until there is a list of people whose data must not be processed.
COUNTS = (*[column.name for column in COUNT_COLUMNS if column.name != "n_suppressed"], "n_late")
N_CHARTED = 12
N_LISTED = 20


@dataclass(frozen=True)
class Delivery:
    """One row of the ingest ledger. `counts` has the columns n_* of the ledger, with 0 in place of NULL."""

    number: int
    source: str
    kind: str
    ingested_at: str
    is_new: bool
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    last_event_date: date | None = None


@dataclass(frozen=True)
class DeliveryData:
    """Everything that the section shows."""

    as_of: date
    deliveries: tuple[Delivery, ...] = ()
    """The newest first."""
    stale: tuple[StaleSource, ...] = ()
    """Sources without a delivery for longer than they declare."""

    @property
    def new(self) -> list[Delivery]:
        """The deliveries of this run."""
        return [delivery for delivery in self.deliveries if delivery.is_new]


def read(source: Source) -> DeliveryData:
    """Read the ledger."""
    ledger, now = source.read("ingest_ledger"), source.run.now
    # One small row for each file.
    rows = [row.asDict() for row in ledger.select(*DELIVERY_COLUMNS).collect()]
    stale = find_stale_sources(list_expected_sources(source.config), rows, now)
    return DeliveryData(source.as_of, list_deliveries(ledger, now), stale)


def list_deliveries(ingest_ledger: DataFrame, now: datetime) -> tuple[Delivery, ...]:
    """All deliveries up to the run, newest first: one small row for each file, as many as ingest reads."""
    rows = ingest_ledger.where(F.col("ingested_at") <= F.lit(now)).select(
        "delivery_no",
        "source",
        "kind",
        F.date_format("ingested_at", MINUTE).alias("at"),
        (F.col("ingested_at") == F.lit(now)).alias("is_new"),
        *COUNTS,
        "reasons",
        "last_event_date",
    )
    return tuple(_to_delivery(row) for row in rows.orderBy(F.desc("delivery_no")).collect())


def _to_delivery(row: Row) -> Delivery:
    return Delivery(
        row["delivery_no"],
        row["source"],
        row["kind"],
        row["at"],
        row["is_new"],
        {name: row[name] or 0 for name in COUNTS},
        dict(row["reasons"] or {}),
        row["last_event_date"],
    )


def render(data: DeliveryData, seen: Disclosure, words: Words) -> Iterator[Chapter]:  # noqa: ARG001
    """What became of the rows of each source, how fresh it is, and the newest deliveries."""
    figures = drop_empty(
        _stale_grid(data.stale, words),
        _source_grid(words("data.new"), data.new, words),
        _source_grid(_span(data.deliveries, words), data.deliveries, words) if data.deliveries else None,
        _reasons_chart(data.deliveries, words),
        _reason_grid(data.deliveries, words),
        _fresh_grid(data, words),
        _delivery_grid(data.deliveries, words),
    )
    yield Chapter(DATA, words("data.title"), words("data.about"), _notes(data, words), figures)


def _notes(data: DeliveryData, words: Words) -> tuple[str, ...]:
    keys = []
    if not data.deliveries:
        keys.append("data.nothing")
    elif not data.new:
        keys.append("data.nothing_new")
    if data.deliveries and not sum_reasons(data.deliveries):
        keys.append("data.nothing_rejected")
    return tuple(words(key) for key in keys)


def sum_valid(deliveries: Sequence[Delivery]) -> tuple[int, int]:
    """Rows that pass every rule, and rows received; duplicates and rows that are no data count as neither.

    A replay receives nothing: it takes rows out of the rejected ones, and may reject some of them again.
    """
    received = sum(
        -d.counts["n_duplicate"] - d.counts["n_skipped"] + (0 if d.kind == REPLAY else d.counts["n_rows"])
        for d in deliveries
    )
    replayed = sum(d.counts["n_rows"] for d in deliveries if d.kind == REPLAY)
    return received - sum(d.counts["n_rejected"] for d in deliveries) + replayed, received


def sum_reasons(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Rows per reason for rejection, the most frequent first. A row with two reasons counts in both."""
    totals: dict[str, int] = {}
    for delivery in deliveries:
        for reason, n in delivery.reasons.items():
            totals[reason] = totals.get(reason, 0) + n
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _span(deliveries: Sequence[Delivery], words: Words) -> str:
    return words("data.so_far", first=deliveries[-1].number, last=deliveries[0].number)


def _source_grid(caption: str, deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        totals = [figure(words.count(sum(d.counts[name] for d in mine))) for name in COUNTS]
        valid = figure(words.share(*sum_valid(mine), digits=2))
        rows.append((text(source), figure(words.count(len(mine))), *totals, valid))
    return Grid(caption, columns(words, "source", "deliveries", *COUNTS, "valid"), tuple(rows))


def _reasons_chart(deliveries: Sequence[Delivery], words: Words) -> Chart | None:
    reasons = [*sum_reasons(deliveries).items()][:N_CHARTED]
    if not reasons:
        return None
    points = [Point(reason, "", n, words.count(n)) for reason, n in reasons]
    spec = bars_chart(points, Titles(words("column.reason"), words("column.rows")))
    return Chart("reasons-chart", words("data.reasons_chart"), words("about.reason_rows"), spec)


def _reason_grid(deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        rejected = sum(d.counts["n_rejected"] for d in mine)
        for reason, n in list(sum_reasons(mine).items())[:N_CHARTED]:
            rows.append(
                (text(source), text(reason), figure(words.count(n)), figure(words.share(n, rejected)))
            )
    heads = columns(words, "source", "reason", "reason_rows", "of_rejected")
    return Grid(words("data.reasons"), heads, tuple(rows), is_folded=True)


def _stale_grid(stale: Sequence[StaleSource], words: Words) -> Grid:
    """The sources without a delivery for longer than they declare, in red."""
    rows = tuple(
        (
            Cell(each.source, Look.BAD),
            Cell(
                words.moment(each.last_delivery_at) if each.last_delivery_at else words("data.never"),
                Look.BAD,
            ),
            text(each.expected_every),
        )
        for each in stale
    )
    return Grid(words("data.stale"), columns(words, "source", "last_delivery", "expected_every"), rows)


def _fresh_grid(data: DeliveryData, words: Words) -> Grid:
    """The age of the newest event of each source of events."""
    rows = []
    events = [d for d in data.deliveries if d.kind != REFERENCE]
    for source in sorted({d.source for d in events}):
        mine = [d for d in events if d.source == source]
        newest = max((d.last_event_date for d in mine if d.last_event_date), default=None)
        if newest:
            age = figure(words.count((data.as_of - newest).days))
            rows.append((text(source), text(words.day(newest)), age, text(mine[0].ingested_at)))
    heads = columns(words, "source", "newest_event", "days_old", "read_at")
    return Grid(words("data.fresh"), heads, tuple(rows))


def _delivery_grid(deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = tuple(
        (
            text(d.number),
            text(d.source),
            text(d.kind),
            figure(words.count(d.counts["n_rows"])),
            figure(words.count(d.counts["n_rejected"])),
            text(d.ingested_at),
        )
        for d in deliveries[:N_LISTED]
    )
    heads = columns(words, "delivery", "source", "kind", "n_rows", "n_rejected", "read_at")
    return Grid(words("data.deliveries"), heads, rows, is_folded=True)


def summarize(data: DeliveryData, seen: Disclosure, words: Words) -> Summary:  # noqa: ARG001
    """The share of valid rows of this run, or of all deliveries if it brought none."""
    passed, received = sum_valid(data.new or data.deliveries)
    where = words("tile.this_run" if data.new else "tile.all_deliveries")
    share = words.share(passed, received, digits=2)
    lines = (words("tile.valid_about", n=received), where)
    tile = Tile(words("tile.valid"), share, lines)
    sentences = [
        Sentence(words("summary.stale", source=each.source, every=each.expected_every), "data")
        for each in data.stale
    ]
    if received:
        sentences.append(Sentence(words("summary.data", share=share, n=received), "data"))
    return Summary((tile,), tuple(sentences))


SECTION = Section(
    key=DATA,
    place=80,
    reads=("ingest_ledger",),
    texts="ingestion/events/texts",
    read=read,
    render=render,
    summary=summarize,
)
