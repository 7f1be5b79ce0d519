"""THE MAP: the list of domains, in the order in which their steps run.

A domain is a folder and a line here. Loader, registry, validation, command line, jobs, snapshot, explain, report and
reference documentation loop over the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lifestage.activation.audiences.domain import DOMAIN as AUDIENCES
from lifestage.activation.publish.domain import DOMAIN as PUBLISH
from lifestage.activation.report.domain import DOMAIN as REPORT
from lifestage.analytics.channels.domain import DOMAIN as CHANNELS
from lifestage.analytics.segments.domain import DOMAIN as SEGMENTS
from lifestage.analytics.stages.domain import DOMAIN as STAGES
from lifestage.analytics.value.domain import DOMAIN as VALUE
from lifestage.ingestion.events.domain import DOMAIN as EVENTS
from lifestage.ingestion.reference.domain import DOMAIN as REFERENCE
from lifestage.ingestion.sources.ledger import LEDGER
from lifestage.platform.domain import REFERENCES, RESULT_CHECKS, RESULTS, SECTIONS, Domain
from lifestage.platform.reporting.section import Section
from lifestage.users.activity.domain import DOMAIN as ACTIVITY
from lifestage.users.features.domain import DOMAIN as FEATURES
from lifestage.users.identity.domain import DOMAIN as IDENTITY
from lifestage.users.matching.domain import DOMAIN as MATCHING
from lifestage.users.profiles.domain import DOMAIN as PROFILES

DOMAINS: tuple[Domain, ...] = (
    REFERENCE,
    EVENTS,
    MATCHING,
    IDENTITY,
    ACTIVITY,
    PROFILES,
    FEATURES,
    STAGES,
    VALUE,
    SEGMENTS,
    CHANNELS,
    AUDIENCES,
    PUBLISH,
    REPORT,
)
# A run is complete once this step is done: readers then see its tables.
COMPLETES = PUBLISH.name


def steps(domains: Sequence[Domain] = DOMAINS) -> tuple[Domain, ...]:
    """The domains that are part of a run."""
    return tuple(domain for domain in domains if not domain.is_on_demand)


STEPS: Mapping[str, Domain] = {domain.name: domain for domain in steps()}
# The steps of a backfill: it uses the events that are stored, and ingests none.
BACKFILL_STEPS = tuple(domain.name for domain in steps() if LEDGER not in domain.writes)


def groups(domains: Sequence[Domain] = DOMAINS) -> list[tuple[Domain, ...]]:
    """The steps in order, in groups that run in parallel.

    No step writes a table that another step of its group reads or writes.
    """
    found: list[tuple[Domain, ...]] = []
    for step in steps(domains):
        if found and not any(_has_conflict(step, other, domains) for other in found[-1]):
            found[-1] = (*found[-1], step)
        else:
            found.append((step,))
    return found


def _has_conflict(one: Domain, other: Domain, domains: Sequence[Domain]) -> bool:
    written = {*one.writes, *other.writes}
    reads, others = reads_of(one, domains), reads_of(other, domains)
    return bool(written & {*reads, *one.writes} & {*others, *other.writes})


def reads_of(domain: Domain, domains: Sequence[Domain] = DOMAINS) -> tuple[str, ...]:
    """The tables that a domain reads. Placeholders for results and sections are replaced by tables."""
    results = [each.result for each in domains_before(domain, domains) if each.result]
    placeholders = {
        RESULTS: [result.table for result in results],
        RESULT_CHECKS: [table for result in results for table in result.check_reads],
        SECTIONS: [table for section in sections_of(domains) for table in section.reads],
    }
    return tuple(dict.fromkeys(name for read in domain.reads for name in placeholders.get(read, [read])))


def sections_of(domains: Sequence[Domain] = DOMAINS) -> tuple[Section[Any], ...]:
    """The sections of the report, in the order of the map."""
    return tuple(domain.section for domain in domains if domain.section)


def domains_before(domain: Domain, domains: Sequence[Domain] = DOMAINS) -> Sequence[Domain]:
    """The domains that come before one in the map."""
    return domains[: [each.name for each in domains].index(domain.name)]


def expand(tables: Iterable[str], references: Iterable[str]) -> frozenset[str]:
    """Names of tables. The placeholder for reference tables is replaced by those of the project."""
    return frozenset(name for table in tables for name in (references if table == REFERENCES else (table,)))


def writers_of(
    table: str, references: Iterable[str] = (REFERENCES,), domains: Sequence[Domain] = DOMAINS
) -> str:
    """The steps that write a table, or the run itself."""
    names = [domain.name for domain in domains if table in expand(domain.writes, references)]
    return ", ".join(names) or "the run itself"


def draw_map(domains: Sequence[Domain] = DOMAINS) -> str:
    """The map as a Mermaid flow chart: steps as boxes, tables on the arrows between writer and reader."""
    shown = steps(domains)
    lines = ["flowchart TD"]
    lines += [f'    {step.name}["<b>{step.name}</b><br/>{step.does}"]' for step in shown]
    for number, reader in enumerate(shown):
        for writer in shown[:number]:
            shared = [name for name in writer.writes if name in reads_of(reader, domains) and name != LEDGER]
            if shared:
                label = ", ".join(name.strip("<>") for name in shared)
                lines.append(f"    {writer.name} -->|{label}| {reader.name}")
    return "\n".join(lines)
