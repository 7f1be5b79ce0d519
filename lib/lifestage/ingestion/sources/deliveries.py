"""Discover source files, detect content that was delivered before, and number the new deliveries."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from glob import glob
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.platform.errors import SourceError
from lifestage.platform.security.personal_data import Form, find_forms, mask_personal_data

logger = logging.getLogger(__name__)

# Files that other tools leave beside data.
MARKERS = re.compile(r"_SUCCESS$|_committed_|_started_|_temporary$|_delta_log$|\..*\.crc$|\.DS_Store$")
# A header of 500 columns fits in.
HEAD_BYTES = 2**14
# A block must fit in, or nothing can be unpacked.
PACKED_HEAD_BYTES = 2**20
MAX_FILE_BYTES = 2**31 - 1  # Spark's binaryFile reader holds a file in one array


@dataclass(frozen=True)
class Delivery:
    """One file of one source with its number in the ingest ledger.

    `known_as` is the number of an earlier delivery with the same content, or None for new content. `head` is the first
    bytes of a file that decide how it is read (see opening.py), `header` the header of a CSV file whose columns are read
    by name, and `is_document` whether a JSON file is read as a whole.
    """

    delivery_no: int
    source: str
    path: str
    n_bytes: int
    modified_at: datetime
    fingerprint: str
    known_as: int | None = None
    head: bytes = field(default=b"", repr=False)
    header: str | None = None
    is_document: bool = False

    def __str__(self) -> str:
        """The delivery in messages."""
        return f"source {self.source}: {show_path(self.path)}"


@dataclass(frozen=True)
class FoundFile:
    """A file as the file system lists it, or the newest version of a Delta table."""

    source: str
    path: str
    n_bytes: int
    modified_at: datetime
    is_version: bool = False
    needs_head: bool = False

    @property
    def identity(self) -> tuple[str, str, int, datetime]:
        """What the ledger knows a file by."""
        return self.source, self.path, self.n_bytes, self.modified_at


def group_by_source(deliveries: Iterable[Delivery]) -> dict[str, list[Delivery]]:
    """Group deliveries by source, leaving out those whose content is known: they are not read again."""
    fresh: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.known_as is None:
            fresh.setdefault(delivery.source, []).append(delivery)
    return fresh


def find_files(spark: SparkSession, name: str, layout: FileLayout, landing: str) -> list[FoundFile]:
    """List the files that match the source's glob, sorted by path.

    Returns an empty list, and logs a warning, if nothing matches. A Delta source counts as one file: its newest
    version. Spark skips empty files and names that begin with `_` or `.`. A warning names the empty files, and in local
    folders the others too: no other file system lists them.

    Raises:
        SourceError: if the location cannot be listed.
    """
    pattern = resolve_path(layout.path, landing)
    if layout.format is Format.DELTA:
        return _find_delta_version(spark, name, pattern)
    warn_of_hidden_files(name, pattern)
    try:
        files = scan_files(spark, pattern)
        rows = files.select("file", "length", "modificationTime").collect()  # one row a file
    except (Py4JJavaError, PySparkException) as error:
        if "PATH_NOT_FOUND" in str(error):
            logger.warning("source %s: no file matches %s", name, pattern)
            return []
        raise SourceError(f"source {name}: {pattern} cannot be listed: {error}") from error
    found = [
        FoundFile(name, row["file"], row["length"], row["modificationTime"], needs_head=layout.needs_head)
        for row in rows
    ]
    # The list of all files is on the driver already. It writes URIs in another form than the rows.
    empty = {path_of(uri) for uri in files.inputFiles()} - {path_of(file.path) for file in found}
    _warn_of_skipped_files(name, [PurePosixPath(path).name for path in empty], "the file is empty")
    return sorted(found, key=lambda file: file.path)


def number_deliveries(
    spark: SparkSession,
    found: Iterable[FoundFile],
    known_files: set[tuple[str, str, int, datetime]],
    known_contents: Mapping[tuple[str, str], int],
    last_delivery_no: int,
) -> list[Delivery]:
    """Turn the files that the ledger does not list into deliveries, numbered in order of (source, path).

    A file whose source, path, size and modification time are in the ledger is skipped without being opened. A file
    whose source delivered the same bytes before, in this run or an earlier one, gets the number of the first such
    delivery as `known_as`.

    Args:
        spark: Session that hashes the new files.
        found: Files that exist now.
        known_files: (source, path, n_bytes, modified_at) of each file in the ledger.
        known_contents: (source, fingerprint) to the number of the first delivery with that content.
        last_delivery_no: Greatest number in the ledger; numbering continues after it.

    Raises:
        SourceError: if a new file exceeds 2 GiB, or changes after it was listed.
    """
    fresh = [file for file in found if file.identity not in known_files]
    fresh.sort(key=lambda file: (file.source, file.path))
    hashes = _hash_files(spark, fresh)
    fingerprints = {path: sha for path, (sha, _) in hashes.items()}
    # Spark skips an empty file: this one had bytes when it was listed.
    if emptied := [file for file in fresh if not file.is_version and fingerprints[file.path] == file.path]:
        raise SourceError(
            _describe_changed(f"source {file.source}: {show_path(file.path)}" for file in emptied)
        )
    first_seen = dict(known_contents)
    deliveries = []
    for number, file in enumerate(fresh, start=last_delivery_no + 1):
        content = (file.source, fingerprints[file.path])
        known_as = first_seen.get(content)
        first_seen.setdefault(content, number)
        deliveries.append(
            Delivery(
                *(number, file.source, file.path, file.n_bytes, file.modified_at, content[1], known_as),
                head=hashes[file.path][1],
            )
        )
    return deliveries


def check_unchanged(spark: SparkSession, deliveries: Sequence[Delivery]) -> None:
    """Check that files still have the bytes that were hashed before they were read.

    The ledger recognises known content by its hash. If a file were replaced between hashing and reading, the hash would
    stand for rows that were never read. Call this function after the rows are read, and before the first write.

    Raises:
        SourceError: naming the files that changed or disappeared.
    """
    files = [
        FoundFile(d.source, d.path, d.n_bytes, d.modified_at, is_version=d.path == d.fingerprint)
        for d in deliveries
        if d.known_as is None
    ]
    now = _hash_files(spark, files)
    if changed := [str(d) for d in deliveries if now.get(d.path, (d.fingerprint,))[0] != d.fingerprint]:
        raise SourceError(_describe_changed(changed))


def _describe_changed(files: Iterable[str]) -> str:
    return (
        "\n".join(files)
        + "\nchanged while it was read; nothing was written, and the next run reads it again. "
        "Move files into the landing folder when they are complete"
    )


def resolve_path(path: str, landing: str) -> str:
    """Place a relative path below the landing folder; return absolute paths and URIs unchanged.

    Example:
        >>> resolve_path("till/*.csv", "/landing")
        '/landing/till/*.csv'
    """
    return path if path.startswith("/") or "://" in path else f"{landing.rstrip('/')}/{path}"


def path_forms(path: str) -> list[Form]:
    """Return what parts of a path look like: personal data in the name of a file or folder."""
    return find_forms(_split_path(path)[1])


def show_path(path: str) -> str:
    """Return a path as messages show it: parts that look like personal data are masked.

    Example:
        >>> show_path("s3://shop@eu/till/anna@example.org.csv")
        's3://shop@eu/till/<email>'
    """
    start, rest = _split_path(path)
    return start + mask_personal_data(rest) if find_forms(rest) else path


def _split_path(path: str) -> tuple[str, str]:
    """Split a path after the bucket, container or host, which may hold an at sign; escapes are resolved."""
    start = re.match(r"\w+://[^/]*", path)
    place = start[0] if start else ""
    return place, unquote(path[len(place) :])


def is_missing_file(error: Exception) -> bool:
    """Return whether Spark failed because a file that was listed is gone."""
    return any(sign in str(error) for sign in ("PATH_NOT_FOUND", "FILE_NOT_EXIST", "FileNotFoundException"))


def first_line(error: Exception) -> str:
    """Return the first line of an error of Spark, without its stack."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def escape_glob(path: str) -> str:
    r"""Convert the URI of a listed file into a path that Spark readers take literally.

    Spark lists files as percent-encoded URIs, but its readers expect a glob.

    Example:
        >>> escape_glob("file:/a/b%5B1%5D.csv")
        'file:/a/b\\[1\\].csv'
    """
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", unquote(path))


