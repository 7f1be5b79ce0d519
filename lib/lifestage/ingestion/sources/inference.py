"""Propose the type of a column from its texts: the narrowest that all of them fit."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

# Patterns of time, each with the same pattern for Python.
TIME_PATTERNS = {
    "yyyy-MM-dd HH:mm:ss XX": "%Y-%m-%d %H:%M:%S %z",
    "dd.MM.yyyy HH:mm:ss": "%d.%m.%Y %H:%M:%S",
    "dd.MM.yyyy HH:mm": "%d.%m.%Y %H:%M",
    "yyyy/MM/dd HH:mm:ss": "%Y/%m/%d %H:%M:%S",
    "yyyy/MM/dd HH:mm": "%Y/%m/%d %H:%M",
    "MM/dd/yyyy HH:mm:ss": "%m/%d/%Y %H:%M:%S",
    "MM/dd/yyyy HH:mm": "%m/%d/%Y %H:%M",
    "dd/MM/yyyy HH:mm:ss": "%d/%m/%Y %H:%M:%S",
    "dd/MM/yyyy HH:mm": "%d/%m/%Y %H:%M",
}
DAY_PATTERNS = {
    "dd.MM.yyyy": "%d.%m.%Y",
    "yyyy/MM/dd": "%Y/%m/%d",
    "MM/dd/yyyy": "%m/%d/%Y",
    "MM/dd/yy": "%m/%d/%y",
    "dd/MM/yyyy": "%d/%m/%Y",
    "dd/MM/yy": "%d/%m/%y",
    "yyyyMMdd": "%Y%m%d",
}
ISO_DAY = r"[12]\d{3}-\d{2}-\d{2}"
ISO_TIME = rf"{ISO_DAY}[T ]\d{{1,2}}:\d{{2}}(:\d{{2}}([.]\d+)?)?"
CURRENCY_BEFORE = r"(?:R?\$ ?|[€£¥₩₹] ?|[A-Z]{3} )?"
CURRENCY_AFTER = r"(?: ?[$€£¥₩₹]| [A-Za-zł]{2,3})?"
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{6,17}")
# Times from 2001 to 2286, in the units that systems count from 1970.
EPOCHS = {"epoch_seconds": r"1\d{9}([.]\d+)?", "epoch_millis": r"1\d{12}", "epoch_micros": r"1\d{15}"}


@dataclass(frozen=True, eq=False)
class Column:
    """One column of the sample: its name in the file, its texts, and the type that all of them fit."""

    name: str
    texts: Sequence[str]
    type: str = "string"
    format: str | None = None
    doubt: str | None = None
    """What a person has to decide."""

    @property
    def is_unique(self) -> bool:
        """Whether no text comes twice."""
        return len(set(self.texts)) == len(self.texts)

    @property
    def words(self) -> str:
        """The name in lower case, its words joined by underscores."""
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def infer_type(name: str, texts: Sequence[str]) -> Column:
    """Return the narrowest type that all texts fit; `string` for a column without texts.

    Numbers with a leading zero, and those of an identifier, are text.

    Example:
        >>> infer_type("Total", ["$1,234.56", "($5.00)"]).format
        '1,234.56'
    """
    if not texts:
        return Column(name, texts)
    column = Column(name, texts)
    for kind, notation, fits in _TYPES:
        if all(map(fits, texts)):
            return (
                _with_doubt(Column(name, texts, kind, notation))
                if not _is_number_of(column, kind)
                else column
            )
    return column


def _is_number_of(column: Column, kind: str) -> bool:
    """Whether whole numbers name something: they are not added up."""
    names = r"(^|_)(id|no|nr|number|code|sku|zip|postcode|phone|mobile|card|key)$"
    return kind in ("int", "bigint") and (
        re.search(names, column.words) is not None
        or any(re.match(r"[+-]?0\d", text) for text in column.texts)
    )


def _with_doubt(column: Column) -> Column:
    """Note what the texts do not tell: whether the day or the month comes first."""
    other = {"MM/dd": "dd/MM", "dd/MM": "MM/dd"}.get((column.format or "")[:5])
    if other is None or column.format is None:
        return column
    pattern = {**TIME_PATTERNS, **DAY_PATTERNS}.get(other + column.format[5:])
    is_open = pattern is not None and all(map(_fits_time(pattern), column.texts))
    doubt = f"or {other}{column.format[5:]}: the sample does not tell" if is_open else None
    return Column(column.name, column.texts, column.type, column.format, doubt)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _fits_time(pattern: str) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            datetime.strptime(text, pattern)
        except ValueError:
            return False
        return True

    return fits


def _money(group: str, decimal: str) -> str:
    digits = rf"(\d{{1,3}}([{group}]\d{{3}})+|\d+)([{decimal}]\d{{1,3}})?"
    return rf"\(?[-+]?{CURRENCY_BEFORE}[-+]?{digits}{CURRENCY_AFTER}\)?-?"


_TYPES: tuple[tuple[str, str | None, Callable[[str], bool]], ...] = (
    ("boolean", None, _matches(r"(?i)true|false")),
    *[("timestamp", unit, _matches(pattern)) for unit, pattern in EPOCHS.items()],
    ("int", None, _matches(r"[+-]?\d{1,9}")),
    ("bigint", None, _matches(r"[+-]?\d{1,18}")),
    ("decimal(18, 2)", None, _matches(r"[+-]?\d{1,16}([.]\d{1,2})?")),
    ("decimal(18, 6)", None, _matches(r"[+-]?\d{1,12}[.]?\d{0,6}")),
    ("double", None, _matches(r"[+-]?\d+([.]\d+)?([eE][+-]?\d+)?")),
    ("decimal(18, 2)", "1,234.56", _matches(_money(",", "."))),
    ("decimal(18, 2)", "1.234,56", _matches(_money(".", ","))),
    ("timestamp", None, _matches(rf"{ISO_TIME} ?(Z|UTC|[+-]\d{{2}}:?(\d{{2}})?)")),
    ("date", None, _matches(ISO_DAY)),
    # Some systems write midnight as a date alone.
    ("local_timestamp", None, _matches(f"{ISO_TIME}|{ISO_DAY}")),
    *[
        ("timestamp" if "XX" in pattern else "local_timestamp", pattern, _fits_time(python))
        for pattern, python in TIME_PATTERNS.items()
    ],
    *[("date", pattern, _fits_time(python)) for pattern, python in DAY_PATTERNS.items()],
)
