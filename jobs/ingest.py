"""Turn new files into canonical events."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("ingest")
