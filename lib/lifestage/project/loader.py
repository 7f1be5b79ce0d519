"""Load a project's configuration: read every part once, compose that of each domain, and report all problems at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lifestage.platform.config.configuration import Config
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.parts import (
    Combine,
    ConfigFile,
    ConfigFolder,
    NamedItems,
    Part,
    Parts,
    Section,
)
from lifestage.platform.config.shared import Shared
from lifestage.platform.config.yaml_files import (
    Problems,
    merge_keys,
    packaged_yaml,
    read_yaml,
    validate_model,
)
from lifestage.platform.domain import Domain
from lifestage.platform.errors import ConfigError
from lifestage.project.pipeline import DOMAINS
from lifestage.project.validation import find_problems

PACKAGED = "project/defaults.yaml"


def load_config(path: Path, domains: Sequence[Domain] = DOMAINS) -> Config:
    """The configuration whose main file is `path`.

    Raises:
        ConfigError: with every problem, each with file and key.
    """
    parts = _read_parts(path, {part.name: part for domain in domains for part in domain.config.parts})
    for domain in domains:
        parts = domain.config.extend(parts) if domain.config.extend else parts
    composed = {domain.name: domain.config.compose(parts) for domain in domains}
    meaning = {
        domain.name: composed[domain.name].model_dump(mode="json")
        for domain in domains
        if domain.config.affects_results
    }
    config = Config(path.resolve(), parts, composed, semantic_hash(meaning))
    if problems := [*find_problems(config, domains)]:
        raise ConfigError(problems)
    return config


def read_shared(path: Path, domains: Sequence[Domain] = DOMAINS) -> Shared:
    """The shared sections of the main file `path`. Sources and other files beside it are not read.

    Raises:
        ConfigError: with every problem of the main file outside the sections of domains.
    """
    problems = Problems()
    parts = [part for domain in domains for part in domain.config.parts]
    sections = {part.name: part for part in parts if isinstance(part, Section)}
    given = _read_main(path.resolve(), _load_packaged_main(sections.values()), problems)
    shared = None if given is None else _read_shared(given, sections, path, problems)
    if problems or shared is None:
        raise ConfigError(problems)
    return shared


def _read_shared(
    given: Mapping[str, Any], sections: Mapping[str, Section[Any]], path: Path, problems: Problems
) -> Shared | None:
    """The keys of a main file that are not the section of a domain."""
    own = {key: value for key, value in given.items() if key not in sections}
    return validate_model(Shared, own, path, problems, siblings=sections)


def _read_parts(path: Path, declared: Mapping[str, Part[Any]]) -> Parts:
    problems = Problems()
    main = path.resolve()
    sections = {name: part for name, part in declared.items() if isinstance(part, Section)}
    given = _read_main(main, _load_packaged_main(sections.values()), problems)
    shared = None
    values: dict[str, Any] = {}
    if given is not None:
        shared = _read_shared(given, sections, path, problems)
        values = {name: _read_section(part, given, path, problems) for name, part in sections.items()}
    for name, part in declared.items():
        if name not in sections:
            values[name] = _read_part(part, main.parent, problems)
    _report_other_suffixes(main, declared.values(), problems)
    if problems or shared is None:
        raise ConfigError(problems)
    return Parts(shared, values)


def _load_packaged_main(sections: Any) -> dict[str, Any]:
    """The packaged main file with the packaged sections of the domains."""
    return packaged_yaml(PACKAGED) | {
        section.name: packaged_yaml(section.defaults) for section in sections if section.defaults
    }


def _read_main(
    path: Path, packaged: dict[str, Any], problems: Problems, below: tuple[Path, ...] = ()
) -> dict[str, Any] | None:
    """The main file, merged with the files that it extends and with the packaged file."""
    if path.resolve() in below:
        problems.at(path, "extends", "these files extend one another in a circle")
        return None
    data = read_yaml(path, problems)
    if data is None:
        return None
    parent = data.pop("extends", None)
    if parent is not None and not (isinstance(parent, str) and parent.strip("\0 ")):
        problems.at(path, "extends", "expected the path of a main file")
        parent = None
    if not parent:
        return merge_keys(packaged, data)
    above = _read_main(path.parent / parent, packaged, problems, (*below, path.resolve()))
    return None if above is None else merge_keys(above, data)


def _read_section(
    section: Section[Any], given: Mapping[str, Any], path: Path, problems: Problems
) -> BaseModel | None:
    if section.name not in given:
        problems.at(path, section.name, "required key is missing")
        return None
    model: BaseModel | None = validate_model(section.model, given[section.name], path, problems, section.name)
    return model


def _read_part(part: Part[Any], folder: Path, problems: Problems) -> Any:
    file = folder / part.name
    match part:
        case ConfigFolder(model=model):
            found = {
                each: validate_model(model, read_yaml(each, problems), each, problems)
                for each in sorted(file.glob("*.yaml"))
            }
            return {each.stem: item for each, item in found.items() if item}
        case NamedItems(model=model, defaults=defaults):
            data = merge_keys(
                packaged_yaml(defaults), (read_yaml(file, problems) if file.exists() else None) or {}
            )
            items = {
                name: validate_model(model, item, f"{file}: {name}", problems) for name, item in data.items()
            }
            return {name: item for name, item in items.items() if item}
        case ConfigFile(model=model):
            return validate_model(model, _combine_files(part, file, problems), file, problems)
        case _:
            raise TypeError(f"{part.name}: no way to read a {type(part).__name__}")


def _combine_files(part: ConfigFile[Any], file: Path, problems: Problems) -> dict[str, Any] | None:
    """The packaged file, combined with the project's file of the same name if it exists."""
    packaged = packaged_yaml(part.defaults)
    if not file.exists():
        return packaged
    own = read_yaml(file, problems)
    if own is None:
        return None
    match part.combine:
        case Combine.MERGE:
            return merge_keys(packaged, own)
        case Combine.SECTIONS:
            return packaged | own
        case Combine.REPLACE:
            return own


def _report_other_suffixes(main: Path, parts: Any, problems: Problems) -> None:
    folders = [main.parent, *[main.parent / part.name for part in parts if isinstance(part, ConfigFolder)]]
    for folder in folders:
        for file in sorted({*folder.glob("*.yml")} - {main}):
            problems.at(file, "", "is not read, because its name does not end in .yaml: rename it")
