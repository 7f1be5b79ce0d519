"""Find out what the columns of a file are probably for, by their names and their texts."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from lifestage.ingestion.sources.inference import EMAIL, PHONE, Column

# Words of names, the most telling first. Those in Chinese are looked for inside a name.
EVENT_TIMES = (
    "创建时间",
    "下单时间",
    "付款时间",
    "created",
    "ordered",
    "occurred",
    "event_time",
    "event_at",
    "timestamp",
    "purchased",
    "placed",
    "time",
    "date",
    "at",
)
AMOUNTS = (
    "实际支付",
    "实付",
    "金额",
    "net",
    "paid",
    "subtotal",
    "total",
    "amount",
    "revenue",
    "price",
    "value",
    "sum",
)
EVENT_NAMES = ("event", "event_name", "event_type", "type", "action")
ROLES: Mapping[str, str] = {
    "order_id": r"订单编号|订单号|(order|transaction|receipt|invoice|basket)(_?(id|no|nr|number|name))?",
    "product_id": r"(lineitem_|line_items_|items_)?(sku|product(_?(id|no))?|item(_?(id|no))?)",
    "category": r"(product_)?(category|department|type)",
    "quantity": r"(lineitem_|line_items_|items_)?(qty|quantity|units)",
    "session_id": r"session(_?id)?",
    "campaign": r"(utm_)?campaign",
    "location_id": r"(store|location|shop|branch)(_?(id|no|code))?",
}
MEMBER = r"买家会员名|会员号|会员名|用户ID|((properties_)?(customer|user|member|buyer|client|shopper|account)(_?(id|no|nr|number))?|(properties_)?distinct_id)"
DEVICE = r".*(device|anonymous|cookie|visitor).*"
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
MAX_EVENT_NAMES = 30
MIN_SHARE = 0.8


def find_time(columns: Sequence[Column], time_zone: str) -> tuple[list[Column], str]:
    """The columns that give the time of an event, and SQL over them."""
    moment = _pick(columns, EVENT_TIMES, lambda column: column.type in ("timestamp", "local_timestamp"))
    if moment:
        return [moment], "{}"
    day = _pick(columns, EVENT_TIMES, lambda column: column.type == "date")
    if day is None:
        return [], "NULL"
    clock = [column for column in columns if _share(column, CLOCK) == 1]
    if clock:
        text = "concat(date_format({}, 'yyyy-MM-dd'), ' ', {})"
        return [day, clock[0]], f"to_utc_timestamp(try_to_timestamp({text}), '{time_zone}')"
    # Only the day is known: noon.
    return [day], f"to_utc_timestamp(try_cast({{}} AS timestamp) + INTERVAL 12 HOURS, '{time_zone}')"


def find_amount(columns: Sequence[Column]) -> Column | None:
    """The column of money by its name, or the only one with decimals."""
    named = _pick(columns, AMOUNTS, lambda column: column.type.startswith(("decimal", "double", "int")))
    decimals = [column for column in columns if column.type.startswith("decimal")]
    return named or (decimals[0] if len(decimals) == 1 else None)


def find_event_names(columns: Sequence[Column]) -> list[Column]:
    """The column that says what happened, if there is one with few different texts."""
    found = [
        column
        for name in EVENT_NAMES
        for column in columns
        if column.words == name and column.type == "string" and len(set(column.texts)) <= MAX_EVENT_NAMES
    ]
    return found[:1]


def find_identifiers(columns: Sequence[Column]) -> dict[str, Column]:
    """Identifier type to column, by what the texts look like and what the column is called."""
    found: dict[str, Column] = {}
    tests: dict[str, Callable[[Column], bool]] = {
        "member": lambda column: (
            re.fullmatch(MEMBER, column.words or column.name) is not None and not _share(column, EMAIL)
        ),
        "email": lambda column: _share(column, EMAIL) >= MIN_SHARE,
        "phone": lambda column: "phone" in column.words and _share(column, PHONE) >= MIN_SHARE,
        "device": lambda column: re.fullmatch(DEVICE, column.words) is not None and column.type == "string",
    }
    for kind, test in tests.items():
        fitting = [column for column in columns if column not in found.values() and test(column)]
        if fitting:
            found[kind] = fitting[0]
    return found


def _share(column: Column, pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(text) is not None for text in column.texts) / len(column.texts)


def find_key(columns: Sequence[Column], n_records: int) -> list[Column]:
    """The first unique column of names or whole numbers that every record has; for rows from a list, also the row's number.

    If the record around a list has no such column, as in a page of an API, the key is a unique column of the list.
    """
    whole = [column for column in columns if len(column.texts) == n_records]
    number = [column for column in columns if column.name.endswith("[#]")]
    unique = [
        column
        for column in whole
        if column.is_unique and column.type in ("string", "int", "bigint") and not _share(column, EMAIL)
    ]
    named = [column for column in unique if re.search(r"(^|_)(id|no|number|key|name)$", column.words)]
    if not number:
        return (named or unique)[:1]
    record = [
        column
        for column in whole
        if re.fullmatch(r"(.*_)?(id|no|number)", column.words) and "[" not in column.name
    ]
    return [record[0], number[0]] if record else [column for column in named if "[*]" in column.name][:1]


def find_roles(columns: Sequence[Column], taken: Collection[Column]) -> dict[str, Column]:
    """The columns of an event that a name tells, by what they are mapped to; without those that are taken."""
    free = [column for column in columns if column not in taken]
    found = {
        role: next((column for column in free if re.fullmatch(pattern, column.words or column.name)), None)
        for role, pattern in ROLES.items()
    }
    return {role: column for role, column in found.items() if column}


def _pick(columns: Sequence[Column], words: Sequence[str], fits: Callable[[Column], bool]) -> Column | None:
    """The fitting column whose name has the most telling word; the first fitting one without any."""
    fitting = [column for column in columns if fits(column)]
    ranked = [
        (rank, n, column)
        for n, column in enumerate(fitting)
        for rank, word in enumerate(words)
        if word in column.words.split("_") or (not word.isascii() and word in column.name)
    ]
    if ranked:
        return min(ranked, key=lambda each: each[:2])[2]
    return fitting[0] if fitting and fitting[0].type in ("timestamp", "local_timestamp", "date") else None
