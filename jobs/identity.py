"""The step `identity`: identity resolution across channels. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("identity")
