"""What the package itself offers."""

import importlib
import pkgutil
import subprocess
import sys

import lifestage


def test_no_reader_has_the_name_of_a_module():
    """An imported module would take the reader's place."""
    modules = {module.name for module in pkgutil.iter_modules(lifestage.__path__)}
    assert modules.isdisjoint(lifestage.__all__)


def test_every_reader_is_there_after_everything_is_imported():
    importlib.import_module("lifestage.cli")
    assert all(callable(getattr(lifestage, name)) for name in lifestage.__all__)


def test_the_readers_are_listed_before_their_first_use():
    code = "import lifestage; print(*dir(lifestage))"
    listed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert {*lifestage.__all__, "__version__"} <= {*listed.split()}


def test_the_package_itself_needs_no_spark():
    code = "import sys, lifestage; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
