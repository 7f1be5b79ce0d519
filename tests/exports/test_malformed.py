"""Files that somebody or something damaged: each is read or held, each record has an outcome, and nothing crashes.

Forty files with seeded damage of each of ten exports. The name of a failing test begins with the export; the seed is fixed.
"""

import gzip
import logging
import re
from pathlib import Path
from random import Random

import pytest
import yaml
from pyspark.sql import functions as F

from exports.test_exports import HERE, export_file, source_of
from support.projects import MAIN, make_project

pytestmark = pytest.mark.slow

N_FILES = 40
# Nearly any damage makes a file of these unreadable.
BINARY = ("order_stream", "sales_report")
OUTCOMES = ("accepted", "replaced", "superseded", "duplicate", "rejected", "skipped", "suppressed")


def cut(content, random):
    return content[: random.randrange(len(content))]


def lose_bytes(content, random):
    start = random.randrange(len(content))
    return content[:start] + content[start + random.randint(1, 9) :]


def flip_bytes(content, random):
    damaged = bytearray(content)
    for _ in range(random.randint(1, 6)):
        damaged[random.randrange(len(damaged))] = random.randrange(256)
    return bytes(damaged)


def insert(content, random):
    texts = (
        b'"',
        b"\\",
        b"\n",
        b"\r\n",
        b",",
        b";",
        b"\x00",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"=1+1",
        b" ",
    )
    place = random.randrange(len(content) + 1)
    return content[:place] + random.choice(texts) * random.randint(1, 3) + content[place:]


def shuffle_lines(content, random):
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def double_lines(content, random):
    lines = content.splitlines(keepends=True)
    return b"".join(line * random.randint(1, 3) for line in lines)


def lose_a_line(content, random):
    lines = content.splitlines(keepends=True)
    lines.pop(random.randrange(len(lines)))
    return b"".join(lines)


def widen_a_line(content, random):
    lines = content.splitlines(keepends=True)
    lines.insert(random.randrange(len(lines) + 1), b",".join([b"x"] * random.choice([1, 50, 30_000])) + b"\n")
    return b"".join(lines)


def change_encoding(content, random):
    return content.decode(errors="replace").encode(
        random.choice(["utf-16", "utf-16-le", "gb18030", "utf-7"]), "replace"
    )


def wreck_packing(content, random):
    packed = gzip.compress(content)
    return random.choice([packed, packed[: len(packed) // 2], content])


DAMAGE = (
    cut,
    lose_bytes,
    flip_bytes,
    insert,
    shuffle_lines,
    double_lines,
    lose_a_line,
    widen_a_line,
    change_encoding,
)


def damaged_files(folder, random):
    """Pairs of a name that the source's glob accepts and a damaged content."""
    originals = sorted(file for file in (folder / "given").iterdir() if not file.name.startswith("rates"))
    for n in range(N_FILES):
        original = random.choice(originals)
        name, content = export_file(original)
        name = re.sub(r"(\.\w+)?$", rf"_{n}\1", name, count=1)
        if n % 10 == 9:
            yield f"{name}.gz", wreck_packing(content, random)
        else:
            damage = random.choice(DAMAGE)
            yield name, damage(damage(content, random) if random.random() < 0.3 else content, random)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "square",
            "shopify",
            "header_drift",
            "escaped",
            "no_header",
            "nested_lines",
            "segment",
            "woocommerce",
        ),
        *BINARY,
    ],
)
def test_damaged_files_are_read_or_held_and_every_record_has_an_outcome(spark, tmp_path, caplog, name):
    source = re.sub(r"(?m)^gate:.*\n", "", source_of(HERE / name)) + "gate: 0\non_bad_file: hold\n"
    declared = yaml.safe_load(source)
    # Names of damaged files end in more than the export's.
    source = source.replace(declared["path"], f'"{Path(declared["path"]).parent / "*"}"')
    project = make_project(spark, tmp_path, {"shop": source}, MAIN)
    landing = project.folder / "landing" / Path(declared["path"]).parent
    landing.mkdir(parents=True, exist_ok=True)
    files = dict(damaged_files(HERE / name, Random(name)))
    for file, content in files.items():
        (landing / file).write_bytes(content)
    with caplog.at_level(logging.WARNING):
        project.run("2026-03-31", steps=("reference", "ingest"))
    ledger = project.read("ingest_ledger")
    read = {Path(row["path"]).name for row in ledger.select("path").collect()}
    held = set(re.findall(r"([^/\s]+): held, and tried again", caplog.text))
    empty = {file for file, content in files.items() if not content}
    assert held | read | empty | _twins(files, held) == files.keys()
    assert not held & read
    total = sum((F.coalesce(F.col(f"n_{outcome}"), F.lit(0)) for outcome in OUTCOMES), F.lit(0))
    assert ledger.where("kind = 'events'").where(F.col("n_rows") != total).isEmpty()
    assert project.read("rejected_events").where("size(reasons) = 0").isEmpty()
    # Of one JSON list over many lines, little survives.
    assert len(read) > (0 if name in BINARY else N_FILES / 5), "the damage leaves too little to read"


def _twins(files, held):
    """The files with the same content as a held one, which are held without a warning of their own."""
    contents = {files[file] for file in held}
    return {file for file, content in files.items() if content in contents and file not in held}
