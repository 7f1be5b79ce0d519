"""What the page says about rule audiences."""

from lifestage.report.content import AudienceCount, ReportData
from lifestage.report.grids import Cell, Grid, Look, Section, count, money, number, text


def audiences_section(data: ReportData) -> Section:
    """Size, movement and value of each audience."""
    definition = (
        "Users who meet a rule on the date of the report; a user may be in several. Came in and went out are against "
        "the date before. Net spend is that of the period of RFM."
    )
    if not data.audiences:
        return Section("audiences", "Audiences", definition, ("No audience is configured.",))
    grid = Grid(
        f"Audiences as of {data.header.as_of}",
        ("Audience", "Users", "Came in", "Went out", "Net spend", "Looked after by"),
        tuple(_row(audience, data.header.currency) for audience in data.audiences),
    )
    return Section("audiences", "Audiences", definition, grids=(grid,))


def _row(audience: AudienceCount, currency: str) -> tuple[Cell, ...]:
    return (
        Cell(label(audience.audience), below=audience.description),
        number(audience.n_users),
        Cell(f"+{count(audience.n_entered)}", Look.NUMBER),
        Cell(f"-{count(audience.n_left)}", Look.NUMBER),
        Cell(money(audience.amount, currency), Look.NUMBER),
        text(audience.owner),
    )


def label(audience: str) -> str:
    """The name of an audience in words."""
    return audience.replace("_", " ").capitalize()
