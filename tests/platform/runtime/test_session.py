"""Where a local session gets Delta from, and what it says when it cannot start."""

import os
import stat
from pathlib import Path

import pytest

from lifestage.platform.errors import LifestageError
from lifestage.platform.runtime.session import (
    DELTA_JARS,
    SEMANTIC_SETTINGS,
    _explain_failed_start,
    _merge_settings,
)


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    """No JARs of the set-up, an empty cache, and no spark-submit around."""
    monkeypatch.delenv("LIFESTAGE_JARS", raising=False)
    monkeypatch.delenv("SPARK_ENV_LOADED", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def put_jars(folder):
    folder.mkdir(parents=True)
    for name in DELTA_JARS:
        (folder / name).touch()


def java(folder, monkeypatch, says):
    """A Java that prints its version and does nothing else."""
    program = folder / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("JAVA_HOME", str(folder / "java"))


def test_the_working_directory_gets_no_warehouse(monkeypatch):
    """Spark creates the folder of its default database when a session starts."""
    monkeypatch.delenv("SPARK_HOME", raising=False)
    folder = Path(_merge_settings({})["spark.sql.warehouse.dir"])
    assert folder.is_absolute()
    assert not folder.is_relative_to(Path.cwd())
    mine = {"spark.sql.warehouse.dir": "/mine"}
    assert _merge_settings(mine)["spark.sql.warehouse.dir"] == "/mine"
    assert "spark.sql.warehouse.dir" not in _merge_settings({"spark.sql.catalogImplementation": "hive"})


def test_spark_fetches_two_jars_when_there_are_none(tmp_path):
    settings = _merge_settings({})
    assert settings["spark.jars.packages"].startswith("io.delta:delta-spark")
    assert settings["spark.jars.ivy"] == str(tmp_path / "cache" / "lifestage" / "ivy")
    assert "org.*:*" in settings["spark.jars.excludes"]


def test_jars_of_an_earlier_start_are_used_again(tmp_path):
    put_jars(tmp_path / "cache" / "lifestage" / "ivy" / "cache" / "io.delta" / "some" / "jars")
    settings = _merge_settings({})
    assert "spark.jars.packages" not in settings
    assert all(name in settings["spark.driver.extraClassPath"] for name in DELTA_JARS)


def test_packages_of_a_project_are_downloaded_with_their_dependencies():
    settings = _merge_settings({"spark.jars.packages": "org.example:connector:1"})
    assert settings["spark.jars.packages"] == "org.example:connector:1"
    assert "spark.jars.excludes" not in settings


def test_a_cluster_keeps_its_master_and_its_settings(monkeypatch):
    for name in ("SPARK_ENV_LOADED", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.setenv(name, "1")
    assert _merge_settings({"mine": "1"}) == {"mine": "1", **SEMANTIC_SETTINGS}
    monkeypatch.delenv("SPARK_ENV_LOADED")
    assert "spark.master" in _merge_settings({})
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "19.0")
    assert _merge_settings({"mine": "1"}) == {"mine": "1", **SEMANTIC_SETTINGS}


def test_a_folder_without_the_jars_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("LIFESTAGE_JARS", str(tmp_path))
    with pytest.raises(LifestageError, match=r"Delta's JARs are not there: copy delta-spark"):
        _merge_settings({})


def test_a_folder_with_the_jars_becomes_the_class_path(monkeypatch, tmp_path):
    put_jars(tmp_path / "jars")
    monkeypatch.setenv("LIFESTAGE_JARS", str(tmp_path / "jars"))
    path = _merge_settings({})["spark.driver.extraClassPath"]
    assert path == os.pathsep.join(str(tmp_path / "jars" / name) for name in DELTA_JARS)


def test_a_missing_java_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    assert "no working Java was found" in _explain_failed_start("io.delta:delta-spark")


def test_an_old_java_is_named(monkeypatch, tmp_path):
    java(tmp_path, monkeypatch, 'openjdk version "1.8.0_402"')
    assert "Java 8 was found" in _explain_failed_start(None)


def test_a_failed_fetch_says_how_to_bring_the_jars(monkeypatch, tmp_path):
    java(tmp_path, monkeypatch, 'openjdk version "21.0.2" 2024-01-16')
    message = _explain_failed_start("io.delta:delta-spark_4.2_2.13:4.4.0")
    assert all(part in message for part in ("unresolved dependency", "LIFESTAGE_JARS", *DELTA_JARS))


def test_another_failure_points_to_the_lines_above(monkeypatch, tmp_path):
    java(tmp_path, monkeypatch, 'openjdk version "17.0.1"')
    assert "the lines above say why" in _explain_failed_start(None)
