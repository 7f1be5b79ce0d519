"""Describe in the words of YAML why data does not fit a configuration model."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lifestage.platform.errors import did_you_mean

MAX_SHOWN = 60
# What pydantic's types of errors mean for somebody who writes YAML. `{...}` is a value of the error's context.
WORDS = {
    "missing": "required key is missing",
    "string_type": "expected a text: put it in quotes",
    "string_too_short": "expected a text of at least {min_length} characters",
    "string_pattern_mismatch": "expected a text of the form {pattern}",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a number that is finite",
    "decimal_type": "expected a number",
    "decimal_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "date_type": "expected a date such as 2026-01-31",
    "date_parsing": "expected a date such as 2026-01-31",
    "date_from_datetime_parsing": "expected a date such as 2026-01-31",
    "date_from_datetime_inexact": "expected a date such as 2026-01-31, without a time",
    "dict_type": "expected a mapping, such as {{key: value}}",
    "model_type": "expected a mapping, such as {{key: value}}",
    "model_attributes_type": "expected a mapping, such as {{key: value}}",
    "list_type": "expected a list, such as [a, b]",
    "tuple_type": "expected a list, such as [a, b]",
    "set_type": "expected a list, such as [a, b]",
    "enum": "expected one of {expected}",
    "literal_error": "expected one of {expected}",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "too_short": "expected at least {min_length} entries",
    "too_long": "expected at most {max_length} entries",
}
# The errors in which the value says nothing more.
WITHOUT_VALUE = {"missing", "extra_forbidden", "value_error"}
# Types whose names pydantic adds to the location of a value that may have several.
UNION_TYPES = {"int", "literal['all']"}


def describe_problems(
    model: type[BaseModel], error: ValidationError, siblings: Iterable[str] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the key and the problem of each error, such as `("gate", "expected at most 1, found 1.5")`.

    Args:
        model: The model.
        error: Why the data does not fit it.
        siblings: Keys beside those of the model, for hints about an unknown key.
    """
    for detail in error.errors():
        yield ".".join(_find_keys(detail["loc"])), _describe(model, detail, siblings)


def _describe(model: type[BaseModel], detail: Mapping[str, Any], siblings: Iterable[str]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        *above, name = detail["loc"]
        known = _keys_at(model, (*above,)) | ({*siblings} if not above else set())
        return f"unknown key{did_you_mean(str(name), known)}"
    words = WORDS.get(kind)
    if words is None:
        return str(detail["msg"]).removeprefix("Value error, ")
    expected = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    limits = {name: f"{each:g}" if isinstance(each, float) else each for name, each in context.items()}
    text = words.format(**{**limits, "expected": expected})
    if kind in WITHOUT_VALUE:
        return text
    return f"{text}, found {_show(detail['input'])}"


def _show(value: object) -> str:
    """Return a value as YAML writes it, cut if it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _find_keys(location: Iterable[int | str]) -> Iterator[str]:
    """Yield the keys of a location, without what pydantic adds: `[key]`, and types of a union after the index of a list.

    Elsewhere, `date` or `int` is a key, such as the name of a column.
    """
    before: int | str = ""
    for part in location:
        if part != "[key]" and not (isinstance(before, int) and part in UNION_TYPES):
            yield str(part)
        before = part


def _keys_at(model: Any, location: tuple[Any, ...]) -> set[str]:
    """Return the keys that the model has at a location; none where any key is allowed."""
    for part in location:
        fields = getattr(_model_in(model), "model_fields", {})
        if part in fields:
            model = fields[part].annotation
        else:
            # An entry of a mapping or a list: its type is the last argument.
            model = (get_args(model) or (None,))[-1] if not fields else None
    found = _model_in(model)
    return {field.alias or name for name, field in found.model_fields.items()} if found else set()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model of an annotation such as `Model` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = [_model_in(each) for each in get_args(annotation)] if _is_union(annotation) else []
    return next((model for model in models if model), None)


def _is_union(annotation: Any) -> bool:
    return type(None) in get_args(annotation)
