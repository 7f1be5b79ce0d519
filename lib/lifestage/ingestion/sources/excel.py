"""Read workbooks: the texts of a sheet's cells, and each record as JSON text."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from multiprocessing import get_context
from typing import Any, TypeVar
from xml.etree import ElementTree

from python_calamine import (
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from lifestage.ingestion.sources.layout import FileLayout, Header
from lifestage.ingestion.sources.opening import check_header, mask_unless_known, write_header
from lifestage.platform.config.checks import join_names

T = TypeVar("T")
Row = Sequence[str | None]
"""The texts of cells, None for an empty one."""

# Archives of Office 2007 and OpenDocument, and the container of older and of encrypted files.
MAGICS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
# How an encrypted file of Office 2007 and later names its content.
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
LOCKED = "it is protected by a password"
DAMAGED = "it is cut off, damaged, or not a workbook"
ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>))?\s*<(?:\w+:)?v>([^<]*)<'
)
PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')


def read_records(content: bytes, layout: FileLayout) -> Iterator[str]:
    """Yield each row of the sheet as the text of a JSON object: names of the header to texts of cells.

    Rows and cells without a value are left out. Declared columns have their declared name, others that of the header, or
    `column_<n>` if it is empty. Without a header, a row with more values than columns becomes a list.

    Raises:
        ValueError: if the file cannot be read, lacks the sheet, or has another header than declared.
    """
    rows = [row for row in read_cells(content, layout.sheet)[layout.skip_lines :] if has_values(row)]
    if layout.header is Header.NONE:
        names = [layout.field_of(name) for name in layout.columns]
        for row in rows:
            is_long = has_values(row[len(names) :])
            yield _dump([cell or "" for cell in row] if is_long else _to_record(names, row))
        return
    rows = drop_empty_margin(rows)
    if rows:
        names = _find_names(name_columns(rows[0]), layout)
        for row in rows[1:]:
            yield _dump(_to_record(names, row))


def _find_names(header: Sequence[str], layout: FileLayout) -> list[str]:
    """The name of each column in the records. No name is given twice."""
    declared = [layout.field_of(name) for name in layout.columns]
    line = write_header(header)
    if layout.header is Header.BY_NAME:
        positions = {n: layout.field_of(column) for column, n in check_header(line, layout).items()}
    else:
        if list(header[: len(declared)]) != declared or any(header[len(declared) :]):
            found = mask_unless_known(line, layout)
            raise ValueError(f"expected the header {write_header(declared)}, found {found}")
        positions = dict(enumerate(declared))
    names: list[str] = []
    for n, name in enumerate(header):
        other = name or f"column_{n + 1}"
        is_taken = other in names or other in positions.values()
        names.append(positions.get(n, f"{other} ({n + 1})" if is_taken else other))
    return names


def _to_record(names: Sequence[str], row: Row) -> dict[str, str]:
    # A row without a header may be shorter or, with empty cells, longer than its names.
    return {name: cell for name, cell in zip(names, row, strict=False) if cell is not None}


def _dump(record: object) -> str:
    return json.dumps(record, ensure_ascii=False)


def has_values(row: Row) -> bool:
    """Return whether a row has a value."""
    return any(cell is not None for cell in row)


def drop_empty_margin(rows: Sequence[Row]) -> list[Row]:
    """Return rows without the columns at the left and the right in which no row has a value."""
    used = sorted({n for row in rows for n, cell in enumerate(row) if cell is not None})
    return [row[used[0] : used[-1] + 1] for row in rows] if used else []


def name_columns(row: Row) -> list[str]:
    """Return the names in a header row; line breaks and runs of blanks inside a name become one blank."""
    return [" ".join((cell or "").split()) for cell in row]


def read_cells(content: bytes, sheet: str | None = None) -> list[Row]:
    """Return the texts of a sheet's cells from its first row and column on.

    Args:
        content: The file.
        sheet: Name of the sheet; by default the first one that is visible.

    Raises:
        ValueError: if the file cannot be read or lacks the sheet.
    """
    return call_reader(_read_cells, content, sheet)


def _read_cells(content: bytes, sheet: str | None) -> list[Row]:
    with _translate_errors(content):
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = _list_sheets(book)
        if sheet is not None and sheet not in names:
            raise ValueError(f"it has no sheet {sheet}, found {join_names(names)}")
        name = sheet or names[0]
        values = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        errors = _find_errors(content, name)
    return [
        [errors.get((y, x)) or to_text(value) for x, value in enumerate(row)] for y, row in enumerate(values)
    ]


def read_sheet_names(content: bytes) -> list[str]:
    """Return the names of the sheets with cells, the visible ones first.

    Raises:
        ValueError: if the file cannot be read.
    """
    return call_reader(_read_sheet_names, content)


def _read_sheet_names(content: bytes) -> list[str]:
    with _translate_errors(content):
        return _list_sheets(CalamineWorkbook.from_filelike(io.BytesIO(content)))


def call_reader(read: Callable[..., T], content: bytes, *args: Any) -> T:
    """Call a function that reads a file. A file of the old format gets a process of its own, which damage can abort.

    Raises:
        ValueError: if the process was aborted, or the function raises one.
    """
    if not content.startswith(MAGICS[1]):
        return read(content, *args)
    # A forked process imports no module again, so it starts fast.
    with ProcessPoolExecutor(1, get_context("fork")) as processes:
        try:
            return processes.submit(read, content, *args).result()
        except BrokenProcessPool as error:
            raise ValueError(DAMAGED) from error


def _list_sheets(book: CalamineWorkbook) -> list[str]:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    hidden = [sheet.name for sheet in sheets if sheet.visible != SheetVisibleEnum.Visible]
    return [*(sheet.name for sheet in sheets if sheet.name not in hidden), *hidden]


@contextmanager
def _translate_errors(content: bytes) -> Iterator[None]:
    """Translate the errors of the reader into a ValueError without values of the file."""
    try:
        yield
    except PasswordError as error:
        raise ValueError(LOCKED) from error
    except ValueError:
        raise
    except Exception as error:
        # Damage makes the reader and the archive fail in many ways.
        raise ValueError(LOCKED if ENCRYPTED in content else DAMAGED) from error
    except BaseException as error:
        # A panic of the Rust code is not an Exception in Python, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(DAMAGED) from error


def to_text(value: Any) -> str | None:
    """Return the value of a cell as text, None for an empty one.

    Numbers have at most 15 significant digits, as in Excel, unless they are whole. Times and dates are ISO 8601, and a
    duration is hours, minutes and seconds.

    Example:
        >>> to_text(10.0), to_text(1e-7), to_text(True), to_text(timedelta(hours=36.5))
        ('10', '0.0000001', 'true', '36:30:00')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else format(Decimal(f"{value:.15g}"), "f")
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            seconds, sign = int(abs(value).total_seconds()), "-" if value < timedelta() else ""
            return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value).strip() or None


def _find_errors(content: bytes, sheet: str) -> dict[tuple[int, int], str]:
    """The errors such as #N/A in cells of an .xlsx file, by row and column from 0 on. The reader returns such cells as empty."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = _find_part(archive, sheet)
        if part not in archive.namelist():
            return {}
        xml = archive.read(part)
    errors = {}
    for found in ERROR_CELL.finditer(xml) if b't="e"' in xml else ():
        if place := PLACE.search(found[1]):
            column = 0
            for letter in place[1]:
                column = column * 26 + letter - ord("A") + 1
            errors[int(place[2]) - 1, column - 1] = found[2].decode()
    return errors


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The name of the file in an .xlsx archive that holds a sheet."""
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, links} <= set(archive.namelist()):
        return None
    targets = {link.get("Id"): link.get("Target", "") for link in ElementTree.fromstring(archive.read(links))}
    for element in ElementTree.fromstring(archive.read(book)).iterfind(".//{*}sheet"):
        if element.get("name") == sheet:
            number = next((value for key, value in element.items() if key.endswith("}id")), None)
            target = targets.get(number, "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return None
