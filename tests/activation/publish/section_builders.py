"""Data of the section on the making of a report, with fixed defaults."""

from dataclasses import replace

from lifestage.activation.publish.section import CompletedRun, MakingData, Snapshot
from lifestage.platform.result import Check
from support.reporting import AS_OF

CHECKS = (Check("has users", True, "10 users"),)


def empty_making(**changes):
    return replace(MakingData("run-1"), **changes)


def full_making(**changes):
    data = MakingData("run-1", (snapshot(),), (completed("run-0"),), {"user_stages": 4})
    return replace(data, **changes)


def snapshot(checks=CHECKS):
    return Snapshot(f"{AS_OF}.r1", AS_OF, 1, 10, "abc", "2026-11-22 03:15", checks)


def completed(run_id="run-0"):
    return CompletedRun(
        run_id,
        "2026-11-21 03:15",
        (AS_OF,),
        1,
        "0.1.0",
        (f"{AS_OF}.r1",),
        {"user_stages": 3},
        {"ingest": 12.5, "stages": 2.0},
    )
