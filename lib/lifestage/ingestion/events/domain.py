"""The declaration of events."""

from lifestage.ingestion.events.checks import check_config, declare_expressions
from lifestage.ingestion.events.config import compose_config
from lifestage.ingestion.events.diagnose import diagnose_events
from lifestage.ingestion.events.event_types import EVENT_TYPES
from lifestage.ingestion.events.section import SECTION
from lifestage.ingestion.events.step import run
from lifestage.ingestion.events.tables import EVENT_VERSIONS, EVENTS
from lifestage.ingestion.sources.config import SOURCES
from lifestage.ingestion.sources.tables import INGEST_LEDGER, REJECTED_EVENTS
from lifestage.platform.domain import REFERENCES, Configuration, Domain

DOMAIN = Domain(
    name="ingest",
    does="map, check, pseudonymise, deduplicate",
    reads=(REFERENCES, "ingest_ledger"),
    writes=("events", "event_versions", "rejected_events", "ingest_ledger"),
    run=run,
    config=Configuration((SOURCES, EVENT_TYPES), compose_config),
    tables=lambda _config, _results: (EVENTS, EVENT_VERSIONS, REJECTED_EVENTS, INGEST_LEDGER),
    checks=check_config,
    expressions=declare_expressions,
    diagnose=diagnose_events,
    section=SECTION,
)
