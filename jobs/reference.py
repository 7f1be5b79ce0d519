"""Load keyed extracts as versions valid from a business date."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("reference")
