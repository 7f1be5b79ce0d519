"""The parts of a project's configuration: sections of the main file, files beside it, and folders of files.

A domain declares the parts that it reads, each with its model. The loader reads every part once, and each domain
composes its configuration from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel

from lifestage.platform.config.shared import Shared

# Covariant, so that a part of a model is also a part of the model's base class.
ModelT = TypeVar("ModelT", bound=BaseModel, covariant=True)
ValueT = TypeVar("ValueT", covariant=True)
AskedT = TypeVar("AskedT")


class Combine(StrEnum):
    """How a project's file combines with the packaged one."""

    MERGE = "merge"
    """Mappings merge key by key, anything else is replaced; `null` removes a key."""
    SECTIONS = "sections"
    """Each top-level key replaces the packaged one as a whole."""
    REPLACE = "replace"
    """The file replaces the packaged one as a whole."""


@dataclass(frozen=True)
class Part(Generic[ValueT]):
    """One part, with a value of type `ValueT`. `name` is its key in the main file, its file, or its folder."""

    name: str


@dataclass(frozen=True)
class Section(Part[ModelT], Generic[ModelT]):
    """A section of the main file.

    `defaults` is the path of the packaged section inside the package, `how_to` the page in docs/ that explains it.
    """

    model: type[ModelT]
    how_to: str = ""
    defaults: str = ""


@dataclass(frozen=True)
class ConfigFile(Part[ModelT], Generic[ModelT]):
    """A file beside the main file, which combines with a packaged one."""

    model: type[ModelT]
    defaults: str
    how_to: str = ""
    combine: Combine = Combine.MERGE


@dataclass(frozen=True)
class NamedItems(Part[dict[str, ModelT]], Generic[ModelT]):
    """A file beside the main file that maps names to items of one model; merges with a packaged one by name."""

    model: type[ModelT]
    defaults: str
    how_to: str = ""


@dataclass(frozen=True)
class ConfigFolder(Part[dict[str, ModelT]], Generic[ModelT]):
    """A folder beside the main file with one file per item. The name of the file is the name of the item."""

    model: type[ModelT]
    how_to: str = ""


class MalformedPartError(Exception):
    """The files of a part do not fit its model. The problems are reported; what needs the part is not checked."""


@dataclass(frozen=True)
class Parts:
    """All parts of a project, as read from its files. The value of a malformed part is None."""

    shared: Shared
    values: Mapping[str, Any]

    def __getitem__(self, part: Part[AskedT]) -> AskedT:
        """Return the value of a part; MalformedPartError if it has none."""
        return cast(AskedT, self.named(part.name))

    def replace(self, part: Part[AskedT], value: AskedT) -> Self:
        """Return the parts with another value of one part."""
        return replace(self, values={**self.values, part.name: value})

    def named(self, name: str) -> Any:
        """Return the value of a part by name, for a domain that must not import the domain that declares it."""
        value = self.values[name]
        if value is None:
            raise MalformedPartError(name)
        return value
