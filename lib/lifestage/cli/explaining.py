"""explain: one user, with every reason."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from lifestage.cli.terminal import DEFAULT_CONF, AsJson, Conf, console, day, grid, loaded, opened, say_json
from lifestage.config import read_secret
from lifestage.explaining import explain as explained

FROM_INPUT = "-"
WORDS = {"stage": "stage", "rfm_name": "RFM", "tier": "tier", "segment": "segment"}


def explain(
    user: Annotated[
        str,
        typer.Argument(help="A user_id, a pseudonym or a raw identifier; - reads it from standard input."),
    ],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Date; the newest one by default.")] = None,
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Why a user has their stage, RFM, tier, segment and audiences, since when, and what would change it.

    Example: lifestage explain 1f0c63a0be9d --as-of 2026-11-21 --conf conf/prod.yaml
    """
    name = sys.stdin.readline().strip() if user == FROM_INPUT else user
    date = day("--as-of", as_of) if as_of else None
    secrets = loaded(conf).main.secrets
    # Without keys a raw identifier cannot be found; a user_id and a pseudonym can.
    has_keys = all(read_secret(each) for each in (secrets.pseudonym_key, secrets.quarantine_key))
    found = explained(opened(conf, needs_keys=has_keys), name, date)
    if as_json:
        say_json(found)
        return
    facts = grid("", "", wraps=[""])
    facts.show_header = False
    for title, text in _lines(found):
        facts.add_row(title, text)
    console.print(facts, markup=False)


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "user", f"{found['user_id']} as of {found['as_of']}"
    yield from _stage_lines(found["stage"])
    yield from _value_lines(found["rfm"], found["tier"])
    yield from _segment_lines(found["segment"])
    for audience in found["audiences"]:
        yield "audience", audience["name"]
        yield "  because", f"{audience['rule']} ({_values(audience['matched'])})"
    if not found["audiences"]:
        yield "audience", "none"
    yield from _change_lines(found["would_change"])


def _stage_lines(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if stage["name"] is None:
        yield "stage", "none: the identifier is shared by several people"
        return
    before = f", before that {stage['previous']}" if stage["previous"] else ""
    yield "stage", f"{stage['name']}, observed since {stage['observed_since']}{before}"
    yield "  because", f"{stage['rule']} ({_values(stage['matched'])})"
    yield "  history", _timeline(stage["history"])


def _timeline(history: Sequence[Mapping[str, Any]]) -> str:
    """Each stretch of one stage with its first date: novice 2026-01-31 > growth 2026-04-30."""
    stretches = [next(rows) for _, rows in groupby(history, key=lambda row: row["stage"])]
    return " > ".join(f"{row['stage']} {row['as_of']}" for row in stretches)


def _value_lines(rfm: Mapping[str, Any], tier: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if rfm["rfm_status"] != "scored":
        yield "RFM", str(rfm["rfm_status"]).replace("_", " ")
        return
    scores = f"R{rfm['r_score']} F{rfm['f_score']} M{rfm['m_score']}"
    measured = f"{rfm['recency_days']} days ago, {rfm['frequency']} occasions, {rfm['monetary_amount']:,} net"
    yield "RFM", f"{rfm['rfm_name']}: {scores} ({measured})"
    bounds = ", ".join(f"{name} from {least}" for name, least in reversed(tier["least_index"].items()))
    yield "tier", f"{tier['name']}: index {tier['value_index']} ({bounds})"
    parts = "; ".join(
        f"{part['dimension']}.{part['component']} {part['value']:g} gives {part['gives']:.4f} of {part['weight']:g}"
        for part in tier["parts"]
    )
    yield "  because", parts


def _segment_lines(segment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not segment or segment["segment"] is None:
        yield "segment", str(segment.get("status", "none")).replace("_", " ")
        return
    yield "segment", f"{segment['segment']} (segment {segment['segment_id']} of model {segment['model_id']})"
    other = segment["runner_up_distance"]
    beside = f"; the next, segment {segment['runner_up_id']}, is at {other:.2f}" if other is not None else ""
    yield "  because", f"its centre is nearest, at {segment['distance']:.2f}{beside}"


def _change_lines(changes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    title = "would change"
    for name, by in changes.items():
        if bought := by["purchase"]:
            yield (
                title,
                f"one purchase of {bought['amount']:,} on {bought['on']}: {WORDS[name]} {bought['to'] or 'none'}",
            )
            title = ""
        if silent := by["silence"]:
            yield title, f"silence until {silent['on']}: {WORDS[name]} {silent['to'] or 'none'}"
            title = ""


def _values(matched: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sorted((matched or {}).items())) or "always"
