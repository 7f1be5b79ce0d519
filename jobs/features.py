"""The step `features`: one row of features per user, as of a date. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("features")
