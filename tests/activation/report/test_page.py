import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from activation.report.builders import (
    AS_OF,
    NOW,
    WORDS,
    completed,
    delivery,
    empty,
    full,
    rfm,
    segment,
    snapshot,
    stage,
)
from lifestage.activation.report import page
from lifestage.activation.report.content import (
    AudienceCount,
    Check,
    Feature,
    Flow,
    Header,
    Part,
    ReportData,
    RfmCount,
    Rule,
    TierCount,
    TopShare,
)
from lifestage.platform.reporting.words import load_words


def render(data, words=WORDS):
    return page.render(data, words)


NASTY = [
    "<script>alert(1)</script>",
    "</script>",
    "<!-- <script",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "\"'><img src=x>",
    "客户生命周期",
    "a & b",
]


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, the text of the page, the text of each script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.scripts, self._inside = [], [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = self._inside.removeprefix(tag)

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data.strip())


def planted(text):
    """The text wherever data can carry one."""
    return full(
        header=Header(text, AS_OF, text, NOW, text),
        stage_order=(text,),
        rules=(Rule(text, text, text, text),),
        stages=(stage(text, 3),),
        stage_flows=(Flow(text, text, 3), Flow(text, None, 2)),
        tiers=(TierCount(text, 3, Decimal(1), Decimal(0)),),
        audiences=(AudienceCount(text, text, text, 3, 0, 0, Decimal(1), text),),
        audience_rules={text: text},
        parts=(Part(text, text, 1.0, 0.0, 1.0),),
        rfm_names={"[1-5][1-5]": text},
        features=(Feature(text, text, text),),
        segments=(segment(name=text),),
        deliveries=(delivery(source=text, path=text, reasons={text: 1}),),
        snapshots=(replace(snapshot((Check(text, False, text),)), snapshot_id=text, digest=text),),
        runs=(replace(completed(text), seconds={text: 1.0}, table_versions={text: 1}),),
        commits={text: 1},
    )


def specs(seen):
    return json.loads(seen.scripts[0])["specs"]


@pytest.mark.parametrize("text", NASTY)
def test_text_of_the_data_is_shown_and_never_becomes_markup(text):
    harmless, nasty = Page(render(planted("harmless"))), Page(render(planted(text)))
    assert [tag for tag, _ in nasty.tags] == [tag for tag, _ in harmless.tags]
    assert len(nasty.scripts) == 3
    assert nasty.texts.count(text) >= 20
    assert specs(nasty)["stages-chart"]["data"]["values"][0]["name"] == text


def test_nothing_is_fetched():
    seen = Page(render(full()))
    asked = [attributes for _, attributes in seen.tags if {"src", "href", "srcset", "data"} & set(attributes)]
    places = {f"#{attributes['id']}" for _, attributes in seen.tags if "id" in attributes}
    assert all(
        {"href"} <= set(attributes) <= {"href", "class"} and attributes["href"] in places
        for attributes in asked
    )
    assert "@import" not in seen.texts
    assert not re.search(r"url\(", "".join(seen.texts))
    assert "http" not in seen.scripts[0] + seen.scripts[2]


