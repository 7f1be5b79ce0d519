"""Records to compare, written as texts."""

from datetime import date

import pyarrow as pa

from lifestage.users.matching.config import ComparisonKind, MatchingConfig, Records
from lifestage.users.matching.records import normalise_texts, number_records

COMPARISONS = {
    "given": ComparisonKind.NAME,
    "surname": ComparisonKind.NAME,
    "street": ComparisonKind.TEXT,
    "postcode": ComparisonKind.CODE,
    "born": ComparisonKind.DATE,
}
PLACEHOLDERS = ("unknown", "n/a")


def config(**changes):
    settings = {
        "records": {"members": Records(identifier="member", columns={name: name for name in COMPARISONS})},
        "comparisons": COMPARISONS,
        "blocking": (("surname", "postcode"), ("born",), ("given", "street")),
        "threshold": 0.99,
        "placeholders": PLACEHOLDERS,
        "types": {"members": "member"},
        "sealed": {"members": ("given", "surname")},
    }
    return MatchingConfig(**{**settings, **changes})


def records(*rows, comparisons=COMPARISONS):
    """Records from (identifier, day of March, values joined by slashes); `-` is a missing value."""
    columns = {
        "identifier": pa.array([name for name, _, _ in rows], pa.string()),
        "type": pa.array(["member"] * len(rows), pa.string()),
        "since": pa.array([date(2026, 3, day) for _, day, _ in rows], pa.date32()),
    }
    values = [[None if part == "-" else part for part in text.split("/")] for _, _, text in rows]
    for at, (name, kind) in enumerate(comparisons.items()):
        texts = pa.array([parts[at] for parts in values], pa.string())
        columns[name] = normalise_texts(texts, kind, PLACEHOLDERS)
    return number_records(pa.table(columns))
