"""Membership of every audience at the run's dates."""

from pyspark.sql import functions as F

from lifestage.activation.audiences.config import AudiencesConfig
from lifestage.activation.audiences.definitions import Definition, find_new_definitions, rules_on
from lifestage.activation.audiences.membership import build_totals, members, to_candidates
from lifestage.platform.as_of_dates import newest_built
from lifestage.platform.job import Job
from lifestage.platform.runtime.frames import local_rows

FEATURES = "user_features"
VALUE = "user_value"


def run(job: Job, config: AudiencesConfig) -> None:
    """Record what rules changed; read who they choose from; write who is in which audience."""
    definitions = _definitions(job, config)
    dates = job.run.as_of_dates
    is_due = F.col("as_of").isin(*dates)
    results = [
        (each.declaration.rules, job.read(each.table.name).where(is_due))
        for each in job.results
        if each.declaration.rules
    ]
    users = to_candidates(job.read(FEATURES).where(is_due), results)
    job.write_as_of("user_audiences", members(users, {day: rules_on(definitions, day) for day in dates}))
    # From the rows as they were written: the candidates are wide.
    written = job.read("user_audiences").where(is_due)
    job.write_as_of("audience_totals", build_totals(written, job.read(VALUE).where(is_due)))


def _definitions(job: Job, config: AudiencesConfig) -> list[Definition]:
    """Those stored and those that this run adds, which are stored first."""
    table = job.table("audience_definitions")
    # A row an audience and change of its rule.
    rows = job.read(table.name).select("audience", "from_as_of", "sql").collect()
    stored = [Definition(*row) for row in rows]
    configured = {name: audience.when for name, audience in config.audiences.items()}
    added = find_new_definitions(stored, configured, job.run.as_of_dates, newest_built(job.read("runs")))
    if added:
        new = [(each.audience, each.from_as_of, each.sql, each.semantic_hash) for each in added]
        job.write(table.name, local_rows(job.spark, new, table.schema))
    replaced = {(each.audience, each.from_as_of): each for each in (*stored, *added)}
    return [*replaced.values()]
