"""The identifiers of a user, and the activity of each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from lifestage.platform.explain import Explain, Line, format_days, shorten, title_first
from lifestage.platform.user_rows import Scope, UserRows
from lifestage.users.identity.config import IdentityConfig

NOTHING = Decimal("0.00")


def explain_identifiers(rows: UserRows, _config: IdentityConfig) -> dict[str, Any]:
    """Each identifier with its active days and net spend, the most active first, ties by identifier.

    Without identity resolution, each would be a user.
    """
    days = defaultdict(list)
    for row in rows.tables["activity_days"]:
        days[row["subject"]].append(row)
    found = [
        {
            "identifier": each["identifier"],
            "type": each["type"],
            "active_days": sum((row["n_actions"] or 0) > 0 for row in days[each["identifier"]]),
            "net_amount": sum((row["net_amount"] or NOTHING for row in days[each["identifier"]]), NOTHING),
        }
        for each in rows.identifiers
    ]
    return {"identifiers": sorted(found, key=lambda each: (-each["active_days"], each["identifier"]))}


def show_identifiers(answer: Mapping[str, Any], _width: int) -> Iterator[Line]:
    """One line per identifier; none for a user with only one."""
    joined = answer["identifiers"] if len(answer["identifiers"]) > 1 else []
    for title, each in title_first("joined from", joined):
        name = f"{each['type'] or 'identifier':<8} {shorten(each['identifier'])}"
        yield title, f"{name}  {format_days(each['active_days'])} active, {each['net_amount']:,} net"


EXPLAIN = Explain(reads={"activity_days": Scope.SUBJECTS}, answer=explain_identifiers, lines=show_identifiers)
