"""The headline numbers."""

from lifestage.report.content import ReportData
from lifestage.report.grids import Look, Tile, count, share
from lifestage.report.quality import accuracy
from lifestage.report.rfm import period_of


def headline_tiles(data: ReportData) -> tuple[Tile, ...]:
    """The headline numbers; each says what it counts."""
    return (_users_tile(data), _buyers_tile(data), _accuracy_tile(data), _checks_tile(data))


def _users_tile(data: ReportData) -> Tile:
    totals: dict[str, int] = {}
    for stage in data.stages:
        totals[str(stage.as_of)] = totals.get(str(stage.as_of), 0) + stage.n_users
    *earlier, newest = totals.items() or [("", 0)]
    if not earlier:
        return Tile("Users", count(newest[1]), ("in a lifecycle stage",))
    date, before = earlier[-1]
    return Tile("Users", count(newest[1]), ("in a lifecycle stage", f"{newest[1] - before:+,} since {date}"))


def _buyers_tile(data: ReportData) -> Tile:
    scored = sum(c.n_users for c in data.rfm if c.r_score is not None)
    return Tile("Buyers", count(scored), (f"scored for {period_of(data)}",))


def _accuracy_tile(data: ReportData) -> Tile:
    new = [d for d in data.deliveries if d.is_new]
    passed, received = accuracy(new or data.deliveries)
    where = "this run" if new else "all deliveries"
    return Tile(
        "Accuracy of data", share(passed, received, digits=2), (f"of {count(received)} rows received", where)
    )


def _checks_tile(data: ReportData) -> Tile:
    checks = data.snapshots[0].checks if data.snapshots else ()
    passed = sum(check.passed for check in checks)
    look = Look.GOOD if passed == len(checks) else Look.BAD
    if not checks:
        return Tile("Checks", "none", ("no snapshot of this date",))
    return Tile(
        "Checks", f"{passed} of {len(checks)}", ("passed for snapshot", data.snapshots[0].snapshot_id), look
    )
