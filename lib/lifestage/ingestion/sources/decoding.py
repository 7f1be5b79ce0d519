"""Unpack files, decode their text, and split it into lines or the records of a JSON document."""

import bz2
import codecs
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

import pyarrow as pa

from lifestage.platform.plurals import count_of

# Encodings of which Spark splits the lines and decodes the text itself.
SPLIT = ("utf-8", "iso8859-1")
# In these, a line break is more than one byte.
WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
BAD_CONTENT = (ValueError, OSError, EOFError, RecursionError, zlib.error, zipfile.BadZipFile)


def codec_name(encoding: str) -> str | None:
    """Return Python's name of a text encoding; None if there is none of that name.

    Example:
        >>> codec_name("Windows-1252"), codec_name("GBK"), codec_name("rot13")
        ('cp1252', 'gbk', None)
    """
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        return None
    return codec.name if codec._is_text_encoding and _has_lines(codec.name) else None


def _has_lines(name: str) -> bool:
    """Whether the codec writes a line break as ASCII does, or as one code unit of UTF-16 or UTF-32."""
    return name in WIDE or "a,\n".encode(name) == b"a,\n"


def split_lines(content: bytes, encoding: str) -> Iterator[bytes]:
    """Return the lines of a text in UTF-8. A line with bytes that the encoding does not know stays as it is."""
    name = codec_name(encoding) or "utf-8"
    if name in WIDE:
        # A line break is several bytes, so the whole text is decoded at once.
        yield from (line.encode() for line in _to_lines(content.decode(name, errors="replace")))
        return
    for line in content.splitlines():
        try:
            yield line.decode(name).encode()
        except UnicodeDecodeError:
            yield line


def _to_lines(text: str) -> Iterator[str]:
    return (line.removesuffix("\n") for line in io.StringIO(text, newline=None))


def decode_lines(content: bytes, encoding: str) -> Iterator[str]:
    """Return the lines of a text, with replacement characters where it is not of the encoding."""
    return (line.decode(errors="replace") for line in split_lines(content, encoding))


def split_document(text: str) -> Iterator[str]:
    r"""Return the text of each record of a JSON document: the elements of a list, or objects one after another.

    Raises:
        ValueError: if the text is not JSON.

    Example:
        >>> list(split_document('[{"a": 1},\n {"a": [2]}]'))
        ['{"a": 1}', '{"a": [2]}']
    """
    decoder = json.JSONDecoder()
    place = _skip_blanks(text, 0)
    is_list = text[place : place + 1] == "["
    place = _skip_blanks(text, place + is_list)
    while place < len(text) and text[place] != "]":
        _, end = decoder.raw_decode(text, place)
        yield text[place:end]
        place = _skip_blanks(text, end)
        if is_list and text[place : place + 1] not in (",", "]"):
            raise ValueError(f"the list of records is not closed or lacks a comma at character {place + 1:,}")
        if text[place : place + 1] == ",":
            place = _skip_blanks(text, place + 1)
    if is_list and place == len(text):
        raise ValueError(f"the list of records ends at character {place:,} without being closed")
    if is_list and _skip_blanks(text, place + 1) < len(text):
        raise ValueError(f"there is text after the list of records, at character {place + 2:,}")


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n\ufeff":
        place += 1
    return place


def decompress(content: bytes, path: str) -> bytes:
    """Return the bytes of a file that is packed as its name says: .gz, .bz2, .zst, or .zip with one file in it.

    Raises:
        ValueError: if a zip file holds no file, or several.
    """
    match PurePosixPath(path).suffix.lower():
        case ".gz":
            return gzip.decompress(content)
        case ".bz2":
            return bz2.decompress(content)
        case ".zst" | ".zstd":
            return bytes(pa.input_stream(io.BytesIO(content), compression="zstd").read())
        case ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                names = [
                    name for name in packed.namelist() if not name.startswith("__MACOSX/") and name[-1] != "/"
                ]
                if len(names) != 1:
                    raise ValueError(f"the zip file holds {count_of(len(names), 'file')}, expected one")
                return packed.read(names[0])
        case _:
            return content


def decompress_start(head: bytes, path: str) -> bytes:
    """Return the first bytes of a packed file, from the first bytes of what it is packed as.

    Raises:
        ValueError: if they are not packed as the name of the file says.
    """
    try:
        match PurePosixPath(path).suffix.lower():
            case ".gz":
                return zlib.decompressobj(31).decompress(head)
            case ".bz2":
                return bz2.BZ2Decompressor().decompress(head)
            case ".zst" | ".zstd":
                return _read_zstd_start(head)
            case ".zip":
                # The header of the first file: 30 bytes, its name, and further fields.
                names = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
                is_stored = head[8:10] == b"\0\0"
                start = head[30 + names :]
                return start if is_stored else zlib.decompressobj(-15).decompress(start)
            case _:
                return head
    except BAD_CONTENT as error:
        raise ValueError(f"it is not packed as its name says: {error}") from error


def _read_zstd_start(head: bytes) -> bytes:
    stream, parts = pa.input_stream(io.BytesIO(head), compression="zstd"), []
    try:
        while part := stream.read(4096):
            parts.append(part)
    except OSError:
        # The rest of the file is missing here.
        if not parts:
            raise
    return b"".join(parts)
