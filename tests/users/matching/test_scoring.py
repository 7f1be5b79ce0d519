"""Known answers: which records are linked."""

import logging
from datetime import date

import pytest

from lifestage.platform.errors import CheckError
from lifestage.users.matching import scoring
from lifestage.users.matching.config import ComparisonKind, choose_blocking_lists
from lifestage.users.matching.scoring import MATCH_SCHEMA, BlockingList, score_records
from users.matching.builders import config, records

ANNA = "Anna/Schmidt/Lange Straße 5/10115/1980-05-17"


def pairs(*rows, **changes):
    return [
        (row["a"], row["b"]) for row in score_records(records(*rows), config(**changes)).links.to_pylist()
    ]


def n_pairs(found):
    return sum(each.n_added for each in found.lists)


def test_equal_records_are_linked():
    found = score_records(records(("m1", 1, ANNA), ("m2", 4, ANNA)), config())
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
    assert (n_pairs(found), found.n_uncompared, found.is_learned) == (1, 0, False)


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
def test_a_typing_error_does_not_prevent_a_link(other):
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
def test_relatives_and_namesakes_are_not_linked(other):
    assert pairs(("m1", 1, ANNA), ("m2", 1, other)) == []


def test_placeholders_and_missing_values_agree_with_nothing():
    nobody = "unknown/N/A/-/-/-".replace("N/A", "n a")
    assert pairs(("m1", 1, nobody), ("m2", 1, nobody)) == []
    of_one_name = "unknown/Schmidt/-/10115/-"
    assert pairs(("m1", 1, of_one_name), ("m2", 1, of_one_name)) == []


def test_records_without_a_common_block_are_not_compared():
    rows = [("m1", 1, ANNA), ("m2", 1, ANNA)]
    assert n_pairs(score_records(records(*rows), config(blocking=(("given", "surname"),)))) == 1
    other = ("m2", 1, "Anne/Schmidt/Lange Straße 5/10115/1980-05-17")
    found = score_records(records(rows[0], other), config(blocking=(("given", "surname"),)))
    assert (n_pairs(found), found.n_uncompared) == (0, 2)


def test_a_pair_in_several_blocks_counts_once():
    assert n_pairs(score_records(records(("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, ANNA)), config())) == 3


def test_each_list_says_what_it_adds_and_records_that_none_compares_are_counted():
    moved = "Anna/Schmidt/Am Markt 1/80331/1980-05-17"
    rows = [("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, moved), ("m4", 1, "Paul/Weber/-/-/-")]
    found = score_records(records(*rows), config(blocking=(("surname", "postcode"), ("born",))))
    assert found.lists == (BlockingList(("surname", "postcode"), 1, 1), BlockingList(("born",), 3, 2))
    assert found.n_uncompared == 1


def test_without_lists_they_follow_from_the_kinds():
    found = score_records(records(("m1", 1, ANNA), ("m2", 1, ANNA)), config(blocking=()))
    assert [each.comparisons for each in found.lists] == [
        ("born",),
        ("given", "surname"),
        ("given", "postcode"),
        ("surname", "postcode"),
        ("street", "postcode"),
    ]


@pytest.mark.parametrize(
    ("kinds", "lists"),
    [
        ({"name": "name"}, [["name"]]),
        ({"born": "date"}, [["born"]]),
        ({"surname": "name", "born": "date"}, [["surname"], ["born"]]),
        (
            {"surname": "name", "street": "text", "town": "text"},
            [["street", "town"], ["surname", "street"], ["surname", "town"]],
        ),
        (
            {"given": "name", "surname": "name", "tax": "exact"},
            [["given", "surname"], ["given", "tax"], ["surname", "tax"]],
        ),
    ],
)
def test_every_comparison_is_in_a_list(kinds, lists):
    chosen = choose_blocking_lists({name: ComparisonKind(kind) for name, kind in kinds.items()})
    assert sorted(map(list, chosen)) == sorted(lists)


def test_a_chosen_list_with_too_many_pairs_is_left_out(monkeypatch):
    monkeypatch.setattr(scoring, "MAX_PAIRS", 2)
    rows = [("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, "Eva/Schmidt/Am Markt 1/80331/1980-05-17")]
    found = score_records(records(*rows), config(blocking=()))
    assert [(each.n_pairs, each.n_added, each.is_left_out) for each in found.lists] == [
        (3, 0, True),
        (1, 1, False),
        *[(1, 0, False)] * 3,
    ]
    assert [(row["a"], row["b"]) for row in found.links.to_pylist()] == [("m1", "m2")]


def test_two_records_of_one_identifier_are_no_link_and_the_best_pair_counts():
    moved = "Anna/Schmidt/Am Markt 1/80331/1980-05-17"
    found = score_records(records(("m1", 1, ANNA), ("m1", 3, moved), ("m2", 4, moved)), config())
    (link,) = found.links.to_pylist()
    assert (link["a"], link["b"], link["event_date"].day) == ("m1", "m2", 4)
    assert "street" in link["matched_on"]


def test_pairs_below_the_threshold_are_not_linked():
    rows = [("m1", 1, "Anna/Schmidt/-/10115/-"), ("m2", 1, "Anna/Schmidt/-/10115/-")]
    assert pairs(*rows, threshold=0.9) == [("m1", "m2")]
    assert pairs(*rows, threshold=0.999) == []


@pytest.mark.parametrize("rows", [[], [("m1", 1, ANNA)]])
def test_fewer_than_two_records_give_no_link(rows):
    found = score_records(records(*rows), config())
    assert found.links.equals(MATCH_SCHEMA.empty_table())


def test_row_order_does_not_matter():
    rows = [("m1", 1, ANNA), ("m2", 2, ANNA), ("m3", 2, ANNA), ("m0", 3, ANNA)]
    forth, back = (score_records(records(*each), config()).links for each in (rows, rows[::-1]))
    assert len(forth) == 6
    assert forth.equals(back)


def test_a_blocking_rule_with_too_many_pairs_is_named(monkeypatch):
    monkeypatch.setattr(scoring, "MAX_PAIRS", 2)
    with pytest.raises(CheckError, match=r"\[surname, postcode\] pairs records 3 times, expected at most 2"):
        score_records(records(("m1", 1, ANNA), ("m2", 1, ANNA), ("m3", 1, ANNA)), config())


def test_no_compared_value_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        score_records(records(("m1", 1, ANNA), ("m2", 1, ANNA)), config())
    assert [word for word in ("schmidt", "10115", "19800517") if word in caplog.text.lower()] == []


def test_a_blocking_rule_of_all_comparisons_is_skipped_in_training():
    comparisons = {"given": ComparisonKind.NAME, "born": ComparisonKind.DATE}
    rows = [(f"m{n:04}", 1, f"Given{n % 650}/1980-05-{1 + n % 28:02}") for n in range(1_300)]
    settings = config(comparisons=comparisons, blocking=(("given", "born"), ("born",)))
    assert score_records(records(*rows, comparisons=comparisons), settings).is_learned
