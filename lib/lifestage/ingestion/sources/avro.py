"""Read Avro files: each record as JSON text, and the types of the values at a path."""

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
# Avro type to the name that Spark has for it.
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
    """What to change in a value of a type: the number itself, if it has single precision, or the parts that hold such numbers."""

    is_single: bool = False
    items: Any = None
    values: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schema:
    """The schema of an Avro file. Its methods take an Avro type: a name, a mapping, or a list of the types of a union."""

    root: Any
    _plans: dict[Any, Plan] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def types_by_name(self) -> Mapping[str, Any]:
        """The types that others refer to by name."""
        return {kind["name"]: kind for kind in _walk(self.root) if "name" in kind}

    @cached_property
    def needs_changes(self) -> bool:
        """Whether a record differs from what the decoder returns (see `_shorten_floats`)."""
        return self._needs_changes(self.root)

    def list_branches(self, avro_type: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the types that a value may have: those of a union, or one."""
        if isinstance(avro_type, list):
            for branch in avro_type:
                yield from self.list_branches(branch)
        elif isinstance(avro_type, str):
            yield self.types_by_name.get(avro_type, {"type": avro_type})
        elif isinstance(avro_type["type"], dict | list):
            yield from self.list_branches(avro_type["type"])
        else:
            yield avro_type

    def find_kind(self, path: Path) -> str | None:
        """Return the type of the values at a path; None if there is none, `mixed` if there are several."""
        found = {_name_kind(kind) for kind in self._find_types(self.root, path)}
        found = found - {"null"} or found
        return "mixed" if len(found) > 1 else next(iter(found), None)

    def plan_changes(self, avro_type: Any) -> Plan:
        """Return what to change in the values of a type."""
        # Every type that is not a name is a part of `root`, which keeps its id.
        key = avro_type if isinstance(avro_type, str) else id(avro_type)
        if key not in self._plans:
            kinds = {kind["type"]: kind for kind in self.list_branches(avro_type)}
            inside = {
                name: kinds[kind][name]
                for kind, name in (("array", "items"), ("map", "values"))
                if kind in kinds and self._needs_changes(kinds[kind][name])
            }
            fields = {
                part["name"]: part["type"]
                for part in kinds.get("record", {}).get("fields", ())
                if self._needs_changes(part["type"])
            }
            self._plans[key] = Plan("float" in kinds and "double" not in kinds, **inside, fields=fields)
        return self._plans[key]

    def _needs_changes(self, avro_type: Any, within: frozenset[str] = frozenset()) -> bool:
        """Whether a type holds numbers of single precision, or a union of records, which the decoder marks with their names."""
        kinds = [*self.list_branches(avro_type)]
        if sum("fields" in kind for kind in kinds) > 1:
            return True
        for kind in kinds:
            name = kind.get("name", "")
            parts = [kind[key] for key in ("items", "values") if key in kind]
            parts += [part["type"] for part in kind.get("fields", ()) if name not in within]
            if kind["type"] == "float" or any(
                self._needs_changes(part, within | {name} if name else within) for part in parts
            ):
                return True
        return False

    def _find_types(self, avro_type: Any, path: Path) -> Iterator[Mapping[str, Any]]:
        for kind in self.list_branches(avro_type):
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
    """Return the schema at the beginning of an Avro file; None if the given bytes end within it.

    Args:
        head: The first bytes of the file.
        is_cut: Whether the file has more bytes.

    Raises:
        ValueError: if the file is not an Avro file.
    """
    if not head.startswith(MAGIC):
        raise ValueError("it is not an Avro file")
    try:
        return Schema(fastavro.reader(io.BytesIO(head)).writer_schema)
    except Exception as error:
        if is_cut:
            return None
        raise _to_value_error(error) from error


def check_schema(schema: Schema, layout: FileLayout) -> None:
    """Check that a file has the declared columns, with types whose values text keeps as they are.

    Raises:
        ValueError: naming every column that it lacks, or whose values would change.
    """
    types = {name: schema.find_kind(path) for name, path in layout.paths.items()}
    for name, kind in types.items():
        # As in JSON files, a text column holds the text of an object or list.
        if layout.columns[name] == "string" and kind is not None and kind.startswith(NESTED):
            types[name] = "string"
    names = [field["name"] for kind in schema.list_branches(schema.root) for field in kind.get("fields", ())]
    if problems := "; ".join(find_column_problems(types, names, layout)):
        raise ValueError(problems)


def read_records(content: bytes, layout: FileLayout | None = None) -> Iterator[str]:
    """Yield each record as the text of a JSON object.

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
        plain = _shorten_floats(record, schema.root, schema) if schema.needs_changes else record
        try:
            yield encode(plain)
        except ValueError:
            yield encode(_spell_non_finite(plain))


def _decode(content: bytes, schema: Schema) -> Iterator[Any]:
    # In a union of records, only its name says which type a record has.
    names = schema.needs_changes
    try:
        yield from fastavro.reader(
            io.BytesIO(content), return_record_name=names, return_record_name_override=names
        )
    except Exception as error:
        # Damaged bytes make the decoder fail in any way: it has no exception of its own.
        raise _to_value_error(error) from error


def _to_value_error(error: Exception) -> ValueError:
    """The error of a file that cannot be decoded. Of the decoder's messages, only that of a missing codec is free of values."""
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


def _shorten_floats(value: Any, avro_type: Any, schema: Schema) -> Any:
    """Return a value with each number of single precision as its shortest text says: 19.99, not 19.989999771118164.

    Where a union has several records, the decoder returns a record with its name. The name is dropped.
    """
    if isinstance(value, tuple):
        avro_type, value = value
    plan = schema.plan_changes(avro_type)
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


def _spell_non_finite(value: Any) -> Any:
    """Return a value in which NaN and infinity, which JSON lacks, are text as Spark writes it."""
    match value:
        case float() if not isfinite(value):
            return "NaN" if value != value else f"{'-' if value < 0 else ''}Infinity"
        case list():
            return [_spell_non_finite(item) for item in value]
        case dict():
            return {name: _spell_non_finite(item) for name, item in value.items()}
        case _:
            return value
