"""Check that no audience with an unchanged rule grows beyond the limit."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from lifestage.platform.plurals import count_of
from lifestage.platform.result import Candidate, Check


def check_growth(candidate: Candidate) -> Iterator[Check]:
    """Check the sizes of the audiences that have the same rule as in the snapshot before; others may have any size.

    The limit is for one day. Each further day since the snapshot before allows as much growth again.
    """
    before, settings = candidate.before, candidate.settings
    assert before is not None
    # Bounded: one row for each audience and change of its rule.
    rows = candidate.read("audience_definitions").select("audience", "from_as_of").collect()
    definitions = [(row["audience"], row["from_as_of"]) for row in rows]
    same_rule = find_unchanged_audiences(before, definitions, candidate.as_of)
    days = max((candidate.as_of - before["as_of"]).days, 1)
    # Rounded, so that the error of a float doesn't decide.
    limit = round(1 + days * (settings.max_audience_growth - 1), 6)
    sizes, sizes_before = candidate.content["counts"], before["counts"] or {}
    grown = [
        f"{name}: {count_of(n, 'user')}, {was:,} in {before['snapshot_id']}"
        for name in sorted(same_rule)
        if (n := sizes.get(f"audience:{name}", 0)) >= settings.min_audience_users
        and n > limit * (was := sizes_before.get(f"audience:{name}", 0))
    ]
    since = count_of(days, "day")
    allowed = f"at most {limit:g} x as many allowed after {since} (raise publish.max_audience_growth if this is intended)"
    detail = (
        f"{'; '.join(grown)}, {allowed}"
        if grown
        else f"{count_of(len(same_rule), 'audience')} with the same rule"
    )
    yield Check("audiences did not jump", not grown, detail)


def find_unchanged_audiences(
    before: Mapping[str, Any], definitions: Iterable[tuple[str, date]], as_of: date
) -> set[str]:
    """Return the audiences of the snapshot before whose rule hasn't changed since.

    A backfill can add an audience whose rule applies to earlier dates, but which isn't in that snapshot.

    Args:
        before: The manifest of the snapshot before.
        definitions: Each audience with the first as_of of each of its rules.
        as_of: The date to publish.
    """
    changed = {audience for audience, from_as_of in definitions if before["as_of"] < from_as_of <= as_of}
    return {each["name"] for each in before["strategies"] or () if each["kind"] == "audience"} - changed
