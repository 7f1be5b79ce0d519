"""Write what customer records say of each user."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("profiles")
