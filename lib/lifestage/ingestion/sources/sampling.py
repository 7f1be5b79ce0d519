"""Read the first records of a file of unknown layout: how it is written, and the texts of its columns."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lifestage.ingestion.sources import avro, excel
from lifestage.ingestion.sources.decoding import decode_lines, decompress_start, split_document
from lifestage.ingestion.sources.encoding import guess_encoding
from lifestage.ingestion.sources.inference import EMAIL, Column, infer_type
from lifestage.ingestion.sources.layout import FileLayout, Format, Header
from lifestage.ingestion.sources.opening import is_document, read_header
from lifestage.platform.plurals import count_of

# So much of a file is read, and so many of its records.
SAMPLE_BYTES = 4 * 2**20
MAX_RECORDS = 2_000
# The header of a sheet is among so many rows.
HEAD_ROWS = 200
DELIMITERS = (",", ";", "\t", "|")
PARQUET_MAGIC = b"PAR1"
# The text of a cell whose formula failed.
CELL_ERROR = re.compile(r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)")


@dataclass(frozen=True)
class Sample:
    """The first records of a file, and the keys of a source that say how to read it."""

    layout: Mapping[str, object]
    columns: tuple[Column, ...]
    n_records: int
    notes: tuple[str, ...] = field(default=())


def read_sample(path: str, content: bytes) -> Sample:
    """Read the first records of a CSV, JSON, Avro or Excel file.

    Args:
        path: Name of the file; its ending says how it is packed.
        content: Its first bytes; for a workbook, all of them.

    Raises:
        ValueError: if the file is of none of these formats.
    """
    if is_workbook(path, content):
        return _read_excel(content)
    plain = decompress_start(content, path)
    if plain.startswith(avro.MAGIC):
        return _read_avro(plain)
    encoding = guess_encoding(plain)
    lines = [*decode_lines(plain, encoding)]
    if len(content) >= SAMPLE_BYTES and len(lines) > 1:
        # The last line may be cut off.
        lines.pop()
    declared = {} if encoding == "UTF-8" else {"encoding": encoding}
    first = next((line.strip("\ufeff \t") for line in lines if line.strip("\ufeff \t")), "")
    if first.startswith(("{", "[")):
        return _read_json(lines, declared)
    return _read_csv(lines, declared)


def read_parquet_sample(file: Path) -> Sample:
    """Read the first records of a Parquet file.

    Values of type binary are left out, because no source reads them.

    Raises:
        ValueError: if the file is damaged.
    """
    with pq.ParquetFile(file) as opened:
        batches = opened.iter_batches(MAX_RECORDS)
        rows = next(batches, pa.RecordBatch.from_pylist([], opened.schema_arrow)).to_pylist()
        leaves = [opened.schema.column(n) for n in range(len(opened.schema))]
        # INT96, the oldest timestamp type, holds instants but does not say so.
        instants = {leaf.path for leaf in leaves if leaf.physical_type == "INT96"}
    for row in rows:
        row |= {name: row[name].replace(tzinfo=UTC) for name in instants & row.keys() if row[name]}
    return _to_nested_sample({"format": "parquet"}, [_to_json(row) for row in rows])


def _to_json(value: Any) -> Any:
    """The value as JSON would hold it, times as ISO 8601; None for a value that no source reads."""
    match value:
        case dict():
            return {name: _to_json(each) for name, each in value.items()}
        case list():
            return [_to_json(each) for each in value]
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat(" ", "microseconds")
        case date():
            return value.isoformat()
        case bytes():
            return None
        case float():
            return value if isfinite(value) else None
        case _:
            return value


def is_workbook(path: str, head: bytes) -> bool:
    """Return whether a file is a workbook, by its name and its first bytes."""
    is_named = PurePosixPath(path).suffix.lower() in excel.SUFFIXES
    return is_named and head.startswith(excel.MAGICS)


def _read_json(lines: list[str], declared: Mapping[str, object]) -> Sample:
    texts: Iterator[str]
    if is_document(lines):
        texts = _whole_records("\n".join(lines))
    else:
        texts = (line.strip("\ufeff") for line in lines if line.strip())
    records, n_broken = [], 0
    for text in islice(texts, MAX_RECORDS):
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            n_broken += 1
    if not records:
        raise ValueError("no record of the file is a JSON object")
    notes = [f"{count_of(n_broken, 'line')} of the sample without a JSON object"] if n_broken else []
    return _to_nested_sample({"format": "json", **declared}, records, notes)


def _read_avro(content: bytes) -> Sample:
    records = []
    try:
        for text in islice(avro.read_records(content), MAX_RECORDS):
            records.append(json.loads(text))
    except ValueError:
        # The last block may be cut off.
        if not records:
            raise
    return _to_nested_sample({"format": "avro"}, records)


def _to_nested_sample(
    layout: Mapping[str, object], records: Sequence[Mapping[str, object]], notes: Sequence[str] = ()
) -> Sample:
    """The sample of objects; if they hold a list, with a row for each element of the longest one."""
    of_list = _longest_list(records)
    values: dict[str, list[str]] = {}
    n_rows = 0
    for record in records:
        items = record.get(of_list) if of_list else None
        for number, item in enumerate(items if isinstance(items, list) and items else [None], start=1):
            n_rows += 1
            row = dict(_flatten(record))
            if item is not None:
                row[f"{of_list}[#]"] = str(number)
                row |= {f"{of_list}[*].{path}": text for path, text in _flatten(item)}
            for path, text in row.items():
                values.setdefault(path, []).append(text)
    columns = tuple(infer_type(path, found) for path, found in values.items())
    return Sample(layout, columns, n_rows, tuple(notes))


def _whole_records(text: str) -> Iterator[str]:
    """The records of a document, of which the last one may be cut off."""
    try:
        yield from split_document(text)
    except (ValueError, RecursionError):
        return


def _longest_list(records: Sequence[Mapping[str, object]]) -> str | None:
    """The key whose value is a list of objects in most records; None if there is none."""
    counts: Counter[str] = Counter()
    for record in records:
        for key, value in record.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                counts[key] += len(value)
    return max(counts, key=lambda key: (counts[key], key), default=None)


def _flatten(record: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The path and text of each value that is neither empty nor a list."""
    for key, value in record.items():
        path = f"{prefix}{_quote(key)}"
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}.")
        elif value is not None and value != "" and not isinstance(value, list):
            yield path, json.dumps(value) if isinstance(value, bool) else str(value)


