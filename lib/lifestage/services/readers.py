"""Read from Python: tables of the last completed run, and published snapshots. Never shows part of a run."""

import os
from datetime import date
from pathlib import Path
from typing import Literal, overload

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from lifestage.activation.audiences.membership import add_movement
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.stages.history import add_history, add_schemes
from lifestage.platform.errors import ConfigError, suggest_name
from lifestage.project.location import find_main_file
from lifestage.project.opening import Project, open_for_reading, open_project
from lifestage.services.completed import LATEST, keep_date, list_dates, read_arrow, read_table, reader
from lifestage.services.snapshots import find_manifest, read_users
from lifestage.users.identity.regrouping import add_journal_version, find_regrouped_users, journal_versions

CONF_VARIABLE = "LIFESTAGE_CONF"
SPARK, ARROW = "spark", "arrow"


@overload
def read(
    table: str,
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
    engine: Literal["spark"] = "spark",
) -> DataFrame: ...


@overload
def read(
    table: str,
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
    *,
    engine: Literal["arrow"],
) -> pa.Table: ...


def read(
    table: str,
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
    engine: str = "spark",
) -> DataFrame | pa.Table:
    """A table as the last completed run left it.

    Args:
        table: name of a table, such as user_features.
        as_of: the rows of one date, "latest" for the newest one; every row by default.
        conf: the project's main file; LIFESTAGE_CONF, conf/lifestage.yaml or lifestage.yaml by default. Reading needs no key.
        spark: a session with Delta; a new one by default.
        engine: spark for a frame of Spark; arrow for a pyarrow.Table, which holds all rows in memory and is read without
            Spark if the storage root is a local folder.

    Raises:
        NoDataError: no run has completed, or there is no such table or date. The message names the nearest.

    Warns:
        StaleWarning: later deliveries affect the date.

    Example:
        >>> lifestage.read("user_stages", as_of="latest", engine="arrow").to_pandas()  # doctest: +SKIP

        >>> stages = lifestage.read("user_stages", as_of="2026-01-30", spark=spark)
        >>> stages.select("user_id", "stage").show()
        +-------+------+
        |user_id| stage|
        +-------+------+
        |     u1|growth|
        +-------+------+
        <BLANKLINE>
    """
    if engine == ARROW:
        return _read_arrow(table, as_of, conf, spark)
    if engine != SPARK:
        raise ConfigError([f"engine: {engine} is unknown: {suggest_name(engine, (ARROW, SPARK))}"])
    return read_table(_open(conf, spark), table, as_of)


def _read_arrow(
    table: str, as_of: date | str | None, conf: Path | str | None, spark: SparkSession | None
) -> pa.Table:
    """A table as the last completed run left it, in Arrow. Spark reads it if it has to, or if a session is given."""
    project = (None if spark else open_for_reading(_find_conf(conf))) or _open(conf, spark)
    return read_arrow(project, table, as_of, stacklevel=4)


def snapshot(
    id: str = LATEST,  # noqa: A002 - the name that readers use
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """The users of a published snapshot, one row per user.

    Args:
        id: its id such as 2026-11-21.r1, or its date; the latest by default.
        conf: as for `read`.
        spark: as for `read`.

    Raises:
        NoDataError: there is no such snapshot. The message names the nearest.

    Example:
        >>> lifestage.snapshot("2026-01-31", spark=spark).select("snapshot_id", "user_id").show()
        +-------------+-------+
        |  snapshot_id|user_id|
        +-------------+-------+
        |2026-01-31.r1|     u2|
        +-------------+-------+
        <BLANKLINE>
    """
    project = _open(conf, spark)
    return read_users(project, find_manifest(project, id)["snapshot_id"])


def stage_history(
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """user_stages with `observed_since`, `previous_stage`, and the name of the stage in each coarser scheme.

    Arguments and errors are those of `read`. Uses only dates that the table keeps (see analytics/stages/history.py).

    Example:
        >>> history = lifestage.stage_history("2026-01-31", spark=spark)
        >>> history.select("user_id", "stage", "previous_stage", "observed_since").show()
        +-------+------+--------------+--------------+
        |user_id| stage|previous_stage|observed_since|
        +-------+------+--------------+--------------+
        |     u1|mature|        growth|    2026-01-31|
        +-------+------+--------------+--------------+
        <BLANKLINE>
    """
    return read_stage_history(_open(conf, spark), as_of)


def read_stage_history(project: Project, as_of: date | str | None = None) -> DataFrame:
    """`stage_history` of an open project."""
    rows = add_schemes(add_history(read_table(project, "user_stages")), project.config.of(StageLadder))
    return keep_date(project, "user_stages", rows, as_of)


def audience_moves(
    as_of: date | str | None = None,
    conf: Path | str | None = None,
    spark: SparkSession | None = None,
) -> DataFrame:
    """user_audiences with `movement` since the previous date, and a row for each user who left.

    `movement` is entered, stayed or left. For users who merged or split in between it is merged, split or renamed.

    Arguments and errors are those of `read`. Uses only dates that the tables keep; on the first, every member entered.

    Example:
        >>> moves = lifestage.audience_moves("2026-01-31", spark=spark)
        >>> moves.select("audience", "user_id", "movement").orderBy("audience").show()
        +--------+-------+--------+
        |audience|user_id|movement|
        +--------+-------+--------+
        |regulars|     u1|  stayed|
        |win_back|     u1|    left|
        +--------+-------+--------+
        <BLANKLINE>
    """
    return read_audience_moves(_open(conf, spark), as_of)


def read_audience_moves(project: Project, as_of: date | str | None = None) -> DataFrame:
    """`audience_moves` of an open project."""
    # An audience without members has no rows, so take the dates of all users.
    dates = read_table(project, "user_stages").select("as_of").distinct()
    rows = add_movement(read_table(project, "user_audiences"), dates, _find_regrouped(project))
    return keep_date(project, "user_audiences", rows, as_of)


def _find_regrouped(project: Project) -> DataFrame:
    """Users who merged or split between consecutive dates that are kept (see find_regrouped_users)."""
    read = reader(project)
    dates = list_dates(read("user_stages"))
    built = sorted(each for each in journal_versions(read("runs")).items() if each[0] in dates)
    return find_regrouped_users(read, built, add_journal_version(read("user_stages"), built))


def _open(conf: Path | str | None, spark: SparkSession | None) -> Project:
    return open_project(_find_conf(conf), spark, needs_keys=False)


def _find_conf(conf: Path | str | None) -> Path:
    return Path(conf or os.environ.get(CONF_VARIABLE) or find_main_file())
