"""Format columns as the lines of a file, without a loop over rows."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.integer]
HEX = np.array([f"{byte:02x}".encode() for byte in range(256)]).view("S2")


def concat_text(*parts: object) -> pa.Array:
    """Concatenate texts row by row. A plain string repeats in every row; a NULL part makes the row NULL."""
    return pc.binary_join_element_wise(*[_to_text(part) for part in parts], "")


def pick_names(names: Sequence[str | None], codes: Ints) -> pa.Array:
    """Return the name at the index that each code gives; NULL for a negative code."""
    return pa.array(names, pa.string()).take(pa.array(codes, mask=np.asarray(codes) < 0))


def format_integers(values: Ints) -> pa.Array:
    """Return integers; the smallest value of the type stands for NULL."""
    values = np.asarray(values)
    return pa.array(values, mask=values == np.iinfo(values.dtype).min)


def zero_pad(values: Ints, width: int) -> pa.Array:
    """Format integers with leading zeros.

    Example: `zero_pad(np.array([7]), 3)` gives `007`.
    """
    return pc.utf8_lpad(pc.cast(pa.array(values), pa.string()), width, "0")


def format_money(cents: Ints) -> pa.Array:
    """Format cents as amounts with two decimals; the smallest value of the type stands for NULL.

    Example: `format_money(np.array([-5]))` gives `-0.05`.
    """
    cents = np.asarray(cents)
    nothing = cents == np.iinfo(cents.dtype).min
    size = np.where(nothing, 0, np.abs(cents))
    sign = pick_names(["", "-"], (cents < 0).astype(np.int8))
    text = concat_text(sign, pa.array(size // 100), ".", zero_pad(size % 100, 2))
    return pc.if_else(pa.array(nothing), None, text)


def format_instants(seconds: Ints) -> pa.Array:
    """Format seconds since 1970 UTC as 2026-01-01T08:00:00Z."""
    texts = pc.cast(pa.array(np.asarray(seconds, np.int64)).cast(pa.timestamp("s")), pa.string())
    return concat_text(pc.replace_substring(texts, " ", "T", max_replacements=1), "Z")


def format_hex(values: Ints) -> pa.Array:
    """Format integers as 16 hexadecimal digits."""
    octets = np.ascontiguousarray(values, ">u8").view(np.uint8)
    return pa.array(HEX[octets].view("S16").reshape(-1)).cast(pa.string())


def hash_parts(*parts: object) -> npt.NDArray[np.uint64]:
    """Hash the parts row by row into well-mixed 64-bit numbers; equal parts give equal numbers.

    Identifiers are made of them.
    """
    state: npt.NDArray[np.uint64] = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            state = state ^ np.asarray(part).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return state


def to_csv_lines(columns: Mapping[str, pa.Array]) -> pa.Array:
    """Build one CSV line per row, NULL as empty. The caller quotes texts that contain a comma."""
    parts: list[object] = []
    for column in columns.values():
        parts += [pc.fill_null(_to_text(column), ""), ","]
    return concat_text(*parts[:-1])


def to_json_lines(columns: Mapping[str, pa.Array], numbers: Collection[str] = ()) -> pa.Array:
    """Build one JSON object per row, leaving out NULL values.

    Args:
        columns: Columns by key. The first one must not be NULL, and texts must not need escaping.
        numbers: Text columns to write without quotes.
    """
    parts: list[object] = ["{"]
    first = True
    for name, column in columns.items():
        quote = '"' if pa.types.is_string(column.type) and name not in numbers else ""
        # The first column is never NULL, so each other pair can begin with a comma.
        pair = concat_text(f'{"" if first else ","}"{name}":{quote}', column, quote)
        parts.append(pair if first else pc.fill_null(pair, ""))
        first = False
    return concat_text(*parts, "}")


def encode_lines(lines: pa.Array) -> bytes:
    """Return the lines as the bytes of a file, each ended by a newline."""
    if not len(lines):
        return b""
    text = concat_text(lines, "\n")
    # Arrow stores the texts of an array in one contiguous buffer.
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])].tobytes()


def _to_text(part: object) -> object:
    if isinstance(part, str):
        return pa.scalar(part)
    return part if pa.types.is_string(part.type) else pc.cast(part, pa.string())  # type: ignore[attr-defined]
