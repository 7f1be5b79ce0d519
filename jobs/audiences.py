"""The step `audiences`: rules over all of these. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("audiences")
