"""Export a snapshot as one file for other people and tools: configured columns, sorted by user, written atomically."""

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifestage.platform.errors import CheckError, ConfigError, LifestageError, suggest_name
from lifestage.platform.storage.atomic import write_whole

# A spreadsheet evaluates a cell that starts with one of these as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
BATCH_ROWS = 10_000
# What an export's manifest repeats of the snapshot's manifest.
MANIFEST_FIELDS = (
    *("snapshot_id", "as_of", "revision", "published_at", "run_id", "digest", "strategies"),
    *("config_hash", "code_version"),
)


class ExportFormat(StrEnum):
    """CSV with a header, JSON lines, or Parquet."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Export:
    """The files of an export, and the number of rows and SHA-256 of the data file."""

    path: Path
    manifest_path: Path
    n_rows: int
    sha256: str


def export(
    users: DataFrame,
    manifest: Mapping[str, Any],
    columns: Sequence[str],
    target: Path,
    file_format: ExportFormat,
    audience: str | None = None,
) -> Export:
    """Write one row per user to a local file, and beside it a manifest with row count, SHA-256 and strategies.

    Rows are sorted by user_id, so the same snapshot, columns and format give the same bytes. The file gets its name after
    it is complete and its manifest exists.

    Args:
        users: Rows of snapshot_users for one snapshot, unique per user_id.
        manifest: The snapshot's row in `snapshots`.
        columns: Columns to write, in this order.
        target: A path that doesn't exist yet.
        file_format: Format of the file.
        audience: Write only the users of this audience; all users by default.

    Raises:
        ConfigError: If the snapshot doesn't have the audience or one of the columns.
        LifestageError: If the path exists.
        CheckError: If the number of rows differs from the manifest.
    """
    _check_columns(columns, users.columns)
    expected = _count_expected_rows(manifest, audience)
    chosen = users if audience is None else users.where(F.array_contains("audiences", audience))
    _refuse_existing(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        n_rows = WRITERS[file_format](chosen.orderBy("user_id").select(*columns), part)
        _check_count(n_rows, expected, manifest)
        with part.open("rb") as data:
            sha256 = hashlib.file_digest(data, "sha256").hexdigest()
        manifest_path = target.with_name(f"{target.name}.manifest.json")
        published = {name: _to_plain(manifest[name]) for name in MANIFEST_FIELDS}
        file = {
            "file": target.name,
            "format": file_format,
            "audience": audience,
            "columns": list(columns),
            "n_rows": n_rows,
            "sha256": sha256,
        }
        write_whole(manifest_path, json.dumps({**file, **published}, indent=2, default=_to_text) + "\n")
        _refuse_existing(target)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return Export(target, manifest_path, n_rows, sha256)


def escape_formula(value: str) -> str:
    """Prefix a text with an apostrophe if a spreadsheet would evaluate it as a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _check_columns(columns: Sequence[str], known_columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in known_columns]
    if unknown:
        known = ", ".join(known_columns)
        raise ConfigError([f"publish.destinations: unknown {', '.join(unknown)}, expected some of {known}"])


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise LifestageError(f"{target} exists and is not overwritten: give another path, or remove it")


def _count_expected_rows(manifest: Mapping[str, Any], audience: str | None) -> int | None:
    """Return the number of rows by the manifest; None for an audience of a snapshot with erased rows, which isn't counted."""
    if audience is None:
        return int(manifest["n_users"]) - (manifest["erased"] or 0)
    names = {each["name"] for each in manifest["strategies"] or () if each["kind"] == "audience"}
    if audience not in names:
        snapshot_id = manifest["snapshot_id"]
        raise ConfigError(
            [f"snapshot {snapshot_id} has no audience {audience}: {suggest_name(audience, names)}"]
        )
    return None if manifest["erased"] else int(manifest["counts"].get(f"audience:{audience}", 0))


def _check_count(n_rows: int, expected: int | None, manifest: Mapping[str, Any]) -> None:
    if expected is not None and n_rows != expected:
        raise CheckError(
            f"snapshot {manifest['snapshot_id']}: found {n_rows} rows, expected {expected} by its manifest; nothing was "
            "exported: run `lifestage doctor`"
        )


def _write_csv(rows: DataFrame, part: Path) -> int:
    n_rows = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows.columns)
        for row in rows.toLocalIterator():
            writer.writerow([_to_csv_cell(value) for value in row])
            n_rows += 1
    return n_rows


def _write_json(rows: DataFrame, part: Path) -> int:
    n_rows = 0
    with part.open("w", encoding="utf-8") as file:
        for row in rows.toLocalIterator():
            n_rows += 1
            file.write(json.dumps(row.asDict(), ensure_ascii=False, default=_to_text) + "\n")
    return n_rows


def _write_parquet(rows: DataFrame, part: Path) -> int:
    # It takes long to import: only this format needs it.
    import pyarrow.parquet as pq

    schema = rows.limit(0).toArrow().schema
    stream, n_rows = rows.toLocalIterator(), 0
    with pq.ParquetWriter(part, schema) as writer:
        while batch := [row.asDict() for row in islice(stream, BATCH_ROWS)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            n_rows += len(batch)
    return n_rows


# Each writes the rows and returns their number. Rows stream: the driver holds one partition at a time, never all users.
WRITERS = {
    ExportFormat.CSV: _write_csv,
    ExportFormat.JSON: _write_json,
    ExportFormat.PARQUET: _write_parquet,
}


def _to_csv_cell(value: object) -> object:
    """Return a CSV cell: empty for NULL, JSON for a map, a list joined by semicolons; texts are escaped."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_to_text)
    if isinstance(value, list):
        return escape_formula("; ".join(value))
    return escape_formula(value) if isinstance(value, str) else value


def _to_plain(value: Any) -> Any:
    """Return the rows of an array as dicts, for JSON."""
    return [each.asDict() for each in value] if isinstance(value, list) else value


def _to_text(value: object) -> str:
    """Return a timestamp in UTC, regardless of the computer's time zone, and any other value as it is."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
