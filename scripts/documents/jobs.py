"""jobs/<step>.py: the spark-submit entry of each step of the map."""

from lifestage.platform.domain import Domain

ENTRY = '''"""The step `{name}`: {does}. Written by scripts/docs."""

from lifestage.cli import run_job

if __name__ == "__main__":
    run_job("{name}")
'''


def job_file(domain: Domain) -> str:
    """The text of a step's entry."""
    return ENTRY.format(name=domain.name, does=domain.does)
