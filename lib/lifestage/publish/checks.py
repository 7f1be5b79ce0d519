"""What has to hold before a snapshot is published; all checks run, so that all failures are told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One check and what it saw."""

    name: str
    passed: bool
    detail: str


def snapshot_checks(
    content: Mapping[str, Any], before: Mapping[str, Any] | None, max_user_drop: float
) -> list[Check]:
    """The checks of one snapshot against its own content and the snapshot published before it."""
    n = content["n_users"]
    checks = [
        Check("has users", n > 0, f"{n} users"),
        Check(
            "one row a user",
            content["n_distinct"] == n,
            f"{content['n_distinct']} different users in {n} rows",
        ),
        Check(
            "everyone has a stage",
            content["n_without_stage"] == 0,
            f"{content['n_without_stage']} users without",
        ),
    ]
    if before is not None:
        # A whole number of users decides: 3 of 10 are not too few where 0.7 of them may go.
        least = round(before["n_users"] * (1 - max_user_drop), 6)
        detail = f"{n} users, {before['n_users']} in {before['snapshot_id']}, at most {max_user_drop:.0%} fewer allowed"
        checks.append(Check("users did not vanish", n >= least, detail))
    return checks
