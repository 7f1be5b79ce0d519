"""Check and freeze the snapshot of one date; this completes the run."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("publish")
