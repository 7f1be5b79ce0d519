"""Build the documentation site. scripts/docs --site calls it in the environment of scripts/locks/site.lock.

The site has the layout of the repository, so the links in the pages stay valid. Pages load nothing from other servers: no fonts and
no scripts. Diagrams are rendered here.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

ROOT = Path(__file__).parents[1]
PAGES = ("*.md", "docs/**/*.md")
# The navigation: each page is in the first section with a pattern that matches it.
SECTIONS = {
    "Concepts": ("docs/concepts.md", "docs/glossary.md", "docs/laws.md"),
    "How to": ("docs/how-to/*",),
    "Reference": (
        "docs/reference/*",
        "docs/settings.md",
        "docs/cli.md",
        "docs/tables.md",
        "docs/features.md",
    ),
    "Decisions": ("docs/decisions/*",),
    "Project": ("docs/*", "*"),
}
TOP = {"lifestage": "README.md", "Overview": "docs/index.md"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(out: Path) -> None:
    """Write the site to `out`/site. Exits with a message if it has a broken link."""
    source = out / "site-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(out / "site", ignore_errors=True)
    pages = find_pages(ROOT)
    for page in pages:
        copy_page(page, source)
    config = out / "site.yml"
    config.write_text(yaml.safe_dump(site_config(pages), sort_keys=False), encoding="utf-8")
    subprocess.run(["zensical", "build", "--strict", "--config-file", config], check=True)
    broken = sorted(find_broken_links(out / "site"))
    if broken:
        sys.exit("\n".join(["The site has broken links:", *broken]))
    print(out / "site" / "index.html")


def find_pages(root: Path) -> list[str]:
    """The pages of the repository, as paths in it."""
    found = {path.relative_to(root).as_posix() for pattern in PAGES for path in root.glob(pattern)}
    return sorted(found)


def site_config(pages: list[str]) -> dict[str, object]:
    """The configuration of the site generator, with every page in the navigation."""
    return {
        "site_name": "lifestage",
        "site_description": "User lifecycle management on PySpark and Delta Lake",
        "docs_dir": "site-source",
        "site_dir": "site",
        # Pages are files, so the site can be read without a server.
        "use_directory_urls": False,
        "nav": [
            *({name: page} for name, page in TOP.items()),
            *({name: parts} for name, parts in navigation(pages).items() if parts),
        ],
        "theme": {
            "name": "material",
            "font": False,
            "features": ["navigation.indexes", "navigation.top", "navigation.tracking", "content.code.copy"],
            "palette": [
                {
                    "media": "(prefers-color-scheme: light)",
                    "scheme": "default",
                    "toggle": {"icon": "lucide/sun", "name": "Dark mode"},
                },
                {
                    "media": "(prefers-color-scheme: dark)",
                    "scheme": "slate",
                    "toggle": {"icon": "lucide/moon", "name": "Light mode"},
                },
            ],
        },
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "md_in_html",
            "tables",
            {"toc": {"permalink": True}},
            "pymdownx.highlight",
            "pymdownx.superfences",
        ],
    }


def navigation(pages: list[str]) -> dict[str, list[str]]:
    """The pages of each section, in the order of the patterns. The index page of a section comes first."""
    sections: dict[str, list[str]] = {}
    left = [page for page in pages if page not in TOP.values()]
    for name, patterns in SECTIONS.items():
        taken = [page for pattern in patterns for page in left if fnmatch(page, pattern)]
        taken = list(dict.fromkeys(taken))
        sections[name] = sorted(taken, key=lambda page: not page.endswith("/README.md"))
        left = [page for page in left if page not in taken]
    return sections


def copy_page(page: str, target: Path) -> None:
    """Copy a page with rendered diagrams, and the files that it links to."""
    text = (ROOT / page).read_text(encoding="utf-8")
    place = target / page
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(DIAGRAM.sub(render_diagram, text), encoding="utf-8")
    for link in LINK.findall(text):
        file = ((ROOT / page).parent / link.partition("#")[0]).resolve()
        if "://" not in link and file.is_file() and file.suffix != ".md":
            copied = target / file.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copied)


def render_diagram(found: re.Match[str]) -> str:
    """Render a Mermaid diagram as SVG on one line, because a blank line would end the block of HTML."""
    import mermaidx

    svg = mermaidx.render(found[1]).svg()
    return '<div style="background: #fff; overflow-x: auto">' + " ".join(svg.split()) + "</div>"


class Page(HTMLParser):
    """The links, resources and anchors of a built page."""

    def __init__(self, text: str) -> None:
        """Parse the text of a page."""
        super().__init__()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the links, resources and anchors of a tag."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if "src" in values:
            self.resources.append(values["src"])
        if "href" in values:
            (self.links if tag == "a" else self.resources).append(values["href"])


def find_broken_links(site: Path) -> Iterator[str]:
    """Yield every link to a missing file or anchor, and everything that a page loads from another server."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        if path.name == "404.html":  # its links are relative to the root of a server
            continue
        where = path.relative_to(site.resolve()).as_posix()
        yield from (f"{where} loads {each}" for each in page.resources if urlsplit(each).netloc)
        for link in page.links + page.resources:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{where}: {link}: no such file"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{where}: {link}: no such anchor"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
