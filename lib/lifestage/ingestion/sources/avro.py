"""Read Avro files: each record as JSON text, and the types of its values."""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from math import isfinite
from typing import Any

import fastavro
import numpy as np

from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.paths import Each, Path
from lifestage.ingestion.sources.schemas import NESTED, find_column_problems

MAGIC = b"Obj\x01"
# As Spark names them.
KINDS = {
    **dict.fromkeys(("timestamp-millis", "timestamp-micros"), "timestamp"),
    **dict.fromkeys(("local-timestamp-millis", "local-timestamp-micros"), "timestamp_ntz"),
    **dict.fromkeys(("bytes", "fixed"), "binary"),
    "decimal": "decimal",
    "array": "array<>",
    "map": "map<>",
}


@dataclass(frozen=True)
class Plan:
    """What to rewrite in the values of a type: whether they are numbers of single precision, and the types of such elements."""

    is_single: bool = False
    items: Any = None
    values: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """The schema of an Avro file."""

    root: Any
    _plans: dict[Any, Plan] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def named(self) -> Mapping[str, Any]:
        """The types that others refer to by name."""
        return {kind["name"]: kind for kind in _walk(self.root) if "name" in kind}

    @cached_property
    def is_rewritten(self) -> bool:
        """Whether a record differs from what the decoder gives (see `_shorten_floats`)."""
        return self._is_rewritten(self.root)

    def branches(self, kind: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the types that a value may have: those of a union, or one."""
        if isinstance(kind, list):
            for branch in kind:
                yield from self.branches(branch)
        elif isinstance(kind, str):
            yield self.named.get(kind, {"type": kind})
        elif isinstance(kind["type"], dict | list):
            yield from self.branches(kind["type"])
        else:
            yield kind

    def find_kind(self, path: Path) -> str | None:
        """Return the type of the values at a path; None if there is none, `mixed` if there are several."""
        found = {_name_kind(kind) for kind in self._find_types(self.root, path)}
        found = found - {"null"} or found
        return "mixed" if len(found) > 1 else next(iter(found), None)

    def plan(self, at: Any) -> Plan:
        """Return what to rewrite in the values of a type."""
        key = at if isinstance(at, str) else id(at)
        if key not in self._plans:
            kinds = {kind["type"]: kind for kind in self.branches(at)}
            inside = {
                name: kinds[kind][name]
                for kind, name in (("array", "items"), ("map", "values"))
                if kind in kinds and self._is_rewritten(kinds[kind][name])
            }
            fields = {
                part["name"]: part["type"]
                for part in kinds.get("record", {}).get("fields", ())
                if self._is_rewritten(part["type"])
            }
            self._plans[key] = Plan("float" in kinds and "double" not in kinds, **inside, fields=fields)
        return self._plans[key]

    def _is_rewritten(self, at: Any, within: frozenset[str] = frozenset()) -> bool:
        """Whether values have numbers of single precision, or records that the decoder names."""
        kinds = [*self.branches(at)]
        if sum("fields" in kind for kind in kinds) > 1:
            return True
        for kind in kinds:
            name = kind.get("name", "")
            parts = [kind[key] for key in ("items", "values") if key in kind]
            parts += [part["type"] for part in kind.get("fields", ()) if name not in within]
            if kind["type"] == "float" or any(
                self._is_rewritten(part, within | {name} if name else within) for part in parts
            ):
                return True
        return False

    def _find_types(self, at: Any, path: Path) -> Iterator[Mapping[str, Any]]:
        for kind in self.branches(at):
            if not path:
                yield kind
                continue
            step, rest = path[0], path[1:]
            match kind["type"], step:
                case "record" | "error", str():
                    for part in kind["fields"]:
                        if part["name"] == step:
                            yield from self._find_types(part["type"], rest)
                case "map", str():
                    yield from self._find_types(kind["values"], rest)
                case "array", int() | Each.VALUE:
                    yield from self._find_types(kind["items"], rest)
                case "array", Each.NUMBER:
                    yield {"type": "long"}


def _name_kind(kind: Mapping[str, Any]) -> str:
    """The name of a type in messages; that of a record shows its first field."""
    if "fields" in kind:
        return f"struct<{kind['fields'][0]['name'] if kind['fields'] else ''}:...>"
    own: str = kind["type"]
    return KINDS.get(kind.get("logicalType", ""), KINDS.get(own, own))


def _walk(kind: Any) -> Iterator[Mapping[str, Any]]:
    """The types in a schema, each once."""
    match kind:
        case list():
            for branch in kind:
                yield from _walk(branch)
        case {"type": of}:
            yield kind
            parts = [of if isinstance(of, dict | list) else None, kind.get("items"), kind.get("values")]
            parts += [field["type"] for field in kind.get("fields", ())]
            for part in parts:
                yield from _walk(part)
        case str():
            yield {"type": kind}


def read_schema(head: bytes, is_cut: bool = False) -> Schema | None:
    """Return the schema at the beginning of an Avro file; None if it is longer than the bytes that are known.

    Args:
        head: The first bytes of the file.
        is_cut: Whether the file has more.

    Raises:
        ValueError: if the file is no Avro file.
    """
    if not head.startswith(MAGIC):
        raise ValueError("it is no Avro file")
    try:
        return Schema(fastavro.reader(io.BytesIO(head)).writer_schema)
    except Exception as error:
        if is_cut:
            return None
        raise _to_value_error(error) from error


def check_schema(schema: Schema, layout: FileLayout) -> None:
    """Check that a file has the declared columns, with values that text can hold.

    Raises:
        ValueError: naming every column that it lacks, or that another type would change.
    """
    types = {name: schema.find_kind(path) for name, path in layout.paths.items()}
    for name, kind in types.items():
        # As in JSON files, a text column holds the text of an object or list.
        if layout.columns[name] == "string" and kind is not None and kind.startswith(NESTED):
            types[name] = "string"
    names = [field["name"] for kind in schema.branches(schema.root) for field in kind.get("fields", ())]
    if problems := "; ".join(find_column_problems(types, names, layout)):
        raise ValueError(problems)


def read_records(content: bytes, layout: FileLayout | None = None) -> Iterator[str]:
    """Return each record as the text of a JSON object.

    Decimals, times, dates and UUIDs are text, times and dates in ISO 8601; an instant has its offset. Bytes are Base64. A
    number of single precision has the fewest digits that identify it.

    Args:
        content: The file.
        layout: Declared columns, which the file must have.

    Raises:
        ValueError: if the file is not Avro, is cut off or damaged, or lacks a declared column.
    """
    schema = read_schema(content)
    assert schema is not None, "the file is whole"
    if layout is not None:
        check_schema(schema, layout)
    encode = json.JSONEncoder(
        default=_to_text, ensure_ascii=False, allow_nan=False, check_circular=False
    ).encode
    for record in _decode(content, schema):
        plain = _shorten_floats(record, schema.root, schema) if schema.is_rewritten else record
        try:
            yield encode(plain)
        except ValueError:
            yield encode(_name_odd_numbers(plain))


def _decode(content: bytes, schema: Schema) -> Iterator[Any]:
    # The name of a record in a union of several tells which one it is.
    names = schema.is_rewritten
    try:
        yield from fastavro.reader(
            io.BytesIO(content), return_record_name=names, return_record_name_override=names
        )
    except Exception as error:
        # Damaged bytes make the decoder fail in any way: it has no exception of its own.
        raise _to_value_error(error) from error


def _to_value_error(error: Exception) -> ValueError:
    """The error of a file that cannot be decoded. The decoder's own message may hold values, unless it is about a codec."""
    reason = str(error) if "codec" in str(error) and "install" in str(error) else type(error).__name__
    return ValueError(f"its Avro records cannot be decoded to the end, it is cut off or damaged ({reason})")


def _to_text(value: Any) -> str:
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return str(value)


def _shorten_floats(value: Any, at: Any, schema: Schema) -> Any:
    """Return a value with each number of single precision as its shortest text says: 19.99, not 19.989999771118164.

    The decoder gives the name with a record, where a union has several: the name is dropped.
    """
    if isinstance(value, tuple):
        at, value = value
    plan = schema.plan(at)
    match value:
        case float() if plan.is_single:
            return float(str(np.float32(value)))
        case list() if plan.items is not None:
            return [_shorten_floats(item, plan.items, schema) for item in value]
        case dict() if plan.fields:
            changed = {name: _shorten_floats(value[name], kind, schema) for name, kind in plan.fields.items()}
            return value | changed
        case dict() if plan.values is not None:
            return {name: _shorten_floats(item, plan.values, schema) for name, item in value.items()}
        case _:
            return value


def _name_odd_numbers(value: Any) -> Any:
    """Return a value with the numbers that JSON does not have as text, as Spark writes them."""
    match value:
        case float() if not isfinite(value):
            return "NaN" if value != value else f"{'-' if value < 0 else ''}Infinity"
        case list():
            return [_name_odd_numbers(item) for item in value]
        case dict():
            return {name: _name_odd_numbers(item) for name, item in value.items()}
        case _:
            return value
