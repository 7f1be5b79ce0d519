"""YAML from disk or from the package, with every problem named by file and key."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

ModelT = TypeVar("ModelT", bound=BaseModel)


class Problems(list[str]):
    """Problems found so far; loading goes on so that all are reported at once."""

    def at(self, file: object, key: str, message: str) -> None:
        """Note one problem under its file and key."""
        self.append(f"{file}: {key}: {message}" if key else f"{file}: {message}")


class _Loader(yaml.SafeLoader):
    """YAML would silently keep the last of two equal keys, and take the key `on` for true."""

    yaml_implicit_resolvers: ClassVar = {  # type: ignore[misc]
        letter: [(tag, text) for tag, text in resolvers if not tag.endswith(":bool") or letter in "tTfF"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key given twice: {', '.join(twice)}", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, problems: Problems) -> dict[str, Any] | None:
    """The mapping in a file; None, with a problem noted, where it cannot be read."""
    try:
        return _mapping(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.at(path, "", "file not found")
    except UnicodeDecodeError as error:
        problems.at(path, "", f"not UTF-8 (byte {error.start})")
    except OSError as error:
        problems.at(path, "", f"cannot be read: {error.strerror}")
    except (yaml.YAMLError, ValueError) as error:
        problems.at(path, "", " ".join(str(error).split()))
    except RecursionError:
        problems.at(path, "", "nested too deeply")
    return None


def packaged_yaml(name: str) -> dict[str, Any]:
    """A default that ships inside the package."""
    return _mapping(packaged_text(name))


def packaged_text(name: str) -> str:
    """The same as it is written, with its comments."""
    return (files("lifestage") / name).read_text(encoding="utf-8")


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key, anything else is replaced, and `null` takes a key away."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def validated(
    model: type[ModelT], data: Mapping[str, Any] | None, file: object, problems: Problems, below: str = ""
) -> ModelT | None:
    """The model, or None with each problem noted under its key; without data its problem is noted already.

    `below` is the key that the data stand under in the file.
    """
    if data is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors():
            key = ".".join(str(part) for part in ((below,) if below else ()) + detail["loc"])
            problems.at(file, key, _wording(detail["type"], detail["msg"]))
        return None


def _mapping(text: str) -> dict[str, Any]:
    value = yaml.load(text, Loader=_Loader)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"a mapping of keys is expected, found {type(value).__name__}")
    return value


def _wording(kind: str, message: str) -> str:
    known = {"extra_forbidden": "unknown key", "missing": "required key is missing"}
    return known.get(kind, message.removeprefix("Value error, "))
