"""A project's configuration: every file read, every problem found before Spark starts."""

import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lifestage.activity.config import ActivityConfig
from lifestage.config_checks import check_config
from lifestage.core.errors import ConfigError
from lifestage.core.expressions import semantic_hash
from lifestage.core.yaml_files import Problems, merged, packaged_yaml, read_yaml, validated
from lifestage.features.config import FeaturesConfig
from lifestage.identity.step import IdentityConfig
from lifestage.ingest.config import IngestConfig, Source
from lifestage.reference.config import ReferenceConfig, ReferenceSource
from lifestage.report.config import ReportConfig
from lifestage.segments.config import SegmentsConfig
from lifestage.settings import Config, Main, ValueSettings
from lifestage.stages.config import StageLadder
from lifestage.tables.catalogue import Catalogue
from lifestage.tables.event_types import EventType, EventTypes, actions_of
from lifestage.value.config import ValueConfig

ModelT = TypeVar("ModelT", bound=BaseModel)


def load_config(path: Path) -> Config:
    """The configuration whose main file is `path`; ConfigError with every problem, file and key."""
    problems = Problems()
    main_file = path.resolve()
    main = validated(Main, _main_data(main_file, problems), path, problems)
    sources = _folder(main_file.parent / "sources", Source, problems)
    references = _folder(main_file.parent / "reference", ReferenceSource, problems)
    catalogue = _part(main_file, "features.yaml", Catalogue, problems)
    ladder = _part(main_file, "stages.yaml", StageLadder, problems, extend=False)
    value = _part(main_file, "value.yaml", ValueSettings, problems, extend=False)
    segments = _part(main_file, "segments.yaml", SegmentsConfig, problems)
    types = _event_types(main_file, problems)
    if problems or not (main and catalogue and ladder and value and segments):
        raise ConfigError(problems)
    config = _composed(main, sources, references, catalogue, ladder, value, segments, types)
    problems.extend(check_config(config, main_file))
    if problems:
        raise ConfigError(problems)
    return config


def _main_data(path: Path, problems: Problems, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in below:
        problems.at(path, "extends", "goes round in a circle")
        return {}
    data = read_yaml(path, problems)
    parent = data.pop("extends", None)
    if not parent:
        return merged(packaged_yaml("base.yaml"), data)
    return merged(_main_data(path.parent / parent, problems, (*below, path.resolve())), data)


def _part(
    main: Path, name: str, model: type[ModelT], problems: Problems, extend: bool = True
) -> ModelT | None:
    """A packaged default, extended or replaced by the project's file of the same name."""
    file = main.parent / name
    data = packaged_yaml(name)
    if file.exists():
        data = merged(data if extend else {}, read_yaml(file, problems))
    return validated(model, data, file, problems)


def _folder(folder: Path, model: type[ModelT], problems: Problems) -> dict[str, ModelT]:
    found = {
        file: validated(model, read_yaml(file, problems), file, problems)
        for file in sorted(folder.glob("*.yaml"))
    }
    return {file.stem: item for file, item in found.items() if item}


def _event_types(main: Path, problems: Problems) -> EventTypes:
    file = main.parent / "event_types.yaml"
    data = merged(packaged_yaml("event_types.yaml"), read_yaml(file, problems) if file.exists() else {})
    found = {name: validated(EventType, item, f"{file}: {name}", problems) for name, item in data.items()}
    return {name: kind for name, kind in found.items() if kind}


def _composed(
    main: Main,
    sources: dict[str, Source],
    references: dict[str, ReferenceSource],
    catalogue: Catalogue,
    ladder: StageLadder,
    value: ValueSettings,
    segments: SegmentsConfig,
    types: EventTypes,
) -> Config:
    zone = main.business.time_zone
    actions = actions_of(types)
    parts: dict[str, Any] = {
        "reference": ReferenceConfig(
            sources=references, identifiers=main.identifiers, landing=main.landing, time_zone=zone
        ),
        "ingest": IngestConfig(
            sources=sources,
            event_types=types,
            identifiers=main.identifiers,
            landing=main.landing,
            time_zone=zone,
            currency=main.business.currency,
            finality_days=main.business.finality_days,
        ),
        "activity": ActivityConfig(
            catalogue=catalogue, actions=actions, time_zone=zone, **main.activity.model_dump()
        ),
        "features": FeaturesConfig(
            catalogue=catalogue,
            rhythm=main.rhythm,
            history_starts_on=main.business.history_starts_on,
            left_censor_margin_days=main.business.left_censor_margin_days,
        ),
        "stages": ladder,
        "value": ValueConfig(rfm=value.rfm, history_starts_on=main.business.history_starts_on),
        "segments": segments,
        "identity": IdentityConfig(),
        "publish": main.publish,
    }
    report = ReportConfig(
        path=main.report.path,
        business=main.business.name,
        currency=main.business.currency,
        stages=ladder.display,
        rfm_names=value.rfm.names,
        segment_features=main.report.segment_features,
    )
    meaning = {name: part.model_dump(mode="json") for name, part in parts.items()}
    return Config(main=main, report=report, hash=semantic_hash(meaning), **parts)


def secret_file(variable: str) -> str | None:
    """The path that `<variable>_FILE` names, whether or not there is a file."""
    return os.environ.get(f"{variable}_FILE")


def read_secret(variable: str) -> str | None:
    """A secret from the environment, or from the file that `<variable>_FILE` names; None where neither is set."""
    if variable in os.environ:
        return os.environ[variable].strip()
    file = secret_file(variable)
    # A key in bytes is no key as hex, and is told so.
    return (
        Path(file).read_text(encoding="utf-8", errors="replace").strip()
        if file and Path(file).is_file()
        else None
    )
