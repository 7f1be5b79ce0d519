"""The declaration of reference data."""

from collections.abc import Iterator, Sequence

from lifestage.ingestion.reference.checks import check_config, declare_expressions
from lifestage.ingestion.reference.config import compose_config
from lifestage.ingestion.reference.step import run
from lifestage.ingestion.reference.tables import reference_table
from lifestage.ingestion.sources.config import REFERENCE_SOURCES
from lifestage.ingestion.sources.layout import is_column_type
from lifestage.platform.config.configuration import Config
from lifestage.platform.domain import REFERENCES, Configuration, Domain
from lifestage.platform.result import DomainResult
from lifestage.platform.storage.contracts import Table


def tables(config: Config, _results: Sequence[DomainResult]) -> Iterator[Table]:
    """Yield a table per file of reference/, except for files with unknown types, which validation reports."""
    for name, source in config.parts[REFERENCE_SOURCES].items():
        if all(map(is_column_type, source.types.values())):
            yield reference_table(
                name,
                source.description,
                source.key,
                {column: source.types.get(column, "string") for column in source.map},
                source.sealed,
            )


DOMAIN = Domain(
    name="reference",
    does="keyed extracts, versioned by date",
    reads=("ingest_ledger",),
    writes=(REFERENCES, "rejected_events", "ingest_ledger"),
    run=run,
    config=Configuration((REFERENCE_SOURCES,), compose_config),
    tables=tables,
    checks=check_config,
    expressions=declare_expressions,
)
