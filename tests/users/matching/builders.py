"""Records in words, as `to_records` gives them."""

from datetime import date

import pyarrow as pa

from lifestage.users.matching.config import Kind, MatchingConfig, Records
from lifestage.users.matching.records import normalised, numbered

COMPARISONS = {
    "given": Kind.NAME,
    "surname": Kind.NAME,
    "street": Kind.TEXT,
    "postcode": Kind.CODE,
    "born": Kind.DATE,
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
    """(identifier, day of March, what is compared, in one text with slashes); `-` is nothing."""
    columns = {
        "identifier": pa.array([name for name, _, _ in rows], pa.string()),
        "type": pa.array(["member"] * len(rows), pa.string()),
        "since": pa.array([date(2026, 3, day) for _, day, _ in rows], pa.date32()),
    }
    said = [[None if part == "-" else part for part in text.split("/")] for _, _, text in rows]
    for at, (name, kind) in enumerate(comparisons.items()):
        texts = pa.array([parts[at] for parts in said], pa.string())
        columns[name] = normalised(texts, kind, PLACEHOLDERS)
    return numbered(pa.table(columns))
