"""Record which rules hold, and who is in which audience."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("audiences")
