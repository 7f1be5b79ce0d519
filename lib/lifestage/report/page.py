"""The page: one HTML text that needs nothing else. Pure: the same data give the same text."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC
from functools import cache
from importlib.resources import files

import vl_convert
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from lifestage.report.content import ReportData
from lifestage.report.customers import rfm_section, segments_section, stages_section
from lifestage.report.grids import Look, Tile, count, share
from lifestage.report.operations import accuracy, checks_section, quality_section, run_section


def render(data: ReportData) -> str:
    """The report as HTML. Every text of the data is escaped; a browser is told to fetch and run nothing else."""
    sections = (
        stages_section(data),
        rfm_section(data),
        segments_section(data),
        quality_section(data),
        checks_section(data),
        run_section(data),
    )
    specs = {chart.key: chart.spec for section in sections for chart in section.charts}
    scripts = [_vega(), _asset("page.js")] if specs else []
    return (
        _environment()
        .from_string(_asset("page.html"))
        .render(
            header=data.header,
            facts=_facts(data),
            tiles=_tiles(data),
            sections=sections,
            specs=specs,
            style=Markup(_asset("page.css")),
            scripts=[Markup(script) for script in scripts],
            policy=_policy(scripts),
        )
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


def _tiles(data: ReportData) -> tuple[Tile, ...]:
    """The headline numbers; each says what it counts."""
    return (_users_tile(data), _buyers_tile(data), _accuracy_tile(data), _checks_tile(data))


def _users_tile(data: ReportData) -> Tile:
    totals: dict[str, int] = {}
    for stage in data.stages:
        totals[str(stage.as_of)] = totals.get(str(stage.as_of), 0) + stage.n_users
    *earlier, newest = totals.items() or [("", 0)]
    if not earlier:
        return Tile("Users", count(newest[1]), ("in a lifecycle stage",))
    date, before = earlier[-1]
    return Tile("Users", count(newest[1]), ("in a lifecycle stage", f"{newest[1] - before:+,} since {date}"))


def _buyers_tile(data: ReportData) -> Tile:
    scored = sum(c.n_users for c in data.rfm if c.r_score is not None)
    period = data.rfm[0].period_days if data.rfm else 365
    return Tile("Buyers", count(scored), (f"scored for the last {period} days",))


def _accuracy_tile(data: ReportData) -> Tile:
    new = [d for d in data.deliveries if d.is_new]
    passed, received = accuracy(new or data.deliveries)
    where = "this run" if new else "all deliveries"
    return Tile(
        "Accuracy of data", share(passed, received, digits=2), (f"of {count(received)} rows received", where)
    )


def _checks_tile(data: ReportData) -> Tile:
    checks = data.snapshots[0].checks if data.snapshots else ()
    passed = sum(check.passed for check in checks)
    look = Look.GOOD if passed == len(checks) else Look.BAD
    if not checks:
        return Tile("Checks", "none", ("no snapshot of this date",))
    return Tile(
        "Checks", f"{passed} of {len(checks)}", ("passed for snapshot", data.snapshots[0].snapshot_id), look
    )


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script: 0.9 MB, 1.8 s to bundle, so once a process."""
    return str(vl_convert.javascript_bundle())


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _policy(scripts: Sequence[str]) -> str:
    """Only these scripts run, by their digests, and nothing is fetched: data that slipped through could do neither."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    rules = {
        "default-src": "'none'",
        "script-src": allowed,
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
    }
    return "; ".join(
        f"{name} {value}" for name, value in (rules | {"base-uri": "'none'", "form-action": "'none'"}).items()
    )
