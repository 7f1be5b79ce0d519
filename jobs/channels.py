"""The step `channels`: users by channel, and reach. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("channels")
