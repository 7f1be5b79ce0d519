r"""The notations of numbers and points in time that `formats` of a layout can name.

A format of a number is an example of it: `1,234.56` or `1.234,56`. A format of time is a pattern of Java's
DateTimeFormatter, or the unit of a number that counts from 1970.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

# Format to the sign that groups digits, and the decimal sign.
NUMBERS = {"1,234.56": (",", "."), "1.234,56": (".", ",")}
# Format to microseconds of its unit.
EPOCHS = {"epoch_seconds": 1_000_000, "epoch_millis": 1_000, "epoch_micros": 1}

SPACES = r"[\s\p{Z}'\u2019]"
CURRENCY = r"[\p{L}\p{Sc}]{0,4}"
MINUS = r"[-+\u2212]"
NEGATIVE = r"[-\u2212(]"


def to_plain_number(text: Column, notation: str) -> Column:
    """Return a number as SQL writes it, or NULL if the text is none in the notation.

    A currency before or after the number, spaces, and apostrophes between digits are dropped. A number in parentheses, or
    with a minus after it, is negative.

    Args:
        text: Texts such as `($1,234.56)` or `1.234,56 EUR`.
        notation: A key of `NUMBERS`.
    """
    group, decimal = NUMBERS[notation]
    digits = rf"(?:\d{{1,3}}(?:[{group}]\d{{2,3}})*[{group}]\d{{3}}|\d+)(?:[{decimal}]\d*)?|[{decimal}]\d+"
    amount = f"{CURRENCY}(?:{digits}){CURRENCY}"
    accepted = (
        rf"^(?:\({amount}\)|{MINUS}?{amount}|{CURRENCY}{MINUS}(?:{digits}){CURRENCY}|{amount}[-\u2212])$"
    )
    dense = F.regexp_replace(text, SPACES, "")
    number = F.translate(F.regexp_replace(dense, f"[^0-9{decimal}]", ""), decimal, ".")
    sign = F.when(dense.rlike(NEGATIVE), F.lit("-")).otherwise(F.lit(""))
    return F.when(dense.rlike(accepted), F.concat(sign, number))


def to_instant(text: Column, unit: str) -> Column:
    """Return the instant that a text counts in a unit from 1970 on; NULL if the text is no number.

    Args:
        text: A number, which may have a fraction.
        unit: A key of `EPOCHS`.
    """
    micros = text.try_cast("decimal(26,6)") * F.lit(EPOCHS[unit]).cast("decimal(7,0)")
    return F.timestamp_micros(micros.try_cast("bigint"))
