"""Files found, told apart by content, and numbered: what a run has to read."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.platform.errors import SourceError

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 2**31 - 1  # Spark's binaryFile reader holds a file in one array


@dataclass(frozen=True)
class Delivery:
    """One file of one source, and the ledger number it will have."""

    delivery_no: int
    source: str
    path: str
    n_bytes: int
    modified_at: datetime
    fingerprint: str
    known_as: int | None = None


@dataclass(frozen=True)
class FoundFile:
    """A file as the file system shows it, or the newest version of a Delta table."""

    source: str
    path: str
    n_bytes: int
    modified_at: datetime
    is_version: bool = False


def by_source(deliveries: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    """The deliveries of new content, which are those to be read."""
    fresh: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.known_as is None:
            fresh.setdefault(delivery.source, []).append(delivery)
    return fresh


def find_files(spark: SparkSession, name: str, layout: FileLayout, landing: str) -> list[FoundFile]:
    """Every file that the source's glob matches, by path; empty where nothing matches."""
    glob = absolute(layout.path, landing)
    if layout.format is Format.DELTA:
        return _delta_version(spark, name, glob)
    try:
        rows = _files(spark, glob).select("file", "length", "modificationTime").collect()  # one row a file
    except (Py4JJavaError, PySparkException) as error:
        if "PATH_NOT_FOUND" in str(error):
            logger.warning("source %s: no file matches %s", name, glob)
            return []
        raise SourceError(f"source {name}: {glob} cannot be listed: {error}") from error
    found = [FoundFile(name, row["file"], row["length"], row["modificationTime"]) for row in rows]
    return sorted(found, key=lambda file: file.path)


def new_deliveries(
    spark: SparkSession,
    found: Iterable[FoundFile],
    known_files: set[tuple[str, str, int, datetime]],
    known_contents: Mapping[tuple[str, str], int],
    last_delivery_no: int,
) -> list[Delivery]:
    """Files not in the ledger, numbered on from its last number in order of (source, file name).

    A file whose path, size and time are known is not opened. A file whose content the source has delivered before,
    also within this run and under another name, is a delivery that is `known_as` the first one.
    """
    fresh = [
        file for file in found if (file.source, file.path, file.n_bytes, file.modified_at) not in known_files
    ]
    fresh.sort(key=lambda file: (file.source, file.path))
    fingerprints = _fingerprints(spark, fresh)
    first_seen = dict(known_contents)
    deliveries = []
    for number, file in enumerate(fresh, start=last_delivery_no + 1):
        content = (file.source, fingerprints[file.path])
        known_as = first_seen.get(content)
        first_seen.setdefault(content, number)
        deliveries.append(
            Delivery(number, file.source, file.path, file.n_bytes, file.modified_at, content[1], known_as)
        )
    return deliveries


def absolute(path: str, landing: str) -> str:
    """A path below the landing folder, unless it names a place of its own."""
    return path if path.startswith("/") or "://" in path else f"{landing.rstrip('/')}/{path}"


def readable(path: str) -> str:
    """The path of a file that was found, as readers take it: Spark shows a URI and expects a glob."""
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", unquote(path))


def _files(spark: SparkSession, path: str | list[str]) -> DataFrame:
    return spark.read.format("binaryFile").load(path).withColumn("file", F.col("_metadata.file_path"))


def _delta_version(spark: SparkSession, name: str, path: str) -> list[FoundFile]:
    """A Delta source delivers its newest version as a whole; rows known already are duplicates."""
    try:
        row = spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").first()
    except AnalysisException:
        return []
    return [FoundFile(name, f"{path}@v{row['version']}", 0, row["timestamp"], is_version=True)] if row else []


def _fingerprints(spark: SparkSession, files: list[FoundFile]) -> dict[str, str]:
    """SHA-256 of each file's bytes; the version's name for a Delta source."""
    too_large = [file.path for file in files if file.n_bytes > MAX_FILE_BYTES]
    if too_large:
        raise SourceError(f"larger than 2 GiB, deliver in smaller files: {', '.join(too_large)}")
    paths = [readable(file.path) for file in files if not file.is_version]
    result = {file.path: file.path for file in files}
    if paths:
        hashes = _files(spark, paths).select("file", F.sha2("content", 256).alias("sha"))
        result.update((row["file"], row["sha"]) for row in hashes.collect())  # one row a new file
    return result
