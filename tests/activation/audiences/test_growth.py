"""Audiences that have the same rule as in the snapshot before."""

from datetime import date

from lifestage.activation.audiences.growth import find_unchanged_audiences


def test_an_audience_is_unchanged_if_the_snapshot_before_has_it_with_the_same_rule():
    """A backfill added `added`: its rule applies to earlier dates, but no snapshot has it."""
    known = [{"kind": "audience", "name": name} for name in ("steady", "changed")]
    before = {"as_of": date(2026, 6, 29), "strategies": [*known, {"kind": "stage", "name": "mature"}]}
    rules = [
        ("steady", date(2026, 1, 31)),
        ("changed", date(2026, 1, 31)),
        ("changed", date(2026, 6, 30)),
        ("added", date(2026, 3, 31)),
    ]
    assert find_unchanged_audiences(before, rules, date(2026, 6, 30)) == {"steady"}
