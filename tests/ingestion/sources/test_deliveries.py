import os
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.sources.landing import Landing, layout
from lifestage.ingestion.sources.deliveries import (
    check_unchanged,
    escape_glob,
    find_files,
    number_deliveries,
    resolve_path,
)
from lifestage.platform.errors import SourceError

ROWS = "name,n\nx,1\n"


@pytest.fixture
def landing(spark, tmp_path: Path) -> Landing:
    return Landing(spark, tmp_path)


def names(deliveries):
    return [(d.delivery_no, Path(d.path).name, d.known_as) for d in deliveries]


def next_deliveries(landing, found, earlier):
    """Return the deliveries of a run after another run read `earlier`."""
    files = {(d.source, d.path, d.n_bytes, d.modified_at) for d in earlier}
    contents = {(d.source, d.fingerprint): d.delivery_no for d in earlier if d.known_as is None}
    return number_deliveries(landing.spark, found, files, contents, max(d.delivery_no for d in earlier))


def test_names_that_spark_skips_and_empty_files_are_named(landing, caplog):
    for name in ("_orders.csv", ".x.csv", "_SUCCESS", ".a.csv.crc"):
        landing.put(name, ROWS)
    landing.put("empty.csv", "")
    landing.put("good.csv", ROWS)
    found = [Path(file.path).name for file in landing.find(layout(path="till/*"))]
    assert "good.csv" in found
    assert "_orders.csv" not in found
    assert caplog.messages == [
        "source till: skipped, because the name begins with _ or .: .x.csv, _orders.csv",
        "source till: skipped, because the file is empty: empty.csv",
    ]


def test_files_of_a_uri_are_named_too_and_a_name_that_may_be_a_person_is_masked(landing, caplog, tmp_path):
    for name, content in (("_anna@example.org.csv", ROWS), ("bo@example.org.csv", ""), ("good.csv", ROWS)):
        landing.put(name, content)
    found = [Path(file.path).name for file in landing.find(layout(path=f"file://{tmp_path}/till/*"))]
    assert found == ["good.csv"]
    assert caplog.messages == [
        "source till: skipped, because the name begins with _ or .: <email>",
        "source till: skipped, because the file is empty: <email>",
    ]


@pytest.mark.parametrize("content", ["", None])
def test_a_file_that_is_emptied_or_deleted_after_it_was_listed_is_refused(landing, content):
    file = landing.put("a.csv", ROWS)
    found = landing.find(layout())
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(SourceError, match=r"(?s)a\.csv.*changed while it was read|disappeared while"):
        number_deliveries(landing.spark, found, set(), {}, 0)


@pytest.mark.parametrize("change", ["name,n\ny,1\n", ROWS + "y,2\n", None])
def test_a_file_that_changes_after_it_was_hashed_is_refused(landing, change):
    file = landing.put("a.csv", ROWS)
    deliveries = landing.deliveries(layout())
    check_unchanged(landing.spark, deliveries)
    before = file.stat()
    if change is None:
        file.unlink()
    else:
        file.write_text(change)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(
        SourceError, match=r"(?s)a\.csv.*changed while it was read|disappeared while it was read"
    ):
        check_unchanged(landing.spark, deliveries)


def test_files_are_found_by_glob_and_no_match_gives_none(landing):
    assert landing.find(layout()) == []
    landing.put("b.csv", ROWS)
    landing.put("a.csv", ROWS)
    landing.put("a.txt", ROWS)
    found = landing.find(layout(path="till/*.csv"))
    assert [(file.source, Path(file.path).name, file.n_bytes) for file in found] == [
        ("till", "a.csv", len(ROWS)),
        ("till", "b.csv", len(ROWS)),
    ]


def test_numbers_continue_in_order_of_source_and_file_name(landing):
    for name in ("2.csv", "10.csv", "1.csv"):
        landing.put(name, f"{ROWS}{name},1\n")
    found = landing.find(layout())
    found += [replace(file, source="app") for file in found[:1]]
    deliveries = number_deliveries(landing.spark, reversed(found), set(), {}, 7)
    assert [(d.delivery_no, d.source, Path(d.path).name) for d in deliveries] == [
        (8, "app", "1.csv"),
        (9, "till", "1.csv"),
        (10, "till", "10.csv"),
        (11, "till", "2.csv"),
    ]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(landing):
    file = landing.put("a.csv", ROWS)
    earlier = landing.deliveries(layout())
    assert next_deliveries(landing, landing.find(layout()), earlier) == []
    file.write_text(ROWS + "y,2\n")
    (later,) = next_deliveries(landing, landing.find(layout()), earlier)
    assert (later.delivery_no, later.known_as) == (2, None)
    assert later.fingerprint != earlier[0].fingerprint


def test_a_renamed_or_touched_file_is_known_as_the_first_delivery(landing):
    file = landing.put("a.csv", ROWS)
    earlier = landing.deliveries(layout())
    file.rename(file.with_name("renamed.csv"))
    assert names(next_deliveries(landing, landing.find(layout()), earlier)) == [(2, "renamed.csv", 1)]
    touched = file.with_name("renamed.csv").rename(file)
    os.utime(touched, (1_700_000_000, 1_700_000_000))
    assert names(next_deliveries(landing, landing.find(layout()), earlier)) == [(2, "a.csv", 1)]


def test_equal_files_of_one_source_are_read_once_in_one_run(landing):
    landing.put("a.csv", ROWS)
    landing.put("b.csv", ROWS)
    landing.put("c.csv", ROWS + "y,2\n")
    found = landing.find(layout())
    found += [replace(file, source="web") for file in found[:1]]
    deliveries = number_deliveries(landing.spark, found, set(), {}, 0)
    assert names(deliveries) == [(1, "a.csv", None), (2, "b.csv", 1), (3, "c.csv", None), (4, "a.csv", None)]


def test_a_file_too_large_to_hash_is_refused(landing):
    landing.put("a.csv", ROWS)
    (found,) = landing.find(layout())
    with pytest.raises(SourceError, match=r"larger than 2 GiB, .*a\.csv"):
        number_deliveries(landing.spark, [replace(found, n_bytes=2**31)], set(), {}, 0)


def test_a_location_that_cannot_be_listed_is_an_error_naming_the_source(spark):
    with pytest.raises(SourceError, match=r"^source till: nowhere://x/\*\.csv cannot be listed"):
        find_files(spark, "till", layout(path="nowhere://x/*.csv"), "/landing")


def test_relative_paths_are_below_the_landing_folder():
    assert resolve_path("till/*.csv", "/landing/") == "/landing/till/*.csv"
    assert resolve_path("/data/*.csv", "/landing") == "/data/*.csv"
    assert resolve_path("s3a://bucket/*.csv", "/landing") == "s3a://bucket/*.csv"


def test_special_characters_of_a_found_path_are_escaped():
    assert escape_glob("file:/a/b%201.csv") == "file:/a/b 1.csv"
    assert escape_glob("file:/a/b%5B1%5D.csv") == r"file:/a/b\[1\].csv"
