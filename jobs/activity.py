"""The step `activity`: one row per subject and day, mergeable. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("activity")
