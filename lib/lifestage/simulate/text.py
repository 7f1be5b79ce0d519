"""Columns to the lines of a file, without a loop over rows."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.integer]
HEX = np.array([f"{byte:02x}".encode() for byte in range(256)]).view("S2")


def joined(*parts: object) -> pa.Array:
    """Texts row by row; a plain text is the same in every row, and NULL in one part makes the row NULL."""
    return pc.binary_join_element_wise(*[_text(part) for part in parts], "")


def chosen(names: Sequence[str | None], codes: Ints) -> pa.Array:
    """The name of each code; NULL below zero."""
    return pa.array(names, pa.string()).take(pa.array(codes, mask=np.asarray(codes) < 0))


def whole(values: Ints) -> pa.Array:
    """Whole numbers; NULL is the least number of their type."""
    values = np.asarray(values)
    return pa.array(values, mask=values == np.iinfo(values.dtype).min)


def padded(values: Ints, width: int) -> pa.Array:
    """Whole numbers with zeros in front."""
    return pc.utf8_lpad(pc.cast(pa.array(values), pa.string()), width, "0")


def money(cents: Ints) -> pa.Array:
    """Amounts with two decimals; NULL is the least number of the type."""
    cents = np.asarray(cents)
    nothing = cents == np.iinfo(cents.dtype).min
    size = np.where(nothing, 0, np.abs(cents))
    sign = chosen(["", "-"], (cents < 0).astype(np.int8))
    text = joined(sign, pa.array(size // 100), ".", padded(size % 100, 2))
    return pc.if_else(pa.array(nothing), None, text)


def instants(seconds: Ints) -> pa.Array:
    """Seconds since 1970 as 2026-01-01T08:00:00Z."""
    texts = pc.cast(pa.array(np.asarray(seconds, np.int64)).cast(pa.timestamp("s")), pa.string())
    return joined(pc.replace_substring(texts, " ", "T", max_replacements=1), "Z")


def hexes(values: Ints) -> pa.Array:
    """Whole numbers as 16 hexadecimal digits."""
    octets = np.ascontiguousarray(values, ">u8").view(np.uint8)
    return pa.array(HEX[octets].view("S16").reshape(-1)).cast(pa.string())


def mixed(*parts: object) -> npt.NDArray[np.uint64]:
    """Different numbers for different parts, without order and the same for the same: identifiers are made of them."""
    state: npt.NDArray[np.uint64] = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            state = state ^ np.asarray(part).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return state


def csv_lines(columns: Mapping[str, pa.Array]) -> pa.Array:
    """One line a row. Texts with a comma have to come with their quotes."""
    parts: list[object] = []
    for column in columns.values():
        parts += [pc.fill_null(_text(column), ""), ","]
    return joined(*parts[:-1])


def json_lines(columns: Mapping[str, pa.Array], numbers: Collection[str] = ()) -> pa.Array:
    """One object a row, without what is NULL. Texts hold no character that JSON would escape; `numbers` are bare."""
    parts: list[object] = ["{"]
    first = True
    for name, column in columns.items():
        quote = '"' if pa.types.is_string(column.type) and name not in numbers else ""
        # The first column is always there: what follows begins with a comma.
        pair = joined(f'{"" if first else ","}"{name}":{quote}', column, quote)
        parts.append(pair if first else pc.fill_null(pair, ""))
        first = False
    return joined(*parts, "}")


def octets_of(lines: pa.Array) -> bytes:
    """The lines as the bytes of a file."""
    if not len(lines):
        return b""
    text = joined(lines, "\n")
    # The texts of an array lie one behind the other.
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])].tobytes()


def _text(part: object) -> object:
    if isinstance(part, str):
        return pa.scalar(part)
    return part if pa.types.is_string(part.type) else pc.cast(part, pa.string())  # type: ignore[attr-defined]
