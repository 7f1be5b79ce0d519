"""Assign each user a segment, training a model where the calendar asks for one."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("segments")
