"""Which rule an audience has on which date: a change takes effect at the next as_of, and the past keeps its rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from lifestage.platform.config.expressions import normalise_sql, semantic_hash


@dataclass(frozen=True)
class Definition:
    """A rule and the first as_of it holds on; without SQL the audience ends there."""

    audience: str
    from_as_of: date
    sql: str | None

    @property
    def semantic_hash(self) -> str:
        """What the rule means: white space and the case of key words do not count."""
        return semantic_hash(self.sql and normalise_sql(self.sql))


def rules_on(definitions: Iterable[Definition], as_of: date) -> dict[str, str]:
    """The rule of each audience that exists on a date: that of the latest from_as_of <= as_of.

    The first rule of an audience also covers earlier dates, as the first version of reference data does.
    """
    found = {}
    ordered = sorted(definitions, key=lambda each: (each.audience, each.from_as_of))
    for audience, history in groupby(ordered, key=lambda each: each.audience):
        first, *others = history
        latest = [first, *[each for each in others if each.from_as_of <= as_of]][-1]
        if latest.sql is not None:
            found[audience] = latest.sql
    return found


def changed(
    definitions: Sequence[Definition],
    configured: Mapping[str, str],
    as_of_dates: Sequence[date],
    built_to: date | None,
) -> list[Definition]:
    """Definitions that a run adds: what is configured differently from what holds on its first new date.

    Args:
        definitions: those stored.
        configured: the rule of each audience, by name.
        as_of_dates: the dates of the run.
        built_to: the newest date of any completed run: no change reaches back to it. None before the first.

    A run of past dates alone adds only audiences that never had a rule.
    """
    new_dates = [day for day in as_of_dates if built_to is None or day > built_to]
    known = {each.audience for each in definitions}
    first = min(new_dates, default=None)
    added = [Definition(name, first or min(as_of_dates), sql) for name, sql in configured.items()]
    if first is None:
        return [each for each in added if each.audience not in known]
    ended = [Definition(name, first, None) for name in sorted(known - configured.keys())]
    holds = rules_on(definitions, first)
    return [each for each in (*added, *ended) if not _holds(each, holds)]


def _holds(definition: Definition, holds: Mapping[str, str]) -> bool:
    sql = holds.get(definition.audience)
    return (
        Definition(definition.audience, definition.from_as_of, sql).semantic_hash == definition.semantic_hash
    )
