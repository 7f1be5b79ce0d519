"""The audiences of one user, with the rules of the date and the values that matched."""

from collections.abc import Iterator, Mapping
from typing import Any

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.activation.audiences.definitions import Definition, rules_on
from lifestage.platform.explain import BLANK, Explain, Line, value_lines
from lifestage.platform.user_rows import Scope, UserRows


def explain_audiences(rows: UserRows, _config: AudiencesConfig) -> dict[str, Any]:
    """Each audience that the user is in, by name."""
    # One row a change of a rule.
    stored = rows.tables["audience_definitions"]
    rules = rules_on(
        [Definition(row["audience"], row["from_as_of"], row["sql"]) for row in stored], rows.as_of
    )
    members = sorted(rows.tables["user_audiences"], key=lambda row: row["audience"])
    return {
        "audiences": [
            {"name": row["audience"], "rule": rules.get(row["audience"]), "matched": row["matched"]}
            for row in members
        ]
    }


def show_audiences(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """Each audience with its rule and values."""
    yield BLANK
    for audience in answer["audiences"]:
        yield "audience", audience["name"]
        yield "  rule", audience["rule"]
        yield from value_lines(audience["matched"])
    if not answer["audiences"]:
        yield "audience", "none"


EXPLAIN = Explain(
    reads={"user_audiences": Scope.USER, "audience_definitions": Scope.TABLE},
    answer=explain_audiences,
    lines=show_audiences,
)
