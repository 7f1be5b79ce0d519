import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from activation.audiences.section_builders import full_audiences
from activation.publish.section_builders import completed, full_making, snapshot
from activation.report.builders import empty_page, full_page
from analytics.segments.section_builders import full_segments, segment
from analytics.stages.section_builders import full_stages, rung, stage
from analytics.value.section_builders import full_value, rfm
from ingestion.events.section_builders import deliveries, delivery
from lifestage.activation.audiences.section import AudienceCount
from lifestage.activation.report import page
from lifestage.activation.report.content import Header, join_chapters
from lifestage.analytics.segments.section import Feature
from lifestage.analytics.value.section_data import IndexPart, RfmCount, TierCount, TopShare
from lifestage.platform.as_of_dates import EarlierDates
from lifestage.platform.reporting.section import Chapter
from lifestage.platform.reporting.words import load_words
from lifestage.platform.result import Check
from lifestage.users.identity.movement import Move
from support.reporting import AS_OF, NOW, TEXTS, WORDS


def render(found, words=WORDS):
    return page.render(found, words)


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
    """A page with the text wherever data can carry one."""
    checked = replace(snapshot((Check(text, False, text),)), snapshot_id=text, digest=text)
    ran = replace(completed(text), seconds={text: 1.0}, table_versions={text: 1})
    return full_page(
        header=Header(text, AS_OF, text, NOW, text),
        lifecycle=full_stages(
            display=(text,),
            ladder=(rung(text, text, text, text),),
            counts=(stage(text, 3),),
            moves=(Move(text, text, 3), Move(text, None, 2)),
        ),
        value=full_value(
            names={"[1-5][1-5]": text},
            tiers=(TierCount(text, 3, Decimal(1), Decimal(0)),),
            parts=(IndexPart(text, text, 1.0, 0.0, 1.0),),
        ),
        segments=full_segments(
            features=(Feature(text, text, text),), counts=(segment(name=text, feature=text),)
        ),
        audiences=full_audiences(
            counts=(AudienceCount(text, text, text, text, 3, 0, 0, Decimal(1)),), rules={text: text}
        ),
        data=deliveries(delivery(source=text, reasons={text: 1})),
        made=full_making(run_id=text, snapshots=(checked,), runs=(ran,), commits={text: 1}),
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
    seen = Page(render(full_page()))
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
    seen = Page(render(full_page()))
    policy = next(a["content"] for _, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy


def test_the_bundled_script_cannot_end_its_own_element():
    bundle = Page(render(full_page())).scripts[1]
    assert "vegaEmbed" in bundle[-200:]
    assert not re.search(r"</script|<!--|\r", bundle, re.IGNORECASE)


def test_the_same_data_give_the_same_file_and_it_is_small_enough_to_mail():
    html = render(full_page())
    assert html == render(full_page())
    assert len(html.encode()) < 1_500_000


def test_a_first_run_without_any_data_gives_sentences_and_no_script():
    seen = Page(render(empty_page()))
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
    ("key", "data", "field", "nothing"),
    [
        *[("lifecycle", full_stages(), field, ()) for field in ("ladder", "counts", "moves")],
        ("lifecycle", full_stages(), "earlier", EarlierDates()),
        *[("value", full_value(), field, ()) for field in ("tiers", "moves", "top_shares", "parts", "rfm")],
        *[("segments", full_segments(), field, ()) for field in ("features", "counts", "moves")],
        ("audiences", full_audiences(), "counts", ()),
        ("data", deliveries(delivery()), "deliveries", ()),
        *[("made", full_making(), field, ()) for field in ("snapshots", "runs")],
        ("made", full_making(), "commits", {}),
    ],
)
def test_any_part_may_be_missing(key, data, field, nothing):
    assert "<h1>Shop</h1>" in render(full_page(**{key: replace(data, **{field: nothing})}))


def test_every_chart_has_its_place_and_a_table_with_its_numbers():
    seen = Page(render(full_page()))
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
    seen = Page(render(full_page()))
    folds = [a.get("class") for tag, a in seen.tags if tag == "details"]
    tables = [tag for tag, _ in seen.tags if tag == "table"]
    # The tables of a first report all have columns that need a word.
    assert folds.count("about") == len(tables)
    assert [a.get("class") for tag, a in seen.tags if tag == "p"].count("what") == 8


def test_sections_come_in_the_order_of_the_questions():
    seen = Page(render(full_page()))
    sections = [a["id"] for tag, a in seen.tags if tag == "section"]
    assert sections == ["summary", "lifecycle", "value", "segments", "audiences", "channels", "data", "made"]


def test_one_scored_cell_is_enough_for_a_map():
    assert "champions" in render(full_page(value=full_value(rfm=(rfm(5, 1),))))


def test_the_page_speaks_chinese_with_its_numbers():
    words = load_words("zh", None, "CNY", TEXTS)
    html = render(full_page(words), words)
    seen = Page(html)
    assert ("html", {"lang": "zh"}) in seen.tags
    assert (
        "共有 10 位用户处于各生命周期阶段，其中“成熟”人数最多，占 80.0%。计划：Status。负责人：未指定。"
        in "".join(seen.texts)
    )
    assert "¥80" in seen.texts


def test_a_locale_writes_numbers_and_dates_its_own_way():
    words = load_words("en", "de_DE", "EUR", TEXTS)
    many = full_stages(counts=(stage("mature", 12_345),))
    seen = Page(render(full_page(words, lifecycle=many), words))
    assert "12.345" in seen.texts
    assert "80\N{NO-BREAK SPACE}€" in seen.texts
    assert "21.11.2026" in seen.texts


def test_small_numbers_are_nowhere_in_the_file():
    """4 users in a cell of their own, among many others; their spend is 25.00 each."""
    few = RfmCount("scored", 365, 5, 5, 4, Decimal("100.00"))
    many = [RfmCount("scored", 365, r, 1, 50, Decimal(1000)) for r in (1, 2, 3)]
    data = full_page(
        least_users=5,
        lifecycle=full_stages(
            counts=(stage("novice", 4), stage("mature", 96)),
            moves=(Move("novice", "mature", 4), Move("mature", "mature", 96)),
        ),
        value=full_value(
            rfm=(few, *many),
            tiers=(
                TierCount("high", 4, Decimal("100.00"), Decimal(1)),
                TierCount("low", 150, Decimal(3000), Decimal(0)),
            ),
            top_shares=(TopShare(1, 2, Decimal("66.66")), TopShare(100, 153, Decimal("3099.99"))),
        ),
        audiences=full_audiences(
            counts=(AudienceCount("win_back", n_users=4, n_entered=4, amount=Decimal("100.00")),)
        ),
        segments=full_segments(
            counts=(segment(1, "few", 4, "100.00"), segment(2, "many", 97, "970.00")),
            moves=(Move(None, "1", 4), Move("2", "2", 97)),
        ),
        made=full_making(runs=(), commits={}),
    )
    seen = Page(render(data))
    assert {"4", "96", "€100", "€25.00", "€100.00", "+4"} & set(seen.texts) == set()
    assert not re.search(r'"value": (4|96|100|66.66)[,}]', seen.scripts[0])
    # Where it stands: beside each table, legend and tile that withholds a number, and nowhere else.
    explained = [
        text for text in seen.texts if text.startswith("“–” is a withheld number: it is about fewer than 5")
    ]
    withholding = [each for chapter in data.chapters for each in chapter.figures if each.is_withheld]
    assert len(explained) == len(withholding) + sum(tile.is_withheld for tile in data.tiles) >= 5


def test_marks_that_turn_the_direction_of_text_are_left_out():
    turned = full_stages(display=("a\u202eb",), counts=(stage("a\u202eb", 70),))
    html = render(full_page(lifecycle=turned))
    assert "\u202e" not in html
    assert "\\u202e" not in html
    assert "ab" in Page(html).texts


def test_the_summary_has_the_sentences_of_the_sections_in_their_order():
    found = full_page(lifecycle=full_stages(display=("novice", "mature", "churned")))
    targets = [sentence.target for sentence in found.sentences]
    assert targets == ["lifecycle", "stages-chart", "concentration-chart", "audiences-chart", "data", "data"]
    assert [tile.label for tile in found.tiles] == ["Users", "Buyers", "Valid rows", "Checks"]


def test_sentences_do_not_tell_of_a_few():
    said = " ".join(sentence.text for sentence in full_page(least_users=5).sentences)
    assert "Win back" not in said
    assert "one user" not in said


def test_parts_of_a_chapter_join_in_their_order_under_its_title():
    parts = [
        Chapter("made", notes=("a",)),
        Chapter("first", "First"),
        Chapter("made", "Made", "about", ("b",)),
    ]
    assert join_chapters(["first", "made"], parts) == (
        Chapter("first", "First"),
        Chapter("made", "Made", "about", ("a", "b")),
    )
    with pytest.raises(KeyError):
        join_chapters(["first"], parts)
