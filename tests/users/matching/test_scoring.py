"""Known answers: records in words, and which of them are one person."""

import logging
from datetime import date

import pytest

from lifestage.platform.errors import CheckError
from lifestage.users.matching import scoring
from lifestage.users.matching.config import Kind
from lifestage.users.matching.scoring import LINKS, scored
from users.matching.builders import config, records

ANNA = "Anna/Schmidt/Lange Straße 5/10115/1980-05-17"


def pairs(*rows, **changes):
    return [(row["a"], row["b"]) for row in scored(records(*rows), config(**changes)).links.to_pylist()]


def test_the_same_said_twice_is_one_person():
    found = scored(records(("m1", 1, ANNA), ("m2", 4, ANNA)), config())
    (link,) = found.links.to_pylist()
    assert link.pop("score") == pytest.approx(1, abs=1e-6)
    assert link == {
        "a": "m1",
        "a_type": "member",
        "b": "m2",
        "b_type": "member",
        "event_date": date(2026, 3, 4),
        "matched_on": ["born", "given", "postcode", "street", "surname"],
    }
    assert (found.n_pairs, found.is_learned) == (1, False)


@pytest.mark.parametrize(
    "other",
    [
        "ANNA/SCHMIDT/lange straße 5/10115/1980.05.17",
        "Ana/Schmidt/Lange Straße 5/10115/1980-05-17",
        "Anna/Schmitt/Lange Strasse 5/10115/1980-05-17",
        "Anna/Schmidt/Lange Str. 5/10116/1980-05-17",
        "Anna/Schmidt/Lange Straße 5/10115/1980-17-05",
        "Anna/Meier/Lange Straße 5/10115/1980-05-17",
        "Anna/Schmidt/-/10115/1980-05-17",
    ],
)
def test_a_slip_of_the_pen_does_not_part(other):
    assert pairs(("m1", 1, ANNA), ("m2", 1, other)) == [("m1", "m2")]


@pytest.mark.parametrize(
    "other",
    [
        "Paul/Schmidt/Lange Straße 5/10115/1951-11-02",
        # Mother and daughter of one name.
        "Anna/Schmidt/Lange Straße 5/10115/1951-11-02",
        "Anna/Schmidt/-/10115/-",
        "Petra/Kowalski/Am Markt 1/80331/1980-05-17",
        "Anna/Huber/Lange Straße 5/80331/1992-01-30",
    ],
)
def test_family_namesakes_and_those_born_on_one_day_are_not_one(other):
    assert pairs(("m1", 1, ANNA), ("m2", 1, other)) == []


def test_placeholders_and_what_is_missing_agree_with_nobody():
    nobody = "unknown/N/A/-/-/-".replace("N/A", "n a")
    assert pairs(("m1", 1, nobody), ("m2", 1, nobody)) == []
    of_one_name = "unknown/Schmidt/-/10115/-"
    assert pairs(("m1", 1, of_one_name), ("m2", 1, of_one_name)) == []


def test_records_that_share_no_block_are_not_compared():
    rows = [("m1", 1, ANNA), ("m2", 1, ANNA)]
    assert scored(records(*rows), config(blocking=(("given", "surname"),))).n_pairs == 1
    other = ("m2", 1, "Anne/Schmidt/Lange Straße 5/10115/1980-05-17")
    assert scored(records(rows[0], other), config(blocking=(("given", "surname"),))).n_pairs == 0


def test_a_pair_in_several_blocks_counts_once():
    assert scored(records(("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, ANNA)), config()).n_pairs == 3


def test_two_records_of_one_identifier_are_no_link_and_the_best_pair_counts():
    moved = "Anna/Schmidt/Am Markt 1/80331/1980-05-17"
    found = scored(records(("m1", 1, ANNA), ("m1", 3, moved), ("m2", 4, moved)), config())
    (link,) = found.links.to_pylist()
    assert (link["a"], link["b"], link["event_date"].day) == ("m1", "m2", 4)
    assert "street" in link["matched_on"]


def test_a_link_below_the_threshold_is_none():
    rows = [("m1", 1, "Anna/Schmidt/-/10115/-"), ("m2", 1, "Anna/Schmidt/-/10115/-")]
    assert pairs(*rows, threshold=0.9) == [("m1", "m2")]
    assert pairs(*rows, threshold=0.999) == []


@pytest.mark.parametrize("rows", [[], [("m1", 1, ANNA)]])
def test_of_nothing_and_of_one_record_there_is_no_link(rows):
    found = scored(records(*rows), config())
    assert found.links.equals(LINKS.empty_table())


def test_another_order_gives_the_same_links():
    rows = [("m1", 1, ANNA), ("m2", 2, ANNA), ("m3", 2, ANNA), ("m0", 3, ANNA)]
    forth, back = (scored(records(*each), config()).links for each in (rows, rows[::-1]))
    assert len(forth) == 6
    assert forth.equals(back)


def test_a_block_that_is_too_large_is_named(monkeypatch):
    monkeypatch.setattr(scoring, "MOST_PAIRS", 2)
    with pytest.raises(CheckError, match=r"\[surname, postcode\] pairs records 3 times, expected at most 2"):
        scored(records(("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, ANNA)), config())


def test_nothing_of_what_is_compared_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        scored(records(("m1", 1, ANNA), ("m2", 1, ANNA)), config())
    assert [word for word in ("schmidt", "10115", "19800517") if word in caplog.text.lower()] == []


def test_a_block_of_all_comparisons_teaches_nothing_and_pairs_all_the_same():
    comparisons = {"given": Kind.NAME, "born": Kind.DATE}
    rows = [(f"m{n:04}", 1, f"Given{n % 650}/1980-05-{1 + n % 28:02}") for n in range(1_300)]
    settings = config(comparisons=comparisons, blocking=(("given", "born"), ("born",)))
    assert scored(records(*rows, comparisons=comparisons), settings).is_learned
