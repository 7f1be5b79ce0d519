"""The step `activity`: one row of measures per subject and day. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("activity")
