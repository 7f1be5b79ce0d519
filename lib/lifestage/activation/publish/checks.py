"""Checks before a snapshot is published. Every check runs, so that all failures are reported at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import functions as F

from lifestage.activation.publish.config import PublishSettings
from lifestage.platform.plurals import count_of
from lifestage.platform.result import Candidate, Check, DomainResult
from lifestage.users.identity.tables import Suspicion
from lifestage.users.resolution import IS_PERSON

LEAST_BUYERS = 100
ADVICE = (
    "lifestage identity {user} shows what joins it; deny a wrong pair or lower a limit in `identity`, or raise "
    "`publish: {{{key}: ...}}` if it is one person"
)


def check_candidate(candidate: Candidate, results: Sequence[DomainResult], n_merged: int) -> Iterator[Check]:
    """Yield the checks of a snapshot: its own rows and each result first, then against the snapshot before.

    Args:
        candidate: The snapshot.
        results: The results that it copies.
        n_merged: By how much the number of users fell because users merged since the snapshot before.
    """
    yield from check_content(candidate.content)
    yield check_user_size(candidate)
    yield check_user_share(candidate)
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


def check_user_size(candidate: Candidate) -> Check:
    """Check that no user has so many identifiers that several people must have been joined, on the newest date."""
    large = candidate.read("identity_suspicions").where(F.col("kind") == str(Suspicion.LARGE))
    most = large.agg(F.max(F.struct("n", "user_id")).alias("user")).collect()[0]["user"]
    name, limit = "nobody has too many identifiers", candidate.settings.max_user_identifiers
    if most is None or most["n"] <= limit:
        return Check(name, True, f"at most {limit:,} allowed")
    detail = f"user {most['user_id']} has {count_of(most['n'], 'identifier')}, at most {limit:,} allowed"
    return Check(name, False, f"{detail}: {ADVICE.format(user=most['user_id'], key='max_user_identifiers')}")


def check_user_share(candidate: Candidate) -> Check:
    """Check that no user has so much of the revenue of a year that several people must have been joined.

    With fewer than 100 buyers, one of them may well have a great share: the check passes.
    """
    spend = F.col("net_amount_365d")
    persons = candidate.read("user_features").where(F.col("as_of") == F.lit(candidate.as_of)).where(IS_PERSON)
    buyers = persons.where(spend > 0).agg(
        F.count("*").alias("n"), F.sum(spend).alias("sum"), F.max(F.struct(spend, "user_id")).alias("top")
    )
    [row] = buyers.collect()
    name, limit = "nobody has too much of the revenue", candidate.settings.max_user_revenue_share
    if row["n"] < LEAST_BUYERS:
        return Check(name, True, f"fewer than {LEAST_BUYERS} buyers")
    top, share = row["top"]["user_id"], float(row["top"]["net_amount_365d"] / row["sum"])
    detail = f"the greatest share is {share:.1%}, at most {limit:.0%} allowed"
    if share <= limit:
        return Check(name, True, detail)
    return Check(
        name, False, f"user {top}: {detail}: {ADVICE.format(user=top, key='max_user_revenue_share')}"
    )


def check_user_drop(n: int, before: Mapping[str, Any], settings: PublishSettings, n_merged: int) -> Check:
    """Check that the number of users didn't drop beyond the limit, apart from merged users."""
    # Rounded, so that the error of a float doesn't decide: 3 of 10 users meet a limit of 0.7.
    least = round((before["n_users"] - n_merged) * (1 - settings.max_user_drop), 6)
    allowed = f"at most {settings.max_user_drop:.0%} fewer allowed"
    merged = f", {n_merged:,} fewer by merging since" if n_merged else ""
    detail = f"{count_of(n, 'user')}, {before['n_users']:,} in {before['snapshot_id']}{merged}, {allowed}"
    return Check("users did not vanish", n >= least, detail)
