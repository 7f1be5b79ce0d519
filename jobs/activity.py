"""Bring subject-days up to date with the events."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("activity")
