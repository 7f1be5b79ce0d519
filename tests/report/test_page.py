import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lifestage.report.content import Check, Feature, Header, ReportData
from lifestage.report.page import render
from report.builders import (
    AS_OF,
    NOW,
    completed,
    delivery,
    empty,
    full,
    rfm,
    segment,
    snapshot,
    stage,
)

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
            self.texts.append(data)


def planted(text):
    """The text wherever data can carry one."""
    return full(
        header=Header(text, text, AS_OF, text, NOW, text),
        stage_order=(text,),
        stages=(stage(text, 3),),
        rfm_names={"[1-5][1-5]": text},
        features=(Feature(text, text, text),),
        segments=(segment(name=text),),
        deliveries=(delivery(source=text, path=text, reasons={text: 1}),),
        snapshots=(replace(snapshot((Check(text, False, text),)), snapshot_id=text, digest=text),),
        runs=(replace(completed(text), seconds={text: 1.0}, table_versions={text: 1}),),
        commits={text: 1},
    )


def specs(page):
    return json.loads(page.scripts[0])


@pytest.mark.parametrize("text", NASTY)
def test_text_of_the_data_is_shown_and_never_becomes_markup(text):
    harmless, nasty = Page(render(planted("harmless"))), Page(render(planted(text)))
    assert [tag for tag, _ in nasty.tags] == [tag for tag, _ in harmless.tags]
    assert len(nasty.scripts) == 3
    assert nasty.texts.count(text) >= 20
    assert specs(nasty)["stages-chart"]["data"]["values"][0]["stage"] == text


def test_nothing_is_fetched():
    page = Page(render(full()))
    asked = [attributes for _, attributes in page.tags if {"src", "href", "srcset", "data"} & set(attributes)]
    places = {f"#{attributes['id']}" for tag, attributes in page.tags if tag == "section"}
    assert all(set(attributes) == {"href"} and attributes["href"] in places for attributes in asked)
    assert "@import" not in page.texts
    assert not re.search(r"url\(", "".join(page.texts))
    assert "http" not in page.scripts[0] + page.scripts[2]


def test_the_policy_lets_only_the_pages_own_scripts_run():
    page = Page(render(full()))
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
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
    page = Page(render(empty()))
    text = "\n".join(page.texts)
    for sentence in (
        "No user has a stage as of 2026-11-21 or before.",
        "No user has a value as of 2026-11-21.",
        "No user is in a segment as of 2026-11-21.",
        "Nothing has been delivered yet.",
        "No snapshot of 2026-11-21 has been published.",
        "No run has been completed before this one",
    ):
        assert sentence in text
    assert page.scripts == []
    assert "table" not in [tag for tag, _ in page.tags]


@pytest.mark.parametrize(
    "field", ["stages", "rfm", "features", "segments", "deliveries", "snapshots", "runs", "commits"]
)
def test_any_part_may_be_missing(field):
    nothing = getattr(ReportData(full().header), field)
    segments = (segment(total="1.00"),) if field != "features" else (replace(segment(), sums=(), counts=()),)
    assert "<h1>Shop</h1>" in render(full(**{"segments": segments, field: nothing}))


def test_every_chart_has_its_place_and_a_table_with_its_numbers():
    page = Page(render(full()))
    places = {attributes.get("id") for tag, attributes in page.tags if tag == "div"}
    assert set(specs(page)) == {"stages-chart", "reasons-chart", "seconds-chart"} <= places
    for caption in (
        "Users by date and stage",
        "Rejected rows by source and reason",
        "Seconds by step in run run-0",
    ):
        assert caption in page.texts


def test_every_section_says_what_its_figure_means():
    page = Page(render(full()))
    titles = [tag for tag, _ in page.tags if tag == "h2"]
    definitions = [a for _, a in page.tags if a.get("class") == "definition"]
    assert len(titles) == len(definitions) == 9


def test_one_scored_cell_is_enough_for_a_map():
    assert "champions" in render(full(rfm=(rfm(5, 1),)))
