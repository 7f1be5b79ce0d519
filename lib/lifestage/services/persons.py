"""Describe one person on a date: their identifiers, and the evidence that joins them."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.runtime.frames import collect_to_driver, local_rows
from lifestage.project.opening import Project
from lifestage.services.completed import LATEST, CompletedTables, find_last_run, reader
from lifestage.services.identifiers import find_identifiers
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.identity.solving import keep_links_of, resolve_user
from lifestage.users.identity.tables import IDENTITY_MAP
from lifestage.users.resolution import UserStatus, user_id_of

SHOWN = ("identifier", "type", "linked_on", "withheld")


def describe_person(project: Project, user: str, as_of: date | str | None = None) -> dict[str, Any]:
    """One person on a date: identifiers, the evidence for and against each pair, and changes.

    Arguments and errors are those of `find_identifiers`; `as_of` is the newest date by default.
    """
    tables = CompletedTables(project, find_last_run(project))
    day = tables.find_date("user_features", as_of or LATEST)
    known = find_identifiers(tables, user, day)
    schema = IDENTITY_MAP.schema
    members = local_rows(project.store.spark, [[row[name] for name in schema.names] for row in known], schema)
    read = reader(project)
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
