"""Map every identifier to its user."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("identity")