def warn_of_hidden_files(source: str, pattern: str) -> None:
    """Name the files of a local folder that a glob matches and Spark skips because of their names."""
    pattern = re.sub("^file:/+", "/", pattern)
    if "://" not in pattern:
        files = [Path(path) for path in glob(pattern, include_hidden=True)]  # noqa: PTH207 (absolute)
        hidden = [path.name for path in files if path.name.startswith(("_", ".")) and path.is_file()]
        _warn_of_skipped_files(source, hidden, "the name begins with _ or .")


def _warn_of_skipped_files(source: str, names: Iterable[str], reason: str) -> None:
    shown = sorted(show_path(name) for name in names if not MARKERS.match(name))
    if shown:
        logger.warning("source %s: skipped, because %s: %s", source, reason, ", ".join(shown))


def scan_files(spark: SparkSession, path: str | list[str]) -> DataFrame:
    """Return the `content` of whole files, with the URI of each as `file`."""
    return spark.read.format("binaryFile").load(path).withColumn("file", F.col("_metadata.file_path"))


def path_of(uri: str) -> str:
    """The path of a URI without its scheme, whether it has one slash or three, and without percent-encoding."""
    return unquote(uri.partition(":")[2]).lstrip("/")


def _find_delta_version(spark: SparkSession, name: str, path: str) -> list[FoundFile]:
    """List the table's newest version as one file. Rows of earlier versions turn out to be duplicates later."""
    try:
        row = spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").first()
    except AnalysisException:
        return []
    return [FoundFile(name, f"{path}@v{row['version']}", 0, row["timestamp"], is_version=True)] if row else []


