"""How a report speaks: texts of one language, numbers and dates of one locale, amounts in one currency."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
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

from lifestage.activation.report.config import Language
from lifestage.users.catalogue.model import Unit

# Stands for a number that would tell of too few users; an unknown one is spelt out.
WITHHELD = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LOCALES = {Language.ENGLISH: "en_US", Language.CHINESE: "zh_Hans_CN"}
WHOLE = "#,##0"
Number = int | Decimal


@dataclass(frozen=True)
class Words:
    """The language of a report. Texts are found by `section.name`; data are passed in, never parsed as a text."""

    texts: Mapping[str, Any]
    language: Locale
    locale: Locale
    currency: str

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values; one that differs by number is chosen by `n`, which is formatted as a count."""
        section, name = key.split(".")
        text = self.texts[section][name]
        n = values.get("n")
        if isinstance(n, int):
            text = text[self.language.plural_form(n)] if isinstance(text, dict) else text
            values["n"] = self.count(n)
        return str(text).format_map(values)

    def of(self, name: str) -> str:
        """A name or description from configuration in this language, where the shipped one is translated."""
        known: Mapping[str, str] = self.texts["names"]
        return known.get(name) or self("word.and").join(known.get(part, part) for part in name.split(", "))

    def count(self, n: Number) -> str:
        """A whole number with its thousands apart."""
        return str(format_decimal(n, format=WHOLE, locale=self.locale))

    def change(self, n: int) -> str:
        """A whole number with its sign; nothing changed is 0."""
        return f"+{self.count(n)}" if n > 0 else self.count(n).replace("-", MINUS)

    def decimal(self, value: Number | float, digits: int) -> str:
        """A number with so many decimals."""
        return str(format_decimal(_rounded(value, digits), _with_digits(WHOLE, digits), self.locale))

    def share(self, part: Number, whole: Number, digits: int = 1) -> str:
        """A percentage that says 0 or 100 only where that is exact: 2 rejected rows of 100,000 are not 0.0 %.

        Of nothing, or of less than nothing where more came back than was sold, there are no parts: unknown.
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

    def price(self, amount: Number) -> str:
        """An amount to the currency's smallest coin; yen have none."""
        return self.money(amount, get_currency_precision(self.currency))

    def money(self, amount: Number, digits: int = 0) -> str:
        """An amount of the business currency, to whole units unless digits are asked for."""
        amount = _rounded(amount, digits)
        pattern = _with_digits(self.locale.currency_formats["standard"].pattern, digits)
        return str(format_currency(amount, self.currency, pattern, self.locale, currency_digits=False))

    def short_money(self, amount: Number) -> str:
        """An amount as one says it: $4.6M."""
        return str(format_compact_currency(amount, self.currency, locale=self.locale, fraction_digits=1))

    def day(self, day: date) -> str:
        """A date in words short enough for a table."""
        return str(format_date(day, "medium", self.locale))

    def short_day(self, day: date) -> str:
        """A date for an axis."""
        return str(format_date(day, "short", self.locale))

    def moment(self, at: datetime) -> str:
        """An instant in UTC."""
        return f"{format_datetime(at.astimezone(UTC), 'medium', locale=self.locale)} UTC"

    def quantity(self, value: Number | None, unit: str) -> str:
        """A mean in the unit of its feature."""
        if value is None:
            return self("word.unknown")
        if unit in (Unit.SHARE, Unit.FLAG):
            return self.share(value, 1)
        if unit == Unit.MONEY:
            return self.price(value)
        return self.decimal(value, 2 if unit in (Unit.RATIO, Unit.POINTS) else 1)

    def in_currency(self, key: str) -> str:
        """The name of an amount with the business currency, for an axis."""
        return self("word.money", name=self(key), currency=self.currency)

    def meaning(self, description: str, unit: str) -> str:
        """What a feature means, with its unit where it has one; money is in the business currency."""
        units: Mapping[str, str] = self.texts["unit"]
        name = self.currency if unit == Unit.MONEY else units.get(unit, unit)
        return f"{self.of(description)} ({name})" if name else self.of(description)

    def axis(self) -> dict[str, Any]:
        """How a chart prints the numbers of its axes, as d3 wants to be told."""
        symbols = self.locale.number_symbols["latn"]
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", f" {self.currency}"],
        }

    def _percent(self, percent: Decimal, digits: int) -> str:
        pattern = _with_digits(self.locale.percent_formats[None].pattern, digits)
        return str(format_percent(_rounded(percent, digits) / 100, pattern, self.locale))


def words_of(language: Language, locale: str | None, currency: str) -> Words:
    """The words of a configured language; without a locale, that of the country it is spoken most in."""
    own = Locale.parse(LOCALES[language])
    return Words(texts_of(language), own, Locale.parse(locale) if locale else own, currency)


@cache
def texts_of(language: Language) -> dict[str, Any]:
    """Every text of one language."""
    file = files(__package__).joinpath("texts", f"{language}.yaml")
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _rounded(value: Number | float, digits: int) -> Decimal:
    """Half to even, and nothing is nothing: without a sign."""
    return round(Decimal(value), digits) + 0


def _with_digits(pattern: str, digits: int) -> str:
    """A locale's pattern for numbers with so many decimals; a second pattern, for negative ones, is told by a ;."""
    wanted = f"0.{'0' * digits}" if digits else "0"
    return ";".join(re.sub(r"0(\.0+)?(?=[^#0]*$)", wanted, part, count=1) for part in pattern.split(";"))
