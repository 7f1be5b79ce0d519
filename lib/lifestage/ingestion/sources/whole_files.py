"""Read files that Spark cannot split: other encodings, lines before the header, zip and zstd, JSON documents, Avro and Excel.

One task reads such a file as a whole, into the lines that Spark itself would read from a plain file. The records of Avro and
Excel files become lines of JSON.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

import pyarrow as pa
from pyspark.sql import DataFrame

from lifestage.ingestion.sources import avro, excel
from lifestage.ingestion.sources.decoding import (
    BAD_CONTENT,
    SPLIT,
    codec_name,
    decompress,
    split_document,
    split_lines,
)
from lifestage.ingestion.sources.layout import FileLayout, Format

PACKED = (".zip", ".zst", ".zstd")
# Marks the message of a file that cannot be decoded, in the error of a Spark task.
UNREADABLE = "file cannot be decoded: "
LINES_SCHEMA = "file string, _block bigint, _line bigint, raw binary"
BATCH_LINES = 10_000


def is_decoded(layout: FileLayout, path: str, is_document: bool) -> bool:
    """Return whether a file is read as a whole."""
    return (
        layout.format in (Format.AVRO, Format.EXCEL)
        or layout.skip_lines > 0
        or is_document
        or codec_name(layout.encoding) not in SPLIT
        or PurePosixPath(path).suffix.lower() in PACKED
    )


def decode_files(files: DataFrame, layout: FileLayout, documents: Iterable[str] = ()) -> DataFrame:
    """Return the lines of whole files, each with its place; `raw` is text in UTF-8.

    A line with bytes that the encoding does not know stays as it is.

    Args:
        files: `file` and `content`, one row per file.
        layout: Encoding, and number of lines to leave out.
        documents: The files among them that are one JSON document, or several objects over many lines.
    """
    decode = partial(_decode_batches, layout=layout, documents=frozenset(documents))
    return files.select("file", "content").mapInArrow(decode, LINES_SCHEMA)


def _decode_batches(
    batches: Iterable[pa.RecordBatch], layout: FileLayout, documents: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for row in batch.to_pylist():
            lines = enumerate(_read_records(row["file"], row["content"], layout, row["file"] in documents))
            while part := list(islice(lines, BATCH_LINES)):
                numbers, texts = zip(*part, strict=True)
                columns = [
                    pa.array([row["file"]] * len(part), pa.string()),
                    pa.array([0] * len(part), pa.int64()),
                    pa.array(numbers, pa.int64()),
                    pa.array(texts, pa.binary()),
                ]
                yield pa.RecordBatch.from_arrays(columns, ["file", "_block", "_line", "raw"])


def find_undecodable(files: DataFrame, layout: FileLayout, documents: Iterable[str] = ()) -> dict[str, str]:
    """Return the files that cannot be decoded, each with the reason. The arguments are those of `decode_files`."""
    find = partial(_find_in_batches, layout=layout, documents=frozenset(documents))
    found = files.select("file", "content").mapInArrow(find, "file string, reason string").collect()
    return {row["file"]: row["reason"] for row in found}


def _find_in_batches(
    batches: Iterable[pa.RecordBatch], layout: FileLayout, documents: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for row in batch.to_pylist():
            try:
                for _ in _read_records(row["file"], row["content"], layout, row["file"] in documents):
                    pass
            except RuntimeError as error:
                reason = str(error).removeprefix(f"{UNREADABLE}{row['file']}: ")
                columns = [pa.array([row["file"]], pa.string()), pa.array([reason], pa.string())]
                yield pa.RecordBatch.from_arrays(columns, ["file", "reason"])


def _read_records(file: str, content: bytes, layout: FileLayout, is_document: bool) -> Iterator[bytes]:
    """Yield the lines of a file.

    Raises:
        RuntimeError: if it cannot be decoded. The message begins with UNREADABLE, by which the driver knows it.
    """
    try:
        plain = decompress(content, file)
        if layout.format is Format.AVRO:
            yield from (text.encode() for text in avro.read_records(plain, layout))
        elif layout.format is Format.EXCEL:
            yield from (text.encode() for text in excel.read_records(plain, layout))
        elif is_document and layout.format is Format.JSON:
            text = plain.decode(codec_name(layout.encoding) or "")
            yield from (record.encode() for record in split_document(text))
        else:
            yield from islice(split_lines(plain, layout.encoding), layout.skip_lines, None)
    except BAD_CONTENT as error:
        raise RuntimeError(f"{UNREADABLE}{file}: {error}") from error
