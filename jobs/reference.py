"""The step `reference`: keyed extracts, versioned by date. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("reference")
