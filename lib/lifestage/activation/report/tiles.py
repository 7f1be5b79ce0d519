"""The headline numbers."""

from lifestage.activation.report.content import ReportData
from lifestage.activation.report.quality import accuracy
from lifestage.platform.reporting.disclosure import BUYERS
from lifestage.platform.reporting.grids import Look, Tile
from lifestage.platform.reporting.words import WITHHELD, Words


def headline_tiles(data: ReportData, words: Words) -> tuple[Tile, ...]:
    """The headline numbers; each says what it counts."""
    return (
        _users_tile(data, words),
        _buyers_tile(data, words),
        _accuracy_tile(data, words),
        _checks_tile(data, words),
    )


def _users_tile(data: ReportData, words: Words) -> Tile:
    totals = {s.as_of: 0 for s in data.stages}
    for s in data.stages:
        totals[s.as_of] += s.n_users
    n = totals.get(data.stages[-1].as_of, 0) if data.stages else 0
    lines = [words("tile.users_about")]
    if data.before in totals and all(not 0 < total < data.least_users for total in (n, totals[data.before])):
        lines.append(
            words("tile.since", change=words.change(n - totals[data.before]), date=words.day(data.before))
        )
    return Tile(words("tile.users"), _users(n, data, words), tuple(lines))


def _buyers_tile(data: ReportData, words: Words) -> Tile:
    scored = [c for c in data.rfm if c.r_score is not None]
    spent = words.short_money(sum(c.amount for c in scored))
    n = sum(c.n_users for c in scored)
    about = words("tile.buyers_about", period=data.period) if data.period else words("tile.buyers_none")
    if BUYERS not in data.seen:
        return Tile(words("tile.buyers"), WITHHELD, (about,))
    lines = (about, words("tile.spent", amount=spent)) if n else (about,)
    return Tile(words("tile.buyers"), words.count(n), lines)


def _users(n: int, data: ReportData, words: Words) -> str:
    return WITHHELD if 0 < n < data.least_users else words.count(n)


def _accuracy_tile(data: ReportData, words: Words) -> Tile:
    new = [d for d in data.deliveries if d.is_new]
    passed, received = accuracy(new or data.deliveries)
    where = words("tile.this_run" if new else "tile.all_deliveries")
    lines = (words("tile.accuracy_about", n=received), where)
    return Tile(words("tile.accuracy"), words.share(passed, received, digits=2), lines)


def _checks_tile(data: ReportData, words: Words) -> Tile:
    checks = data.snapshots[0].checks if data.snapshots else ()
    if not checks:
        return Tile(words("tile.checks"), words("tile.none"), (words("data.no_checks"),))
    passed = sum(check.passed for check in checks)
    look = Look.GOOD if passed == len(checks) else Look.BAD
    value = words("word.of", part=passed, whole=len(checks))
    return Tile(
        words("tile.checks"), value, (words("tile.checks_about"), data.snapshots[0].snapshot_id), look
    )