def _quote(key: str) -> str:
    return f'"{key}"' if re.search(r'[."\[\]]', key) else key


def _read_csv(lines: list[str], declared: Mapping[str, object]) -> Sample:
    delimiter, width = _guess_delimiter(lines)
    skipped = 0
    while skipped < len(lines) and len(_cells(lines[skipped], delimiter)) < width:
        skipped += 1
    rest = lines[skipped:]
    if rest and rest[0].strip("\ufeff") == f"sep={delimiter}":
        rest = rest[1:]
    layout: dict[str, object] = {"format": "csv", **declared}
    if skipped:
        layout["skip_lines"] = skipped
    if delimiter != ",":
        layout["delimiter"] = delimiter
    shape = FileLayout(
        path="*", format=Format.CSV, columns={"a": "string"}, delimiter=delimiter, header=Header.BY_NAME
    )
    header = read_header(rest, shape)
    if header is None:
        raise ValueError("no line of the file is a header or a record")
    opened = io.StringIO("\n".join(rest).removeprefix("\ufeff"), newline="")
    records = csv.reader(opened, delimiter=delimiter, skipinitialspace=True)
    return _to_flat_sample(layout, [row for row in records if any(map(str.strip, row))])


def _read_excel(content: bytes) -> Sample:
    """The sample of the sheet with the most rows."""
    sheets = {name: excel.read_cells(content, name) for name in excel.read_sheet_names(content)}
    name = max(sheets, key=lambda each: sum(map(excel.has_values, sheets[each])), default="")
    cells = sheets.get(name, [])
    first = _find_header_row(cells)
    rows = excel.drop_empty_margin([row for row in cells[first:] if excel.has_values(row)])
    if not rows:
        raise ValueError("no sheet has values")
    layout: dict[str, object] = {"format": "excel"}
    if len(sheets) > 1:
        layout["sheet"] = name
    if any(map(excel.has_values, cells[:first])):
        layout["skip_lines"] = first
    header, *records = rows
    full = _drop_sparse_rows(records)
    # The type of a column does not depend on cells whose formula failed.
    texts = [["" if cell is None or CELL_ERROR.fullmatch(cell) else cell for cell in row] for row in full]
    remarks = []
    if n_sparse := len(records) - len(full):
        remarks.append(f"{count_of(n_sparse, 'row')} with few values: no data (skip_when)?")
    if n_errors := sum(CELL_ERROR.fullmatch(cell) is not None for row in full for cell in row if cell):
        remarks.append(f"{count_of(n_errors, 'cell')} with an error such as #N/A: reject them, or null_text?")
    return _to_flat_sample(layout, [excel.name_columns(header), *texts], remarks)


