"""The documentation site: every page is on it, and its broken links are found. Building it is scripts/docs --site."""

import pytest

from build_site import ROOT, SECTIONS, TOP, find_broken_links, find_pages, navigation


@pytest.fixture
def site(tmp_path):
    def write(text, name="index.html"):
        (tmp_path / name).write_text(text)
        return tmp_path

    write('<h1 id="top">Other</h1>', "other.html")
    return write


def test_every_page_is_in_the_navigation_once():
    pages = find_pages(ROOT)
    placed = [page for section in navigation(pages).values() for page in section]
    assert sorted([*placed, *TOP.values()]) == pages


def test_every_section_has_pages_and_every_page_of_a_kind_is_in_its_section():
    sections = navigation(find_pages(ROOT))
    assert list(sections) == list(SECTIONS)
    assert all(sections.values())
    assert "docs/how-to/operate.md" in sections["How to"]
    assert sections["Decisions"][0] == "docs/decisions/README.md"


def test_sound_links_are_no_problem(site):
    text = '<a href="other.html#top">x</a><a href="#here">y</a><p id="here"></p><a href="https://example.org">z</a>'
    assert list(find_broken_links(site(text))) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="none.html">x</a>', "index.html: none.html: no such file"),
        ('<a href="other.html#none">x</a>', "index.html: other.html#none: no such anchor"),
        ('<img src="none.png">', "index.html: none.png: no such file"),
        ('<script src="//example.org/x.js"></script>', "index.html loads //example.org/x.js"),
        ('<link href="https://example.org/x.css">', "index.html loads https://example.org/x.css"),
    ],
)
def test_a_broken_link_and_a_foreign_resource_are_found(site, text, problem):
    assert list(find_broken_links(site(text))) == [problem]