def test_the_policy_lets_only_the_pages_own_scripts_run():
    seen = Page(render(full()))
    policy = next(a["content"] for _, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy


def test_the_bundled_script_cannot_end_its_own_element():
    bundle = Page(render(full())).scripts[1]
    assert "vegaEmbed" in bundle[-200:]
    assert not re.search(r"</script|<!--|\r", bundle, re.IGNORECASE)


def test_the_same_data_give_the_same_file_and_it_is_small_enough_to_mail():
    html = render(full())
    assert html == render(full())
    assert len(html.encode()) < 1_500_000


def test_a_first_run_without_any_data_gives_sentences_and_no_script():
    seen = Page(render(empty()))
    text = "\n".join(seen.texts)
    for sentence in (
        "There are no findings yet.",
        "No user has a stage as of Nov 21, 2026 or before.",
        "No user has a value as of Nov 21, 2026.",
        "No user is in a segment as of Nov 21, 2026.",
        "No audience is configured.",
        "Nothing has been delivered yet.",
        "No snapshot of this date has checks.",
        "No run has been completed before this one",
    ):
        assert sentence in text
    assert seen.scripts == []
    assert "table" not in [tag for tag, _ in seen.tags]


@pytest.mark.parametrize(
    "field",
    [
        "before",
        "rules",
        "stages",
        "stage_flows",
        "tiers",
        "tier_flows",
        "top_shares",
        "audiences",
        "parts",
        "rfm",
        "features",
        "segments",
        "deliveries",
        "snapshots",
        "runs",
        "commits",
    ],
)
def test_any_part_may_be_missing(field):
    nothing = getattr(ReportData(full().header), field)
    segments = (segment(total="1.00"),) if field != "features" else (replace(segment(), sums=(), counts=()),)
    assert "<h1>Shop</h1>" in render(full(**{"segments": segments, field: nothing}))


def test_every_chart_has_its_place_and_a_table_with_its_numbers():
    seen = Page(render(full()))
    places = {attributes.get("id") for tag, attributes in seen.tags if tag == "figure"}
    assert set(specs(seen)) == places
    assert places == {
        "stages-chart",
        "stage-spend-chart",
        "moves-chart",
        "tiers-chart",
        "concentration-chart",
        "audiences-chart",
        "reasons-chart",
        "seconds-chart",
    }


def test_every_figure_says_what_it_means():
    seen = Page(render(full()))
    folds = [a.get("class") for tag, a in seen.tags if tag == "details"]
    tables = [tag for tag, _ in seen.tags if tag == "table"]
    # The tables of a first report all have columns that need a word.
    assert folds.count("about") == len(tables)
    assert [a.get("class") for tag, a in seen.tags if tag == "p"].count("what") == 8


def test_sections_come_in_the_order_of_the_questions():
    seen = Page(render(full()))
    sections = [a["id"] for tag, a in seen.tags if tag == "section"]
    assert sections == ["summary", "lifecycle", "value", "segments", "audiences", "channels", "data", "made"]


def test_one_scored_cell_is_enough_for_a_map():
    assert "champions" in render(full(rfm=(rfm(5, 1),)))


def test_the_page_speaks_chinese_with_its_numbers():
    html = render(full(), load_words("zh", None, "CNY"))
    seen = Page(html)
    assert ("html", {"lang": "zh"}) in seen.tags
    assert "共有 10 位用户处于某个生命周期阶段；人数最多的是“成熟”，占 80.0%。计划：Status。" in "".join(
        seen.texts
    )
    assert "¥80" in seen.texts


def test_a_locale_writes_numbers_and_dates_its_own_way():
    seen = Page(render(full(stages=(stage("mature", 12_345),)), load_words("en", "de_DE", "EUR")))
    assert "12.345" in seen.texts
    assert "80\N{NO-BREAK SPACE}€" in seen.texts
    assert "21.11.2026" in seen.texts


def test_small_numbers_are_nowhere_in_the_file():
    """4 users in a cell of their own, among many others; their spend is 25.00 each."""
    few = RfmCount("scored", 365, 5, 5, 4, Decimal("100.00"))
    many = [RfmCount("scored", 365, r, 1, 50, Decimal(1000)) for r in (1, 2, 3)]
    data = full(
        least_users=5,
        stages=(stage("novice", 4), stage("mature", 96)),
        stage_flows=(Flow("novice", "mature", 4), Flow("mature", "mature", 96)),
        rfm=(few, *many),
        tiers=(
            TierCount("high", 4, Decimal("100.00"), Decimal(1)),
            TierCount("low", 150, Decimal(3000), Decimal(0)),
        ),
        top_shares=(TopShare(1, 2, Decimal("66.66")), TopShare(100, 153, Decimal("3099.99"))),
        audiences=(AudienceCount("win_back", "", "", 4, 4, 0, Decimal("100.00")),),
        segments=(segment(1, "few", 4, "100.00"), segment(2, "many", 97, "970.00")),
        segment_flows=(Flow(None, "1", 4), Flow("2", "2", 97)),
        runs=(),
        commits={},
    )
    seen = Page(render(data))
    assert {"4", "96", "€100", "€25.00", "€100.00", "+4"} & set(seen.texts) == set()
    assert not re.search(r'"value": (4|96|100|66.66)[,}]', seen.scripts[0])
    assert "Numbers about fewer than 5 users are withheld" in "".join(seen.texts)


def test_marks_that_turn_the_direction_of_text_are_left_out():
    html = render(full(stage_order=("a\u202eb",), stages=(stage("a\u202eb", 70),)))
    assert "\u202e" not in html
    assert "\\u202e" not in html
    assert "ab" in Page(html).texts
