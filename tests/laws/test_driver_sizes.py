"""What a run collects on the driver does not grow with the number of users.

Two settings limit what does: identity.driver_links and coreset. Neither has work to do here: no identifiers are linked, and
the users are too few for segments.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from laws.history import line
from support.projects import ALL_STEPS, delta_store, make_project

pytestmark = pytest.mark.slow

NIGHTS = (date(2026, 4, 1), date(2026, 4, 2))
FEW, MANY = 30, 90
COLLECTS = ("collect", "toArrow", "toPandas", "toLocalIterator")
# Fewer rows than users: beyond so many, rows stay on the executors.
PLAN_ROWS = 20


def receipts(n_users: int) -> Iterator[dict[str, object]]:
    """Purchases of ten kinds of customers, each as often as the others, so that more users have the same distribution."""
    for user in range(n_users):
        kind = user % 10
        for number in range(kind // 2 + 1):
            day = date(2026, 1, 5) + timedelta(days=kind + number * (5 + kind))
            yield line(f"r{user}-{number}", f"c{user}", day, f"{10 + kind}.00")
        yield line(f"last-{user}", f"c{user}", NIGHTS[0] - timedelta(days=kind), "20.00")


def asking_code() -> str:
    """The code of ours that asks for rows: the innermost functions of the stack."""
    frame, found = sys._getframe(2), []
    while frame and len(found) < 4:
        path = Path(frame.f_code.co_filename).as_posix()
        if "/lib/lifestage/" in path:
            found.append(f"{path.split('/lib/lifestage/')[1]}:{frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def measure_driver(spark, folder, n_users: int, patch) -> dict[str, int]:
    """The most rows that each piece of code collects at once, in a first run and in a night that touches every user."""
    most: dict[str, int] = defaultdict(int)
    frames = type(spark.range(1))

    def counted(name):
        original = getattr(frames, name)

        def collect(frame, *arguments, **options):
            rows = original(frame, *arguments, **options)
            size = len(rows) if hasattr(rows, "__len__") else rows.num_rows
            code = asking_code()
            most[code] = max(most[code], size)
            return rows

        return collect

    project = make_project(spark, folder, store=delta_store(spark, folder))
    with patch.context() as patched:
        patched.setattr("lifestage.platform.runtime.frames.MAX_PLAN_ROWS", PLAN_ROWS)
        for name in COLLECTS:
            patched.setattr(frames, name, counted(name))
        project.deliver("history.csv", [*receipts(n_users)])
        project.run(str(NIGHTS[0]), steps=ALL_STEPS)
        project.deliver(
            "night.csv", [line(f"n{user}", f"c{user}", NIGHTS[1], "5.00") for user in range(n_users)]
        )
        project.run(str(NIGHTS[1]), steps=ALL_STEPS)
    assert project.read("user_features").where(f"as_of = '{NIGHTS[1]}'").count() == n_users
    return most


def test_rows_on_the_driver_do_not_grow_with_users(spark, tmp_path):
    few, many = (measure_driver(spark, tmp_path / str(n), n, pytest.MonkeyPatch) for n in (FEW, MANY))
    assert not {code: (few[code], n) for code, n in many.items() if n > few[code]}
    assert max(many.values()) >= 3, "nothing was counted"
