"""Every table of a project, and what its domains decide about users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import Domain
from lifestage.platform.result import Decided
from lifestage.platform.storage.contracts import Table
from lifestage.project.pipeline import DOMAINS
from lifestage.project.tables import RUN_LOCK, RUNS


@dataclass(frozen=True)
class Registered:
    """A domain with its tables, and what earlier domains decide."""

    domain: Domain
    tables: tuple[Table, ...]
    decided: tuple[Decided, ...]
    decides: tuple[Decided, ...]
    """What it decides itself; nothing or one result."""


def register(config: Config, domains: Sequence[Domain] = DOMAINS) -> Iterator[Registered]:
    """Each domain in the order of the map."""
    decided: tuple[Decided, ...] = ()
    for domain in domains:
        tables = tuple(domain.tables(config, decided))
        own = tuple(
            Decided(domain.result, table, config.domains[domain.name])
            for table in tables
            if domain.result and table.name == domain.result.table
        )
        yield Registered(domain, tables, decided, own)
        decided = (*decided, *own)


def tables_of(config: Config, domains: Sequence[Domain] = DOMAINS) -> dict[str, Table]:
    """Every table by name, in the order of the map."""
    tables = [table for each in register(config, domains) for table in each.tables]
    return {table.name: table for table in (*tables, RUNS, RUN_LOCK)}


def decided_of(config: Config, domains: Sequence[Domain] = DOMAINS) -> tuple[Decided, ...]:
    """Everything that domains decide about users, in the order of the map."""
    return tuple(each for registered in register(config, domains) for each in registered.decides)
