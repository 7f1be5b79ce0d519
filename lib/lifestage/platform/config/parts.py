"""The parts of a project's configuration: sections of the main file, files beside it, and folders of files.

A domain declares the parts that it reads, each with its model. The loader reads every part once, and each domain
composes its configuration from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel

from lifestage.platform.config.shared import Shared

ModelT = TypeVar("ModelT", bound=BaseModel)
ValueT = TypeVar("ValueT")


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
    """One part; `ValueT` is what reading it gives."""

    name: str
    """Key in the main file, name of the file, or name of the folder."""
    model: type[BaseModel]
    how_to: str = ""
    """The page in docs/ that explains it."""


@dataclass(frozen=True)
class Section(Part[ModelT]):
    """A section of the main file. Its defaults are in the packaged main file."""


@dataclass(frozen=True)
class ConfigFile(Part[ModelT]):
    """A file beside the main file."""

    defaults: str = ""
    """Path of the packaged file inside the package."""
    combine: Combine = Combine.MERGE


@dataclass(frozen=True)
class NamedItems(Part[dict[str, ModelT]]):
    """A file beside the main file that maps names to items of one model."""

    defaults: str = ""


@dataclass(frozen=True)
class ConfigFolder(Part[dict[str, ModelT]]):
    """A folder beside the main file with one file an item, named after it."""


@dataclass(frozen=True)
class Parts:
    """Every part of a project as it was read."""

    shared: Shared
    values: Mapping[str, Any]

    def __getitem__(self, part: Part[ValueT]) -> ValueT:
        """The value of a part."""
        return cast(ValueT, self.values[part.name])

    def named(self, name: str) -> Any:
        """The value of the part with a name, for a domain that must not import the one that declares it."""
        return self.values[name]
