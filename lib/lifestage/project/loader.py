"""Load a project's configuration: read every part once, compose that of each domain, and report all problems at once."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lifestage.platform.config.configuration import Config
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.parts import (
    Combine,
    ConfigFile,
    ConfigFolder,
    MalformedPartError,
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
from lifestage.project.registry import register
from lifestage.project.validation import find_domain_problems, find_problems

PACKAGED = "project/defaults.yaml"


def load_config(path: Path, domains: Sequence[Domain] = DOMAINS, is_checked: bool = True) -> Config:
    """The configuration whose main file is `path`.

    Args:
        path: the main file.
        domains: the domains whose configuration is composed.
        is_checked: False to look for problems of form only, such as unknown keys, which takes half the time. Problems of
            meaning, such as an unknown column in an expression, do not matter to a question about stored tables.

    Raises:
        ConfigError: with every problem, each with file and key.
    """
    problems, malformed = Problems(), set[str]()
    parts = _read_parts(
        path, {part.name: part for domain in domains for part in domain.config.parts}, problems, malformed
    )
    if parts is None:
        raise ConfigError(problems)
    config = _compose(path, parts, domains)
    if problems:
        problems += _find_problems_beside(malformed, config, domains)
    elif is_checked:
        problems += find_problems(config, domains)
    if problems:
        raise ConfigError(problems)
    return config


def _compose(path: Path, parts: Parts, domains: Sequence[Domain]) -> Config:
    """The configuration, without the domains that need a malformed part."""
    for domain in domains:
        if domain.config.extend:
            with suppress(MalformedPartError):
                parts = domain.config.extend(parts)
    composed = {}
    for domain in domains:
        with suppress(MalformedPartError):
            composed[domain.name] = domain.config.compose(parts)
    meaning = {
        domain.name: composed[domain.name].model_dump(mode="json")
        for domain in domains
        if domain.name in composed and domain.config.affects_results
    }
    return Config(path.resolve(), parts, composed, semantic_hash(meaning))


def _find_problems_beside(malformed: Collection[str], config: Config, domains: Sequence[Domain]) -> list[str]:
    """The problems of the well-formed parts of a project that also has malformed ones.

    Domains that need a malformed part are left out, and so is what may be wrong only because such a part is missing:
    domains after a missing result, and problems that name a malformed item.
    """
    found: list[str] = []
    checked: list[Domain] = []
    for domain in domains:
        try:
            *_, registered = register(config, [*checked, domain])
            found += find_domain_problems(config, registered)
        # Checks look up the configuration of other domains, which may be missing.
        except (MalformedPartError, KeyError):
            if domain.result:
                break
        else:
            checked.append(domain)
    return [
        problem
        for problem in found
        if not any(re.search(rf"\b{re.escape(name)}\b", problem.partition(": ")[2]) for name in malformed)
    ]


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


def _read_parts(
    path: Path, declared: Mapping[str, Part[Any]], problems: Problems, malformed: set[str]
) -> Parts | None:
    """Read every part. Adds problems, and the names of malformed items of a part, which it then lacks.

    None if the main file, or a section of it that belongs to no domain, is malformed: every domain needs those.
    """
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
            values[name] = _read_part(part, main.parent, problems, malformed)
    _report_other_suffixes(main, declared.values(), problems)
    return None if shared is None else Parts(shared, values)


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


def _read_part(part: Part[Any], folder: Path, problems: Problems, malformed: set[str]) -> Any:
    file = folder / part.name
    match part:
        case ConfigFolder(model=model):
            items = {
                each.stem: validate_model(model, read_yaml(each, problems), each, problems)
                for each in sorted(file.glob("*.yaml"))
            }
        case NamedItems(model=model, defaults=defaults):
            data = merge_keys(
                packaged_yaml(defaults), (read_yaml(file, problems) if file.exists() else None) or {}
            )
            items = {
                name: validate_model(model, item, file, problems, str(name)) for name, item in data.items()
            }
        case ConfigFile(model=model):
            return validate_model(model, _combine_files(part, file, problems), file, problems)
        case _:
            raise TypeError(f"{part.name}: no way to read a {type(part).__name__}")
    malformed |= {str(name) for name, item in items.items() if item is None}
    return {name: item for name, item in items.items() if item is not None}


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
