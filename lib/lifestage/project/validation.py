"""Checks that need more than one file: what the configurations of domains mean together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.platform.config.checks import prefix_file
from lifestage.platform.config.configuration import Config
from lifestage.platform.config.declared_expressions import Expression
from lifestage.platform.domain import Domain
from lifestage.platform.result import rule_columns
from lifestage.project.registry import RegisteredDomain, register
from lifestage.project.tables import RUN_LOCK, RUNS
from lifestage.users.catalogue.model import CATALOGUE

KEY = {"user_id", "as_of", "status"}


def find_problems(config: Config, domains: Sequence[Domain]) -> Iterator[str]:
    """Every problem with file and key, domain by domain."""
    registered = [*register(config, domains)]
    yield from _table_problems(config, registered)
    for each in registered:
        yield from find_domain_problems(config, each)


def find_domain_problems(config: Config, registered: RegisteredDomain) -> Iterator[str]:
    """Every problem of one domain with file and key."""
    if registered.domain.checks:
        yield from registered.domain.checks(config, registered.results)
    for expression in list_expressions(config, [registered]):
        yield from expression.problems()
    yield from _column_problems(config, registered)


def list_expressions(config: Config, registered: Iterable[RegisteredDomain]) -> Iterator[Expression]:
    """Every SQL expression that the configurations of domains declare."""
    for each in registered:
        if each.domain.expressions:
            yield from each.domain.expressions(config, each.results)


def _table_problems(config: Config, registered: Iterable[RegisteredDomain]) -> Iterator[str]:
    """Yield a problem for each reference table that has the name of another table."""
    tables = (RUNS, RUN_LOCK, *[table for each in registered for table in each.tables])
    counts = Counter(table.name for table in tables)
    for name in config.parts[REFERENCE_SOURCES]:
        if counts[name] > 1:
            file = config.folder / REFERENCE_SOURCES.name / f"{name}.yaml"
            yield from prefix_file(file, [f"{name}: a reference table cannot have the name of another table"])


def _column_problems(config: Config, registered: RegisteredDomain) -> Iterator[str]:
    """Yield a problem for each feature with the name of a result. Rules refer to both by name."""
    own = {
        column.name
        for each in registered.own_results
        for column in each.rule_columns()
        if each.declaration.rules
    }
    taken = sorted(own & {*rule_columns(registered.results)} - KEY)
    problems = (
        f"{name}: the step {registered.domain.name} has a column of that name: choose another"
        for name in taken
    )
    yield from prefix_file(config.folder / CATALOGUE.name, problems)
