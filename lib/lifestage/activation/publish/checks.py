"""What has to hold before a snapshot is published. Every check runs, so that all failures are reported at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lifestage.activation.publish.config import PublishSettings
from lifestage.platform.result import Candidate, Check, Decided


def check_candidate(candidate: Candidate, decided: Sequence[Decided], n_merged: int) -> Iterator[Check]:
    """The checks of a snapshot: its own rows and each result first, then against the snapshot before.

    Args:
        candidate: the snapshot.
        decided: the results that it copies.
        n_merged: how many fewer users there are because users merged since the snapshot before.
    """
    yield from content_checks(candidate.content)
    for each in decided:
        if each.result.check:
            yield from each.result.check(candidate)
    if candidate.before is None:
        return
    yield users_check(candidate.content["n_users"], candidate.before, candidate.settings, n_merged)
    for each in decided:
        if each.result.compare:
            yield from each.result.compare(candidate)


def content_checks(content: Mapping[str, Any]) -> Iterator[Check]:
    """There are users, and each has one row."""
    n, n_distinct = content["n_users"], content["n_distinct"]
    yield Check("has users", n > 0, f"{n:,} users")
    yield Check("one row a user", n_distinct == n, f"{n_distinct:,} different users in {n:,} rows")


def users_check(n: int, before: Mapping[str, Any], settings: PublishSettings, n_merged: int) -> Check:
    """Not too many users vanished since the snapshot before; users who merged have not vanished."""
    # A whole number of users decides: 3 of 10 are not too few where 0.7 of them may go.
    least = round((before["n_users"] - n_merged) * (1 - settings.max_user_drop), 6)
    allowed = f"at most {settings.max_user_drop:.0%} fewer allowed"
    merged = f", {n_merged:,} fewer by merging since" if n_merged else ""
    detail = f"{n:,} users, {before['n_users']:,} in {before['snapshot_id']}{merged}, {allowed}"
    return Check("users did not vanish", n >= least, detail)
