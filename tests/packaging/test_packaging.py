"""What scripts/build makes, and whether requirements.lock still fits pyproject.toml."""

import hashlib
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lifestage import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lib" / "lifestage"

# -I -S: no editable install and no working directory on the path. Entries that are only appended do not run their .pth files.
IMPORT_FROM_ZIP = """
import hashlib, importlib, importlib.resources, json, pkgutil, sys

archive, site, files = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path.insert(0, archive)
sys.path.append(site)
import lifestage

modules = [m.name for m in pkgutil.walk_packages(lifestage.__path__, "lifestage.") if not m.name.endswith(".__main__")]
outside = [m for m in ["lifestage", *modules] if not importlib.import_module(m).__spec__.origin.startswith(archive)]
root = importlib.resources.files("lifestage")
read = {f: hashlib.sha256(root.joinpath(f).read_bytes()).hexdigest() for f in files}
print(json.dumps({"outside": outside, "read": read}))
"""


def build(directory: Path) -> Path:
    subprocess.run([ROOT / "scripts" / "build", directory], check=True, capture_output=True, text=True)
    return directory


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


def package_files(*, python: bool) -> list[str]:
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted(path.relative_to(PACKAGE).as_posix() for path in files if (path.suffix == ".py") == python)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_zip_holds_the_whole_package_at_its_top_level(built):
    with zipfile.ZipFile(built / "lifestage.zip") as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert "lifestage/__init__.py" in names
    assert names == {f"lifestage/{file}" for file in package_files(python=True) + package_files(python=False)}


def test_every_module_imports_and_every_data_file_reads_from_the_zip(built):
    data = package_files(python=False)
    command = [sys.executable, "-I", "-S", "-c", IMPORT_FROM_ZIP]
    arguments = [str(built / "lifestage.zip"), sysconfig.get_path("purelib"), json.dumps(data)]
    ended = subprocess.run(command + arguments, check=False, capture_output=True, text=True, cwd=built)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "outside": [],
        "read": {file: sha256(PACKAGE / file) for file in data},
    }


def test_wheel_and_zip_hold_the_same(built):
    (wheel,) = built.glob("lifestage-*-py3-none-any.whl")
    assert sha256(wheel) == sha256(built / "lifestage.zip")


def test_a_second_build_gives_the_same_bytes(built, tmp_path):
    again = build(tmp_path / "dist")
    assert {path.name: sha256(path) for path in again.iterdir()} == {
        path.name: sha256(path) for path in built.iterdir()
    }


@pytest.mark.parametrize(
    "file",
    [
        "analytics/stages/texts/en.yaml",
        "platform/reporting/texts/en.yaml",
        "project/defaults.yaml",
        "platform/runtime/spark/spark-env.sh",
        "services/starter_project/lifestage.yaml",
        "users/features/defaults.yaml",
    ],
)
def test_the_wheel_holds_what_is_no_python(built, file):
    """A build that left a folder of data out would agree with itself."""
    with zipfile.ZipFile(built / "lifestage.zip") as archive:
        assert archive.read(f"lifestage/{file}")


def test_package_and_metadata_have_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_the_lock_holds_every_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    }
    declared = [
        Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]
    ]
    missing = [
        str(requirement)
        for requirement in declared
        if (name := canonicalize_name(requirement.name)) not in pinned
        or pinned[name] not in requirement.specifier
    ]
    assert missing == [], "run scripts/lib/lock"


@pytest.mark.parametrize(
    "lock",
    [ROOT / "requirements.lock", *sorted((ROOT / "scripts" / "locks").glob("*.lock"))],
    ids=lambda p: p.name,
)
def test_a_lock_pins_by_hash_and_names_no_address(lock):
    entries = [
        line
        for line in lock.read_text().replace("\\\n", " ").splitlines()
        if line and not line.lstrip().startswith("#")
    ]
    assert entries
    assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+.* --hash=sha256:", entry)] == []
    assert "://" not in lock.read_text()
