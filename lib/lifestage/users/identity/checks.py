"""Checks of the section `identity` of the main file, and of source names that evidence reserves."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.sources.config import REFERENCE_SOURCES, SOURCES
from lifestage.platform.config.checks import join_names, prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.yaml_files import packaged_yaml
from lifestage.platform.result import DomainResult
from lifestage.users.identity.config import GROUPS, IDENTITY
from lifestage.users.pairs import FUZZY


def check_config(config: Config, _results: Sequence[DomainResult]) -> Iterator[str]:
    """Problems of limits and known types, and of sources with the reserved name of match evidence."""
    for folder, names in (
        (SOURCES, config.parts[SOURCES]),
        (REFERENCE_SOURCES, config.parts[REFERENCE_SOURCES]),
    ):
        if FUZZY in {*names}:
            file = config.folder / folder.name / f"{FUZZY}.yaml"
            yield from prefix_file(
                file, [f"{FUZZY}: is the reserved source name of match evidence, choose another name"]
            )
    yield from prefix_file(config.file, _type_problems(config))


def _type_problems(config: Config) -> Iterator[str]:
    identifiers, settings = config.shared.identifiers, config.parts[IDENTITY]
    # A packaged identifier type that the project removes leaves its limit behind.
    for name in sorted({*identifiers} & {*GROUPS}):
        yield f"identifiers.{name}: the name is reserved for a group of types in identity.limits, choose another"
    known = {*identifiers, *packaged_yaml("project/defaults.yaml")["identifiers"]}
    for name, limits in settings.limits.items():
        for unknown in sorted({name, *limits} - known - {*GROUPS}):
            yield f"identity.limits.{name}: unknown identifier type {unknown}, expected some of {join_names(identifiers)}"
    for unknown in sorted({*settings.known} - known):
        yield f"identity.known: unknown identifier type {unknown}, expected some of {join_names(identifiers)}"
