"""What the page says about the data that came in, and the checks that it passed."""

import re
from collections.abc import Sequence

from lifestage.activation.report.content import Delivery, ReportData
from lifestage.ingestion.sources.tables import REFERENCE, REPLAY
from lifestage.platform.reporting.charts import Point, bars_chart
from lifestage.platform.reporting.grids import Cell, Chart, Grid, Look, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import WITHHELD, Words

N_CHARTED = 12
N_LISTED = 20
OUTCOMES = (
    "n_rows",
    "n_accepted",
    "n_replaced",
    "n_superseded",
    "n_duplicate",
    "n_rejected",
    "n_suppressed",
    "n_late",
)


def quality_section(data: ReportData, words: Words) -> Chapter:
    """What became of the rows of each source, how fresh it is, and the checks before publication."""
    title, about = words("data.title"), words("data.about")
    new = [d for d in data.deliveries if d.is_new]
    figures = drop_empty(
        _source_grid(words("data.new"), new, words),
        _source_grid(_span(data.deliveries, words), data.deliveries, words) if data.deliveries else None,
        _reasons_chart(data.deliveries, words),
        _reason_grid(data.deliveries, words),
        _fresh_grid(data, words),
        _checks_grid(data, words),
        _delivery_grid(data.deliveries, words),
    )
    return Chapter("data", title, about, _notes(data, words), figures)


def accuracy(deliveries: Sequence[Delivery]) -> tuple[int, int]:
    """Rows that pass every rule, and rows received; duplicates apart.

    A replay receives nothing: it takes rows out of the rejected ones, and may reject some of them again.
    """
    received = sum(
        -d.counts["n_duplicate"] + (0 if d.kind == REPLAY else d.counts["n_rows"]) for d in deliveries
    )
    replayed = sum(d.counts["n_rows"] for d in deliveries if d.kind == REPLAY)
    return received - sum(d.counts["n_rejected"] for d in deliveries) + replayed, received


def reasons_of(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Rows per reason for rejection, the most frequent first; a row with two reasons counts in both."""
    totals: dict[str, int] = {}
    for delivery in deliveries:
        for reason, n in delivery.reasons.items():
            totals[reason] = totals.get(reason, 0) + n
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _notes(data: ReportData, words: Words) -> tuple[str, ...]:
    said = []
    if not data.deliveries:
        said.append("data.nothing")
    elif not any(d.is_new for d in data.deliveries):
        said.append("data.nothing_new")
    if data.deliveries and not reasons_of(data.deliveries):
        said.append("data.nothing_rejected")
    if not (data.snapshots and data.snapshots[0].checks):
        said.append("data.no_checks")
    return tuple(words(key) for key in said)


def _span(deliveries: Sequence[Delivery], words: Words) -> str:
    return words("data.so_far", first=deliveries[-1].number, last=deliveries[0].number)


def _source_grid(caption: str, deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        totals = [figure(words.count(sum(d.counts[name] for d in mine))) for name in OUTCOMES]
        passed = figure(words.share(*accuracy(mine), digits=2))
        rows.append((text(source), figure(words.count(len(mine))), *totals, passed))
    return Grid(caption, columns(words, "source", "deliveries", *OUTCOMES, "accuracy"), tuple(rows))


def _reasons_chart(deliveries: Sequence[Delivery], words: Words) -> Chart | None:
    points = [Point(reason, "", n, words.count(n)) for reason, n in reasons_of(deliveries).items()][
        :N_CHARTED
    ]
    if not points:
        return None
    spec = bars_chart(points, words("column.rows"))
    return Chart("reasons-chart", words("data.reasons_chart"), words("about.reason_rows"), spec)


def _reason_grid(deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        rejected = sum(d.counts["n_rejected"] for d in mine)
        for reason, n in list(reasons_of(mine).items())[:N_CHARTED]:
            rows.append(
                (text(source), text(reason), figure(words.count(n)), figure(words.share(n, rejected)))
            )
    heads = columns(words, "source", "reason", "reason_rows", "of_rejected")
    return Grid(words("data.reasons"), heads, tuple(rows), is_folded=True)


def _fresh_grid(data: ReportData, words: Words) -> Grid:
    """How old the newest event of each source of events is."""
    rows = []
    events = [d for d in data.deliveries if d.kind != REFERENCE]
    for source in sorted({d.source for d in events}):
        mine = [d for d in events if d.source == source]
        newest = max((d.last_event_date for d in mine if d.last_event_date), default=None)
        if newest:
            days = (data.header.as_of - newest).days
            rows.append(
                (text(source), text(words.day(newest)), figure(words.count(days)), text(mine[0].ingested_at))
            )
    return Grid(
        words("data.fresh"), columns(words, "source", "newest_event", "days_old", "read_at"), tuple(rows)
    )


def _checks_grid(data: ReportData, words: Words) -> Grid | None:
    if not data.snapshots:
        return None
    newest = data.snapshots[0]
    failed_first = sorted(newest.checks, key=lambda check: check.passed)
    rows = tuple(
        (
            text(words.translate(c.name)),
            _verdict(c.passed, words),
            text(_discreet(c.detail, data.least_users)),
        )
        for c in failed_first
    )
    heads = columns(words, "check", "result", "saw")
    return Grid(words("data.checks", snapshot=newest.snapshot_id), heads, rows)


def _discreet(detail: str, least: int) -> str:
    """What a check saw, without numbers of users that are too few."""

    def told(match: re.Match[str]) -> str:
        n = int(match[0].replace(",", ""))
        return WITHHELD if 0 < n < least else match[0]

    return re.sub(r"\b\d[\d,]*(?= (?:users?|different|in)\b)", told, detail)


def _verdict(passed: bool, words: Words) -> Cell:
    """How a check ended, in words and in colour."""
    return Cell(words("word.passed"), Look.GOOD) if passed else Cell(words("word.failed"), Look.BAD)


def _delivery_grid(deliveries: Sequence[Delivery], words: Words) -> Grid:
    rows = tuple(
        (
            text(d.number),
            text(d.source),
            text(d.kind),
            text(d.path.rsplit("/", 1)[-1]),
            figure(words.count(d.counts["n_rows"])),
            figure(words.count(d.counts["n_rejected"])),
            text(d.ingested_at),
        )
        for d in deliveries[:N_LISTED]
    )
    heads = columns(words, "delivery", "source", "kind", "file", "n_rows", "n_rejected", "read_at")
    return Grid(words("data.deliveries"), heads, rows, is_folded=True)
