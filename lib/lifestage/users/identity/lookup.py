"""Find the persons that have a name, as they were when a date was built, from few rows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from lifestage.platform.storage.filters import After, AnyOf, Is, Where, is_in
from lifestage.users.identity.regrouping import JOURNAL, BuiltDate
from lifestage.users.resolution import UserStatus, derive_user_id, is_user_of

Row = dict[str, Any]
Find = Callable[[str, Where], list[Row]]
"""Finds rows of a table."""


def find_persons(find: Find, names: Iterable[str], built: BuiltDate) -> list[Row]:
    """Rows of identity_map of every user who has one of the names, as identifier or user_id, when a date was built.

    user_id is the user that the identifier had then; all other columns are those of today. An identifier that has lost
    its evidence since has a row as well, with status active and no type. An identifier that nothing joins to another
    has no row.
    """
    wanted = {*names}
    named = _find_named(find, wanted, built)
    users = {row["user_id"] for row in named if {row["identifier"], row["user_id"]} & wanted}
    return [row for row in _find_named(find, users, built) if row["user_id"] in users] if users else []


def find_journal_versions(runs: Iterable[Mapping[str, Any]]) -> dict[date, int]:
    """The version of identity_changes at each date's newest build, from `as_of_dates` and `table_versions` of runs."""
    versions: dict[date, int] = {}
    for run in runs:
        version = (run["table_versions"] or {}).get(JOURNAL, 0)
        for day in run["as_of_dates"] or ():
            versions[day] = max(version, versions.get(day, 0))
    return versions


def _find_named(find: Find, names: set[str], built: BuiltDate) -> list[Row]:
    """The rows of all identifiers that match a name, either themselves or through a user to whom they ever belonged."""
    by_user = is_in("user_id", sorted(names)), is_user_of("identifier", sorted(names))
    by_name = is_in("identifier", sorted(names))
    found = [
        *find("identity_map", (AnyOf((by_name, by_user[0])),)),
        *find("identity_past", (_on_date(built), AnyOf((by_name, *by_user)))),
        *find(JOURNAL, (_since(built), AnyOf((by_name, is_in("from_user_id", sorted(names)), by_user[1])))),
    ]
    identifiers = sorted({row["identifier"] for row in found})
    return _resolve(find, identifiers, built) if identifiers else []


def _resolve(find: Find, identifiers: list[str], built: BuiltDate) -> list[Row]:
    """The rows of some identifiers, with the user of each when the date was built."""
    theirs = is_in("identifier", identifiers)
    mapped = {row["identifier"]: row for row in find("identity_map", (theirs,))}
    past = {
        row["identifier"]: row["user_id"]
        for row in find("identity_past", (theirs, _on_date(built)))
        if row["journal_version"] <= built[1]
    }
    moves: dict[str, str] = {}
    # The first change after the build names the user that the identifier had at the build.
    for row in sorted(find(JOURNAL, (theirs, _since(built))), key=lambda row: row["journal_version"]):
        moves.setdefault(row["identifier"], row["from_user_id"])
    rows = []
    for each in identifiers:
        user_id = past.get(each) or moves.get(each)
        if each in mapped:
            rows.append({**mapped[each], "user_id": user_id or mapped[each]["user_id"]})
        elif user_id:
            rows.append(lone_row(each, user_id))
    return rows


def lone_row(identifier: str, user_id: str | None = None) -> Row:
    """The row of an identifier that identity_map does not list: a user of its own unless a user is given."""
    return {
        "identifier": identifier,
        "user_id": user_id or derive_user_id(identifier),
        "status": str(UserStatus.ACTIVE),
        "type": None,
        "linked_on": None,
        "withheld": [],
    }


def _on_date(built: BuiltDate) -> Is:
    return Is("as_of", (built[0],))


def _since(built: BuiltDate) -> After:
    return After("journal_version", built[1])
