"""Explain the results of one user, and what would change them."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from lifestage.platform.config.evaluation import evaluate
from lifestage.platform.errors import NeedsSparkError, NoDataError
from lifestage.platform.explain import Explain
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.storage.filters import Is
from lifestage.platform.storage.store import Store
from lifestage.platform.user_rows import Row, UserFrames, UserRows
from lifestage.project.opening import Project, ReadableProject
from lifestage.project.pipeline import DOMAINS
from lifestage.services.completed import (
    LATEST,
    CompletedTables,
    find_last_run,
    find_run_that_built,
    reader,
)
from lifestage.services.identifiers import find_identifiers
from lifestage.services.what_if import find_changes


def explain(project: ReadableProject, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """The answers of all domains about one user on a date.

    If the configuration has changed since a run built the date, `is_config_changed` is true: the current rules do not
    fit the stored results. `would_change` is None; see `explain_with_changes`.

    Args:
        project: an open project, with or without Spark; with keys if `user` is a raw identifier.
        user: a user_id, a pseudonym, or a raw identifier. A raw identifier is hashed in memory and never stored.
        as_of: the date; the newest one by default.

    Raises:
        NoDataError: no user has that name, several users do, or the user was not known as of the date.
        NeedsSparkError: the project has no Spark, and the configuration or the name needs it.
    """
    return _answer(project, read_user(project, user, as_of))


def explain_with_changes(project: Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """`explain`, and in `would_change` what would change the user's results.

    It is empty if the configuration has changed since a run built the date.
    """
    rows = read_user(project, user, as_of)
    answer = _answer(project, rows)
    silent_days = project.config.shared.explain.silent_days
    changes = {}
    if not answer["is_config_changed"]:
        changes = find_changes(_list_asked(project), _to_frames(project, rows), silent_days)
    return {**answer, "would_change": changes}


def list_explaining() -> list[Explain]:
    """The declarations of the domains that explain something, in the order of the map."""
    return [domain.explain for domain in DOMAINS if domain.explain]


def read_user(project: ReadableProject, user: str, as_of: date | str | None) -> UserRows:
    """The rows that the domains need to explain a user. Arguments and errors are those of `explain`."""
    tables = CompletedTables(project, find_last_run(project))
    day = tables.find_date("user_features", as_of or LATEST)
    identifiers = find_identifiers(tables, user, day)
    user_id = identifiers[0]["user_id"]
    subjects = [row["identifier"] for row in identifiers]
    scopes = {name: scope for each in list_explaining() for name, scope in each.reads.items()}
    reads = [
        partial(tables.find, name, scope.filters(user_id, subjects, day)) for name, scope in scopes.items()
    ]
    # In parallel, because planning takes most of the time.
    rows = dict(zip(scopes, run_in_parallel(reads), strict=True))
    if not rows["user_features"]:
        raise NoDataError(_explain_absence(tables, user_id, day))
    return UserRows(user_id, day, identifiers, rows, partial(_evaluate, project, rows))


def _answer(project: ReadableProject, rows: UserRows) -> dict[str, Any]:
    answers = [each.answer(rows, config) for each, config in _list_asked(project)]
    built = find_run_that_built(project, rows.as_of)
    return {
        "user_id": rows.user_id,
        "as_of": rows.as_of,
        **{key: value for answer in answers for key, value in answer.items()},
        "is_config_changed": built is not None and built.config_hash != project.config.hash,
        "would_change": None,
    }


def _list_asked(project: ReadableProject) -> list[tuple[Explain, Any]]:
    return [(each.explain, project.config.domains[each.name]) for each in DOMAINS if each.explain]


def _evaluate(
    project: ReadableProject,
    tables: Mapping[str, Iterable[Row]],
    name: str,
    expressions: Mapping[str, str],
) -> dict[str, Any]:
    """The values of SQL expressions on the first row of a table."""
    row = next(iter(tables[name]))
    try:
        return {key: evaluate(sql, row) for key, sql in expressions.items()}
    except NeedsSparkError:
        if not isinstance(project.store, Store):
            raise
        schema = project.tables[name].schema
        frame = local_rows(project.store.spark, [[row.get(each) for each in schema.names]], schema)
        aliases = [f"{sql} AS `{key}`" for key, sql in expressions.items()]
        return frame.selectExpr(*aliases).collect()[0].asDict(recursive=True)


def _to_frames(project: Project, rows: UserRows) -> UserFrames:
    """The rows of a user as frames, for hypotheses."""

    def frame(name: str, found: Iterable[Row]) -> Any:
        schema = project.tables[name].schema
        values = [[row.get(each) for each in schema.names] for row in found]
        return local_rows(project.store.spark, values, schema)

    tables = {name: frame(name, found) for name, found in rows.tables.items()}
    identifiers = frame("identity_map", rows.identifiers)
    return UserFrames(rows.user_id, rows.as_of, identifiers, tables, reader(project))


def _explain_absence(tables: CompletedTables, user_id: str, as_of: date) -> str:
    """Say on which date a user appears first, if any."""
    dates = [row["as_of"] for row in tables.find("user_features", (Is("user_id", (user_id,)),), ("as_of",))]
    if not dates:
        return f"user {user_id} is in none of the kept dates"
    return f"user {user_id} was not known as of {as_of}: the first date with this user is {min(dates)}"
