"""Files of local folders are told from those of the ledger without Spark, and every doubt counts as a new file."""

import os
from datetime import UTC, datetime

import pytest

from lifestage.ingestion.sources.layout import FileLayout
from lifestage.ingestion.sources.local_files import has_only_known_files, read_known_files

AT = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path):
    for name in ("till/a.csv", "till/b c.csv", "web/day=1/x.csv"):
        write(tmp_path, name)
    return tmp_path


def write(landing, name, text="1,2\n", at=AT):
    file = landing / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    nanoseconds = round(at.timestamp() * 1000) * 1_000_000
    os.utime(file, ns=(nanoseconds, nanoseconds))
    return file


def delivered(landing, *names, source="till"):
    """Rows of the ledger, as Spark writes paths."""
    paths = [f"file:{landing}/{name}".replace(" ", "%20") for name in names]
    return [{"source": source, "path": path, "n_bytes": 4, "modified_at": AT} for path in paths]


def is_known(landing, rows, path="till/*.csv", file_format="csv"):
    layout = FileLayout(path=path, format=file_format, columns={"a": "string"})
    return has_only_known_files("till", layout, str(landing), read_known_files(rows))


def test_files_of_the_ledger_are_known(landing):
    both = delivered(landing, "till/a.csv", "till/b c.csv")
    assert is_known(landing, [*both, {**both[0], "path": None, "modified_at": None}])
    assert is_known(landing, both, f"file://{landing}/till/*.csv")
    assert is_known(landing, both, "till/?*.csv")
    assert is_known(landing, both, "till")
    assert not is_known(landing, both[:1])
    assert not is_known(landing, delivered(landing, "till/a.csv", "till/b c.csv", source="web"))


def test_a_file_with_another_size_or_time_is_not_known(landing):
    both = delivered(landing, "till/a.csv", "till/b c.csv")
    write(landing, "till/a.csv", "12,3\n")
    assert not is_known(landing, both)
    write(landing, "till/a.csv", at=datetime(2026, 3, 1, 12, 0, 0, 124000, tzinfo=UTC))
    assert not is_known(landing, both)
    write(landing, "till/a.csv")
    assert is_known(landing, both)


def test_files_that_spark_skips_or_does_not_match_do_not_count(landing):
    both = delivered(landing, "till/a.csv", "till/b c.csv")
    for name in ("till/.hidden.csv", "till/_SUCCESS.csv", "till/notes.txt", "till.csv"):
        write(landing, name)
    write(landing, "till/empty.csv", "")
    assert is_known(landing, both)
    for name in ("till/_a=b.csv", "till/deep.csv/c.csv", "till/c.csv"):
        file = write(landing, name)
        assert not is_known(landing, both), name
        file.unlink()
    assert is_known(landing, both)


def test_a_folder_that_the_pattern_matches_counts_with_all_that_is_in_it(landing):
    rows = delivered(landing, "web/day=1/x.csv")
    assert is_known(landing, rows, "web/*")
    assert not is_known(landing, [], "web/*")
    assert is_known(landing, [], "web/*.csv")


def test_a_source_without_files_has_nothing_new_and_says_so(landing, caplog):
    assert is_known(landing, [], "crm/*.csv")
    assert "source till: no file matches" in caplog.text


@pytest.mark.parametrize(
    ("path", "file_format"),
    [
        ("till/{a,b c}.csv", "csv"),
        ("till/[ab]*.csv", "csv"),
        ("s3://shop/till/*.csv", "csv"),
        ("till", "delta"),
    ],
)
def test_what_only_spark_lists_is_a_doubt(landing, path, file_format):
    both = delivered(landing, "till/a.csv", "till/b c.csv")
    assert not is_known(landing, both, path, file_format)


def test_a_file_or_folder_that_cannot_be_read_is_a_doubt(landing, monkeypatch):
    both = delivered(landing, "till/a.csv", "till/b c.csv")
    (landing / "till/gone.csv").symlink_to(landing / "nowhere.csv")
    assert not is_known(landing, both)
    (landing / "till/gone.csv").unlink()
    assert is_known(landing, both)

    def refuse(*_):
        raise PermissionError("no access")

    monkeypatch.setattr(os, "scandir", refuse)
    assert not is_known(landing, both)


def test_a_link_to_a_folder_is_followed(landing, tmp_path_factory):
    other = tmp_path_factory.mktemp("mounted")
    write(other, "a.csv")
    (landing / "linked").symlink_to(other)
    assert is_known(landing, delivered(landing, "linked/a.csv"), "linked/*.csv")
    assert not is_known(landing, [], "linked/*.csv")
