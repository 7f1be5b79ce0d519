"""Look at the first bytes of new files: the header of a CSV file, the schema of Avro, and whether JSON is one document."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lifestage.ingestion.sources.avro import check_schema, read_schema
from lifestage.ingestion.sources.decoding import decode_lines, decompress_start
from lifestage.ingestion.sources.deliveries import Delivery
from lifestage.ingestion.sources.holding import BadFilesError, hold_bad_files
from lifestage.ingestion.sources.layout import FileLayout, Format
from lifestage.platform.config.checks import join_names


def open_deliveries(deliveries: Sequence[Delivery], layouts: Mapping[str, FileLayout]) -> list[Delivery]:
    """Add the header to each new CSV file that is read by name, and find the JSON files that are one document.

    Args:
        deliveries: New files with their first bytes.
        layouts: Layout by source.

    Raises:
        BadFilesError: naming each file without the declared columns that its source does not hold.
    """
    opened: list[Delivery] = []
    faults: dict[Delivery, str] = {}
    for delivery in deliveries:
        layout = layouts[delivery.source]
        try:
            opened.append(_open(delivery, layout))
        except ValueError as error:
            faults[delivery] = str(error)
    if not faults:
        return opened
    return hold_bad_files(opened, BadFilesError(faults, "nothing was written"), layouts)


def _open(delivery: Delivery, layout: FileLayout) -> Delivery:
    if delivery.known_as is not None or not layout.needs_head:
        return replace(delivery, head=b"")
    start = decompress_start(delivery.head, delivery.path)
    is_cut = len(delivery.head) < delivery.n_bytes
    if layout.format is Format.AVRO:
        if (schema := read_schema(start, is_cut)) is not None:
            check_schema(schema, layout)
        return replace(delivery, head=b"")
    lines = [*decode_lines(start, layout.encoding)][layout.skip_lines :]
    if is_cut and len(lines) > 1:
        # The last line is incomplete.
        lines.pop()
    if layout.format is Format.JSON:
        return replace(delivery, head=b"", is_document=is_document(lines))
    header = read_header(lines, layout)
    if header is not None:
        check_header(header, layout)
    elif is_cut:
        raise ValueError("no header was found in the first lines: is a quoted name never closed?")
    return replace(delivery, head=b"", header=header)


def check_header(header: str, layout: FileLayout) -> dict[str, int]:
    """Return the place of each declared column in a header that is read by name (see `find_positions`).

    Raises:
        ValueError: if a column is missing or doubled, or if the source refuses columns that it does not declare.
    """
    positions = find_positions(header, layout)
    used = positions.values()
    others = [name for n, name in enumerate(split_header(header, layout)) if n not in used and name]
    if others and layout.extra_columns == "refuse":
        raise ValueError(f"the header has columns that are not declared: {join_names(others)}")
    return positions


def is_document(lines: Sequence[str]) -> bool:
    """Return whether a JSON file is read as a whole, because its first line is not one object of its own.

    Example:
        >>> is_document(["[", '{"id": 1},']), is_document(['{"id": 1}']), is_document(["{", '"id": 1'])
        (True, False, True)
    """
    first, *others = [text for line in lines[:100] if (text := line.strip(" \t\ufeff"))] or [""]
    try:
        _, end = json.JSONDecoder().raw_decode(first)
    except (ValueError, RecursionError):
        is_of_lines = bool(others) and others[0].startswith(("{", "["))
        return first.startswith("[") or (first.startswith("{") and not is_of_lines)
    return first.startswith("[") or first[end:].lstrip().startswith("{")


def read_header(lines: Sequence[str], layout: FileLayout) -> str | None:
    """Return the text of the first record that is not empty, its lines joined by a line feed; None if it does not end."""
    text: list[str] = []
    for number, line in enumerate(lines):
        line = line.removeprefix("\ufeff") if number == 0 else line
        if text or (line.strip() and line != separator_line(layout)):
            text.append(line)
            if "\n".join(text).count(layout.quote) % 2 == 0:
                return "\n".join(text)
    return None


def separator_line(layout: FileLayout) -> str:
    """Return the line with which a file tells a spreadsheet its delimiter."""
    return f"sep={layout.delimiter}"


def split_header(header: str, layout: FileLayout) -> list[str]:
    """Return the names in a header, without the blanks around them.

    Example:
        >>> layout = FileLayout(path="*", format="csv", columns={"a": "string"})
        >>> split_header('id,"Paid at, local" ,', layout)
        ['id', 'Paid at, local', '']
    """
    if len(layout.delimiter) > 1:
        return [name.strip().strip(layout.quote) for name in header.split(layout.delimiter)]
    rows = csv.reader(
        io.StringIO(header, newline=""),
        delimiter=layout.delimiter,
        quotechar=layout.quote,
        skipinitialspace=True,
    )
    return [name.strip() for name in next(rows, [])]


def find_positions(header: str, layout: FileLayout, may_lack: bool = False) -> dict[str, int]:
    """Return the place of each declared column in a header, from 0 on.

    An equal name counts first; without one, a name that differs in upper and lower case.

    Args:
        header: Text of the header.
        layout: Declared columns.
        may_lack: Whether to leave out the columns that the header lacks.

    Raises:
        ValueError: if the header lacks a declared column, or has it twice.
    """
    names = split_header(header, layout)
    lower = [name.lower() for name in names]
    positions, missing = {}, []
    for column in layout.columns:
        name = layout.field_of(column)
        found = [n for n, other in enumerate(names) if other == name]
        found = found or [n for n, other in enumerate(lower) if other == name.lower()]
        if len(found) > 1:
            raise ValueError(f"the header has the column {name} {len(found)} times: which one is meant?")
        if found:
            positions[column] = found[0]
        else:
            missing.append(name)
    if missing and not may_lack:
        shown = mask_unless_known(header, layout)
        raise ValueError(f"the header lacks {join_names(missing)}, found {shown}")
    return positions


def mask_unless_known(line: str, layout: FileLayout) -> str:
    """Return a line if half of its cells or more are declared columns; otherwise letters as x and digits as 9.

    A line that is not a header may hold personal data.
    """
    line = line[:200].strip("\ufeff")
    cells = [cell.strip(f" {layout.quote}").lower() for cell in line.split(layout.delimiter)]
    known = {layout.field_of(name).lower() for name in layout.columns}
    if 2 * sum(cell in known for cell in cells) >= len(cells):
        return line
    return re.sub(r"\d", "9", re.sub(r"[^\W\d]", "x", line))


def write_header(names: Sequence[str]) -> str:
    """Return names as the header of a CSV file with commas, which `split_header` reads."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(names)
    return out.getvalue()
