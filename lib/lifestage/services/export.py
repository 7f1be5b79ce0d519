"""Export a snapshot to a file, for people and other tools."""

import re
from dataclasses import dataclass
from pathlib import Path

from lifestage.activation.publish.config import PublishSettings
from lifestage.activation.publish.export import Export, ExportFormat, export
from lifestage.platform.config.configuration import Config
from lifestage.platform.errors import ConfigError, suggest_name
from lifestage.project.opening import Project
from lifestage.services.snapshots import find_manifest, read_users

REMOTE = re.compile(r"[a-z][a-z0-9+.-]+:/")
SUFFIXES = {
    ".csv": ExportFormat.CSV,
    ".json": ExportFormat.JSON,
    ".jsonl": ExportFormat.JSON,
    ".parquet": ExportFormat.PARQUET,
}


@dataclass(frozen=True)
class ExportRequest:
    """Which snapshot to export, and to which file."""

    snapshot_id: str
    to: Path
    file_format: ExportFormat | None = None
    """By default the format that the file name indicates."""
    audience: str | None = None
    """Only the users of this audience; all by default."""
    destination: str = "default"
    """The entry of publish.destinations that lists the columns."""


def check_target(request: ExportRequest) -> None:
    """Raise a ConfigError unless the target is a new file on this computer."""
    to = request.to
    if REMOTE.match(str(to)):
        raise ConfigError([f"--to: {to} is not a local path: export to a local file, then copy it"])
    if to.exists():
        raise ConfigError(
            [f"--to: {to} exists and is not overwritten: give another path, or remove the file"]
        )


def check_destination(config: Config, request: ExportRequest) -> None:
    """Raise a ConfigError if the configuration does not declare the destination."""
    name, declared = request.destination, config.of(PublishSettings).destinations
    if name not in declared:
        raise ConfigError([f"--destination: {name} is not declared: {suggest_name(name, declared)}"])


def export_snapshot(project: Project, request: ExportRequest) -> Export:
    """Write one snapshot to a file, and a manifest beside it."""
    check_target(request)
    check_destination(project.config, request)
    manifest = find_manifest(project, request.snapshot_id)
    users = read_users(project, manifest["snapshot_id"])
    columns = project.config.of(PublishSettings).destinations[request.destination]
    file_format = request.file_format or SUFFIXES.get(request.to.suffix, ExportFormat.CSV)
    return export(users, manifest, columns, request.to, file_format, request.audience)
