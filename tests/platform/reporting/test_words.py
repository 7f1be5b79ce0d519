from decimal import Decimal
from string import Formatter

import pytest

from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.reporting.words import LOCALES, load_texts, load_words
from support.reporting import AS_OF, TEXTS, WORDS

ZH = load_words("zh", None, "CNY", TEXTS)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 4, "25.0%"),
        (0, 4, "0.0%"),
        (4, 4, "100.0%"),
        (2, 100_000, "< 0.1%"),
        (99_999, 100_000, "> 99.9%"),
        (1, 2_000, "< 0.1%"),
        (3, 2_000, "0.2%"),
        (0, 0, "unknown"),
        (3, -4, "unknown"),
        (-1, 4, "-25.0%"),
        (-1, 10_000, "0.0%"),
    ],
)
def test_a_share_reads_0_or_100_percent_only_if_it_is_exact(part, whole, expected):
    assert WORDS.share(part, whole) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1234.5", "money", "€1,234.50"),
        ("0.25", "share", "25.0%"),
        ("1.234", "ratio", "1.23"),
        ("12.34", "days", "12.3"),
        ("12.34", "", "12.3"),
    ],
)
def test_a_mean_is_printed_in_its_unit(value, unit, expected):
    assert WORDS.quantity(Decimal(value), unit) == expected


def test_zero_has_no_sign():
    said = (WORDS.money(Decimal("-0.4")), WORDS.decimal(-0.004, 2), WORDS.count(0))
    assert said == ("€0", "0.00", "0")


def test_a_price_has_the_decimals_of_its_currency():
    prices = [
        load_words("en", None, currency, TEXTS).price(Decimal("1234.56"))
        for currency in ("USD", "JPY", "KWD")
    ]
    assert prices == ["$1,234.56", "¥1,235", "KWD1,234.560"]


def test_an_unknown_mean_is_not_zero():
    assert WORDS.quantity(None, "money") == "unknown"


@pytest.mark.parametrize(
    ("language", "locale", "currency", "expected"),
    [
        ("en", None, "USD", ("$1,234,568", "$1.2M", "1,234.50", "12.5%", "Nov 21, 2026")),
        ("zh", None, "CNY", ("¥1,234,568", "¥123.5万", "1,234.50", "12.5%", "2026年11月21日")),
        ("en", "de_DE", "EUR", ("1.234.568\xa0€", "1,2\xa0Mio.\xa0€", "1.234,50", "12,5\xa0%", "21.11.2026")),
    ],
)
def test_numbers_and_dates_follow_the_locale(language, locale, currency, expected):
    words = load_words(language, locale, currency, TEXTS)
    amount = Decimal("1234567.8")
    said = (
        words.money(amount),
        words.short_money(amount),
        words.decimal(Decimal("1234.5"), 2),
        words.share(1, 8),
        words.day(AS_OF),
    )
    assert said == expected


def test_changes_have_a_sign():
    assert [WORDS.change(n) for n in (3, 0, -1200)] == ["+3", "0", "\N{MINUS SIGN}1,200"]


def test_a_count_of_one_is_singular_if_the_language_has_a_singular():
    said = [WORDS("value.not_scored", n=n) for n in (1, 1_200)]
    assert said == [
        "One user without a purchase in the period is not scored.",
        "1,200 users without a purchase in the period are not scored.",
    ]
    assert ZH("value.not_scored", n=1) == "1 位用户在此期间没有购买，未评分。"


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("locale", ["fr_FR", "es_ES", "ar_EG", "ru_RU", "pl_PL", "en_US", "zh_Hans_CN"])
def test_plurals_are_those_of_the_language_whatever_the_locale(language, locale):
    words = load_words(language, locale, "EUR", TEXTS)
    for n in (1, 2, 3, 11, 100, 1_000_000):
        assert words("value.not_scored", n=n)


@pytest.mark.parametrize("locale", ["ar_EG", "nl_NL", "de_CH", "he_IL"])
def test_amounts_are_whole_units_in_every_locale(locale):
    assert "80" not in load_words("en", locale, "EUR", TEXTS).money(Decimal("1234567.80"))


def test_an_inserted_value_is_never_parsed_as_a_text():
    assert WORDS("page.title", business="{n} {0}", date="d") == "{n} {0}, customers as of d"


def leaves(texts, path=()):
    """Each text of a language by its place; of those that differ by number, one."""
    for key, value in texts.items():
        if key == "names":
            continue
        if isinstance(value, dict) and "other" in value:
            yield (*path, key), value["other"]
        elif isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_the_same_texts_with_the_same_values():
    english, *others = (dict(leaves(load_texts(language, TEXTS))) for language in LOCALES)
    for other in others:
        assert other.keys() == english.keys()
        assert {key: fields(text) for key, text in other.items()} == {
            key: fields(text) for key, text in english.items()
        }


def test_every_plural_has_the_forms_of_its_language():
    for language in LOCALES:
        forms = {load_words(language, None, "EUR", TEXTS).locale.plural_form(n) for n in range(200)}
        for section in load_texts(language, TEXTS).values():
            for text in section.values():
                assert not isinstance(text, dict) or set(text) == forms


def test_all_names_of_the_packaged_configuration_are_translated():
    """Every stage, tier, audience, trait and name of the packaged configuration, with its words."""
    stages, value, segments, audiences = (
        packaged_yaml(f"{path}/defaults.yaml")
        for path in ("analytics/stages", "analytics/value", "analytics/segments", "activation/audiences")
    )
    shipped = {
        word
        for rung in stages["ladder"]
        for word in (rung["stage"], rung["description"], rung["strategy"]["benefits"])
    }
    shipped |= (
        {tier["tier"] for tier in value["tiers"]}
        | {*value["rfm"]["names"].values()}
        | {*value["index"]["dimensions"]}
    )
    shipped |= {feature[side] for feature in segments["features"] for side in ("high", "low")}
    for name, audience in audiences["audiences"].items():
        shipped |= {
            name.replace("_", " ").capitalize(),
            audience["description"],
            audience["strategy"]["benefits"],
        }
    assert shipped - load_texts("zh", TEXTS)["names"].keys() == set()


@pytest.mark.parametrize("language", LOCALES)
def test_no_section_replaces_a_text_of_another(language):
    counts = [
        sum(len(named) for group, named in load_texts(language, folders).items() if group != "names")
        for folders in ((), *[(folder,) for folder in TEXTS], TEXTS)
    ]
    shared, *apart, together = counts
    assert together == shared + sum(n - shared for n in apart)


@pytest.mark.parametrize(
    ("change", "whole", "said"),
    [
        (-2, 4, "\N{MINUS SIGN}50%"),
        (1, 3, "+33%"),
        (0, 3, "0%"),
        (-1, 1_000, "0%"),
        (9, 3, "+300%"),
        (1, 0, "unknown"),
    ],
)
def test_a_change_has_its_sign_and_zero_has_none(change, whole, said):
    assert WORDS.change_share(Decimal(change), Decimal(whole)) == said
