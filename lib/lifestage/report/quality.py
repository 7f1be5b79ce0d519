"""What the page says about the data that came in."""

from collections.abc import Sequence

from lifestage.report.charts import bars_chart
from lifestage.report.content import Delivery, ReportData
from lifestage.report.grids import Cell, Chart, Grid, Look, Section, filled, number, share, text
from lifestage.tables.events import REPLAY

N_CHARTED = 12
N_LISTED = 20
OUTCOMES = {
    "n_rows": "Rows in",
    "n_accepted": "Accepted",
    "n_replaced": "Replaced",
    "n_superseded": "Superseded",
    "n_duplicate": "Duplicates",
    "n_rejected": "Rejected",
    "n_suppressed": "Suppressed",
    "n_late": "Late",
}


def quality_section(data: ReportData) -> Section:
    """What became of the rows of each source, in this run and in all."""
    definition = (
        "What became of every row delivered. Accuracy = rows that pass every rule / rows received, duplicates apart. "
        "Late rows are accepted ones whose day was already final."
    )
    if not data.deliveries:
        return Section("quality", "Data quality", definition, ("Nothing has been delivered yet.",))
    new = [d for d in data.deliveries if d.is_new]
    notes = () if new else ("This run brought no delivery.",)
    reasons = reasons_of(data.deliveries)
    charts = (_reasons_chart(reasons),) if reasons else ()
    notes = notes if reasons else (*notes, "No row was rejected.")
    grids = (
        _source_grid("Delivered in this run", new),
        _source_grid(_span(data.deliveries), data.deliveries),
    )
    folded = (_reason_grid(data.deliveries), _delivery_grid(data.deliveries))
    return Section("quality", "Data quality", definition, notes, charts, filled(grids), filled(folded))


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


def _span(deliveries: Sequence[Delivery]) -> str:
    return f"Delivered so far, deliveries {deliveries[-1].number} to {deliveries[0].number}"


def _reasons_chart(reasons: dict[str, int]) -> Chart:
    most = dict(list(reasons.items())[:N_CHARTED])
    title = (
        "Rejected rows by reason"
        if most == reasons
        else f"Rejected rows by the {N_CHARTED} most frequent reasons"
    )
    return Chart("reasons-chart", title, bars_chart(most, "Reason", "Rejected rows"))


def _source_grid(caption: str, deliveries: Sequence[Delivery]) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        totals = [number(sum(d.counts[name] for d in mine)) for name in OUTCOMES]
        passed = Cell(share(*accuracy(mine), digits=2), Look.NUMBER)
        rows.append((text(source), number(len(mine)), *totals, passed))
    return Grid(caption, ("Source", "Deliveries", *OUTCOMES.values(), "Accuracy"), tuple(rows))


def _reason_grid(deliveries: Sequence[Delivery]) -> Grid:
    rows = []
    for source in sorted({d.source for d in deliveries}):
        mine = [d for d in deliveries if d.source == source]
        rejected = sum(d.counts["n_rejected"] for d in mine)
        for reason, n in list(reasons_of(mine).items())[:N_CHARTED]:
            rows.append((text(source), text(reason), number(n), Cell(share(n, rejected), Look.NUMBER)))
    return Grid(
        "Rejected rows by source and reason",
        ("Source", "Reason", "Rows", "Of its rejected rows"),
        tuple(rows),
    )


def _delivery_grid(deliveries: Sequence[Delivery]) -> Grid:
    rows = tuple(
        (
            text(d.number),
            text(d.source),
            text(d.kind),
            text(d.path.rsplit("/", 1)[-1]),
            number(d.counts["n_rows"]),
            number(d.counts["n_rejected"]),
            text(d.ingested_at),
        )
        for d in deliveries[:N_LISTED]
    )
    return Grid(
        "Newest deliveries", ("No.", "Source", "Kind", "File", "Rows in", "Rejected", "Read at (UTC)"), rows
    )
