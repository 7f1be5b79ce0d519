import subprocess
import sys

from benchmark.usage import Meter, list_files, measure_usage

BUSY = "from time import process_time\nwhile process_time() < 0.5: pass"


def test_a_child_counts_also_after_it_has_ended():
    with measure_usage() as used:
        subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert used["cpu"] >= 0.5
    assert used["seconds"] >= 0.5


def test_memory_is_the_peak_of_the_interval():
    with Meter() as meter:
        held = bytearray(200_000_000)
        subprocess.run([sys.executable, "-c", BUSY], check=True)
        del held
    start, end = meter.samples[0].at, meter.samples[-1].at
    assert meter.between(start, end)["memory"] - meter.samples[0].memory >= 190_000_000


def test_files_are_listed_by_path_with_their_bytes(tmp_path):
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "part").write_bytes(b"12345")
    assert list_files(tmp_path) == {"events/part": 5}
    assert list_files(tmp_path / "missing") == {}
