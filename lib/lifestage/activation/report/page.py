"""The page: one HTML text that needs nothing else. Pure: the same data give the same text."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import vl_convert
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from lifestage.activation.report.audiences import audiences_section
from lifestage.activation.report.channels import channels_section
from lifestage.activation.report.content import ReportData
from lifestage.activation.report.lifecycle import lifecycle_section
from lifestage.activation.report.made import made_section
from lifestage.activation.report.quality import quality_section
from lifestage.activation.report.segments import segments_section
from lifestage.activation.report.summary import sentences
from lifestage.activation.report.tiles import headline_tiles
from lifestage.activation.report.value import value_section
from lifestage.platform.reporting.grids import Chart
from lifestage.platform.reporting.words import Words

SECTIONS = (
    lifecycle_section,
    value_section,
    segments_section,
    audiences_section,
    channels_section,
    quality_section,
    made_section,
)


def render(data: ReportData, words: Words) -> str:
    """The report as HTML. Every text of the data is escaped; a browser is told to fetch and run nothing else."""
    sections = [section(data, words) for section in SECTIONS]
    charts = [each for section in sections for each in section.figures if isinstance(each, Chart)]
    scripts = [_vega(), _asset("page.js")] if charts else []
    html = _template().render(
        words=words,
        header=data.header,
        facts=_facts(data, words),
        tiles=headline_tiles(data, words),
        sentences=sentences(data, words),
        sections=sections,
        least=data.least_users,
        settings={
            "specs": {chart.key: chart.spec for chart in charts},
            "axis": words.axis(),
            "failed": words("page.chart_failed"),
        },
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
    )
    # Marks that turn the direction of what follows would turn numbers too.
    return html.translate(dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def _facts(data: ReportData, words: Words) -> dict[str, str]:
    header = data.header
    return {
        words("fact.as_of"): words.day(header.as_of),
        words("fact.snapshot"): ", ".join(s.snapshot_id for s in data.snapshots[:3]) or words("tile.none"),
        words("fact.run"): header.run_id,
        words("fact.now"): words.moment(header.now),
        words("fact.code_version"): header.code_version,
    }


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
    """Only these scripts run, by their digests, and nothing is fetched: data that slipped through could do neither."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"
