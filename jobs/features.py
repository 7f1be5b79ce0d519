"""Build the features of each user as of one date."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("features")
