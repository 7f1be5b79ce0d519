"""Map lines to canonical rows: each line is one situation, and all are mapped at once."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from ingestion.events.till import KEY, TILL, canonical, line
from lifestage.ingestion.events.mapping import list_fraction_digits
from lifestage.ingestion.events.tables import EVENTS
from lifestage.platform.storage.contracts import conform
from support.frames import assert_rows
from support.pseudonyms import keyed, pseudonym

LINES = [
    line(id="plain"),
    # Money: 10.05 euros at 1.10 are 11.055 dollars.
    line(id="euro", amount="10.05", currency="EUR", discount="1.00"),
    line(id="euro back", amount="-10.05", currency="EUR", kind="return"),
    line(id="euro later", currency="EUR", at="2026-03-05T05:00:00Z"),
    line(id="euro night before", currency="EUR", at="2026-03-05T04:59:59Z"),
    line(id="dollar", currency="USD"),
    line(id="pound", currency="GBP"),
    line(id="yen", currency="YEN"),
    line(id="euro in lower case", amount="10.05", currency="eur"),
    line(id="three decimals", amount="10.005"),
    line(id="zeros", amount="10.0000"),
    # Reference data of the business day.
    line(id="food", product="p1", at="2026-03-05T04:00:00Z"),
    line(id="drinks", product="p1", at="2026-03-05T06:00:00Z"),
    line(id="unknown product", product="p9"),
    # Faults.
    line(id="no type", kind=""),
    line(id="unknown type", kind="sneeze"),
    line(id="no time", at=""),
    line(id="tomorrow", at="2026-03-21T06:00:00Z"),
    line(id="1970", at="1970-01-01T12:00:00Z"),
    line(id="no day known", at="0001-01-01T12:00:00Z"),
    line(id="the last day", at="9999-12-31T00:00:00Z"),
    line(id="day after tomorrow", at="2026-03-21T06:00:01Z"),
    line(id="bought for less than nothing", amount="-1"),
    line(id="returned for more than nothing", amount="1", kind="return"),
    line(id="nothing", amount="0", kind="return"),
    line(id="below zero", discount="-1", quantity="-2"),
    line(id="a trillion", amount="-1000000000000", kind="return", quantity="1000000000000"),
    line(id="just below", amount="999999999999.99", quantity="999999999999.999"),
    line(id="no room when converted", amount="9999999999999999.99", currency="EUR"),
    line(id="no key", seq=""),
    line(id="no version", updated=""),
    line(id="no amount", amount=""),
    line(id="all wrong", seq="x", kind="sneeze", amount="x", gone="maybe"),
    line(id="plausible?", amount="1000"),
    # Persons.
    line(id="both", email=" Anna@Example.org", phone="+49 30/123456"),
    line(id="phone", email="anna", phone="0049 301234567"),
    line(id="invalid", email="anna", phone="1"),
    line(id="swapped", email="+49 30 123456", phone="anna@example.org"),
    line(id="filled in", email="TEST@test.com", phone="0000000000"),
    # Corrections.
    line(id="gone", gone="true", updated="2026-03-04T12:00:00.000001Z"),
    line(id="a|b", seq="2"),
    "short,1",
    b"wrong \xff,1",
]


@pytest.fixture(scope="module")
def rows(spark_session, tmp_path_factory):
    return canonical(spark_session, tmp_path_factory.mktemp("till"), LINES).localCheckpoint()


def of(rows, *ids):
    return rows.where(F.col("order_id").isin(*ids))


def reasons(rows, *ids):
    return of(rows, *ids).select("order_id", "reasons")


def test_a_line_becomes_an_event_of_the_declared_schema(rows):
    conform(rows.select(*EVENTS.names), EVENTS)
    event = of(rows, "plain").select(
        "event_id", "source", "event_type", F.col("event_at").cast("string"), "event_date", "event_month",
        F.col("ingested_at").cast("string"), "delivery_no", "channel", "amount", "duration", "attributes",
        "raw", "reasons", "warnings", "is_delete", "looks_back", "rejects_changes", "replaces_changes",
    )  # fmt: skip
    expected = (
        "plain|1", "till", "purchase", "2026-03-04 12:00:00", date(2026, 3, 4), date(2026, 3, 1),
        "2026-03-20 06:00:00", 1, "store", "10.00", 10, {"file": "a.csv", "none": None},
        line(id="plain"), [], [], False, True, False, False,
    )  # fmt: skip
    assert_rows(event, [expected])


def test_money_is_converted_by_the_rate_of_the_business_day_half_up(rows):
    money = of(rows, "euro", "euro back", "euro later", "euro night before", "dollar", "plain")
    expected = [
        ("euro", "11.06", "10.05", "1.10"),
        ("euro back", "-11.06", "-10.05", None),
        ("euro later", "12.50", "10.00", None),
        ("euro night before", "11.00", "10.00", None),
        ("dollar", "10.00", "10.00", None),
        ("plain", "10.00", "10.00", None),
    ]
    assert_rows(money.select("order_id", "amount", "amount_original", "discount_amount"), expected)


def test_the_code_of_a_currency_may_be_in_lower_case(rows):
    euro = of(rows, "euro in lower case").select("amount", "currency_original")
    assert_rows(euro, [("11.06", "EUR")])


def test_amounts_may_count_the_smallest_unit_of_their_currency(spark, tmp_path):
    lines = [
        line(id="cents", amount="1050", discount="50", currency="eur"),
        line(id="no currency", amount="1050"),
        line(id="half a cent", amount="10.5"),
    ]
    rows = canonical(spark, tmp_path, lines, amounts="minor")
    expected = [("cents", "11.55", "0.55"), ("no currency", "10.50", None), ("half a cent", "0.11", None)]
    assert_rows(rows.select("order_id", "amount", "discount_amount"), expected)
    assert {code: list_fraction_digits().get(code) for code in ("JPY", "KWD", "USD")} == {
        "JPY": 0,
        "KWD": 3,
        "USD": None,
    }


def test_a_number_that_is_rounded_is_warned_of(rows):
    rounded = of(rows, "three decimals", "zeros", "plain").select("order_id", "amount", "warnings")
    ten = "10.00"
    expected = [
        ("three decimals", "10.01", ["rounded:amount"]),
        ("zeros", ten, []),
        ("plain", ten, []),
    ]
    assert_rows(rounded, expected)


def test_an_event_from_before_the_history_is_warned_of_or_rejected(rows, spark, tmp_path):
    early = of(rows, "1970").select("warnings", "reasons")
    assert_rows(early, [(["before_history:event_at"], [])])
    lines = [line(id="1970", at="1970-01-01T12:00:00Z"), line(id="first day", at="2020-01-01T05:00:00Z")]
    strict = canonical(spark, tmp_path, lines, before_history="error")
    expected = [("1970", ["before_history:event_at"], []), ("first day", [], [])]
    assert_rows(strict.select("order_id", "reasons", "warnings"), expected)


def test_without_a_rate_a_row_is_rejected(rows):
    assert_rows(
        reasons(rows, "pound", "yen"), [("pound", ["no_rate:currency"]), ("yen", ["no_rate:currency"])]
    )


def test_sentinel_dates_are_rejected(rows):
    found = of(rows, "no day known", "the last day").select("order_id", "event_date", "reasons")
    expected = [
        ("no day known", None, ["out_of_range:event_at"]),
        ("the last day", None, ["in_the_future", "out_of_range:event_at"]),
    ]
    assert_rows(found, expected)


def test_amounts_that_would_overflow_are_rejected_and_do_not_fail_the_run(rows):
    found = reasons(rows, "a trillion", "just below", "no room when converted")
    both = ["out_of_range:amount", "out_of_range:quantity"]
    assert_rows(
        found, [("a trillion", both), ("just below", []), ("no room when converted", ["out_of_range:amount"])]
    )


def test_lookups_use_the_business_date_and_give_null_without_a_match(rows):
    found = of(rows, "food", "drinks", "unknown product").select("order_id", "category", "reasons")
    assert_rows(found, [("food", "food", []), ("drinks", "drinks", []), ("unknown product", None, [])])


def test_a_bad_row_has_its_reason(rows):
    expected = {
        "no type": ["missing:event_type"],
        "unknown type": ["unknown_event_type"],
        "no time": ["missing:event_at", "missing:version"],
        "tomorrow": [],
        "day after tomorrow": ["in_the_future"],
        "bought for less than nothing": ["wrong_sign:amount"],
        "returned for more than nothing": ["wrong_sign:amount"],
        "nothing": [],
        "below zero": ["negative:discount_amount", "negative:quantity"],
        "no key": ["missing:key"],
        "no version": ["missing:version"],
        "no amount": ["rule:has_amount"],
        "plausible?": [],
    }
    assert_rows(reasons(rows, *expected), list(expected.items()))


def test_a_row_has_every_reason_sorted(rows):
    expected = [
        "missing:key",
        "not_a_boolean:gone",
        "not_a_decimal:amount",
        "not_a_int:seq",
        "rule:has_amount",
        "unknown_event_type",
    ]
    assert_rows(reasons(rows, "all wrong"), [("all wrong", expected)])


def test_a_broken_line_has_one_reason_and_keeps_its_bytes(rows):
    broken = rows.where("array_contains(reasons, 'malformed') OR array_contains(reasons, 'wrong_encoding')")
    expected = [
        (["malformed"], b"short,1".hex().upper()),
        (["wrong_encoding"], b"wrong \xff,1".hex().upper()),
    ]
    assert_rows(broken.select("reasons", F.hex("raw")), expected)


def test_a_row_that_breaks_a_warning_rule_is_accepted(rows):
    assert_rows(of(rows, "plausible?").select("warnings", "reasons"), [(["rule:plausible"], [])])


def test_the_strongest_identifier_is_the_subject_and_all_are_pseudonyms(rows):
    email, phone = pseudonym(KEY, "email", "anna@example.org"), pseudonym(KEY, "phone", "+4930123456")
    persons = of(rows, "both", "plain").select("order_id", "subject", "identifiers", "warnings")
    expected = [("both", email, {"email": email, "phone": phone}, []), ("plain", None, None, [])]
    assert_rows(persons, expected)


def test_an_invalid_identifier_is_dropped_with_a_warning_and_the_event_stays(rows):
    phone = pseudonym(KEY, "phone", "+49301234567")
    persons = of(rows, "phone", "invalid", "swapped", "filled in")
    both = ["invalid_identifier:email", "invalid_identifier:phone"]
    expected = [
        ("phone", phone, {"phone": phone}, both[:1], []),
        ("invalid", None, None, both, []),
        ("swapped", None, None, both, []),
        ("filled in", None, None, ["placeholder_identifier:email", "placeholder_identifier:phone"], []),
    ]
    assert_rows(persons.select("order_id", "subject", "identifiers", "warnings", "reasons"), expected)


def test_timestamp_versions_count_microseconds_and_deletes_are_marked(rows):
    versions = of(rows, "gone", "plain").select("is_delete", F.expr("version - 1772625600000000 v"))
    assert_rows(versions, [(True, 1), (False, 0)])


def test_a_separator_within_a_key_value_is_escaped(rows):
    assert_rows(of(rows, "a|b").select("event_id"), [("a||b|2",)])


def test_a_source_without_corrections_keeps_raw_text_of_bad_rows_only_and_hashes_a_key_with_pii(
    spark, tmp_path
):
    changes = {"key": ["email", "seq"], "version": None, "delete_when": None, "identifier": "required"}
    lines = [line(id="good", email="a@b.org"), line(id="bad", amount="", email="A@b.org"), line(id="nobody")]
    rows = canonical(spark, tmp_path, lines, **changes).select(
        "order_id", "event_id", "raw", "reasons", "looks_back"
    )
    hashed = {name: keyed(KEY, f"{name}|1") for name in ("a@b.org", "A@b.org")}
    expected = [
        ("good", hashed["a@b.org"], None, [], False),
        ("bad", hashed["A@b.org"], lines[1], ["rule:has_amount"], False),
        ("nobody", None, lines[2], ["missing:identifier", "missing:key"], False),
    ]
    assert_rows(rows, expected)


def test_a_rating_must_be_1_to_5(spark, tmp_path):
    """One rating that is not a number would otherwise fail the sum of ratings."""
    given = ["1", "5", "0.99", "5.01", "NaN", "Infinity"]
    lines = [line(id=f"r{text}", product=text) for text in given]
    rated = canonical(spark, tmp_path, lines, map={**TILL["map"], "rating": "TRY_CAST(product AS DOUBLE)"})
    bad = rated.where(F.array_contains("reasons", "out_of_range:rating")).select("order_id")
    assert_rows(bad, [(f"r{text}",) for text in given[2:]])
