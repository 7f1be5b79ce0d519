"""The words of a report: texts of a language, numbers and dates of a locale, amounts in a currency."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)

from lifestage.platform.units import Unit


class Language(StrEnum):
    """The language of a report. Each has a file in every folder of texts."""

    ENGLISH = "en"
    CHINESE = "zh"


# Shown in place of a withheld number. An unknown number is spelt out.
WITHHELD = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LOCALES = {Language.ENGLISH: "en_US", Language.CHINESE: "zh_Hans_CN"}
# Folder of the package with the texts that sections share.
SHARED = "platform/reporting/texts"
WHOLE = "#,##0"
Number = int | Decimal


@dataclass(frozen=True)
class Words:
    """The words of one report. A text has a key such as `value.title`. Values are inserted, never parsed as a text."""

    texts: Mapping[str, Any]
    language: Locale
    locale: Locale
    currency: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values.

        `n` chooses between the singular and plural forms of a text and is formatted as a count.
        """
        section, name = key.split(".")
        text = self.texts[section][name]
        n = values.get("n")
        if isinstance(n, int):
            text = text[self.language.plural_form(n)] if isinstance(text, dict) else text
            values["n"] = self.count(n)
        return str(text).format_map(values)

    def translate(self, name: str) -> str:
        """A name or description of the configuration in this language; the same text where no translation is packaged."""
        known: Mapping[str, str] = self.texts["names"]
        return known.get(name) or self("word.and").join(known.get(part, part) for part in name.split(", "))

    def count(self, n: Number) -> str:
        """A whole number with separators of thousands."""
        return str(format_decimal(n, format=WHOLE, locale=self.locale))

    def change(self, n: int) -> str:
        """A whole number with its sign; 0 has none."""
        return f"+{self.count(n)}" if n > 0 else self.count(n).replace("-", MINUS)

    def decimal(self, value: Number | float, digits: int) -> str:
        """A number with `digits` decimals."""
        return str(format_decimal(_round(value, digits), _set_digits(WHOLE, digits), self.locale))

    def share(self, part: Number, whole: Number, digits: int = 1) -> str:
        """A percentage. It reads 0 or 100 only if that is exact: 2 rejected rows of 100,000 are not shown as 0.0 %.

        The share of a whole of 0 is unknown. So is that of a negative whole, as when returns exceed purchases.
        """
        if whole <= 0:
            return self("word.unknown")
        percent = Decimal(100) * part / whole
        least = Decimal(1).scaleb(-digits)
        if 0 < percent <= least / 2:
            return f"< {self._percent(least, digits)}"
        if 100 - least / 2 <= percent < 100:
            return f"> {self._percent(100 - least, digits)}"
        return self._percent(percent, digits)

    def change_share(self, change: Number, whole: Number) -> str:
        """A change as a whole percentage, with its sign; 0 has none. The share of a whole of 0 or less is unknown."""
        if whole <= 0:
            return self("word.unknown")
        percent = _round(Decimal(100) * Decimal(change) / whole, 0)
        sign = "" if not percent else MINUS if percent < 0 else "+"
        return f"{sign}{self._percent(abs(percent), 0)}"

    def price(self, amount: Number) -> str:
        """An amount in the smallest unit of the currency: cents for EUR, whole units for JPY."""
        return self.money(amount, get_currency_precision(self.currency))

    def money(self, amount: Number, digits: int = 0) -> str:
        """An amount in the business currency, rounded to `digits` decimals."""
        amount = _round(amount, digits)
        pattern = _set_digits(self.locale.currency_formats["standard"].pattern, digits)
        return str(format_currency(amount, self.currency, pattern, self.locale, currency_digits=False))

    def short_money(self, amount: Number) -> str:
        """An amount in short, such as $4.6M."""
        return str(format_compact_currency(amount, self.currency, locale=self.locale, fraction_digits=1))

    def day(self, day: date) -> str:
        """A date for a sentence or a table."""
        return str(format_date(day, "medium", self.locale))

    def short_day(self, day: date) -> str:
        """A date for the axis of a chart."""
        return str(format_date(day, "short", self.locale))

    def describe_comparison(self, key: str, day: date, before: date | None) -> str:
        """A title with its date, and the date that movement is counted since."""
        title = self(key, date=self.day(day))
        return self("word.compared", title=title, before=self.day(before)) if before else title

    def moment(self, at: datetime) -> str:
        """An instant in UTC."""
        return f"{format_datetime(at.astimezone(UTC), 'medium', locale=self.locale)} UTC"

    def quantity(self, value: Number | None, unit: str) -> str:
        """The mean of a feature in its unit."""
        if value is None:
            return self("word.unknown")
        if unit in (Unit.SHARE, Unit.FLAG):
            return self.share(value, 1)
        if unit == Unit.MONEY:
            return self.price(value)
        return self.decimal(value, 2 if unit in (Unit.RATIO, Unit.POINTS) else 1)

    def in_currency(self, key: str) -> str:
        """The title of an axis of amounts, with the business currency."""
        return self("word.money", name=self(key), currency=self.currency)

    def meaning(self, description: str, unit: str) -> str:
        """The description of a feature with its unit, if it has one. Money is in the business currency."""
        units: Mapping[str, str] = self.texts["unit"]
        name = self.currency if unit == Unit.MONEY else units.get(unit, unit)
        return f"{self.translate(description)} ({name})" if name else self.translate(description)

    def plan(self, benefits: str) -> str:
        """What is planned for a group of users, as a sentence; empty if nothing is."""
        return self("word.planned", benefits=self.translate(benefits)) if benefits else ""

    def axis(self) -> dict[str, Any]:
        """The number format of the axes of charts, as a d3 locale."""
        symbols = self.locale.number_symbols["latn"]
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", f" {self.currency}"],
        }

    def _percent(self, percent: Decimal, digits: int) -> str:
        pattern = _set_digits(self.locale.percent_formats[None].pattern, digits)
        return str(format_percent(_round(percent, digits) / 100, pattern, self.locale))


def load_words(language: Language, locale: str | None, currency: str, folders: Iterable[str] = ()) -> Words:
    """The words of a language. Without a locale, numbers and dates follow the default locale of the language.

    Args:
        language: the language of the texts.
        locale: the locale of numbers and dates.
        currency: ISO 4217 code of all amounts.
        folders: folders of the package with the texts of sections, in addition to the shared texts.
    """
    own = Locale.parse(LOCALES[language])
    return Words(load_texts(language, tuple(folders)), own, Locale.parse(locale) if locale else own, currency)


@cache
def load_texts(language: Language, folders: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """The shared texts of a language with those of sections, by group and name."""
    texts: dict[str, dict[str, Any]] = {}
    for folder in (SHARED, *folders):
        file = files("lifestage").joinpath(folder, f"{language}.yaml")
        for group, named in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            texts.setdefault(group, {}).update(named)
    return texts


def _round(value: Number | float, digits: int) -> Decimal:
    """Round half to even. The result 0 has no sign."""
    return round(Decimal(value), digits) + 0


def _set_digits(pattern: str, digits: int) -> str:
    """A pattern of a locale with `digits` decimals. A pattern for negative numbers, if there is one, follows a semicolon."""
    wanted = f"0.{'0' * digits}" if digits else "0"
    return ";".join(re.sub(r"0(\.0+)?(?=[^#0]*$)", wanted, part, count=1) for part in pattern.split(";"))
