"""Describe one person on a date: their identifiers, and the evidence that joins them."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import NoDataError
from lifestage.platform.runtime.frames import collect_to_driver, local_rows
from lifestage.platform.security.pseudonyms import add_key_pads, add_normalised_identifier, pseudonym
from lifestage.project.opening import Project
from lifestage.services.completed import LATEST, find_date, reader
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.regrouping import LATEST_VERSION, journal_versions, restore_identity_map
from lifestage.users.identity.solving import keep_links_of, resolve_user
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.resolution import UserStatus, user_id_of

SHOWN = ("identifier", "type", "linked_on", "withheld")

Read = Callable[[str], DataFrame]


def find_identifiers(project: Project, read: Read, user: str, as_of: date) -> DataFrame:
    """Every identifier of one person as of a date, as rows of identity_map.

    Args:
        project: an open project; with keys if `user` is a raw identifier.
        read: reads tables as one run left them.
        user: a user_id, a pseudonym, or a raw identifier. A raw identifier is hashed in memory and never stored.
        as_of: a date that was built.

    Returns:
        Rows with the user_id from the time when the date was built. The other columns are current.

    Raises:
        NoDataError: no user has that name on the date, or several users do.
    """
    names = _to_names(project, user)
    built = (as_of, journal_versions(read("runs")).get(as_of, LATEST_VERSION))
    persons = restore_identity_map(read, built)
    users = [row["user_id"] for row in _keep_named(persons, names).select("user_id").distinct().collect()]
    if len(users) > 1:
        raise NoDataError(_describe_ambiguity(len(users)))
    return (
        collect_to_driver(persons.where(F.col("user_id") == users[0]))
        if users
        else _find_unlinked(project, read, names)
    )


def describe_person(project: Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """One person on a date: identifiers, the evidence for and against each pair, and changes.

    Arguments and errors are those of `find_identifiers`; `as_of` is the newest date by default.
    """
    read = reader(project)
    day = find_date("user_features", read("user_features"), as_of or LATEST)
    members = find_identifiers(project, read, user, day)
    decided = project.config.of(IdentityConfig)
    rows = _read_with_linked(read("links"), members, decided, day)
    own = (user_id_of(F.col("identifier")) == F.col("user_id")).alias("is_key")
    mine = {row["identifier"]: row for row in members.select("identifier", "user_id", own).collect()}
    identifiers = [
        {**{name: rows[each][name] for name in SHOWN}, "is_key": row["is_key"]} for each, row in mine.items()
    ]
    identifiers.sort(key=lambda each: (each["linked_on"] or day, each["identifier"]))
    user_id = next(row["user_id"] for row in mine.values())
    evidence = _read_evidence(read("link_days").where(F.col("event_date") <= F.lit(day)), members)
    denied = {pair.ends: pair.because for pair in decided.deny}
    return {
        "user_id": user_id,
        "as_of": day,
        # Users who share an identifier stay separate users.
        "status": str(UserStatus.ACTIVE) if len(mine) > 1 else rows[identifiers[0]["identifier"]]["status"],
        "identifiers": identifiers,
        "evidence": [{**pair, "against": _list_objections(pair, rows, denied, mine)} for pair in evidence],
        "decisions": [pair.model_dump() for pair in decided.allow if {*pair.ends} & {*mine}],
        "changes": _read_changes(read("identity_changes"), user_id, day),
    }


def _read_with_linked(
    links: DataFrame, members: DataFrame, config: IdentityConfig, day: date
) -> dict[str, dict[str, Any]]:
    """Rows about a person's identifiers and the identifiers linked to them, from evidence up to a day."""
    known = links.where(F.col("first_on") <= F.lit(day))
    around = collect_to_driver(resolve_user(known, members, config))
    return {row["identifier"]: row.asDict() for row in members.unionByName(around).collect()}


