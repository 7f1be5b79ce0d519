"""Propose the YAML of a source for a file of one's own."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from lifestage.ingestion.sources.inference import (
    EMAIL,
    PHONE,
    SAMPLE_BYTES,
    Column,
    Sample,
    read_sample,
)
from lifestage.platform.errors import SourceError
from lifestage.platform.plurals import count_of

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
# What systems call the packaged event types.
EVENT_TYPES = {
    "purchase": r"purchase|order (completed|placed|paid)|checkout completed|payment|placed order|sale",
    "page_view": r"\$?page ?viewe?d?|page|screen( view)?",
    "product_view": r"product viewed|view item|viewed product",
    "add_to_cart": r"(product )?added( to cart)?|add to cart",
    "checkout_step": r"(begin|started|checkout) ?(checkout|started)?",
    "register": r"sign(ed)? ?up|register(ed)?|account created",
    "login": r"log(ged)? ?in|sign(ed)? ?in",
    "return": r"refund(ed)?|return(ed)?|order refunded",
    "search": r"(products )?search(ed)?",
}
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
MAX_EVENT_NAMES = 30
MIN_SHARE = 0.8


def infer(file: Path, time_zone: str) -> str:
    """Propose the YAML of a source that reads a file. Comments say what a person must decide.

    Args:
        file: a CSV or JSON file, packed or not.
        time_zone: zone of wall times.

    Raises:
        SourceError: the file is neither.
    """
    with file.open("rb") as opened:
        content = opened.read(SAMPLE_BYTES)
    try:
        sample = read_sample(file.name, content)
    except ValueError as error:
        raise SourceError(f"{file}: cannot be read as CSV or JSON: {error}") from error
    return "\n".join(_write_source(file, sample, time_zone)) + "\n"


def _write_source(file: Path, sample: Sample, time_zone: str) -> Iterator[str]:
    found = [column for column in sample.columns if column.texts]
    time, time_sql = _find_time(found, time_zone)
    names = _find_event_names(found)
    amount = _find_amount(found)
    identifiers = _find_identifiers(found)
    roles = {
        role: column
        for role, pattern in ROLES.items()
        if (column := _find(found, pattern, set(identifiers.values())))
    }
    key = _find_key(found, sample.n_records)
    used = list(
        dict.fromkeys(
            [*key, *time, *names, *([amount] if amount else []), *identifiers.values(), *roles.values()]
        )
    )
    aliases = _name_columns(used)

    yield f"# Proposed from {count_of(sample.n_records, 'record')} of {file.name}. Check it, above all the lines with a comment."
    yield from (f"# {note}" for note in sample.notes)
    yield _dump({"path": re.sub(r"\d[\d_-]*(?=\D|$)", "*", file.name)})
    yield _dump(sample.layout)
    if sample.layout.get("header") == "none":
        # Without a header, a column is known by its place.
        used, aliases = found, _name_columns(found)
    yield _dump({"columns": {aliases[column.name]: column.type for column in used}})
    fields = {aliases[column.name]: column.name for column in used if aliases[column.name] != column.name}
    if fields and sample.layout.get("header") != "none":
        yield _dump({"fields": fields})
    if formats := {aliases[column.name]: column for column in used if column.format}:
        yield "formats:"
        for name, column in formats.items():
            yield f"  {_dump({name: column.format})}" + (f"  # {column.doubt}" if column.doubt else "")
    in_utc = any(re.search(r"(^|_)(utc|gmt)(_|$)", column.words) for column in time)
    yield f"time_zone: {'UTC' if in_utc else time_zone}  # of times without an offset"
    if key:
        yield f"key: [{', '.join(_dump_text(aliases[column.name]) for column in key)}]  # do these identify a row for ever?"
    else:
        yield "# key: []  # no column is unique: rows count by their content, and cannot be corrected"
    yield "map:"
    yield f"  event_type: {_event_type(names, amount, aliases)}"
    sql = time_sql.format(*[_sql_name(aliases[column.name]) for column in time])
    yield f"  event_at: {_dump_text(sql)}" + ("" if time else "  # no column holds a time")
    yield "  channel: \"'web'\"  # web, app, store, call, mail"
    if amount:
        others = [
            c.name
            for c in found
            if c is not amount and c.type == amount.type and c.type.startswith("decimal")
        ]
        asked = f", or {', '.join(others[:4])}" if others else ""
        yield f"  amount: {_dump_text(_sql_name(aliases[amount.name]))}  # after discounts, in the business currency{asked}?"
    for role, column in roles.items():
        name = _sql_name(aliases[column.name])
        # A return of two units is two units.
        is_signed = role == "quantity" and any("-" in text for text in column.texts)
        yield f"  {role}: {_dump_text(f'abs({name})' if is_signed else name)}"
    if identifiers:
        yield "identifiers:"
        for kind, column in identifiers.items():
            yield f"  {kind}: {_dump_text(_sql_name(aliases[column.name]))}"
        yield f"pii: [{', '.join(_dump_text(aliases[column.name]) for column in identifiers.values())}]"
    else:
        yield "# identifiers: {email: ...}  # no column looks like an identifier: all events are anonymous"
    if left := [column.name for column in sample.columns if column not in used]:
        yield " ".join(("# Other columns: " + ", ".join(left)).split())


def _find_time(columns: Sequence[Column], time_zone: str) -> tuple[list[Column], str]:
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


def _find_amount(columns: Sequence[Column]) -> Column | None:
    """The column of money by its name, or the only one with decimals."""
    named = _pick(columns, AMOUNTS, lambda column: column.type.startswith(("decimal", "double", "int")))
    decimals = [column for column in columns if column.type.startswith("decimal")]
    return named or (decimals[0] if len(decimals) == 1 else None)


def _find_event_names(columns: Sequence[Column]) -> list[Column]:
    """The column that says what happened, if there is one with few different texts."""
    found = [
        column
        for column in columns
        if column.words in EVENT_NAMES
        and column.type == "string"
        and len(set(column.texts)) <= MAX_EVENT_NAMES
    ]
    return found[:1]


def _event_type(names: Sequence[Column], amount: Column | None, aliases: Mapping[str, str]) -> str:
    """SQL for the type of an event, with a comment."""
    if not names:
        return "\"'purchase'\"" if amount else "\"'page_view'\"  # what does a row stand for?"
    cases, unknown = [], []
    for text in sorted(set(names[0].texts)):
        plain = re.sub(r"[^a-z$]+", " ", text.lower()).strip()
        kind = next((kind for kind, pattern in EVENT_TYPES.items() if re.fullmatch(pattern, plain)), None)
        if kind is None:
            unknown.append(text)
            kind = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "other"
        cases.append(f"WHEN '{text.replace(chr(39), chr(39) * 2)}' THEN '{kind}'")
    sql = f"CASE {_sql_name(aliases[names[0].name])} {' '.join(cases)} END"
    asked = (
        f"  # declare in event_types.yaml, or choose a packaged type for: {', '.join(unknown)}"
        if unknown
        else ""
    )
    return _dump_text(sql) + asked


def _find_identifiers(columns: Sequence[Column]) -> dict[str, Column]:
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


def _find_key(columns: Sequence[Column], n_records: int) -> list[Column]:
    """The first unique column of names or whole numbers that every record has; with a list of rows, also its number."""
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
    return [record[0], number[0]] if record and number else []


def _find(columns: Sequence[Column], pattern: str, taken: set[Column] | set[object]) -> Column | None:
    return next((c for c in columns if re.fullmatch(pattern, c.words or c.name) and c not in taken), None)


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


def _name_columns(columns: Sequence[Column]) -> dict[str, str]:
    """A short name for each column, which SQL needs no quotes for; names of other alphabets stay."""
    aliases: dict[str, str] = {}
    for column in columns:
        short = re.sub(
            r"^(properties|line_items|items)_", "", column.words.replace("line_items_number", "line")
        )
        short = "line" if column.name.endswith("[#]") else short
        name = next(
            (
                name
                for name in (short, column.words)
                if re.match(r"[a-z]", name) and name not in aliases.values()
            ),
            column.name,
        )
        aliases[column.name] = name
    return aliases


def _sql_name(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else f"`{name}`"


def _dump(value: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=120).rstrip("\n")


def _dump_text(text: str) -> str:
    return yaml.safe_dump([text], allow_unicode=True, width=10_000, default_flow_style=True).strip()[1:-1]
