"""docs/settings.md: every setting of every file, from the models that read them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from documents.markdown import REQUIRED, WRITTEN, code, grid
from lifestage.platform.config.parts import Combine, ConfigFile, ConfigFolder, NamedItems, Part, Section
from lifestage.platform.config.shared import Shared
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.domain import Domain
from lifestage.project.loader import PACKAGED
from lifestage.project.pipeline import DOMAINS

LONG = 90
TYPES = {
    str: "text", int: "whole number", float: "number", bool: "`true` or `false`", date: "date", Fraction: "number",
}  # fmt: skip
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
DEFAULTS = "../lib/lifestage/"


@dataclass(frozen=True)
class SettingsFile:
    """A file of a project: the model that reads it, and how it combines with the packaged one."""

    name: str
    model: type[BaseModel]
    combines: str
    packaged: str | None = None
    by_name: bool = False
    sections: tuple[Section[Any], ...] = ()


COMBINES = {
    Combine.MERGE: "The file is merged by name with {packaged}; `null` removes an entry, and lists are replaced.",
    Combine.SECTIONS: "Each top-level section replaces the one in {packaged} as a whole.",
    Combine.REPLACE: "The file replaces {packaged} as a whole.",
}


def files_of(domains: Sequence[Domain]) -> list[SettingsFile]:
    """The main file, then every file that a domain reads."""
    parts = {part.name: part for domain in domains for part in domain.config.parts}
    main = SettingsFile(
        "The main file",
        Shared,
        "The file that `--conf` names. It is merged key by key with the packaged values; `null` removes a key. The additional "
        "key `extends: FILE` includes another main file. Its path is relative to this file.",
        PACKAGED,
        sections=tuple(part for part in parts.values() if isinstance(part, Section)),
    )
    return [main, *[_file_of(part) for part in parts.values() if not isinstance(part, Section)]]


def _file_of(part: Part[Any]) -> SettingsFile:
    match part:
        case ConfigFolder(name, model, how_to):
            return SettingsFile(
                f"{name}/NAME.yaml", model, f"One file per item. The package contains none.{_link(how_to)}"
            )
        case NamedItems(name, model, defaults, how_to):
            combines = COMBINES[Combine.MERGE] + _link(how_to)
            return SettingsFile(name, model, combines, defaults, by_name=True)
        case ConfigFile(name, model, defaults, how_to, combine):
            return SettingsFile(name, model, COMBINES[combine] + _link(how_to), defaults)
        case _:
            raise TypeError(f"{part.name}: no page for a {type(part).__name__}")


def _link(how_to: str) -> str:
    return f" [How to]({how_to})." if how_to else ""


@dataclass(frozen=True)
class Setting:
    """One key. In it, NAME stands for a name that the project chooses, and [] for each item of a list."""

    key: str
    type: str
    default: str
    meaning: str


def settings_page(domains: Sequence[Domain] = DOMAINS) -> str:
    """Every setting with type, default and meaning, file by file."""
    parts = [
        WRITTEN.format(source="the models that read the files, in lib/lifestage/"),
        "# Settings",
        "This page lists every key of every file of a project. A project needs a main file and a source. All other files are "
        "optional. They are beside the main file and contain only the differences from the packaged files.",
        "An unknown key is an error. `lifestage validate` lists all problems by file and key. It checks the form of all files "
        "first, and what the values mean once the form is correct.",
        "In a key, `NAME` stands for a name that you choose, and `[]` for each item of a list. SQL is Spark SQL over one row.",
        *(part for file in files_of(domains) for part in _section(file)),
    ]
    return "\n\n".join(parts) + "\n"


def settings_of(file: SettingsFile) -> list[Setting]:
    """The settings of one file."""
    packaged = packaged_yaml(file.packaged) if file.packaged else {}
    if file.by_name:
        return [*_settings(file.model, {}, "NAME.", file.packaged)]
    found = [*_settings(file.model, packaged, "", file.packaged)]
    for section in file.sections:
        given = packaged_yaml(section.defaults) if section.defaults else {}
        found += _settings(section.model, given, f"{section.name}.", section.defaults)
    return found


def _section(file: SettingsFile) -> Iterator[str]:
    yield f"## {file.name}"
    yield file.combines.format(packaged=f"[the packaged file]({DEFAULTS}{file.packaged})")
    rows = ((code(each.key), each.type, each.default, each.meaning) for each in settings_of(file))
    yield grid(("key", "type", "default", "meaning"), rows)


def _settings(
    model: type[BaseModel], packaged: Mapping[str, Any], prefix: str, file: str | None
) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        own = field.alias or name
        inner, below = _inside(field.annotation)
        given = packaged.get(own)
        if inner is None or below:
            default = _default(field, packaged, own, file)
            yield Setting(
                f"{prefix}{own}", _type(field.annotation, field.metadata), default, field.description or ""
            )
        if inner is not None:
            yield from _settings(inner, {} if below else given or {}, f"{prefix}{own}{below}.", file)


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model inside an annotation, and the sign for its place in a mapping or list. None if there is no model."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    found = [arg for arg in get_args(annotation) if isinstance(arg, type) and issubclass(arg, BaseModel)]
    if not found:
        return None, ""
    return found[0], ".NAME" if get_origin(annotation) is dict else "[]"


def _default(field: FieldInfo, packaged: Mapping[str, Any], own: str, file: str | None) -> str:
    if own not in packaged and field.is_required():
        return REQUIRED
    value = packaged.get(own, None if field.is_required() else field.default)
    if value in (None, "", (), {}, []):
        return "none"
    text = str(value) if isinstance(value, StrEnum) else _flow(value)
    return code(text) if len(text) <= LONG else f"[packaged]({DEFAULTS}{file})"


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _type(annotation: Any, bounds: Iterable[Any] = ()) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0], inner[1:])
    if origin in (Union, UnionType):
        return " or ".join(_type(each, bounds) for each in inner if each is not NoneType)
    if origin is Literal:
        return ", ".join(map(code, inner))
    if origin is dict:
        return "mapping" if _inside(annotation)[0] else f"mapping to {_type(inner[1])}"
    if origin is tuple:
        return _list_type(annotation, inner)
    if issubclass(annotation, StrEnum):
        return ", ".join(map(code, annotation))
    return ", ".join([TYPES[annotation], *_bounds(bounds)])


def _list_type(annotation: Any, inner: tuple[Any, ...]) -> str:
    if _inside(annotation)[0]:
        return "list"
    if inner[-1] is Ellipsis:
        return f"list of {_type(inner[0])}"
    return f"list of {len(inner)}: {' to '.join(dict.fromkeys(map(_type, inner)))}"


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    flat = [each for item in metadata for each in (item.metadata if isinstance(item, FieldInfo) else [item])]
    for item in flat:
        for name, words in BOUNDS.items():
            if (bound := getattr(item, name, None)) is not None:
                yield f"{words} {bound:,}"