def _hash_files(spark: SparkSession, files: list[FoundFile]) -> dict[str, tuple[str, bytes]]:
    """Map each path to the SHA-256 of the file's bytes, and to the first of them where they are needed.

    For a Delta version or an empty file, the path stands in place of the hash.

    Raises:
        SourceError: if a file exceeds 2 GiB or disappeared.
    """
    too_large = [show_path(file.path) for file in files if file.n_bytes > MAX_FILE_BYTES]
    if too_large:
        raise SourceError(f"larger than 2 GiB, deliver in smaller files: {', '.join(too_large)}")
    paths = [escape_glob(file.path) for file in files if not file.is_version]
    result = {file.path: (file.path, b"") for file in files}
    if paths:
        packed = F.rlike("file", F.lit(r"(?i)\.(bz2|zst|zstd)$"))
        head = F.substring(
            F.col("content"), F.lit(1), F.when(packed, PACKED_HEAD_BYTES).otherwise(HEAD_BYTES)
        )
        read = (
            F.sha2("content", 256).alias("sha"),
            head if any(file.needs_head for file in files) else F.lit(b""),
        )
        try:
            hashes = scan_files(spark, paths).select("file", *read).collect()
        except (Py4JJavaError, PySparkException) as error:
            if not is_missing_file(error):
                raise
            raise SourceError(
                f"a file disappeared while it was read; nothing was written: {mask_personal_data(first_line(error))}"
            ) from error
        # One row for each new file.
        result.update((file, (sha, bytes(head))) for file, sha, head in hashes)
    return result
