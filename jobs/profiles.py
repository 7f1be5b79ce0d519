"""The step `profiles`: attributes of users from customer records. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("profiles")
