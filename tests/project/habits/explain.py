"""Why a user is frequent or rare."""

from collections.abc import Iterator, Mapping
from typing import Any

from lifestage.analytics.habits.config import HabitsConfig

from lifestage.platform.explain import BLANK, Explain, Line
from lifestage.platform.user_rows import Scope, UserRows


def explain_habit(rows: UserRows, config: HabitsConfig) -> dict[str, Any]:
    """The habit with the least number of days that makes it."""
    return {"habit": {"name": rows.row("user_habits").get("habit"), "frequent_from": config.frequent_days}}


def show_habit(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """The habit and its bound."""
    yield BLANK
    yield "habit", f"{answer['habit']['name']}, frequent from {answer['habit']['frequent_from']} days on"


EXPLAIN = Explain(reads={"user_habits": Scope.USER}, answer=explain_habit, lines=show_habit)
