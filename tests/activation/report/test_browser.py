"""The report as a reader sees it: in a real browser, with charts, links and a keyboard."""

import shutil
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from activation.audiences.section_builders import full_audiences
from activation.publish.section_builders import completed, full_making, snapshot
from activation.report.builders import full_page
from analytics.segments.section_builders import full_segments, segment
from analytics.stages.section_builders import full_stages, rung, stage
from analytics.value.section_builders import full_value, rfm
from ingestion.events.section_builders import deliveries, delivery
from lifestage.activation.audiences.section import AudienceCount
from lifestage.activation.report.page import render
from lifestage.analytics.stages.section_data import StageCount
from lifestage.analytics.value.section_data import TierCount, TopShare
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.reporting.words import load_words
from lifestage.platform.result import Check
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF, TEXTS, WORDS

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
# scripts/test names this reason in its closing lines, and fails for it with --all.
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
# Two pages that differ in everything; the others take a minute more.
SHOWN = [(1280, "light", "en"), (390, "dark", "zh")]
OTHERS = {(width, scheme, language) for width, scheme in LOOKS for language in ("en", "zh")} - {*SHOWN}
PAGES = [*SHOWN, *[pytest.param(*page, marks=pytest.mark.slow) for page in sorted(OTHERS)]]
EVIL = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"
DAYS = [
    AS_OF - timedelta(days=age) for age in (365, 335, 305, 275, 245, 215, 185, 155, 125, 95, 65, 35, 21, 1, 0)
]
MUCH = Decimal(193_245)
FORMULA = '=HYPERLINK("http://127.0.0.1:9/")'


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visit:
    """A page that was opened, with everything it asked for and complained of."""

    def __init__(self, chromium, path, width=1280, scheme="light"):
        self.page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.add_init_script(SHIFTS)
        self.page.goto(path.as_uri())
        charts = self.page.locator(".chart")
        self.page.wait_for_function(
            "n => document.querySelectorAll('.chart svg').length >= n", arg=charts.count()
        )


