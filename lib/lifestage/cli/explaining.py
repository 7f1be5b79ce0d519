"""explain and identity: one user, with every reason."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.terminal import DEFAULT_CONF, AsJson, Conf, console, day, grid, loaded, opened, say_json
from lifestage.project.runner import Project
from lifestage.project.secrets import read_secret
from lifestage.services.explain import explain as explained
from lifestage.services.persons import graph

FROM_INPUT = "-"
TITLES = 12
N_LETTERS = 12
EMPTY = ("", "")
WORDS = {"stage": "stage", "rfm_name": "RFM", "tier": "tier", "segment": "segment"}

User = Annotated[
    str,
    typer.Argument(help="A user_id, a pseudonym or a raw identifier; - reads it from standard input."),
]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Date; the newest one by default.")]


def explain(
    user: User,
    as_of: AsOf = None,
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Why a user has their stage, RFM, tier, segment and audiences, since when, and what would change it.

    Example: lifestage explain 1f0c63a0be9d4d1f8a4f0f6a2f4f9a10 --as-of 2026-11-21 --conf conf/prod.yaml
    """
    found = explained(_brief(conf), _name(user), day("--as-of", as_of) if as_of else None)
    if as_json:
        say_json(found)
        return
    _say(lines(found, console.width - TITLES - 1))


def identity(
    user: User,
    as_of: AsOf = None,
    conf: Conf = DEFAULT_CONF,
    as_json: AsJson = False,
) -> None:
    """Which identifiers are one person, by what evidence, what was withheld, and what moved when.

    Example: lifestage identity 1f0c63a0be9d4d1f8a4f0f6a2f4f9a10 --as-of 2026-11-21 --conf conf/prod.yaml
    """
    found = graph(_brief(conf), _name(user), day("--as-of", as_of) if as_of else None)
    if as_json:
        say_json(found)
        return
    _say(identity_lines(found))


def _brief(conf: Path) -> Project:
    """The project; without keys a raw identifier cannot be found, a user_id and a pseudonym can."""
    secrets = loaded(conf).shared.secrets
    has_keys = all(read_secret(each) for each in (secrets.pseudonym_key, secrets.quarantine_key))
    return opened(conf, needs_keys=has_keys, is_brief=True)


def _name(user: str) -> str:
    return sys.stdin.readline().strip() if user == FROM_INPUT else user


def _say(rows: Iterable[tuple[str, str]]) -> None:
    facts = grid("", "", wraps=[""])
    facts.show_header = False
    facts.columns[0].min_width = TITLES
    for title, text in rows:
        facts.add_row(title, text)
    console.print(facts, markup=False)


def lines(found: Mapping[str, Any], width: int) -> Iterator[tuple[str, str]]:
    """What `explain` found, as titles and texts; the history in one line of the width."""
    yield "user", found["user_id"]
    yield "as of", _day(found["as_of"])
    # Of one identifier there is nothing to tell apart.
    several = found["identifiers"] if len(found["identifiers"]) > 1 else []
    for title, each in _titled("joined from", several):
        kind = f"{each['type'] or 'identifier':<8} {_short(each['identifier'])}"
        yield title, f"{kind}  {_days(each['active_days'])} active, {each['net_amount']:,} net"
    for title, known in _titled("profile", found["profile"]):
        yield title, f"{known['name']} {known['value']}, {known['source']} of {_day(known['valid_from'])}"
    yield from _stage_lines(found["stage"], width)
    yield from _rfm_lines(found["rfm"])
    yield from _tier_lines(found["tier"])
    yield from _segment_lines(found["segment"])
    yield from _audience_lines(found["audiences"])
    if found["is_config_changed"]:
        yield EMPTY
        yield (
            "note",
            "the configuration has changed since this date was built: what would change is told after a run",
        )
    yield from _change_lines(found["would_change"])


