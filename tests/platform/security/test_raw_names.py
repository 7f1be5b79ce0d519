"""Raw identifiers are normalised and hashed without Spark as with it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.errors import NeedsSparkError
from lifestage.platform.runtime.frames import local_rows
from lifestage.platform.security.pseudonyms import add_key_pads, add_normalised_identifier, pseudonym
from lifestage.platform.security.raw_names import find_pseudonyms, normalise_identifier
from support.projects import packaged_config

KEY = bytes(range(32))
CARD = IdentifierType(
    priority=1, normalise="regexp_replace(trim(value), '^0+', '')", valid="value RLIKE '^[1-9][0-9]{0,9}$'"
)
GERMAN = IdentifierType(
    priority=1,
    normalise="regexp_replace(regexp_replace(regexp_replace(value, '[ /().-]', ''), '^00', '+'), '^0', '+49')",
    valid="value RLIKE '^[+][1-9][0-9]{7,14}$' AND length(value) <= 15",
    placeholders=("/^(\\(|<)[a-z ]+(\\)|>)$/", "030 123456", "游客"),
)
TYPES = {**packaged_config().shared.identifiers, "loyalty_card": CARD, "landline": GERMAN}
NAMES = [
    "7", " Anna@Example.ORG ", "anna", "+49 30/123-456", "0049 (30) 123456", "000-000 000", "0900", " 900", "",
    "[object Object]", "(not set)", "{{user_id}}", "%user%", "guest", " Guest ", "no-reply@shop.example", "test@x.org",
    "customer_id", "00000000-0000-0000-0000-000000000000", "M00000001", "030 123456", "a.b@c.d", "-1", "0.0", "~!\\'\"",
]  # fmt: skip
# Pieces of what people type, so that most texts reach more than one branch of the rules.
TEXTS = st.lists(
    st.sampled_from(
        [*NAMES, "@", "+", "0", "00", "49", "123456789", ".", " ", "a", "Z", "-", "\\", "$", "(", "<"]
    ),
    min_size=1,
    max_size=5,
).map("".join)


def normalise_in_spark(spark, texts):
    """Each text under each type, and its pseudonym."""
    rows = add_key_pads(local_rows(spark, [(text,) for text in texts], "raw string"), KEY)
    for kind, rules in TYPES.items():
        rows = add_normalised_identifier(rows, "raw", f"_{kind}", rules)
    names = [pseudonym(kind, F.col(f"_{kind}")).alias(f"p_{kind}") for kind in TYPES]
    found = rows.select("raw", *[f"_{kind}" for kind in TYPES], *names).collect()
    return {row["raw"]: row.asDict() for row in found}


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(TEXTS, min_size=150, max_size=150))
def test_raw_identifiers_have_the_pseudonyms_that_spark_gives_them(spark, texts):
    found = normalise_in_spark(spark, {*texts, *NAMES})
    for text, row in found.items():
        expected = {kind: row[f"_{kind}"] for kind in TYPES}
        assert {kind: normalise_identifier(text, rules) for kind, rules in TYPES.items()} == expected
        assert find_pseudonyms(text, TYPES, KEY) == [row[f"p_{kind}"] for kind in TYPES if row[f"p_{kind}"]]


@pytest.mark.parametrize(
    "rules",
    [
        {"normalise": "substring(value, 1, 3)"},
        {"normalise": "regexp_replace(value, '[a-z]*', '')"},
        {"normalise": "regexp_replace(value, '([a-z])', '$1')"},
        {"normalise": "regexp_replace(value, 'a(?i)b', '')"},
        {"normalise": "regexp_replace(value, '[a-z&&[b]]', '')"},
        {"normalise": "regexp_replace(value, 'a++', '')"},
        {"valid": "try_cast(value AS int) > 0"},
        {"valid": r"value RLIKE '\\d'"},
        {"placeholders": ("/\\w/",)},
        {"placeholders": ("İ",)},
    ],
    ids=str,
)
def test_a_rule_that_may_mean_something_else_needs_spark(rules):
    with pytest.raises(NeedsSparkError, match="by Spark only"):
        normalise_identifier("abc", IdentifierType(priority=1, **rules))


@pytest.mark.parametrize("value", ["ünï", "a\n", "a\tb", "\u00a0"])
def test_a_value_with_other_letters_needs_spark(value):
    with pytest.raises(NeedsSparkError):
        normalise_identifier(value, CARD)
