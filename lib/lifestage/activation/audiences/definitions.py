"""The rule of each audience on each date. A changed rule applies from the next as_of; past dates keep their rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from lifestage.platform.config.expressions import normalise_sql, semantic_hash


@dataclass(frozen=True)
class Definition:
    """A rule and the first as_of that it applies to; without SQL, the audience ends there."""

    audience: str
    from_as_of: date
    sql: str | None

    @property
    def semantic_hash(self) -> str:
        """Hash of the rule's meaning: white space and the case of keywords don't count."""
        return semantic_hash(self.sql and normalise_sql(self.sql))


def rules_on(definitions: Iterable[Definition], as_of: date) -> dict[str, str]:
    """Return the rule of each audience that exists on a date: the one with the latest from_as_of <= as_of.

    The first rule of an audience also covers earlier dates, like the first version of reference data.
    """
    rules = {}
    ordered = sorted(definitions, key=lambda each: (each.audience, each.from_as_of))
    for audience, history in groupby(ordered, key=lambda each: each.audience):
        first, *others = history
        latest = [first, *[each for each in others if each.from_as_of <= as_of]][-1]
        if latest.sql is not None:
            rules[audience] = latest.sql
    return rules


def find_new_definitions(
    definitions: Sequence[Definition],
    configured: Mapping[str, str],
    as_of_dates: Sequence[date],
    built_to: date | None,
) -> list[Definition]:
    """Return the definitions that a run adds: rules that differ from the stored ones on the run's first new date.

    A new date is later than every completed one. A run without new dates adds only audiences that never had a rule.

    Args:
        definitions: The stored definitions.
        configured: The rule of each audience, by name.
        as_of_dates: The dates of the run.
        built_to: The newest date of any completed run; None before the first run.
    """
    new_dates = [day for day in as_of_dates if built_to is None or day > built_to]
    known = {each.audience for each in definitions}
    first = min(new_dates, default=None)
    added = [Definition(name, first or min(as_of_dates), sql) for name, sql in configured.items()]
    if first is None:
        return [each for each in added if each.audience not in known]
    ended = [Definition(name, first, None) for name in sorted(known - configured.keys())]
    rules = rules_on(definitions, first)
    return [
        each
        for each in (*added, *ended)
        if each.semantic_hash != Definition(each.audience, first, rules.get(each.audience)).semantic_hash
    ]
