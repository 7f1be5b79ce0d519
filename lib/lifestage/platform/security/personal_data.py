r"""Recognise personal data by its form: e-mail addresses, phone numbers and card numbers.

Columns such as `product_id` are stored as delivered. The patterns here find values that should not be in them:

- e-mail: an address with a domain, also with `%40` in place of the at sign.
- phone: a number in international form (`+49 30 123456`, `0049 30 123456`), or in groups of 3, 3 and 4 digits. Digits
  alone are no phone number: an order number looks the same.
- card: 14 to 19 digits that begin like a card number and have its check digit (Luhn). One in ten numbers has it by chance.

Spark and Python use the same patterns, so they contain only what both understand.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from pyspark.sql import Column
from pyspark.sql import functions as F

from lifestage.platform.security.pseudonyms import hmac_hex


class Form(StrEnum):
    """What a value looks like."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"


# Before the form and the column in a warning: the value is stored as delivered, or its hash is.
PREFIX, MASKED_PREFIX = "looks_like_", "masked_"
LETTERS = "A-Za-z\u0080-\uffff"
# File names such as logo@2x.png are no addresses.
EMAIL = rf"[^\s@](?:@|%40)(?![0-9]x\.)(?:[{LETTERS}0-9-]{{1,63}}\.){{1,8}}[{LETTERS}]{{2,24}}"
# A sign between two digits of a number.
GAP = r"[ ()./-]{0,2}"
PHONE = (
    rf"(?:(?<![0-9])(?:\+|%2B)[1-9](?:{GAP}[0-9]){{6,14}}|(?<![{LETTERS}0-9/=])(?:00[1-9][0-9]{{0,2}}[ (/-]"
    rf"(?:{GAP}[0-9]){{6,12}}|\(?[2-9][0-9]{{2}}\)?[ .-]{{1,2}}[0-9]{{3}}[ .-][0-9]{{4}}))(?![ .-]?[0-9])"
)
CARD = rf"(?<![{LETTERS}0-9.,])(?:4[0-9]|5[0-9]|2[2-7]|3[04-9]|6[0-9])(?:[ -]?[0-9]){{12,17}}(?![ -]?[0-9]|[{LETTERS}])"
PATTERNS = {Form.EMAIL: EMAIL, Form.PHONE: PHONE, Form.CARD: CARD}
# What no value of a form lacks. Nearly all rows lack it.
SIGNS = ("@", "%40", "+", "%2B")
DIGITS = r"[0-9](?:[ -]?[0-9]){13}|[0-9]{3}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}|00[1-9][0-9]{0,2}[ (/-]"
# Before the name and before the value of a column, in the text that joins the columns of a row.
FIELD, VALUE = "\u0001", "\u0002"


def form_warning(values: Mapping[str, Column], prefix: str = PREFIX) -> Column:
    """Return warnings such as `looks_like_email:product_id`, one a line, for the text columns of a row; NULL for none.

    The columns are joined to one text, so that a row without such values costs one search, however many columns it has.

    Args:
        values: Column of text by the name that the warning shows.
        prefix: What each warning begins with.
    """
    if not values:
        return F.lit(None).cast("string")
    fields = [F.concat(F.lit(f"{FIELD}{name}{VALUE}"), value) for name, value in values.items()]
    text = F.concat_ws("", *fields)
    is_suspect = text.rlike(DIGITS)
    for sign in SIGNS:
        is_suspect = F.contains(text, F.lit(sign)) | is_suspect
    found = F.concat_ws("\n", *[_warn(f"{prefix}{form}:", _find_names(text, form)) for form in Form])
    return F.when(is_suspect, F.nullif(found, F.lit("")))


def mask_column(value: Column) -> Column:
    """Return the text, or its keyed hash if it looks like personal data; equal texts stay equal. Needs `add_key_pads`."""
    return F.when(form_warning({"": value}).isNotNull(), hmac_hex(F.encode(value, "UTF-8"))).otherwise(value)


def _warn(start: str, names: Column) -> Column:
    """Return the warnings for an array of names; NULL if it is empty."""
    return F.when(F.size(names) > 0, F.concat(F.lit(start), F.array_join(names, f"\n{start}")))


def _find_names(text: Column, form: Form) -> Column:
    """Return the names of the fields whose value has the form; of a card number, the first digits decide."""
    pattern = F.lit(f"{FIELD}([^{VALUE}]*){VALUE}[^{FIELD}]*?({PATTERNS[form]})")
    names = F.regexp_extract_all(text, pattern, F.lit(1))
    if form is not Form.CARD:
        return names
    digits = F.transform(
        F.regexp_extract_all(text, pattern, F.lit(2)), lambda number: F.regexp_replace(number, "[^0-9]", "")
    )
    has_check = F.zip_with(
        names, digits, lambda name, number: F.when(F.call_function("luhn_check", number), name)
    )
    return F.array_compact(has_check)


def find_forms(text: str) -> list[Form]:
    """Return the forms that a text contains.

    Example:
        >>> find_forms("landing/orders_anna@example.org.csv")
        [<Form.EMAIL: 'email'>]
    """
    return [form for form in Form if mask_form(text, form) != text]


def mask_personal_data(text: str) -> str:
    """Replace values of each form by the name of the form, for messages and logs.

    Example:
        >>> mask_personal_data("landing/orders_anna@example.org.csv")
        'landing/<email>'
    """
    for form in Form:
        text = mask_form(text, form)
    return text


def mask_form(text: str, form: Form) -> str:
    """Replace the values of one form. Of an e-mail address, the part before the at sign goes too."""
    pattern = rf"[^\s@/\"'<>=,;:]{{0,63}}{EMAIL}" if form is Form.EMAIL else PATTERNS[form]

    def mask(found: re.Match[str]) -> str:
        is_value = form is not Form.CARD or _has_check_digit(re.sub("[^0-9]", "", found[0]))
        return f"<{form}>" if is_value else found[0]

    return re.sub(pattern, mask, text)


def _has_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn)."""
    doubled = [int(digit) * (1 + n % 2) for n, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0
