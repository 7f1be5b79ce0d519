"""A project's configuration: every file read, every problem found before Spark starts."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.activation.publish.config import PublishConfig
from lifestage.activation.report.config import AudienceText, ReportConfig, StageText
from lifestage.analytics.segments.config import SegmentsConfig
from lifestage.analytics.stages.config import StageLadder
from lifestage.analytics.value.config import ValueConfig, ValueSettings
from lifestage.ingestion.events.config import IngestConfig, Source
from lifestage.ingestion.events.event_types import EventType, EventTypes, actions_of
from lifestage.ingestion.reference.config import ReferenceConfig, ReferenceSource
from lifestage.platform.config.expressions import semantic_hash
from lifestage.platform.config.yaml_files import Problems, merged, packaged_yaml, read_yaml, validated
from lifestage.platform.errors import ConfigError
from lifestage.project.checks import check_config
from lifestage.project.settings import Config, Main
from lifestage.users.activity.config import ActivityConfig
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.config import FeaturesConfig
from lifestage.users.identity.config import IdentityConfig
from lifestage.users.matching.config import MatchingConfig
from lifestage.users.profiles.config import ProfilesConfig

ModelT = TypeVar("ModelT", bound=BaseModel)
Data = dict[str, Any]


@dataclass(frozen=True)
class _Files:
    """What the files of a project say, each well formed."""

    main: Main
    sources: dict[str, Source]
    references: dict[str, ReferenceSource]
    catalogue: Catalogue
    ladder: StageLadder
    value: ValueSettings
    segments: SegmentsConfig
    audiences: AudiencesConfig
    types: EventTypes


def load_config(path: Path) -> Config:
    """The configuration whose main file is `path`; ConfigError with every problem, file and key."""
    config = _composed(_read(path))
    problems = [*check_config(config, path.resolve())]
    if problems:
        raise ConfigError(problems)
    return config


def _read(path: Path) -> _Files:
    problems = Problems()
    main = path.resolve()
    parts: dict[str, Any] = {
        "main": validated(Main, _main_data(main, problems), path, problems),
        "sources": _folder(main.parent / "sources", Source, problems),
        "references": _folder(main.parent / "reference", ReferenceSource, problems),
        "catalogue": _part(main, "features.yaml", "users/catalogue/defaults.yaml", Catalogue, problems),
        "ladder": _part(
            main, "stages.yaml", "analytics/stages/defaults.yaml", StageLadder, problems, combine=_as_a_whole
        ),
        "value": _part(
            main, "value.yaml", "analytics/value/defaults.yaml", ValueSettings, problems, combine=operator.or_
        ),
        "segments": _part(
            main, "segments.yaml", "analytics/segments/defaults.yaml", SegmentsConfig, problems
        ),
        "audiences": _part(
            main, "audiences.yaml", "activation/audiences/defaults.yaml", AudiencesConfig, problems
        ),
        "types": _event_types(main, problems),
    }
    for folder in (main.parent, main.parent / "sources", main.parent / "reference"):
        for file in sorted({*folder.glob("*.yml")} - {main}):
            problems.at(file, "", "is not read: its name has to end in .yaml")
    if problems:
        raise ConfigError(problems)
    return _Files(**parts)


def _main_data(path: Path, problems: Problems, below: tuple[Path, ...] = ()) -> dict[str, Any] | None:
    if path.resolve() in below:
        problems.at(path, "extends", "goes round in a circle")
        return None
    data = read_yaml(path, problems)
    if data is None:
        return None
    parent = data.pop("extends", None)
    if parent is not None and not (isinstance(parent, str) and parent.strip("\0 ")):
        problems.at(path, "extends", "expected the path of a main file")
        parent = None
    if not parent:
        return merged(packaged_yaml("project/defaults.yaml"), data)
    above = _main_data(path.parent / parent, problems, (*below, path.resolve()))
    return None if above is None else merged(above, data)


def _part(
    main: Path,
    name: str,
    packaged: str,
    model: type[ModelT],
    problems: Problems,
    combine: Callable[[Data, Data], Data] = merged,
) -> ModelT | None:
    """A packaged default, combined with the project's file of the same name."""
    file = main.parent / name
    if not file.exists():
        return validated(model, packaged_yaml(packaged), file, problems)
    own = read_yaml(file, problems)
    data = None if own is None else combine(packaged_yaml(packaged), own)
    return validated(model, data, file, problems)


def _as_a_whole(_: Data, own: Data) -> Data:
    """The project's file takes the place of the packaged one."""
    return own


def _folder(folder: Path, model: type[ModelT], problems: Problems) -> dict[str, ModelT]:
    found = {
        file: validated(model, read_yaml(file, problems), file, problems)
        for file in sorted(folder.glob("*.yaml"))
    }
    return {file.stem: item for file, item in found.items() if item}


