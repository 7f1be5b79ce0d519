"""What looks like personal data: one list of texts for both languages in which it is searched."""

import time

import pytest
from pyspark.sql import functions as F

from lifestage.platform.security.personal_data import (
    PREFIX,
    find_forms,
    form_warning,
    mask_personal_data,
)
from support.frames import assert_rows

# The text, what it looks like, and what messages show of it.
TEXTS = [
    ("anna@example.org", "email", "<email>"),
    ("order of jörg.müller+shop@exämple.co.uk, paid", "email", "order of <email>, paid"),
    ("anna%40example.org", "email", "<email>"),
    ("anna@example.org|1", "email", "<email>|1"),
    ("<anna@example.org>", "email", "<<email>>"),
    ("+49 30 123456", "phone", "<phone>"),
    ("+4930123456", "phone", "<phone>"),
    ("%2B4930123456", "phone", "<phone>"),
    ("0049 (30) 123456", "phone", "<phone>"),
    ("+1 (555) 123-4567", "phone", "<phone>"),
    ("(555) 123-4567", "phone", "<phone>"),
    ("call 555.123.4567 now", "phone", "call <phone> now"),
    ("basket+8613812345678", "phone", "basket<phone>"),
    ("4111111111111111", "card", "<card>"),
    ("4111 1111 1111 1111 exp 12/29", "card", "<card> exp 12/29"),
    ("5500-0000-0000-0004", "card", "<card>"),
    ("3782 822463 10005", "card", "<card>"),
    ("6222 0212 3456 7890 128", "card", "<card>"),
    ("anna@example.org, +49 30 123456", "email phone", "<email>, <phone>"),
    # Ordinary ids, names and texts.
    *[
        (text, "", text)
        for text in (
            "", "p1", "0301234567", "1234567890", "13812345678", "4006381333931", "0012345678905",
            "4111111111111112", "1700000000000000", "1111 1111 1111 1117", "R-2026-03-10-0001",
            "2026-03-10T12:00:00+02:00", "till_2026-03-09T120000+0100.csv", "123-456-7890", "192.168.100.1000",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "a4111111111111111", "0.4111111111111111", "logo@2x.png",
            "anna@localhost", "@anna", "men@work", "3 + 4 = 7", "C++", "100 % cotton 40 x 60",
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize(("text", "forms", "shown"), TEXTS)
def test_texts_are_recognised_and_masked(text, forms, shown):
    assert " ".join(find_forms(text)) == forms
    assert mask_personal_data(text) == shown
    assert find_forms(shown) == []


def test_spark_finds_what_python_finds_and_names_the_column(spark):
    columns = {"product_id": F.col("text"), "attributes.note": F.col("note"), "other": F.col("nothing")}
    rows = spark.createDataFrame(
        [(text, None, None) for text, _, _ in TEXTS] + [("p1", f"see\n{text}", None) for text, _, _ in TEXTS],
        "text string, note string, nothing string",
    )
    found = rows.select("text", "note", form_warning(columns).alias("found"))
    in_product = [(text, None, warnings(forms, "product_id")) for text, forms, _ in TEXTS]
    in_note = [("p1", f"see\n{text}", warnings(forms, "attributes.note")) for text, forms, _ in TEXTS]
    assert_rows(found, in_product + in_note)


def warnings(forms, column):
    return "\n".join(f"{PREFIX}{form}:{column}" for form in forms.split()) or None


def test_each_column_is_warned_of_once(spark):
    rows = spark.createDataFrame(
        [("a@b.org c@d.org", "x", "e@f.org +49 30 123456")], "a string, b string, c string"
    )
    (row,) = rows.select(form_warning({name: F.col(name) for name in "abc"})).collect()
    assert row[0].splitlines() == ["looks_like_email:a", "looks_like_email:c", "looks_like_phone:c"]


@pytest.mark.parametrize("text", ["1" * 50_000 + "@", "a." * 25_000 + "@", "+1 2" * 25_000, "555-" * 25_000])
def test_a_long_text_costs_little(text):
    started = time.monotonic()
    find_forms(text)
    assert time.monotonic() - started < 2