def _find_header_row(cells: Sequence[excel.Row]) -> int:
    """The number, from 0, of the first row with many values. Above the header is at most a title, in few cells."""
    counts = [_count_values(row) for row in cells]
    widest = max(counts[:HEAD_ROWS], default=0)
    return next((n for n, count in enumerate(counts) if 2 * count > widest), 0)


def _drop_sparse_rows(rows: Sequence[excel.Row]) -> list[excel.Row]:
    """The rows with more than half as many values as a typical row. Others are notes or totals."""
    counts = [_count_values(row) for row in rows]
    typical = sorted(counts)[len(counts) // 2] if counts else 0
    return [row for row, count in zip(rows, counts, strict=True) if 2 * count > typical]


def _count_values(row: excel.Row) -> int:
    return sum(cell is not None for cell in row)


def _to_flat_sample(
    declared: Mapping[str, object], rows: list[list[str]], remarks: Sequence[str] = ()
) -> Sample:
    """The sample of rows of texts, the first of which may be the header. The remarks become its first notes."""
    layout, notes = dict(declared), [*remarks]
    names = [name.strip() for name in rows[0]]
    if _is_header(rows[0]):
        layout["header"] = Header.BY_NAME.value
        rows = rows[1:]
    else:
        layout["header"] = Header.NONE.value
        names = [f"column_{n}" for n in range(1, len(names) + 1)]
    rows = rows[:MAX_RECORDS]
    whole = [row for row in rows if len(row) == len(names)]
    if len(whole) < len(rows):
        notes.append(
            f"{count_of(len(rows) - len(whole), 'record')} of the sample with another number of values: no data (skip_when)?"
        )
    doubled = {name for name, n in Counter(names).items() if n > 1 or not name}
    columns = tuple(
        infer_type(name, [text for row in whole if (text := row[n].strip())])
        for n, name in enumerate(names)
        if name not in doubled
    )
    return Sample(layout, columns, len(whole), tuple(notes))


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])


def _guess_delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter that gives most lines the same number of values, two or more; and this number."""
    best: tuple[int, int, str] = (0, 1, ",")
    for delimiter in DELIMITERS:
        widths = Counter(len(_cells(line, delimiter)) for line in lines[:200] if line.strip())
        widths.pop(1, None)
        for width, n in widths.items():
            best = max(best, (n, width, delimiter))
    return best[2], best[1]


def _is_header(cells: Sequence[str]) -> bool:
    """Whether the first record has names: no number, no time and no address."""
    values = [cell.strip("\ufeff ") for cell in cells if cell.strip("\ufeff ")]
    return all(infer_type("", [value]).type == "string" and not EMAIL.fullmatch(value) for value in values)
