import hashlib
import hmac
import io
from contextlib import redirect_stdout

import pytest
from pyspark.sql import functions as F

from lifestage.platform.config.shared import IdentifierType
from lifestage.platform.errors import ConfigError
from lifestage.platform.security.pseudonyms import (
    add_key_pads,
    add_normalised_identifier,
    drop_key_pads,
    hmac_hex,
    key_fingerprint,
    pseudonym,
)
from support.frames import assert_rows
from support.projects import packaged_config
from support.pseudonyms import pseudonym as pseudonym_by_python

KEY = bytes(range(100, 132))
LONG_KEY = bytes(range(64)) + b"more than a block"
INVALID, PLACEHOLDER = "invalid_identifier", "placeholder_identifier"
VALUES = ["", "anna@example.org", "Müller ⚑", "x" * 200, "a\0b"]


def default_type(kind):
    return packaged_config().shared.identifiers[kind]


def frame(spark, values):
    return spark.createDataFrame([(value,) for value in values], "value string")


@pytest.mark.parametrize("key", [KEY, KEY * 2, LONG_KEY], ids=["short", "a block", "longer"])
def test_a_pseudonym_is_the_hmac_of_type_and_value(spark, key):
    rows = add_key_pads(frame(spark, [*VALUES, None]), key)
    actual = drop_key_pads(rows.select("value", pseudonym("email", F.col("value")).alias("p"), "_pads"))
    assert_rows(
        actual, [(value, pseudonym_by_python(key, "email", value)) for value in VALUES] + [(None, None)]
    )


def test_equal_values_of_two_types_or_two_keys_have_different_pseudonyms(spark):
    rows = frame(spark, ["900"])
    kinds = add_key_pads(rows, KEY).select(
        *[pseudonym(kind, F.col("value")).alias(kind) for kind in ("card", "phone")]
    )
    other = add_key_pads(rows, LONG_KEY).select(pseudonym("card", F.col("value")).alias("other"))
    assert len({*kinds.first(), *other.first()}) == 3


def test_an_hmac_takes_any_bytes(spark):
    rows = add_key_pads(frame(spark, ["x"]), KEY).select(hmac_hex(F.lit(b"\xff\x00")).alias("p"))
    assert_rows(rows, [(hmac.new(KEY, b"\xff\x00", hashlib.sha256).hexdigest()[:32],)])


def normalise_all(spark, rules, *given):
    """Return (text, identifier, drop reason) of each text under the rules."""
    rows = frame(spark, given).withColumnRenamed("value", "raw")
    return add_normalised_identifier(rows, "raw", "normal", rules).select("raw", "normal", "normal_dropped")


def test_identifiers_are_normalised_before_they_are_checked(spark):
    rules = IdentifierType(priority=1, normalise="lower(trim(value))", valid="value RLIKE '^[^@ ]+@[^@ ]+$'")
    expected = [
        (" Anna@Example.org ", "anna@example.org", None),
        ("anna", None, INVALID),
        ("", None, INVALID),
        (None, None, None),
    ]
    assert_rows(normalise_all(spark, rules, *[row[0] for row in expected]), expected)


def test_a_validity_check_that_gives_null_fails(spark):
    rules = IdentifierType(priority=1, valid="try_cast(value AS int) > 0")
    expected = [("7", "7", None), ("seven", None, INVALID)]
    assert_rows(normalise_all(spark, rules, "7", "seven"), expected)


def test_placeholders_are_compared_in_normalised_form(spark):
    rules = IdentifierType(
        priority=1, normalise="upper(value)", valid="value <> 'NONE'", placeholders=["none", "X"]
    )
    expected = [("NoNe", None, PLACEHOLDER), ("x", None, PLACEHOLDER), ("y", "Y", None), (None, None, None)]
    assert_rows(normalise_all(spark, rules, *[row[0] for row in expected]), expected)


NOBODY = (
    "0", "-1", "0.0", "-1.0", "undefined", "null", "NULL", "[object Object]", "n/a", "N/A", "none", "None", "nan", "NaN",
    " Guest\t", "anonymous", "test", "unknown", "\u00a0", "(not set)", "<NA>", "{{user_id}}", "000-0000000",
    "00000000-0000-0000-0000-000000000000", "customer_id", "游客",
)  # fmt: skip
SOMEBODY = ("7", "10", "M00000001", "nora", "guesthouse", "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", "会员7")


@pytest.mark.parametrize("kind", ["member", "device", "cookie", "customer_id"])
def test_the_packaged_placeholders_hold_for_every_type(spark, kind):
    """Also for a type that the project declares itself."""
    types = packaged_config(f"identifiers: {{{kind}: {{priority: 1}}}}\n").shared.identifiers
    rows = normalise_all(spark, types[kind], *NOBODY, *SOMEBODY).collect()
    found = {row["raw"] for row in rows if row["normal_dropped"] == PLACEHOLDER}
    assert found == {*NOBODY}


def test_the_placeholders_of_a_type_add_to_those_of_all_types(spark):
    types = packaged_config('identifiers: {member: {placeholders: ["99", "/^till-/"]}}\n').shared.identifiers
    rows = normalise_all(spark, types["member"], "99", "Till-3", "guest", "98", "still-3").collect()
    assert {row["raw"] for row in rows if row["normal"] is None} == {"99", "Till-3", "guest"}
    assert "99" not in types["email"].placeholders