def _event_types(main: Path, problems: Problems) -> EventTypes:
    file = main.parent / "event_types.yaml"
    data = merged(
        packaged_yaml("ingestion/events/defaults.yaml"),
        (read_yaml(file, problems) if file.exists() else None) or {},
    )
    found = {name: validated(EventType, item, f"{file}: {name}", problems) for name, item in data.items()}
    return {name: kind for name, kind in found.items() if kind}


def _composed(files: _Files) -> Config:
    main, catalogue = files.main, files.catalogue
    parts: dict[str, Any] = {
        **_ways_in(files),
        "activity": ActivityConfig(
            catalogue=catalogue,
            actions=actions_of(files.types),
            time_zone=main.business.time_zone,
            **main.activity.model_dump(),
        ),
        "profiles": ProfilesConfig(attributes=catalogue.profile, named_by=_named_by(files)),
        "features": FeaturesConfig(
            catalogue=catalogue,
            rhythm=main.rhythm,
            history_starts_on=main.business.history_starts_on,
            left_censor_margin_days=main.business.left_censor_margin_days,
        ),
        "stages": files.ladder,
        "value": ValueConfig(history_starts_on=main.business.history_starts_on, **dict(files.value)),
        "segments": files.segments,
        "audiences": files.audiences,
        "identity": IdentityConfig(
            sources=tuple(name for name, source in files.sources.items() if len(source.identifiers) > 1),
            references=_evidence(files),
            is_matched=bool(main.matching.records),
            **main.identity.model_dump(),
        ),
        "matching": _matching(files),
        "publish": _publish(files),
    }
    meaning = {name: part.model_dump(mode="json") for name, part in parts.items()}
    return Config(main=main, report=_report(files), hash=semantic_hash(meaning), **parts)


def _ways_in(files: _Files) -> dict[str, Any]:
    """What lets data in: reference data and events."""
    main = files.main
    return {
        "reference": ReferenceConfig(
            sources=files.references,
            identifiers=main.identifiers,
            landing=main.landing,
            time_zone=main.business.time_zone,
        ),
        "ingest": IngestConfig(
            sources=files.sources,
            event_types=files.types,
            identifiers=main.identifiers,
            landing=main.landing,
            time_zone=main.business.time_zone,
            currency=main.business.currency,
            finality_days=main.business.finality_days,
        ),
    }


def _evidence(files: _Files) -> dict[str, dict[str, str]]:
    """Reference tables of which a row names several identifiers."""
    named = {name: source.identifiers for name, source in files.references.items()}
    return {name: identifiers for name, identifiers in named.items() if len(identifiers) > 1}


def _matching(files: _Files) -> MatchingConfig:
    """What is missing of a table is told by the checks."""
    records = files.main.matching.records
    tables = {name: files.references[name] for name in records if name in files.references}
    return MatchingConfig(
        types={name: each.identifiers.get(records[name].identifier, "") for name, each in tables.items()},
        sealed={name: each.sealed for name, each in tables.items()},
        **dict(files.main.matching),
    )


def _named_by(files: _Files) -> dict[str, tuple[str, ...]]:
    """Reference tables with the columns that name a person, the strongest first."""
    kinds = files.main.identifiers
    return {
        name: tuple(
            sorted(
                source.identifiers, key=lambda column: (kinds[source.identifiers[column]].priority, column)
            )
        )
        for name, source in files.references.items()
        if source.identifiers and {*source.identifiers.values()} <= {*kinds}
    }


def _publish(files: _Files) -> PublishConfig:
    strategies = {
        "stage": {rung.stage: rung.strategy for rung in files.ladder.ladder},
        "tier": {tier.tier: tier.strategy for tier in files.value.tiers},
        "audience": {name: audience.strategy for name, audience in files.audiences.audiences.items()},
    }
    return PublishConfig(strategies=strategies, **files.main.publish.model_dump())


def _report(files: _Files) -> ReportConfig:
    main = files.main
    return ReportConfig(
        business=main.business.name,
        currency=main.business.currency,
        display=files.ladder.display,
        ladder=tuple(
            StageText(
                stage=rung.stage,
                description=rung.description,
                when=rung.when,
                benefits=rung.strategy.benefits,
            )
            for rung in files.ladder.ladder
        ),
        rfm_names=files.value.rfm.names,
        known=main.identity.known,
        actions=tuple(sorted(actions_of(files.types))),
        audiences={
            name: AudienceText(
                description=audience.description,
                owner=audience.strategy.owner,
                benefits=audience.strategy.benefits,
            )
            for name, audience in files.audiences.audiences.items()
        },
        **main.report.model_dump(),
    )
