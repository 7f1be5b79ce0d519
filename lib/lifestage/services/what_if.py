"""Find out what would change a user's results: one more purchase, or silence.

The purchase is a hypothetical event. Each domain computes its tables from those of earlier domains, in the order of the
map, as in a run. Norms, cut points, scales and models stay as they were on the date.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pyspark.sql import Row

from lifestage.platform.explain import Explain
from lifestage.platform.hypotheses import SILENCE, Hypotheses
from lifestage.platform.runtime.parallel import run_in_parallel
from lifestage.platform.user_rows import UserFrames

Asked = tuple[Explain, Any]
"""A domain's declaration, and its configuration."""


def find_changes(domains: Sequence[Asked], rows: UserFrames, silent_days: int) -> dict[str, Any]:
    """For each result, the first purchase and the first silent day that change it.

    Args:
        domains: in the order of the map.
        rows: the user as of the date.
        silent_days: number of days of silence to try.

    Returns:
        By result, `purchase` and `silence`, each with the date `on` and the new value `to`; a purchase also has its
        `amount`. Each is None if it does not change the result. Empty for a user without any result.
    """
    columns = [each for explain, _ in domains for each in explain.results]
    tables = [*dict.fromkeys(each.table for each in columns)]
    now = {table: rows.row(table) for table in tables}
    if not any(now.values()):
        return {}
    assumed = assume(domains, Hypotheses(rows, silent_days, choose_amount(domains, rows)))
    # At most 30 rows and the silent days of each.
    found = dict(zip(tables, run_in_parallel([assumed.tables[name].collect for name in tables]), strict=True))
    return {
        each.column: _changes(found[each.table], each.column, now[each.table], assumed.amount)
        for each in columns
    }


def choose_amount(domains: Iterable[Asked], rows: UserFrames) -> Decimal | None:
    """Amount of the purchase: the typical purchase of the first domain that knows one; None if no domain does."""
    for explain, config in domains:
        if explain.typical_purchase and (minor := explain.typical_purchase(rows, config)) is not None:
            return Decimal(minor).scaleb(-2)
    return None


def assume(domains: Iterable[Asked], hypotheses: Hypotheses) -> Hypotheses:
    """The hypotheses with the tables that the domains compute from them."""
    for explain, config in domains:
        if explain.assume:
            tables = {**hypotheses.tables, **explain.assume(hypotheses, config)}
            hypotheses = replace(hypotheses, tables=tables)
    return hypotheses


def first_change(
    rows: Iterable[Row | Mapping[str, Any]], name: str, now: Any, is_silent: bool
) -> dict[str, Any] | None:
    """The first day on which silence or a purchase changes a result, and the new value.

    Args:
        rows: results of the hypotheses, each with its number as user_id and its day as as_of.
        name: the result.
        now: the value of the result on the date when the hypotheses begin.
        is_silent: True for silence, False for a purchase.
    """
    changed = [row for row in rows if (row["user_id"] == str(SILENCE)) == is_silent and row[name] != now]
    first = min(changed, key=lambda row: row["as_of"], default=None)
    return {"on": first["as_of"], "to": first[name]} if first else None


def _changes(
    rows: Sequence[Row], name: str, now: Mapping[str, Any], amount: Decimal | None
) -> dict[str, dict[str, Any] | None]:
    bought, silent = (first_change(rows, name, now.get(name), is_silent) for is_silent in (False, True))
    return {"purchase": bought and {**bought, "amount": amount}, "silence": silent}
