"""Propose the YAML of a source for a file of one's own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from lifestage.ingestion.sources.inference import Column
from lifestage.ingestion.sources.sampling import (
    PARQUET_MAGIC,
    SAMPLE_BYTES,
    Sample,
    is_workbook,
    read_parquet_sample,
    read_sample,
)
from lifestage.platform.errors import SourceError
from lifestage.platform.plurals import count_of
from lifestage.services.roles import (
    find_amount,
    find_event_names,
    find_identifiers,
    find_key,
    find_roles,
    find_time,
)

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


def infer(file: Path, time_zone: str, landing: str = "") -> str:
    """Propose the YAML of a source that reads a file. Comments say what a person must decide.

    Args:
        file: a CSV, JSON, Parquet, Avro or Excel file; CSV and JSON packed or not.
        time_zone: zone of wall times.
        landing: the folder that the paths of sources start from. The path of a file outside of it is its name.

    Raises:
        SourceError: the file is of none of these formats.
    """
    try:
        sample = _read_sample_of(file)
    except ValueError as error:
        raise SourceError(f"{file}: cannot be read as CSV, JSON, Parquet, Avro or Excel: {error}") from error
    return "\n".join(_write_source(file, sample, time_zone, landing)) + "\n"


def _read_sample_of(file: Path) -> Sample:
    with file.open("rb") as opened:
        content = opened.read(SAMPLE_BYTES)
        if content.startswith(PARQUET_MAGIC):
            return read_parquet_sample(file)
        if is_workbook(file.name, content):
            # The table of contents is at its end.
            content += opened.read()
    return read_sample(file.name, content)


def _write_source(file: Path, sample: Sample, time_zone: str, landing: str) -> Iterator[str]:
    found = [column for column in sample.columns if column.texts]
    time, time_sql = find_time(found, time_zone)
    names = find_event_names(found)
    amount = find_amount(found)
    identifiers = find_identifiers(found)
    roles = find_roles(found, identifiers.values())
    key = find_key(found, sample.n_records)
    meant = [*key, *time, *names, *([amount] if amount else []), *identifiers.values(), *roles.values()]
    # Without a header, a column is known by its place, so none can be left out.
    used = [*sample.columns] if sample.layout.get("header") == "none" else [*dict.fromkeys(meant)]
    aliases = _name_columns(used)

    yield f"# Proposed from {count_of(sample.n_records, 'record')} of {file.name}. Check it, above all the lines with a comment."
    yield from (f"# {note}" for note in sample.notes)
    yield _dump({"path": (_folder_below(file, landing) / _name_glob(file.name)).as_posix()})
    yield from _write_layout(sample, used, aliases)
    in_utc = any(re.search(r"(^|_)(utc|gmt)(_|$)", column.words) for column in time)
    yield f"time_zone: {'UTC' if in_utc else time_zone}" + _comment("of times without an offset")
    yield from _ask_totals(sample, time, aliases)
    if key:
        columns = ", ".join(_dump_text(aliases[column.name]) for column in key)
        yield f"key: [{columns}]" + _comment("do these identify a row for ever?")
    else:
        yield "# key: []" + _comment(
            "no column is unique: rows count by their content, and cannot be corrected"
        )
    yield "map:"
    yield f"  event_type: {_event_type(names, amount, aliases)}"
    sql = time_sql.format(*[_sql_name(aliases[column.name]) for column in time])
    yield f"  event_at: {_dump_text(sql)}" + ("" if time else _comment("no column holds a time"))
    yield "  channel: \"'web'\"" + _comment("web, app, store, call, mail")
    if amount:
        yield f"  amount: {_dump_text(_sql_name(aliases[amount.name]))}" + _ask_amount(amount, found)
    yield from _write_roles(roles, aliases)
    yield from _write_identifiers(identifiers, aliases)
    if left := [column.name for column in sample.columns if column not in used]:
        yield _comment(f"Other columns: {', '.join(left)}").strip()


def _folder_below(file: Path, landing: str) -> Path:
    """The folder of a file, from the landing folder on; empty if the file is not below it."""
    folder, top = file.resolve().parent, Path(landing).resolve()
    return folder.relative_to(top) if landing and folder.is_relative_to(top) else Path()


def _name_glob(name: str) -> str:
    """A glob for the names of such files: `*` in place of each number."""
    return re.sub(r"\d[\d_-]*(?=\D|$)", "*", name)


def _write_layout(sample: Sample, used: Sequence[Column], aliases: Mapping[str, str]) -> Iterator[str]:
    """How the file is written, and the columns with their types, names in the file, and formats."""
    yield _dump(sample.layout)
    yield _dump({"columns": {aliases[column.name]: column.type for column in used}})
    fields = {aliases[column.name]: column.name for column in used if aliases[column.name] != column.name}
    if fields and sample.layout.get("header") != "none":
        yield _dump({"fields": fields})
    if formats := {aliases[column.name]: column for column in used if column.format}:
        yield "formats:"
        for name, column in formats.items():
            yield f"  {_dump({name: column.format})}" + (_comment(column.doubt) if column.doubt else "")


def _ask_totals(sample: Sample, time: Sequence[Column], aliases: Mapping[str, str]) -> Iterator[str]:
    """A condition that skips the records without a time, such as a line of totals. Without it, they are rejected."""
    n_missing = sample.n_records - len(time[0].texts) if time else 0
    if n_missing:
        doubt = f"{count_of(n_missing, 'record')} without a time: totals?"
        yield f"# skip_when: {_dump_text(f'{_sql_name(aliases[time[0].name])} IS NULL')}" + _comment(doubt)


def _ask_amount(amount: Column, columns: Sequence[Column]) -> str:
    """The comment on the amount, with the other columns that may be meant."""
    others = [
        column.name
        for column in columns
        if column is not amount and column.type == amount.type and column.type.startswith("decimal")
    ]
    either = f", or {', '.join(others[:4])}" if others else ""
    return _comment(f"after discounts, in the business currency{either}?")


def _write_roles(roles: Mapping[str, Column], aliases: Mapping[str, str]) -> Iterator[str]:
    for role, column in roles.items():
        name = _plain_text(column, aliases)
        # A return of two units is two units.
        is_signed = role == "quantity" and any("-" in text for text in column.texts)
        yield f"  {role}: {_dump_text(f'abs({name})' if is_signed else name)}"


def _write_identifiers(identifiers: Mapping[str, Column], aliases: Mapping[str, str]) -> Iterator[str]:
    if not identifiers:
        yield "# identifiers: {email: ...}" + _comment("no column looks like one: all events are anonymous")
        return
    yield "identifiers:"
    for kind, column in identifiers.items():
        yield f"  {kind}: {_dump_text(_plain_text(column, aliases))}"
    yield f"pii: [{', '.join(_dump_text(aliases[column.name]) for column in identifiers.values())}]"


def _plain_text(column: Column, aliases: Mapping[str, str]) -> str:
    """SQL for the texts of a column, without the formula that makes a spreadsheet show a number as text: ="00123"."""
    name = _sql_name(aliases[column.name])
    n_formulas = sum(re.fullmatch(r'="[^"]*"', text) is not None for text in column.texts)
    return f"""translate({name}, '="', '')""" if n_formulas > len(column.texts) / 2 else name


def _comment(text: str) -> str:
    """A comment at the end of a line. A line break in a name of the file must not end it."""
    return f"  # {' '.join(text.split())}"


def _event_type(names: Sequence[Column], amount: Column | None, aliases: Mapping[str, str]) -> str:
    """SQL for the type of an event, with a comment."""
    if not names:
        return _type_without_names(amount, aliases)
    known, unknown = [], []
    for text in sorted(set(names[0].texts)):
        plain = re.sub(r"[^a-z$]+", " ", text.lower()).strip()
        kind = next((kind for kind, pattern in EVENT_TYPES.items() if re.fullmatch(pattern, plain)), None)
        if kind is None:
            unknown.append(text)
        else:
            known.append(f"WHEN '{text.replace(chr(39), chr(39) * 2)}' THEN '{kind}' ")
    if not known:
        return "\"'feature_use'\"" + _comment(f"choose types for: {', '.join(unknown)}")
    other = "ELSE 'feature_use' " if unknown else ""
    sql = f"CASE {_sql_name(aliases[names[0].name])} {''.join(known)}{other}END"
    return _dump_text(sql) + (_comment(f"choose types for: {', '.join(unknown)}") if unknown else "")


def _type_without_names(amount: Column | None, aliases: Mapping[str, str]) -> str:
    if amount is None:
        return "\"'page_view'\"" + _comment("what does a row stand for?")
    if any("-" in text or "(" in text for text in amount.texts):
        return _dump_text(
            f"CASE WHEN {_sql_name(aliases[amount.name])} < 0 THEN 'return' ELSE 'purchase' END"
        )
    return "\"'purchase'\""


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
