"""The report that the README shows: a grocer whose numbers are invented, and a digest of what is drawn of it."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from activation.audiences.section_builders import full_audiences
from activation.publish.section_builders import full_making, snapshot
from activation.report.builders import full_page
from analytics.stages.section_builders import full_stages
from analytics.value.section_builders import full_value, rfm, unscored
from ingestion.events.section_builders import deliveries, delivery
from lifestage.activation.audiences.section import AudienceCount
from lifestage.activation.report.content import Header
from lifestage.activation.report.page import render
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.decline import CategoryChange
from lifestage.analytics.stages.section_data import StageCount
from lifestage.analytics.value.section_data import TopShare
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.reporting.words import load_words
from lifestage.platform.result import Check
from lifestage.users.identity.movement import Move
from support.projects import packaged_config
from support.reporting import TEXTS

PICTURE = Path(__file__).parents[3] / "docs" / "report.png"
DIGEST = PICTURE.with_suffix(".digest")
NOW = datetime(2026, 12, 21, 6, tzinfo=UTC)
AS_OF, MONTH_END, LAST = date(2026, 12, 20), date(2026, 11, 30), date(2026, 12, 19)
# Users by stage on the month-ends from May on, and on the newest date.
STAGES = {
    "novice": (210, 160, 120, 110, 90, 70, 60, 48, 44),
    "growth": (0, 0, 620, 780, 840, 910, 960, 1004, 1011),
    "mature": (1440, 1510, 720, 470, 420, 400, 392, 389, 388),
    "declining": (0, 0, 330, 440, 430, 421, 409, 402, 415),
    "dormant": (230, 210, 180, 150, 131, 122, 119, 121, 117),
    "churned": (160, 190, 201, 203, 205, 198, 201, 196, 199),
    "reawakened": (90, 120, 150, 170, 220, 260, 280, 291, 295),
}
DAYS = (*[date(2026, month, day) for month, day in ((5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31))], MONTH_END, LAST, AS_OF)  # fmt: skip
QUALITY = AudienceCount(
    "quality_seeking",
    owner="Category management",
    benefits="Advice and premium ranges",
    n_users=183,
    amount=Decimal(367_200),
)
FULL_FROM = dict.fromkeys(("declining", "growth", "mature"), date(2026, 7, 29))


def render_shop():
    """The report of the grocer as HTML; the same each time."""
    words = load_words("en", None, "USD", TEXTS)
    lifecycle = full_stages(
        as_of=AS_OF,
        earlier=EarlierDates(MONTH_END, None, LAST),
        display=tuple(STAGES),
        ladder=packaged_config().of(StageLadder).ladder,
        counts=tuple(
            StageCount(day, stage, numbers[place], Decimal(110 * numbers[place]))
            for place, day in enumerate(DAYS)
            for stage, numbers in STAGES.items()
        ),
        moves=(
            Move("mature", "declining", 61),
            Move("declining", "churned", 21),
            Move("churned", "reawakened", 26),
        ),
        full_from=FULL_FROM,
        spend={"declining": Decimal(612_400), "mature": Decimal(1_904_000), "growth": Decimal(1_750_000)},
        period=365,
        categories=(
            CategoryChange("Meat", 240, Decimal(41_300), Decimal(22_900), Decimal(90_000), Decimal(91_800)),
            CategoryChange(
                "Produce", 310, Decimal(36_100), Decimal(24_200), Decimal(88_000), Decimal(84_500)
            ),
            CategoryChange("Deli", 122, Decimal(15_800), Decimal(8_100), Decimal(30_000), Decimal(30_900)),
        ),
    )
    value = full_value(
        as_of=AS_OF,
        rfm=(rfm(5, 5, 247, "1600000.00"), rfm(2, 2, 2_212, "2960000.00"), unscored(10)),
        tiers=(),
        moves=(),
        top_shares=(TopShare(10, 247, Decimal(1_600_000)), TopShare(100, 2_459, Decimal(4_560_000))),
    )  # fmt: skip
    checks = tuple(Check(name, True, "") for name in ("has users", "one row a user", "everyone has a stage"))
    page = full_page(
        words,
        header=Header("A grocer", AS_OF, "daily-2026-12-20", NOW, "0.1.0"),
        least_users=5,
        lifecycle=lifecycle,
        value=value,
        data=deliveries(delivery(n_rows=41_570, n_accepted=41_522, n_duplicate=0, n_rejected=48)),
        audiences=full_audiences(counts=(QUALITY,)),
        made=full_making(snapshots=(replace(snapshot(checks), snapshot_id=f"{AS_OF}.r1"),)),
    )
    return render(page, words)


def digest_of_shop():
    """A digest of all that the top of the page is made of: its HTML, its styles, and the first chart.

    What is below, and Vega, which changes with its release, do not count.
    """
    html = render_shop()
    settings = json.loads(re.search(r'id="settings">(.*?)</script>', html, re.DOTALL)[1])
    style = re.search(r"<style>.*?</style>", html, re.DOTALL)[0]
    top = html[html.index("<body>") : html.index('<section id="value"')]
    drawn = [style, top, json.dumps(settings["specs"]["stages-chart"], sort_keys=True)]
    return hashlib.sha256("".join(drawn).encode()).hexdigest()


def digest_of_picture():
    """The digest of the file."""
    return hashlib.sha256(PICTURE.read_bytes()).hexdigest()
