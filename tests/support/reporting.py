"""What tests of the sections of a report share: a date, words, rendering, and short forms of figures."""

from datetime import UTC, date, datetime

from lifestage.activation.report.content import SectionData, decide_disclosure
from lifestage.platform.reporting.grids import Chart
from lifestage.platform.reporting.words import load_words
from lifestage.project.pipeline import sections_of

AS_OF, BEFORE = date(2026, 11, 21), date(2026, 11, 20)
NOW = datetime(2026, 11, 22, 3, 15, tzinfo=UTC)
TEXTS = tuple(section.texts for section in sections_of())
WORDS = load_words("en", None, "EUR", TEXTS)


def render_chapters(section, data, least_users=1, others=()):
    """The chapters of a section by key; `others` are further sections of the page with their data."""
    seen = decide_disclosure(
        [SectionData(section, data), *[SectionData(*other) for other in others]], least_users
    )
    return {chapter.key: chapter for chapter in section.render(data, seen, WORDS)}


def summarize(section, data, least_users=1, others=()):
    """What a section adds to the top of the page."""
    seen = decide_disclosure(
        [SectionData(section, data), *[SectionData(*other) for other in others]], least_users
    )
    return section.summary(data, seen, WORDS)


def texts(grid):
    return [[cell.text for cell in row] for row in grid.rows]


def labels(grid):
    return [column.label for column in grid.columns]


def chart(chapter, key):
    return next(f for f in chapter.figures if isinstance(f, Chart) and f.key == key)


def grid(chapter, caption):
    return next(f for f in chapter.figures if not isinstance(f, Chart) and f.caption.startswith(caption))


def values(figure):
    return [(row["x"], row["name"], row["value"]) for row in figure.spec["data"]["values"]]
