"""What `lifestage explain` prints, from findings written by hand."""

from datetime import date
from decimal import Decimal

import pytest

from lifestage.cli.explain import answer_lines
from lifestage.cli.identity import person_lines

D = date(2026, 3, 11)
RECALLED = {
    "name": "recalled", "rule": "returned_gap_days > 4 * returned_gap_cycle_days",
    "matched": {"returned_gap_days": "84", "returned_gap_cycle_days": "11"},
    "observed_since": D, "previous": "churned",
    "history": [
        {"as_of": date(2025, 11, 30), "stage": "mature"},
        {"as_of": date(2025, 12, 31), "stage": "mature"},
        {"as_of": date(2026, 1, 31), "stage": "churned"},
        {"as_of": D, "stage": "recalled"},
    ],
}  # fmt: skip
UNSCORED = {"rfm_status": "insufficient_data"}
NO_TIER = {"name": None, "value_index": None, "parts": [], "least_index": {}}
NOTHING = {"purchase": None, "silence": None}


def told(width=66, **found):
    """The lines as texts, titles first."""
    plain = {
        "user_id": "1f0c", "as_of": D, "identifiers": [], "profile": [], "stage": RECALLED, "rfm": UNSCORED, "tier": NO_TIER, "segment": {},
        "audiences": [], "is_config_changed": False, "would_change": {},
    }  # fmt: skip
    return [f"{title:<13}{text}".rstrip() for title, text in answer_lines({**plain, **found}, width)]


def bought(on, to):
    return {"on": on, "to": to, "amount": Decimal("1234.50")}


def test_the_stage_is_told_with_its_rule_its_values_and_its_history_in_one_line():
    assert told()[:8] == [
        "user         1f0c",
        "as of        11 March 2026",
        "",
        "stage        recalled, observed since 11 March 2026, churned before",
        "  rule       returned_gap_days > 4 * returned_gap_cycle_days",
        "             returned_gap_cycle_days  11",
        "             returned_gap_days        84",
        "  history    mature 30 Nov 2025 > churned 31 Jan 2026 > recalled 11 Mar",
    ]


def test_a_long_history_keeps_its_newest_part():
    assert "  history    ... > churned 31 Jan 2026 > recalled 11 Mar" in told(width=48)


def test_who_fits_no_other_rule_is_told_so():
    assert "  rule       none of the others holds" in told(stage={**RECALLED, "rule": "true", "matched": {}})


def test_what_is_unknown_is_called_so():
    visitor = {**RECALLED, "rule": "joined_on IS NULL", "matched": {"joined_on": None}}
    assert "             joined_on  unknown" in told(stage=visitor)


def test_what_is_scored_is_told_in_days_and_money():
    scored = {
        "rfm_status": "scored", "rfm_name": "loyal", "rfm_period_days": 365, "r_score": 4, "f_score": 4,
        "m_score": 3, "recency_days": 1, "frequency": 52, "monetary_amount": Decimal("1310.48"),
    }  # fmt: skip
    found = told(rfm=scored)
    assert "RFM          loyal: R4 F4 M3" in found
    assert "             bought on 52 days of 365, the last 1 day ago, 1,310.48 net" in found


def test_who_has_neither_stage_nor_scores_nor_segment_is_told_so():
    assert told(stage={"name": None})[3:] == [
        "stage        none: the identifier is shared by several people",
        "",
        "RFM          insufficient data",
        "",
        "segment      none",
        "",
        "audience     none",
    ]


@pytest.mark.parametrize(
    ("by", "sentences"),
    [
        (
            {"purchase": bought(date(2026, 4, 1), "reawakened"), "silence": {"on": D, "to": "dormant"}},
            [
                "to reawakened after one more purchase on 1 April 2026",
                "to dormant after silence until 11 March 2026",
            ],
        ),
        (
            {"purchase": bought(D, "growth"), "silence": {"on": D, "to": "growth"}},
            ["to growth on 11 March 2026, with or without a purchase"],
        ),
        (
            {"purchase": bought(D, None), "silence": None},
            ["to none after one more purchase on 11 March 2026"],
        ),
    ],
)
def test_what_would_change_is_said_in_sentences(by, sentences):
    first, *others = sentences
    assert told(would_change={"stage": by, "tier": NOTHING})[-len(sentences) - 2 :] == [
        "would change assuming a purchase of 1,234.50",
        f"  stage      {first}",
        *[f"             {each}" for each in others],
        "  tier       neither after one more purchase nor after silence",
    ]


def test_a_changed_configuration_is_said():
    (note,) = [line for line in told(is_config_changed=True) if line.startswith("note")]
    assert "the configuration has changed since this date was built" in note


def test_evidence_by_matching_is_told_with_its_score_and_other_evidence_with_its_rows():
    pair = {
        "a": "aa",
        "a_type": "card",
        "b": "bb",
        "b_type": "member",
        "first_on": D,
        "last_on": D,
        "against": [],
    }
    evidence = [
        {**pair, "source": "fuzzy", "n": 1, "score": 0.99125},
        {**pair, "source": "web", "n": 3, "score": None},
    ]
    person = {
        "user_id": "1f0c",
        "as_of": D,
        "status": "active",
        "identifiers": [],
        "decisions": [],
        "changes": [],
    }
    texts = [text for _, text in person_lines({**person, "evidence": evidence})]
    assert texts[-2:] == [
        "card aa and member bb, fuzzy, 11 March 2026, score 0.991250",
        "card aa and member bb, web, 11 March 2026, 3 rows",
    ]
