"""The identifiers of a user, and the activity of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql import functions as F

from lifestage.platform.explain import Explain, Line, format_days, shorten, title_first
from lifestage.platform.user_rows import Scope, UserRows
from lifestage.users.identity.config import IdentityConfig


def explain_identifiers(rows: UserRows, _config: IdentityConfig) -> dict[str, Any]:
    """Each identifier with its active days and net spend, the most active first, ties by identifier.

    Without identity resolution, each would be a user.
    """
    days = rows.tables["activity_days"].groupBy(F.col("subject").alias("identifier"))
    activity = days.agg(
        F.count_if(F.col("n_actions") > 0).alias("active_days"), F.sum("net_amount").alias("net_amount")
    )
    found = (
        rows.identifiers.select("identifier", "type")
        .join(activity, on="identifier", how="left")
        .fillna(0, ["active_days"])
        .withColumn("net_amount", F.coalesce("net_amount", F.lit(0)))
        .orderBy(F.desc("active_days"), "identifier")
    )
    # The identifiers of one user.
    return {"identifiers": [row.asDict() for row in found.collect()]}


def show_identifiers(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """One line per identifier; none for a user with only one."""
    joined = answer["identifiers"] if len(answer["identifiers"]) > 1 else []
    for title, each in title_first("joined from", joined):
        name = f"{each['type'] or 'identifier':<8} {shorten(each['identifier'])}"
        yield title, f"{name}  {format_days(each['active_days'])} active, {each['net_amount']:,} net"


EXPLAIN = Explain(reads={"activity_days": Scope.SUBJECTS}, answer=explain_identifiers, lines=show_identifiers)
