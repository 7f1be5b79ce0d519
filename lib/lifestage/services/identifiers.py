"""Find one person by a user_id, a pseudonym or a raw identifier, with or without Spark."""

import re
from collections.abc import Sequence
from datetime import date

from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.errors import NeedsSparkError, NoDataError
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.security.pseudonyms import (
    PSEUDONYM_HEX,
    add_key_pads,
    add_normalised_identifier,
    pseudonym,
)
from lifestage.platform.security.raw_names import find_pseudonyms
from lifestage.platform.storage.filters import AnyOf, is_in
from lifestage.platform.storage.store import Store
from lifestage.project.opening import ReadableProject
from lifestage.services.completed import CompletedTables, Row
from lifestage.users.identity.lookup import find_journal_versions, find_persons, lone_row
from lifestage.users.identity.regrouping import JOURNAL, LATEST_VERSION
from lifestage.users.resolution import is_user_of

# What user_ids and pseudonyms look like.
HEX_NAME = re.compile(rf"[0-9a-f]{{{PSEUDONYM_HEX}}}")


def find_identifiers(tables: CompletedTables, user: str, as_of: date) -> list[Row]:
    """Every identifier of one person as of a date, as rows of identity_map.

    Args:
        tables: tables as one run left them, of a project that has keys if `user` is a raw identifier.
        user: a user_id, a pseudonym, or a raw identifier. A raw identifier is hashed in memory and never stored.
        as_of: a date that was built.

    Returns:
        Rows with the user_id from the time when the date was built. The other columns are current.

    Raises:
        NoDataError: no user has that name on the date, or several users do.
        NeedsSparkError: `user` may be a raw identifier that only Spark normalises, and the project has no Spark.
    """
    try:
        names = [user, *_hash_name(tables.project, user)]
    except NeedsSparkError as error:
        if not HEX_NAME.fullmatch(user):
            raise
        try:
            return _find_named(tables, [user], as_of)
        except NoDataError:
            raise error from None
    return _find_named(tables, names, as_of)


def _hash_name(project: ReadableProject, user: str) -> list[str]:
    """The pseudonyms of a raw identifier as each identifier type; none without keys."""
    if project.secrets is None:
        return []
    types, key = project.config.shared.identifiers, project.secrets.pseudonym_key
    try:
        return find_pseudonyms(user, types, key)
    except NeedsSparkError:
        if not isinstance(project.store, Store):
            raise
        return _hash_name_in_spark(project.store, user, types, key)


def _hash_name_in_spark(store: Store, user: str, types: dict[str, IdentifierType], key: bytes) -> list[str]:
    rows = add_key_pads(local_rows(store.spark, [(user,)], "name string"), key)
    for kind, rules in types.items():
        rows = add_normalised_identifier(rows, "name", f"_{kind}", rules)
    names = F.array(*[pseudonym(kind, F.col(f"_{kind}")) for kind in types])
    found = rows.select(F.explode(names).alias("name")).where("name IS NOT NULL")
    # At most one for each type.
    return [row["name"] for row in found.collect()]


def _find_named(tables: CompletedTables, names: Sequence[str], as_of: date) -> list[Row]:
    runs = tables.find("runs", columns=("as_of_dates", "table_versions"))
    built = (as_of, find_journal_versions(runs).get(as_of, LATEST_VERSION))
    found = find_persons(tables.find, names, built) or _find_unlinked(tables, names)
    if (n := len({row["user_id"] for row in found})) > 1:
        raise NoDataError(f"{n} users have that name: give the user_id of one")
    if not found:
        raise NoDataError(_explain_not_found(tables, names))
    return found


def _find_unlinked(tables: CompletedTables, names: Sequence[str]) -> list[Row]:
    """The rows of identifiers that occur in events and that no evidence joins to another."""
    is_named = AnyOf((is_in("subject", names), is_user_of("subject", names)))
    subjects = {row["subject"] for row in tables.find("activity_days", (is_named,), ("subject",))}
    if not subjects:
        return []
    mapped = tables.find("identity_map", (is_in("identifier", sorted(subjects)),), ("identifier",))
    return [lone_row(each) for each in sorted(subjects - {row["identifier"] for row in mapped})]


def _explain_not_found(tables: CompletedTables, names: Sequence[str]) -> str:
    """Say why no user is found: the name is unknown, or the user has become another user."""
    moved = tables.find(JOURNAL, (is_in("from_user_id", names),))
    if moved:
        last = min(moved, key=lambda row: (-row["journal_version"], row["to_user_id"]))
        return f"user {last['from_user_id']} has been user {last['to_user_id']} since {last['as_of']}: {last['cause']}"
    kinds = ", ".join(tables.project.config.shared.identifiers)
    return f"no user has that name: give a user_id, a pseudonym, or a raw {kinds}"
