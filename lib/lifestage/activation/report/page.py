"""The page as one HTML text that needs no other file. The same content gives the same text."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import vl_convert
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from lifestage.activation.report.content import Page
from lifestage.platform.reporting.grids import Chart
from lifestage.platform.reporting.words import Words


def render(page: Page, words: Words) -> str:
    """The report as HTML. All texts of the data are escaped, and the browser may neither fetch nor run anything else."""
    charts = [each for chapter in page.chapters for each in chapter.figures if isinstance(each, Chart)]
    scripts = [_vega(), _asset("page.js")] if charts else []
    html = _template().render(
        words=words,
        header=page.header,
        facts=page.facts,
        tiles=page.tiles,
        sentences=page.sentences,
        sections=page.chapters,
        least=page.least_users,
        settings={
            "specs": {chart.key: chart.spec for chart in charts},
            "axis": words.axis(),
            "failed": words("page.chart_failed"),
        },
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
    )
    # Marks of text direction in the data would turn the numbers that follow them.
    return html.translate(dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script: 0.9 MB, 1.8 s to bundle, so once a process."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    return environment.from_string(_asset("page.html"))


def _policy(scripts: Sequence[str]) -> str:
    """A policy by which only these scripts run, by their digests, and nothing is fetched."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"
