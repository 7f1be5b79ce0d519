"""The profile of a user, with the record that each value comes from."""

from collections.abc import Iterator, Mapping
from typing import Any

from lifestage.platform.explain import Explain, Line, format_date, title_first
from lifestage.platform.user_rows import Scope, UserRows
from lifestage.users.profiles.config import ProfilesConfig


def explain_profile(rows: UserRows, _config: ProfilesConfig) -> dict[str, Any]:
    """Each known attribute with its value and its record."""
    known = rows.row("user_profiles")
    records = known.get("because") or {}
    return {"profile": [{"name": name, "value": known[name], **record} for name, record in records.items()]}


def show_profile(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """One line per attribute."""
    for title, known in title_first("profile", answer["profile"]):
        yield (
            title,
            f"{known['name']} {known['value']}, {known['source']} of {format_date(known['valid_from'])}",
        )


EXPLAIN = Explain(reads={"user_profiles": Scope.USER}, answer=explain_profile, lines=show_profile)
