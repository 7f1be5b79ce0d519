"""The step `report`: one self-contained HTML file. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("report")
