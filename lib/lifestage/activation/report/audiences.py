"""What the page says about rule audiences."""

from lifestage.activation.report.content import AudienceCount, ReportData
from lifestage.activation.report.movement import moved
from lifestage.platform.reporting.charts import Point, bars_chart
from lifestage.platform.reporting.disclosure import BUYERS
from lifestage.platform.reporting.grids import Cell, Chart, Grid, columns, drop_empty, figure, text
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import Words


def audiences_section(data: ReportData, words: Words) -> Chapter:
    """Size, movement and value of each audience."""
    title, about = words("audiences.title"), words("audiences.about")
    if not data.audiences:
        return Chapter("audiences", title, about, (words("audiences.none"),))
    return Chapter("audiences", title, about, (), drop_empty(_size_chart(data, words), _grid(data, words)))


def label(audience: str, words: Words) -> str:
    """The name of an audience in words."""
    return words.translate(audience.replace("_", " ").capitalize())


def is_shown(audience: AudienceCount, data: ReportData) -> bool:
    """Whether the audience may be told of: neither it nor its rest is small, or may be a group that is withheld.

    An audience is often another group by its rule, such as a stage, or everybody but that.
    """
    everybody = sum(s.n_users for s in data.stages if s.as_of == data.header.as_of)
    withheld = {n for cell, n in data.cells.items() if cell not in data.seen and cell[1] != data.before}
    told = {audience.n_users, everybody - audience.n_users, data.cells[BUYERS] - audience.n_users} - {0}
    return not audience.n_users or not any(0 < n < data.least_users or n in withheld for n in told)


def _size_chart(data: ReportData, words: Words) -> Chart | None:
    known = [audience for audience in data.audiences if audience.n_users and is_shown(audience, data)]
    if not known:
        return None
    points = [Point(label(a.audience, words), "", a.n_users, words.count(a.n_users)) for a in known]
    title = words("audiences.chart", date=words.day(data.header.as_of))
    spec = bars_chart(points, words("column.users"))
    return Chart("audiences-chart", title, words("audiences.about"), spec)


def _grid(data: ReportData, words: Words) -> Grid:
    names = ("audience", "users", "entered", "left", "spend", "spend_per_user", "owner")
    heads = columns(words, *names, period=data.period)
    rows = tuple(_row(audience, data, words) for audience in data.audiences)
    return Grid(words("audiences.grid", date=words.day(data.header.as_of)), heads, rows)


def _row(audience: AudienceCount, data: ReportData, words: Words) -> tuple[Cell, ...]:
    told = is_shown(audience, data)
    each = words.price(audience.amount / audience.n_users) if audience.n_users else ""
    return (
        Cell(label(audience.audience, words), below=words.translate(audience.description)),
        figure(words.count(audience.n_users), told),
        *moved(
            audience.n_entered,
            audience.n_left,
            audience.n_users - audience.n_entered,
            words,
            data.least_users,
        ),
        figure(words.money(audience.amount), told),
        figure(each, told),
        text(words.translate(audience.owner)),
    )