def identity_lines(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What `graph` found, as titles and texts; an identifier is written by its first letters."""
    yield "user", found["user_id"]
    yield "as of", _day(found["as_of"])
    if found["status"] != "active":
        yield "status", f"{found['status']}: in totals, not in stages, value or segments"
    yield EMPTY
    for title, each in _titled("identifiers", found["identifiers"]):
        yield title, _identifier(each)
    yield EMPTY
    for title, each in _titled("evidence", found["evidence"]):
        yield title, _pair(each)
        for reason in each["against"]:
            yield "", f"  does not count: {reason}"
    for title, each in _titled("decisions", found["decisions"]):
        yield (
            title,
            f"{_short(each['a'])} and {_short(each['b'])} are one: {each['because'] or 'no reason given'}",
        )
    if found["changes"]:
        yield EMPTY
    for title, each in _titled("moved", found["changes"]):
        yield title, _move(each)


def _titled(title: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each with a title, which is said once."""
    for n, row in enumerate(rows):
        yield ("" if n else title), row


def _identifier(each: Mapping[str, Any]) -> str:
    since = f"since {_day(each['linked_on'])}" if each["linked_on"] else "joined to nothing"
    key = ", the oldest: the user is named after it" if each["is_key"] else ""
    shared = f", shared: {', '.join(each['withheld'])}" if each["withheld"] else ""
    return f"{each['type'] or 'identifier':<8} {each['identifier']} {since}{key}{shared}"


def _pair(each: Mapping[str, Any]) -> str:
    ends = f"{each['a_type']} {_short(each['a'])} and {each['b_type']} {_short(each['b'])}"
    seen = _day(each["first_on"])
    until = "" if each["last_on"] == each["first_on"] else f" to {_day(each['last_on'])}"
    said = f"{each['n']} rows" if each["score"] is None else f"score {each['score']:.6f}"
    return f"{ends}, {each['source']}, {seen}{until}, {said}"


def _move(each: Mapping[str, Any]) -> str:
    by = f" by {_short(each['a'])} and {_short(each['b'])}" if each["a"] else ""
    return f"{_day(each['as_of'])}: {_short(each['identifier'])} {each['cause']}{by}, from user {each['from_user_id']} to {each['to_user_id']}"


def _short(pseudonym: str) -> str:
    return pseudonym[:N_LETTERS]


def _day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def _stage_lines(stage: Mapping[str, Any], width: int) -> Iterator[tuple[str, str]]:
    yield EMPTY
    if stage["name"] is None:
        yield "stage", "none: the identifier is shared by several people"
        return
    before = f", {stage['previous']} before" if stage["previous"] else ""
    yield "stage", f"{stage['name']}, observed since {_day(stage['observed_since'])}{before}"
    yield "  rule", "none of the others holds" if stage["rule"] == "true" else stage["rule"]
    yield from _values(stage["matched"])
    yield "  history", _timeline(stage["history"], width)


def _timeline(history: Sequence[Mapping[str, Any]], width: int) -> str:
    """Each stretch of one stage with its first date, the newest that fit: ... > novice 31 Jan 2026 > growth 30 Apr."""
    stretches = [next(rows) for _, rows in groupby(history, key=lambda row: row["stage"])]
    for n in range(len(stretches)):
        line = " > ".join([*["..."][: min(n, 1)], *_stretches(stretches[n:])])
        if len(line) <= width:
            break
    return line


def _stretches(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A year is said where it begins."""
    year = None
    for row in rows:
        when = row["as_of"]
        yield f"{row['stage']} {when.day} {when:%b}" + (f" {when.year}" if when.year != year else "")
        year = when.year


def _rfm_lines(rfm: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield EMPTY
    if rfm["rfm_status"] != "scored":
        yield "RFM", str(rfm["rfm_status"] or "none").replace("_", " ")
        return
    yield "RFM", f"{rfm['rfm_name']}: R{rfm['r_score']} F{rfm['f_score']} M{rfm['m_score']}"
    often = f"bought on {_days(rfm['frequency'])} of {rfm['rfm_period_days']}"
    yield "", f"{often}, the last {_days(rfm['recency_days'])} ago, {rfm['monetary_amount']:,} net"


def _days(n: int) -> str:
    return f"{n} day" if n == 1 else f"{n} days"


def _tier_lines(tier: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if tier["name"] is None:
        return
    yield EMPTY
    yield "tier", f"{tier['name']}: index {tier['value_index']}"
    yield "  from", ", ".join(f"{name} {least}" for name, least in reversed(tier["least_index"].items()))
    names = [f"{part['dimension']}.{part['component']}" for part in tier["parts"]]
    for name, part in zip(names, tier["parts"], strict=True):
        given = f"gives {part['gives']:.4f} of {part['weight']:<6g}"
        yield "", f"{name:<{max(map(len, names))}}  {given}  at {part['value']:,g}"


def _segment_lines(segment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield EMPTY
    if not segment or segment["segment"] is None:
        yield "segment", str(segment.get("status", "none")).replace("_", " ")
        return
    yield "segment", segment["segment"]
    other = segment["runner_up_distance"]
    beside = f", segment {segment['runner_up_id']} at {other:.2f}" if other is not None else ""
    yield "  distance", f"segment {segment['segment_id']} at {segment['distance']:.2f}{beside}"
    yield "  model", segment["model_id"]


def _audience_lines(audiences: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield EMPTY
    for audience in audiences:
        yield "audience", audience["name"]
        yield "  rule", audience["rule"]
        yield from _values(audience["matched"])
    if not audiences:
        yield "audience", "none"


def _values(matched: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    values = matched or {}
    for name in sorted(values):
        value = "unknown" if values[name] is None else values[name]
        yield "", f"{name:<{max(map(len, values))}}  {value}"


def _change_lines(changes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A sentence for each thing that was tried and changes a result."""
    if not changes:
        return
    yield EMPTY
    amounts = [by["purchase"]["amount"] for by in changes.values() if by["purchase"]]
    yield "would change", f"where a purchase is one of {amounts[0]:,}" if amounts else ""
    for name, by in changes.items():
        title = f"  {WORDS[name]}"
        for sentence in _sentences(by["purchase"], by["silence"]):
            yield title, sentence
            title = ""


def _sentences(bought: Mapping[str, Any] | None, silent: Mapping[str, Any] | None) -> Iterator[str]:
    if bought and silent and (bought["on"], bought["to"]) == (silent["on"], silent["to"]):
        yield f"with a purchase or without, {_day(silent['on'])} moves to {silent['to'] or 'none'}"
        return
    if bought:
        yield f"one more purchase on {_day(bought['on'])} moves to {bought['to'] or 'none'}"
    if silent:
        yield f"silence until {_day(silent['on'])} moves to {silent['to'] or 'none'}"
    if not bought and not silent:
        yield "neither one more purchase nor silence"
