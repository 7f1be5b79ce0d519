"""The step `profiles`: what customer records say of a user. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("profiles")
