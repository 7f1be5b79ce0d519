"""The whole configuration of a project: the shared sections, and the configuration of each domain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel

from lifestage.platform.config.parts import Parts
from lifestage.platform.config.shared import Shared

ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True)
class Config:
    """Everything that a run needs.

    `domains` maps the name of each domain to its configuration. Code asks by type:
    `config.of(StageLadder)` is the configuration of the domain that composes a StageLadder.
    """

    file: Path
    """The main file."""
    parts: Parts
    domains: Mapping[str, BaseModel]
    hash: str

    @property
    def shared(self) -> Shared:
        """The sections of the main file that belong to no domain."""
        return self.parts.shared

    @property
    def folder(self) -> Path:
        """The folder of the main file and all other files."""
        return self.file.parent

    def of(self, kind: type[ConfigT]) -> ConfigT:
        """Return the configuration of a type; KeyError if no domain composes one."""
        for config in self.domains.values():
            if type(config) is kind:
                return config
        raise KeyError(f"no domain composes a {kind.__name__}")

    def replace_shared(self, **changes: Any) -> Self:
        """Return a copy with some shared sections replaced; the configurations of domains stay as they are."""
        shared = self.shared.model_copy(update=changes)
        return replace(self, parts=replace(self.parts, shared=shared))

    def replace_of(self, kind: type[BaseModel], **changes: Any) -> Self:
        """Return a copy with some values of one domain replaced."""
        domains = {
            name: config.model_copy(update=changes) if type(config) is kind else config
            for name, config in self.domains.items()
        }
        return replace(self, domains=domains)