SHIFTS = """
window.shift = 0;
new PerformanceObserver(list => { for (const each of list.getEntries()) window.shift += each.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A report with every figure, with numbers of a large business, in both languages."""
    champion, many = AudienceCount("win_back", "Long gone", "CRM", "An offer", 3_083, 1_201, 999, MUCH), 3_083
    data = {
        "lifecycle": full_stages(
            counts=tuple(
                StageCount(day, name, n, amount)
                for day in DAYS
                for name, n, amount in (("novice", many, Decimal()), ("mature", 193_245, MUCH))
            ),
            earlier=EarlierDates(DAYS[-3], DAYS[0], DAYS[-2]),
            full_from={"mature": DAYS[5]},
            moves=(Move("mature", "novice", many), Move("novice", "novice", 12)),
        ),
        "value": full_value(
            rfm=tuple(rfm(r, f, many, MUCH) for r in range(1, 6) for f in range(1, 6)),
            tiers=(TierCount("high", many, MUCH, Decimal("0.75")), TierCount("low", 193_245, MUCH, Decimal(0))),
            top_shares=(TopShare(10, many, 4 * MUCH), TopShare(100, 193_245, 5 * MUCH)),
        ),
        "segments": full_segments(counts=(segment(1, "high spend, broad range", many, MUCH), segment(2, "low spend", many, "0"))),
        "audiences": full_audiences(counts=(champion,)),
        "data": deliveries(delivery(reasons={"amount_missing": many}), delivery(2, "pos", is_new=False)),
        "made": full_making(runs=(replace(completed(), seconds={"features": 3_083.0}),)),
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("reports")
    for language, currency in (("en", "EUR"), ("zh", "CNY")):
        words = load_words(language, None, currency, TEXTS)
        (folder / f"{language}.html").write_text(render(full_page(words, **data), words), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("width", "scheme", "language"), PAGES)
def test_every_chart_is_drawn_and_nothing_else_is_asked_for(chromium, shop, language, width, scheme):
    visit = Visit(chromium, shop / f"{language}.html", width, scheme)
    assert visit.errors == []
    assert visit.requests == [(shop / f"{language}.html").as_uri()]
    drawn = visit.page.evaluate(
        "[...document.querySelectorAll('.chart')].map(each => each.querySelectorAll('svg path, svg rect').length)"
    )
    assert len(drawn) == 8
    assert all(marks > 1 for marks in drawn)
    # Nothing sticks out at the side, and nothing jumps once it is drawn.
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    assert visit.page.evaluate("window.shift") < 0.01
    assert axe_findings(visit) == []
    visit.page.close()


TIPS = {
    "stages-chart": {"As of": "11/21/26", "Stage": "mature", "Users": "193,245 (98.4%)"},
    "stage-spend-chart": {"As of": "11/21/26", "Stage": "mature", "Spend, 30 days (EUR)": "€193,245"},
    "moves-chart": {"Move": "mature → novice", "Users": "3,083"},
    "tiers-chart": {"Measure": "Users", "Tier": "low", "Share": "98.4%"},
    "concentration-chart": {"Share of spend": "top 10%: 80.0%"},
    "audiences-chart": {"Audience": "Win back", "Users": "3,083"},
    "reasons-chart": {"Reason": "amount_missing", "Rows": "3,083"},
    "seconds-chart": {"Step": "features", "Seconds": "3,083.0"},
}
# The largest mark of a chart, the last of several, whose middle no other mark covers.
LARGEST = """chart => {
  const sized = [...chart.querySelectorAll('.mark-rect path, .mark-symbol path')].map(mark => mark.getBoundingClientRect());
  const box = sized.reduce((best, each) => each.width * each.height >= best.width * best.height - 1 ? each : best);
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def read_tips(visit):
    """What stands beside the pointer on the largest mark of each chart, by title."""
    found = {}
    for chart in visit.page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
        visit.page.mouse.move(*chart.evaluate(LARGEST))
        visit.page.wait_for_selector("#vg-tooltip-element.visible")
        lines = visit.page.locator("#vg-tooltip-element tr").all()
        found[chart.get_attribute("data-chart")] = dict(line.inner_text().split("\t") for line in lines)
        visit.page.mouse.move(1, 1)
    return found


def test_the_pointer_shows_each_number_under_its_title(chromium, shop):
    visit = Visit(chromium, shop / "en.html")
    assert read_tips(visit) == TIPS
    sizes = "each => [...each.querySelectorAll('td')].map(cell => getComputedStyle(cell).fontSize)"
    assert {*visit.page.locator("#vg-tooltip-element").evaluate(sizes)} == {"13px"}
    visit.page.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS[2:])
def test_the_pointer_is_understood_on_a_phone_and_in_chinese(chromium, shop, width, scheme):
    visit = Visit(chromium, shop / "zh.html", width, scheme)
    tips = read_tips(visit)
    assert tips["audiences-chart"] == {"人群": "待挽回", "用户": "3,083"}
    assert {key: len(lines) for key, lines in tips.items()} == {
        key: len(lines) for key, lines in TIPS.items()
    }
    visit.page.close()


# Texts of which a part lies outside a box that clips it, or outside the screen.
CUT = """() => {
  const outside = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1;
  const cut = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility() || parent.closest("script, style, .unseen, .skip, thead, caption")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = parent.closest("svg") ? parent.getBoundingClientRect() : range.getBoundingClientRect();
    let clips = outside(box, { left: 0, right: innerWidth });
    for (let each = parent; each; each = each.parentElement)
      clips ||= getComputedStyle(each).overflowX !== "visible" && outside(box, each.getBoundingClientRect());
    if (clips) cut.push(node.data.trim());
  }
  return cut;
}"""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_number_is_cut(chromium, shop, language, width):
    """Of $193,245 a narrow screen showed $193,24."""
    visit = Visit(chromium, shop / f"{language}.html", width)
    visit.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert visit.page.evaluate(CUT) == []
    visit.page.close()


def axe_findings(visit):
    """What axe finds serious, with the folds open."""
    visit.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = Axe().run(visit.page).response["violations"]
    return [
        (each["id"], node["html"][:120])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_the_keyboard_reaches_every_link_table_and_fold(chromium, shop):
    visit = Visit(chromium, shop / "en.html")
    wanted = visit.page.evaluate(
        "[...document.querySelectorAll('a, summary, .scroll')].filter(each => each.checkVisibility()).length"
    )
    reached = set()
    for _ in range(wanted + 5):
        visit.page.keyboard.press("Tab")
        reached.add(
            visit.page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
    assert len(reached - {-1, 0}) >= wanted
    visit.page.close()


def test_a_sentence_leads_to_its_figure(chromium, shop):
    visit = Visit(chromium, shop / "en.html")
    visit.page.locator(".sentences a").nth(2).click()
    assert visit.page.locator("#concentration-chart").bounding_box()["y"] < 200
    visit.page.close()


def test_paper_has_no_folds_and_light_colours(chromium, shop):
    visit = Visit(chromium, shop / "en.html", scheme="dark")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    visit.page.emulate_media(media="print", color_scheme="dark")
    assert visit.page.evaluate("[...document.querySelectorAll('details')].every(each => each.open)")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(visit.page.pdf()) > 50_000
    visit.page.close()


@pytest.mark.parametrize("planted", [EVIL, FORMULA, "javascript:window.hacked=1", "{{window.hacked=1}}"])
def test_what_is_planted_in_names_never_runs(chromium, tmp_path, planted):
    """Product, category and campaign names reach the page as names of segments, audiences, sources and reasons."""
    checked = replace(snapshot((Check(planted, True, planted),)), digest=planted)
    page = full_page(
        lifecycle=full_stages(
            display=(planted,),
            counts=(stage(planted, 9),),
            ladder=(rung(planted, planted, planted, planted),),
            moves=(Move(planted, "other", 9),),
        ),
        value=full_value(
            tiers=(TierCount(planted, 9, Decimal(9), Decimal(0)),),
            names={"[1-5][1-5]": planted},
            rfm=(rfm(5, 5, 9),),
        ),
        audiences=full_audiences(
            counts=(AudienceCount(planted, planted, planted, planted, 9, 0, 0, Decimal(9)),),
            rules={planted: planted},
        ),
        segments=full_segments(counts=(segment(1, planted, 9),)),
        data=deliveries(delivery(source=planted, reasons={planted: 1})),
        made=full_making(snapshots=(checked,), runs=(replace(completed(), seconds={planted: 1.0}),)),
    )
    path = tmp_path / "planted.html"
    path.write_text(render(page, WORDS), encoding="utf-8")
    visit = Visit(chromium, path)
    for chart in visit.page.locator(".chart svg").all():
        chart.hover(force=True)
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("window.hacked") is None
    assert visit.requests == [path.as_uri()]
    assert visit.errors == []
    assert visit.page.locator("main img, main script").count() == 0
    assert visit.page.locator("text=" + planted[:20]).count() > 5
    visit.page.close()