def test_a_list_of_the_main_file_replaces_the_placeholders_of_all_types():
    types = packaged_config("placeholders: [nobody]\n").shared.identifiers
    assert {rules.placeholders for rules in types.values()} == {("nobody",)}


def test_a_pattern_that_is_none_is_a_problem_of_the_configuration():
    with pytest.raises(ConfigError, match=r"identifiers.member.placeholders: .*/\(/: is not a regular"):
        packaged_config('identifiers: {member: {placeholders: ["/(/"]}}\n')


@pytest.mark.parametrize("address", ["noreply@shop.example", "No-Reply+7@shop.example", "guest@x.org"])
def test_an_address_that_nobody_reads_is_a_placeholder(spark, address):
    assert_rows(normalise_all(spark, default_type("email"), address), [(address, None, PLACEHOLDER)])


def test_the_packaged_email(spark):
    expected = [
        (" Anna@Example.ORG ", "anna@example.org", None),
        ("anna@mail.example.org", "anna@mail.example.org", None),
        ("anna", None, INVALID),
        ("anna@example", None, INVALID),
        ("anna.smith@example", None, INVALID),
        ("anna@bo@example.org", None, INVALID),
        ("an na@example.org", None, INVALID),
        ("+49 30 123456", None, INVALID),
        ("Test@Test.com ", None, PLACEHOLDER),
        (None, None, None),
    ]
    assert_rows(normalise_all(spark, default_type("email"), *[row[0] for row in expected]), expected)


def test_the_packaged_phone(spark):
    """A plus sign and 7 to 15 digits. A placeholder is reported as such, although it is also invalid."""
    expected = [
        ("+49 30/123-456", "+4930123456", None),
        ("0049 (30) 123456", "+4930123456", None),
        ("+1234567", "+1234567", None),
        ("+123456", None, INVALID),
        ("+123456789012345", "+123456789012345", None),
        ("+1234567890123456", None, INVALID),
        ("+0301234567", None, INVALID),
        ("030 123456", None, INVALID),
        ("4930123456", None, INVALID),
        ("30+49123456", None, INVALID),
        ("-", None, PLACEHOLDER),
        ("anna@example.org", None, INVALID),
        ("anna+4930123456@example.org", None, INVALID),
        ("0000000000", None, PLACEHOLDER),
        ("000-000 000", None, PLACEHOLDER),
        (None, None, None),
    ]
    assert_rows(normalise_all(spark, default_type("phone"), *[row[0] for row in expected]), expected)


def test_a_custom_rule_makes_national_numbers_international(spark):
    stripped = "regexp_replace(regexp_replace(value, '[^0-9+@]', ''), '^00', '+')"
    german = default_type("phone").model_copy(
        update={"normalise": f"regexp_replace({stripped}, '^0', '+49')"}
    )
    expected = [
        ("030/123456", "+4930123456", None),
        ("0041 44 123456", "+4144123456", None),
        ("+49 30 123456", "+4930123456", None),
        ("000-000 0000", None, PLACEHOLDER),
        ("0123456789", None, PLACEHOLDER),
        ("+49 123456789", None, PLACEHOLDER),
    ]
    assert_rows(normalise_all(spark, german, *[row[0] for row in expected]), expected)


def test_no_plan_shows_the_key(spark):
    rows = add_key_pads(frame(spark, ["x"]), KEY)
    rows = drop_key_pads(rows.withColumn("p", pseudonym("email", F.col("value"))))
    shown = io.StringIO()
    generating = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}
    before = {name: spark.conf.get(name) for name in generating}
    for name, value in generating.items():
        spark.conf.set(name, value)
    with redirect_stdout(shown):
        for mode in ("extended", "formatted", "cost", "codegen"):
            rows.explain(mode)
    for name, value in before.items():
        spark.conf.set(name, value)
    assert all(part in shown.getvalue() for part in ("sha2", "BroadcastNestedLoopJoin", "Generated code"))
    assert traces(KEY, shown.getvalue()) == []


def traces(key, text):
    """Return each form of the key and its pads that the text holds."""
    block = key.ljust(64, b"\0")
    pads = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
    forms = [
        form
        for secret in (key, *pads)
        for form in (secret.hex(), str(list(secret))[1:-1], secret.decode("latin-1"))
    ]
    forms += [" ".join(f"{byte:02X}" for byte in secret) for secret in (key, *pads)]
    signed = [[byte - 256 if byte > 127 else byte for byte in secret] for secret in (key, *pads)]
    forms += [str(numbers)[1:-1] for numbers in signed]
    return [form for form in forms if form.lower() in text.lower()]


def test_a_fingerprint_identifies_its_key_without_revealing_it():
    assert key_fingerprint(KEY) != key_fingerprint(LONG_KEY)
    assert key_fingerprint(KEY) == key_fingerprint(bytes(KEY))
    assert len(key_fingerprint(KEY)) == 16
    assert key_fingerprint(KEY) not in KEY.hex()
