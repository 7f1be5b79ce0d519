"""The page: one HTML text that needs nothing else. Pure: the same data give the same text."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from importlib.resources import files

import vl_convert
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from lifestage.report.audiences import audiences_section
from lifestage.report.content import ReportData
from lifestage.report.quality import quality_section
from lifestage.report.rfm import rfm_section
from lifestage.report.runs import checks_section, run_section
from lifestage.report.segments import segments_section
from lifestage.report.stages import stages_section
from lifestage.report.summary import sentences
from lifestage.report.tiles import headline_tiles
from lifestage.report.value import value_section


def render(data: ReportData) -> str:
    """The report as HTML. Every text of the data is escaped; a browser is told to fetch and run nothing else."""
    sections = (
        stages_section(data),
        rfm_section(data),
        value_section(data),
        segments_section(data),
        audiences_section(data),
        quality_section(data),
        checks_section(data),
        run_section(data),
    )
    specs = {chart.key: chart.spec for section in sections for chart in section.charts}
    scripts = [_vega(), _asset("page.js")] if specs else []
    return _template().render(
        header=data.header,
        facts=_facts(data),
        tiles=headline_tiles(data),
        sentences=sentences(data),
        sections=sections,
        specs=specs,
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
    )


def _facts(data: ReportData) -> dict[str, str]:
    header = data.header
    return {
        "As of": str(header.as_of),
        "Snapshot": ", ".join(s.snapshot_id for s in data.snapshots[:3]) or "none",
        "Run": header.run_id,
        "Run at": f"{header.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "Code version": header.code_version,
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
    return environment.from_string(_asset("page.html"))


def _policy(scripts: Sequence[str]) -> str:
    """Only these scripts run, by their digests, and nothing is fetched: data that slipped through could do neither."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"
