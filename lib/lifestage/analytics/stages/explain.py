"""The stage of one user with its rule and values, since when they have it, and what hypotheses would make of it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pyspark.sql import DataFrame

from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.history import find_history
from lifestage.analytics.stages.ladder import assign_stages
from lifestage.platform.explain import BLANK, Explain, Line, ResultColumn, format_date, value_lines
from lifestage.platform.hypotheses import Hypotheses
from lifestage.platform.user_rows import Scope, UserRows


def explain_stage(rows: UserRows, _config: StageLadder) -> dict[str, Any]:
    """The stage with the rule that holds and the values that matched, and the stage on every date that is kept."""
    # One row a date that is kept.
    history = find_history(rows.tables["user_stages"])
    now = history[-1] if history and history[-1]["as_of"] == rows.as_of else {}
    return {
        "stage": {
            "name": now.get("stage"),
            "rule": now.get("rule"),
            "matched": now.get("matched"),
            "observed_since": now.get("observed_since"),
            "previous": now.get("previous_stage"),
            "history": [{"as_of": row["as_of"], "stage": row["stage"]} for row in history],
        }
    }


def show_stage(answer: Mapping[str, Any], width: int) -> Iterator[Line]:
    """The stage, its rule and values, and its history in one line of the width."""
    stage = answer["stage"]
    yield BLANK
    if stage["name"] is None:
        yield "stage", "none: the identifier is shared by several people"
        return
    before = f", {stage['previous']} before" if stage["previous"] else ""
    yield "stage", f"{stage['name']}, observed since {format_date(stage['observed_since'])}{before}"
    yield "  rule", "none of the others holds" if stage["rule"] == "true" else stage["rule"]
    yield from value_lines(stage["matched"])
    yield "  history", _timeline(stage["history"], width)


def assume_stages(hypotheses: Hypotheses, config: StageLadder) -> dict[str, DataFrame]:
    """The stage under each hypothesis."""
    return {"user_stages": assign_stages(hypotheses.tables["user_features"], config)}


EXPLAIN = Explain(
    reads={"user_stages": Scope.HISTORY},
    answer=explain_stage,
    lines=show_stage,
    assume=assume_stages,
    results=(ResultColumn("user_stages", "stage", "stage"),),
)


def _timeline(history: Sequence[Mapping[str, Any]], width: int) -> str:
    """Each stretch of one stage with its first date, the newest that fit: ... > novice 31 Jan 2026 > growth 30 Apr."""
    stretches = [next(rows) for _, rows in groupby(history, key=lambda row: row["stage"])]
    for n in range(len(stretches)):
        line = " > ".join([*["..."][: min(n, 1)], *_stretches(stretches[n:])])
        if len(line) <= width:
            break
    return line


def _stretches(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each stretch with its date; the year where it changes."""
    year = None
    for row in rows:
        when = row["as_of"]
        yield f"{row['stage']} {when.day} {when:%b}" + (f" {when.year}" if when.year != year else "")
        year = when.year
