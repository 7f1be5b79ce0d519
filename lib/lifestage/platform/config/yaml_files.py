"""Read YAML from disk or from the package, and report every problem with its file and key."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from lifestage.platform.config.model_problems import describe_problems

ModelT = TypeVar("ModelT", bound=BaseModel)


class Problems(list[str]):
    """The problems found so far. Loading continues after a problem, so that all problems are reported at once."""

    def at(self, file: object, key: str, message: str) -> None:
        """Add one problem with its file and key."""
        self.append(f"{file}: {key}: {message}" if key else f"{file}: {message}")


class _Strict(yaml.constructor.SafeConstructor):
    """Rejects duplicate keys and reads `on`, `off`, `yes` and `no` as text.

    Plain YAML silently keeps the last of two equal keys, and reads the key `on` as true.
    """

    yaml_implicit_resolvers: ClassVar = {
        letter: [(tag, text) for tag, text in resolvers if not tag.endswith(":bool") or letter in "tTfF"]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        duplicates = sorted({str(key) for key in keys if keys.count(key) > 1})
        if duplicates:
            raise yaml.constructor.ConstructorError(
                None, None, f"key given twice: {', '.join(duplicates)}", node.start_mark
            )
        return super().construct_mapping(node, deep)


class _Loader(_Strict, yaml.SafeLoader):
    """The loader of a project's files. Its errors show the place in the text."""


class _PackagedLoader(_Strict, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A fast loader for packaged files, which are well-formed."""


def read_yaml(path: Path, problems: Problems) -> dict[str, Any] | None:
    """Read the mapping in a file. If that fails, add a problem and return None."""
    try:
        return _load_mapping(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.at(path, "", "file not found")
    except UnicodeDecodeError as error:
        problems.at(path, "", f"not UTF-8 (byte {error.start})")
    except OSError as error:
        problems.at(path, "", f"cannot be read: {error.strerror}")
    except yaml.MarkedYAMLError as error:
        problems.at(path, "", _describe_syntax(error))
    except (yaml.YAMLError, ValueError) as error:
        problems.at(path, "", " ".join(str(error).split()))
    except RecursionError:
        problems.at(path, "", "nested too deeply")
    return None


def packaged_yaml(name: str) -> dict[str, Any]:
    """Read the mapping in a file of the package, by its path below `lifestage`.

    Example: packaged_yaml("analytics/stages/defaults.yaml")
    """
    return deepcopy(_load_packaged(name))


@cache
def _load_packaged(name: str) -> dict[str, Any]:
    return _load_mapping(packaged_text(name), _PackagedLoader)


def packaged_text(name: str) -> str:
    """Read a file of the package as text, comments included."""
    return (files("lifestage") / name).read_text(encoding="utf-8")


def merge_keys(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge changes into a base: nested mappings key by key, other values replaced, keys with None removed.

    Example:
        >>> merge_keys({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": None}, "b": 3})
        {'a': {'x': 1}, 'b': 3}
    """
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merge_keys(result[key], value)
        else:
            result[key] = value
    return result


def validate_model(
    model: type[ModelT],
    data: Mapping[str, Any] | None,
    file: object,
    problems: Problems,
    below: str = "",
    siblings: Iterable[str] = (),
) -> ModelT | None:
    """Build a model from data. If that fails, add a problem per key and return None.

    Args:
        model: The model.
        data: Its values. None gives None without another problem, because `read_yaml` reported it.
        file: Name of the file, for the problems.
        problems: The list that problems are added to.
        below: Key in the file under which the data is; empty for the whole file.
        siblings: Keys beside those of the model, for hints about an unknown key.
    """
    if data is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for key, problem in describe_problems(model, error, siblings):
            problems.at(file, ".".join(part for part in (below, key) if part), problem)
        return None


def _describe_syntax(error: yaml.MarkedYAMLError) -> str:
    """Say where the text stops being YAML, with the line and a caret below the place."""
    mark, text = error.problem_mark, error.problem or error.context or "not YAML"
    if mark is None:
        return text
    snippet = (mark.get_snippet(indent=4) or "").rstrip()
    return f"line {mark.line + 1}, column {mark.column + 1}: {text}\n{snippet}".rstrip()


def _load_mapping(text: str, loader: Any = _Loader) -> dict[str, Any]:
    value = yaml.load(text, Loader=loader)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"a mapping of keys is expected, found {type(value).__name__}")
    return value
