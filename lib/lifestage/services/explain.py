"""Explain the results of one user, and what would change them."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.platform.explain import Explain
from lifestage.platform.runtime.frames import collect_to_driver
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.user_rows import Scope, UserRows
from lifestage.project.opening import Project
from lifestage.project.pipeline import DOMAINS
from lifestage.services.completed import LATEST, find_date, find_run_that_built, reader
from lifestage.services.persons import find_identifiers
from lifestage.services.what_if import find_changes

Read = Callable[[str], DataFrame]


def explain(project: Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """The answers of all domains about one user on a date, and what would change the user's results.

    If the configuration has changed since a run built the date, the current rules do not fit the stored results. Then
    `is_config_changed` is true, and `would_change` is empty.

    Args:
        project: an open project; with keys if `user` is a raw identifier.
        user: a user_id, a pseudonym, or a raw identifier. A raw identifier is hashed in memory and never stored.
        as_of: the date; the newest one by default.

    Raises:
        NoDataError: no user has that name, several users do, or the user was not known as of the date.
    """
    read = reader(project)
    day = find_date("user_features", read("user_features"), as_of or LATEST)
    identifiers = find_identifiers(project, read, user, day)
    domains = [(each.explain, project.config.domains[each.name]) for each in DOMAINS if each.explain]
    rows = read_user(read, [each for each, _ in domains], identifiers, day)
    if rows.tables["user_features"].isEmpty():
        raise NoDataError(_explain_absence(read, rows))
    answers = run_in_parallel([partial(each.answer, rows, config) for each, config in domains])
    built = find_run_that_built(project, day)
    is_changed = built is not None and built.config_hash != project.config.hash
    silent_days = project.config.shared.explain.silent_days
    return {
        "user_id": rows.user_id,
        "as_of": day,
        **{key: value for answer in answers for key, value in answer.items()},
        "is_config_changed": is_changed,
        "would_change": {} if is_changed else find_changes(domains, rows, silent_days),
    }


def list_explaining() -> list[Explain]:
    """The declarations of the domains that explain something, in the order of the map."""
    return [domain.explain for domain in DOMAINS if domain.explain]


def read_user(read: Read, domains: Iterable[Explain], identifiers: DataFrame, as_of: date) -> UserRows:
    """The rows that the domains need to explain a user. Reads tables in parallel, because planning takes most of the time.

    Args:
        read: reads a table.
        domains: the declarations of the domains.
        identifiers: the user's rows of identity_map.
        as_of: the date.
    """
    user_id = identifiers.first()["user_id"]  # type: ignore[index]
    subjects = F.broadcast(identifiers.select(F.col("identifier").alias("subject")))
    scopes = {name: scope for each in domains for name, scope in each.reads.items()}
    frames = [_keep_scope(read(name), scope, user_id, subjects, as_of) for name, scope in scopes.items()]
    rows = run_in_parallel([partial(collect_to_driver, frame) for frame in frames])
    return UserRows(user_id, as_of, identifiers, dict(zip(scopes, rows, strict=True)), read)


def _keep_scope(rows: DataFrame, scope: Scope, user_id: str, subjects: DataFrame, as_of: date) -> DataFrame:
    is_user = F.col("user_id") == user_id
    match scope:
        case Scope.USER:
            return rows.where(is_user & (F.col("as_of") == F.lit(as_of)))
        case Scope.HISTORY:
            return rows.where(is_user & (F.col("as_of") <= F.lit(as_of)))
        case Scope.SUBJECTS:
            days = rows.where(F.col("event_date") <= F.lit(as_of))
            return days.join(subjects, on="subject", how="left_semi")
        case Scope.DATE:
            return rows.where(F.col("as_of") == F.lit(as_of))
        case Scope.TABLE:
            return rows


def _explain_absence(read: Read, rows: UserRows) -> str:
    """Say on which date a user appears first, if any."""
    dates = read("user_features").where(F.col("user_id") == rows.user_id)
    first = dates.agg(F.min("as_of").alias("as_of")).first()
    if first is None or first["as_of"] is None:
        return f"user {rows.user_id} is in none of the kept dates"
    return f"user {rows.user_id} was not known as of {rows.as_of}: the first date with this user is {first['as_of']}"
