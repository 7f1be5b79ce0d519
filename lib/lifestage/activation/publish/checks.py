"""What has to hold before a snapshot is published; all checks run, so that all failures are told at once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lifestage.activation.publish.config import PublishSettings


@dataclass(frozen=True)
class Check:
    """One check and what it saw."""

    name: str
    passed: bool
    detail: str


def snapshot_checks(
    content: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    config: PublishSettings,
    same_rule: Collection[str] = (),
    with_data: Mapping[str, int] | None = None,
    n_merged: int = 0,
) -> list[Check]:
    """The checks of one snapshot against its own content and the snapshot published before it.

    Args:
        content: what describe() tells of the snapshot.
        before: the manifest of the snapshot before; None for the first.
        config: the limits.
        same_rule: audiences whose rule is the one of the snapshot before; others may change as they like.
        with_data: dimensions of value that count, each with the scored users of whom it says something; empty where
            nobody is scored.
        n_merged: how many fewer users there are for having merged since the snapshot before.
    """
    n = content["n_users"]
    checks = [
        Check("has users", n > 0, f"{n:,} users"),
        Check(
            "one row a user",
            content["n_distinct"] == n,
            f"{content['n_distinct']:,} different users in {n:,} rows",
        ),
        Check(
            "everyone has a stage",
            content["n_without_stage"] == 0,
            f"{content['n_without_stage']:,} users without",
        ),
        _dimensions_check(with_data or {}),
    ]
    if before is not None:
        # A whole number of users decides: 3 of 10 are not too few where 0.7 of them may go.
        kept = before["n_users"] - n_merged
        least = round(kept * (1 - config.max_user_drop), 6)
        allowed = f"at most {config.max_user_drop:.0%} fewer allowed"
        merged = f", {n_merged:,} fewer by merging since" if n_merged else ""
        detail = f"{n:,} users, {before['n_users']:,} in {before['snapshot_id']}{merged}, {allowed}"
        checks.append(Check("users did not vanish", n >= least, detail))
        checks.append(_audiences_check(content["counts"], before, config, same_rule))
    return checks


def unchanged_audiences(
    before: Mapping[str, Any], definitions: Iterable[tuple[str, date]], as_of: date
) -> set[str]:
    """Audiences that the snapshot before has, and whose rule has not changed since.

    One that a backfill added has a rule from an earlier date on, and yet is not in that snapshot.

    Args:
        before: its manifest.
        definitions: each audience with the dates from which a rule of it holds.
        as_of: the date that is published.
    """
    changed = {audience for audience, from_as_of in definitions if before["as_of"] < from_as_of <= as_of}
    return {each["name"] for each in before["strategies"] or () if each["kind"] == "audience"} - changed


def _dimensions_check(with_data: Mapping[str, int]) -> Check:
    """A dimension without a source takes its weight from the others and gives nothing: it has to be switched off."""
    empty = [
        f"{name} says nothing of any user: switch it off (value.yaml: index.dimensions.{name}.enabled: false), or "
        "bring in what feeds it"
        for name, n in with_data.items()
        if not n
    ]
    told = ", ".join(f"{name} for {n:,} users" for name, n in with_data.items()) or "nobody is scored"
    return Check("value dimensions have data", not empty, "; ".join(empty) or told)


def _audiences_check(
    counts: Mapping[str, int], before: Mapping[str, Any], config: PublishSettings, same_rule: Collection[str]
) -> Check:
    """No audience grows beyond its limit while its rule stays the same."""
    grown = [
        f"{name}: {n:,} users, {was:,} in {before['snapshot_id']}"
        for name in sorted(same_rule)
        if (n := counts.get(f"audience:{name}", 0)) >= config.min_audience_users
        and n > config.max_audience_growth * (was := (before["counts"] or {}).get(f"audience:{name}", 0))
    ]
    allowed = f"at most {config.max_audience_growth:g} x as many allowed (raise publish.max_audience_growth if it is meant)"
    detail = f"{'; '.join(grown)}, {allowed}" if grown else f"{len(same_rule)} audiences with the same rule"
    return Check("audiences did not jump", not grown, detail)
