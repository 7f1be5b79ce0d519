"""The guard against an audience that jumps: a rule that has not changed should not choose many more users."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from lifestage.platform.result import Candidate, Check


def check_growth(candidate: Candidate) -> Iterator[Check]:
    """No audience of the same rule grows beyond its limit against the snapshot before."""
    before = candidate.before
    assert before is not None
    # A row an audience and change of its rule.
    rows = candidate.read("audience_definitions").select("audience", "from_as_of").collect()
    definitions = [(row["audience"], row["from_as_of"]) for row in rows]
    same_rule = unchanged_audiences(before, definitions, candidate.as_of)
    yield growth_check(candidate.content["counts"], before, candidate.settings, same_rule)


def unchanged_audiences(
    before: Mapping[str, Any], definitions: Iterable[tuple[str, date]], as_of: date
) -> set[str]:
    """Audiences that the snapshot before has, and whose rule has not changed since.

    An audience that a backfill added has a rule from an earlier date on, and yet is not in that snapshot.

    Args:
        before: its manifest.
        definitions: each audience with the dates from which a rule of it holds.
        as_of: the date that is published.
    """
    changed = {audience for audience, from_as_of in definitions if before["as_of"] < from_as_of <= as_of}
    return {each["name"] for each in before["strategies"] or () if each["kind"] == "audience"} - changed


def growth_check(
    counts: Mapping[str, int], before: Mapping[str, Any], settings: Any, same_rule: Collection[str]
) -> Check:
    """The check of the audiences whose rule is the same; others may change as they like."""
    grown = [
        f"{name}: {n:,} users, {was:,} in {before['snapshot_id']}"
        for name in sorted(same_rule)
        if (n := counts.get(f"audience:{name}", 0)) >= settings.min_audience_users
        and n > settings.max_audience_growth * (was := (before["counts"] or {}).get(f"audience:{name}", 0))
    ]
    allowed = f"at most {settings.max_audience_growth:g} x as many allowed (raise publish.max_audience_growth if it is meant)"
    detail = f"{'; '.join(grown)}, {allowed}" if grown else f"{len(same_rule)} audiences with the same rule"
    return Check("audiences did not jump", not grown, detail)
