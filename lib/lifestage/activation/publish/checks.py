"""Checks before a snapshot is published. Every check runs, so that all failures are reported at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lifestage.activation.publish.config import PublishSettings
from lifestage.platform.plurals import count_of
from lifestage.platform.result import Candidate, Check, DomainResult


def check_candidate(candidate: Candidate, results: Sequence[DomainResult], n_merged: int) -> Iterator[Check]:
    """Yield the checks of a snapshot: its own rows and each result first, then against the snapshot before.

    Args:
        candidate: The snapshot.
        results: The results that it copies.
        n_merged: By how much the number of users fell because users merged since the snapshot before.
    """
    yield from check_content(candidate.content)
    for each in results:
        if each.declaration.check:
            yield from each.declaration.check(candidate)
    if candidate.before is None:
        return
    yield check_user_drop(candidate.content["n_users"], candidate.before, candidate.settings, n_merged)
    for each in results:
        if each.declaration.compare:
            yield from each.declaration.compare(candidate)


def check_content(content: Mapping[str, Any]) -> Iterator[Check]:
    """Check that there are users, and that each has one row."""
    n, n_distinct = content["n_users"], content["n_distinct"]
    yield Check("has users", n > 0, count_of(n, "user"))
    yield Check(
        "one row a user", n_distinct == n, f"{count_of(n_distinct, 'different user')} in {count_of(n, 'row')}"
    )


def check_user_drop(n: int, before: Mapping[str, Any], settings: PublishSettings, n_merged: int) -> Check:
    """Check that the number of users didn't drop beyond the limit, apart from merged users."""
    # Rounded, so that the error of a float doesn't decide: 3 of 10 users meet a limit of 0.7.
    least = round((before["n_users"] - n_merged) * (1 - settings.max_user_drop), 6)
    allowed = f"at most {settings.max_user_drop:.0%} fewer allowed"
    merged = f", {n_merged:,} fewer by merging since" if n_merged else ""
    detail = f"{count_of(n, 'user')}, {before['n_users']:,} in {before['snapshot_id']}{merged}, {allowed}"
    return Check("users did not vanish", n >= least, detail)