def _to_names(project: Project, user: str) -> DataFrame:
    """One row for the name as given and, with keys, one for its pseudonym as each identifier type."""
    given = local_rows(project.store.spark, [(user,)], "name string")
    if project.secrets is None:
        return given
    rows = add_key_pads(given, project.secrets.pseudonym_key)
    kinds = project.config.shared.identifiers
    for kind, rules in kinds.items():
        rows = add_normalised_identifier(rows, "name", f"_{kind}", rules)
    names = F.array("name", *[pseudonym(kind, F.col(f"_{kind}")) for kind in kinds])
    return collect_to_driver(rows.select(F.explode(names).alias("name")).where("name IS NOT NULL"))


def _keep_named(rows: DataFrame, names: DataFrame, *columns: str) -> DataFrame:
    """Rows that have a name as identifier or user, or in `columns`. A join, because query plans show literals."""
    is_named = [F.col(column) == F.col("name") for column in columns or ("identifier", "user_id")]
    return rows.join(F.broadcast(names), on=reduce(Column.__or__, is_named), how="left_semi")


def _find_unlinked(project: Project, read: Read, names: DataFrame) -> DataFrame:
    """The row of an identifier that occurs in events and that no evidence joins to another."""
    subjects = read("activity_days").select(F.col("subject").alias("identifier")).distinct()
    alone = subjects.join(read("identity_map"), on="identifier", how="left_anti")
    rows = _keep_named(alone.withColumn("user_id", user_id_of(F.col("identifier"))), names).collect()
    if not rows:
        raise NoDataError(_explain_not_found(project, read, names))
    if len(rows) > 1:
        raise NoDataError(_describe_ambiguity(len(rows)))
    values = {"status": str(UserStatus.ACTIVE), "withheld": [], **rows[0].asDict()}
    schema = IDENTITY_MAP.schema
    return local_rows(project.store.spark, [[values.get(name) for name in schema.names]], schema)


def _describe_ambiguity(n: int) -> str:
    return f"{n} users have that name: give the user_id of one"


def _explain_not_found(project: Project, read: Read, names: DataFrame) -> str:
    """Say why no user is found: the name is unknown, or the user has become another user."""
    moved = _keep_named(read("identity_changes"), names, "from_user_id")
    last = moved.orderBy(F.col("journal_version").desc(), "to_user_id").first()
    if last:
        return f"user {last['from_user_id']} has been user {last['to_user_id']} since {last['as_of']}: {last['cause']}"
    kinds = ", ".join(project.config.shared.identifiers)
    return f"no user has that name: give a user_id, a pseudonym, or a raw {kinds}"


def _read_evidence(link_days: DataFrame, members: DataFrame) -> list[dict[str, Any]]:
    """Pairs that contain an identifier of the person, by source, oldest first; bounded by one person's evidence."""
    by_source = keep_links_of(link_days, members).groupBy("a", "a_type", "b", "b_type", "source")
    seen = by_source.agg(
        F.min("event_date").alias("first_on"),
        F.max("event_date").alias("last_on"),
        F.sum("n").alias("n"),
        F.max("score").alias("score"),
    )
    return [row.asDict() for row in seen.orderBy("first_on", "a", "b", "source").collect()]


def _list_objections(
    pair: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, Any]],
    denied: Mapping[tuple[str, str], str],
    mine: Collection[str],
) -> list[str]:
    """Why a pair does not join; empty if it does."""
    ends = (pair["a"], pair["b"])
    found = [f"denied: {denied[ends]}".rstrip(": ")] if ends in denied else []
    found += [
        f"{rows[end]['type']} is shared: {limit}"
        for end in ends
        if end in rows
        for limit in rows[end]["withheld"]
    ]
    is_later = not found and not {*ends} <= {*mine}
    return ["not joined when this date was built"] if is_later else found


def _read_changes(journal: DataFrame, user_id: str, as_of: date) -> list[dict[str, Any]]:
    """Identifiers that moved to or from the user up to a date, oldest first."""
    mine = (F.col("from_user_id") == user_id) | (F.col("to_user_id") == user_id)
    rows = journal.where(mine & (F.col("as_of") <= F.lit(as_of))).orderBy("journal_version", "identifier")
    return [row.asDict() for row in rows.collect()]
