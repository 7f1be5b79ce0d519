"""What only the whole configuration can tell: names that must exist, expressions that must hold water."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from lifestage.activation.publish.tables import SNAPSHOT_USERS
from lifestage.platform.config.expressions import nearest
from lifestage.project.checks.expressions import listed, misnamed
from lifestage.project.checks.features import catalogue_problems, features_of
from lifestage.project.checks.matching import matching_problems
from lifestage.project.checks.rules import (
    audience_problems,
    index_problems,
    rfm_problems,
    segment_problems,
    stage_problems,
)
from lifestage.project.checks.sources import (
    evidence_name_problems,
    identifier_problems,
    lookup_problems,
    reference_problems,
    sealed_problems,
    source_problems,
    table_name_problems,
)
from lifestage.project.settings import Config

# Types of which a report shows the mean; of a flag it is a share.
WITH_MEAN = {"decimal", "bigint", "int", "double", "boolean"}


def check_config(config: Config, path: Path) -> Iterator[str]:
    """Every problem of a configuration whose files are each well formed, with file and key; `path` is its main file."""
    folder = path.parent
    for name, source in config.ingest.sources.items():
        problems = (*misnamed([name]), *evidence_name_problems(name), *source_problems(source, config))
        yield from _at(folder / "sources" / f"{name}.yaml", problems)
    for name, reference in config.reference.sources.items():
        problems = (
            *misnamed([name]),
            *table_name_problems(name, config),
            *evidence_name_problems(name),
            *reference_problems(name, reference, config),
            *sealed_problems(reference),
        )
        yield from _at(folder / "reference" / f"{name}.yaml", problems)
    yield from _at(path, _main_problems(config))
    yield from _at(folder / "features.yaml", catalogue_problems(config))
    yield from _at(folder / "stages.yaml", stage_problems(config))
    yield from _at(folder / "value.yaml", (*rfm_problems(config), *index_problems(config)))
    yield from _at(folder / "segments.yaml", segment_problems(config))
    yield from _at(folder / "audiences.yaml", audience_problems(config))


def _main_problems(config: Config) -> Iterator[str]:
    yield from identifier_problems(config)
    yield from lookup_problems(config)
    yield from matching_problems(config)
    for destination, columns in config.publish.destinations.items():
        for name in sorted(set(columns) - set(SNAPSHOT_USERS.names)):
            yield f"publish.destinations.{destination}: unknown column {name}, expected some of {listed(SNAPSHOT_USERS.names)}"
    features = features_of(config)
    for name in config.report.segment_features:
        kind = features.get(name, "").partition("(")[0]
        if not kind:
            yield f"report.segment_features: unknown feature {name}{nearest(name, features)}"
        elif kind not in WITH_MEAN:
            yield f"report.segment_features: {name} is of type {kind}, of which there is no mean"


def _at(file: object, problems: Iterable[str]) -> Iterator[str]:
    for problem in problems:
        yield f"{file}: {problem}"
