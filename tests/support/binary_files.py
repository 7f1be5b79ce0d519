"""Avro files and workbooks of the tests."""

import io
import json
import struct
from decimal import Decimal

import fastavro
import yaml
from openpyxl import Workbook


def to_avro(schema, records, codec="deflate"):
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records, codec=codec)
    return out.getvalue()


def record(name, /, **fields):
    """The schema of a record."""
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]}


def logical(base, name, **more):
    return {"type": base, "logicalType": name, **more}


def to_xlsx(*rows, change=None, **sheets):
    """A workbook with the rows in its first sheet, named Data, and further sheets."""
    book = Workbook()
    for name, content in {"Data": rows, **sheets}.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    del book["Sheet"]
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def from_text(text, name):
    """A file from its description: name.avro.json has schema, codec and records; name.xlsx.yaml the rows of sheets."""
    if name.endswith(".avro.json"):
        described = json.loads(text, parse_float=Decimal)
        return to_avro(described["schema"], described["records"], described["codec"])
    (first, rows), *others = yaml.safe_load(text).items()

    def rename(book):
        book["Data"].title = first

    return to_xlsx(*rows, change=rename, **dict(others))


def to_encrypted(content):
    """The container in which Office writes an encrypted file: one sector of allocations, one of names, and the content."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    content = content.ljust(4096, b"\0")
    n = -(-len(content) // 512)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    header = header.ljust(512, b"\xff")
    chain = [fat, end, *range(3, n + 2), end]
    allocations = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")

    def entry(name, kind, child, start, size):
        text = f"{name}\0".encode("utf-16-le")
        return text.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIQ", len(text), kind, 1, free, free, child, start, size
        )

    names = entry("Root Entry", 5, 1, end, 0) + entry("EncryptedPackage", 2, free, 2, len(content))
    return header + allocations + names.ljust(512, b"\0") + content.ljust(n * 512, b"\0")
