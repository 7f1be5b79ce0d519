"""Write the run's report."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("report")
