"""Every table of a project, and the results of its domains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import Domain
from lifestage.platform.result import DomainResult
from lifestage.platform.storage.contracts import Table
from lifestage.project.pipeline import DOMAINS
from lifestage.project.tables import RUN_LOCK, RUNS


@dataclass(frozen=True)
class RegisteredDomain:
    """A domain with its tables, its result, and the results of earlier domains."""

    domain: Domain
    tables: tuple[Table, ...]
    results: tuple[DomainResult, ...]
    """The results of earlier domains."""
    own_results: tuple[DomainResult, ...]
    """Its own result; none or one."""


def register(config: Config, domains: Sequence[Domain] = DOMAINS) -> Iterator[RegisteredDomain]:
    """Each domain in the order of the map."""
    results: tuple[DomainResult, ...] = ()
    for domain in domains:
        tables = tuple(domain.tables(config, results))
        own = tuple(
            DomainResult(domain.result, table, config.domains[domain.name])
            for table in tables
            if domain.result and table.name == domain.result.table
        )
        yield RegisteredDomain(domain, tables, results, own)
        results = (*results, *own)


def tables_of(config: Config, domains: Sequence[Domain] = DOMAINS) -> dict[str, Table]:
    """Every table by name, in the order of the map."""
    tables = [table for each in register(config, domains) for table in each.tables]
    return {table.name: table for table in (*tables, RUNS, RUN_LOCK)}


def results_of(config: Config, domains: Sequence[Domain] = DOMAINS) -> tuple[DomainResult, ...]:
    """The result of each domain that has one, in the order of the map."""
    return tuple(each for registered in register(config, domains) for each in registered.own_results)
