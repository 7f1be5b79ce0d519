"""A snapshot as one file for people and tools outside: declared columns, sorted by user, whole or not at all."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lifestage.platform.errors import CheckError, ConfigError, LifestageError, suggest_name
from lifestage.platform.storage.atomic import write_whole

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
BATCH_ROWS = 10_000
TOLD = (
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
    """What was written."""

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
    """Write one snapshot to a local file, and beside it a manifest with row count, SHA-256 and strategies.

    The same snapshot, columns and format give the same bytes. The file is written under a temporary name and moved
    when it is complete, after its manifest: who sees the file finds the manifest.

    Args:
        users: the rows of the snapshot, unique per user_id.
        manifest: the snapshot's row in `snapshots`.
        columns: columns to write, in this order.
        target: a path that does not exist yet.
        file_format: how to write it.
        audience: only the users of this audience; all by default.

    Raises:
        ConfigError: for columns or an audience that the snapshot does not have.
        LifestageError: where the path exists.
        CheckError: where the rows are not as many as the manifest says.
    """
    _check_columns(columns, users.columns)
    expected = _expected_rows(manifest, audience)
    chosen = users if audience is None else users.where(F.array_contains("audiences", audience))
    _refuse_existing(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        n_rows = _write(chosen.orderBy("user_id").select(*columns), part, file_format)
        _check_count(n_rows, expected, manifest)
        sha256 = _sha256(part)
        manifest_path = target.with_name(f"{target.name}.manifest.json")
        told = {name: _plain(manifest[name]) for name in TOLD}
        file = {
            "file": target.name,
            "format": file_format,
            "audience": audience,
            "columns": list(columns),
            "n_rows": n_rows,
            "sha256": sha256,
        }
        write_whole(manifest_path, json.dumps({**file, **told}, indent=2, default=_text) + "\n")
        _refuse_existing(target)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return Export(target, manifest_path, n_rows, sha256)


def neutral(value: str) -> str:
    """Text that a spreadsheet shows instead of computing: a leading apostrophe where it would be a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _check_columns(columns: Sequence[str], known_columns: Sequence[str]) -> None:
    unknown = [name for name in columns if name not in known_columns]
    if unknown:
        known = ", ".join(known_columns)
        raise ConfigError([f"publish.destinations: unknown {', '.join(unknown)}, expected some of {known}"])


def _refuse_existing(target: Path) -> None:
    if target.exists():
        raise LifestageError(f"{target} exists and is not overwritten: give another path, or remove it")


def _expected_rows(manifest: Mapping[str, Any], audience: str | None) -> int | None:
    """Rows that the manifest promises; None where rows were erased from an audience, which it does not count."""
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
            f"snapshot {manifest['snapshot_id']}: {n_rows} rows, its manifest says {expected}; nothing was exported: "
            "start `lifestage doctor`"
        )


def _write(rows: DataFrame, part: Path, file_format: ExportFormat) -> int:
    match file_format:
        case ExportFormat.CSV:
            return _write_csv(rows, part)
        case ExportFormat.JSON:
            return _write_json(rows, part)
        case ExportFormat.PARQUET:
            return _write_parquet(rows, part)


def _write_csv(rows: DataFrame, part: Path) -> int:
    n_rows = 0
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows.columns)
        for row in _stream(rows):
            writer.writerow([_cell(value) for value in row])
            n_rows += 1
    return n_rows


def _write_json(rows: DataFrame, part: Path) -> int:
    n_rows = 0
    with part.open("w", encoding="utf-8") as file:
        for row in _stream(rows):
            n_rows += 1
            file.write(json.dumps(row.asDict(), ensure_ascii=False, default=_text) + "\n")
    return n_rows


def _write_parquet(rows: DataFrame, part: Path) -> int:
    schema = rows.limit(0).toArrow().schema
    stream, n_rows = _stream(rows), 0
    with pq.ParquetWriter(part, schema) as writer:
        while batch := [row.asDict() for row in islice(stream, BATCH_ROWS)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            n_rows += len(batch)
    return n_rows


def _stream(rows: DataFrame) -> Iterator[Row]:
    """Row by row: the driver holds one partition, never all users."""
    return rows.toLocalIterator()


def _cell(value: object) -> object:
    """A value of a CSV: empty for none, JSON for a map, names apart by a semicolon, text that no spreadsheet computes."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_text)
    if isinstance(value, list):
        return neutral("; ".join(value))
    return neutral(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Rows within a manifest as JSON objects."""
    return [each.asDict() for each in value] if isinstance(value, list) else value


def _text(value: object) -> str:
    """Instants in UTC, whatever the zone of this computer; dates as they are."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
