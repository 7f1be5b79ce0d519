"""Every table of a project, by name."""

from collections.abc import Iterable

from lifestage.activation.audiences.tables import AUDIENCE_DEFINITIONS, USER_AUDIENCES
from lifestage.activation.publish.tables import SNAPSHOT_USERS, SNAPSHOTS
from lifestage.analytics.segments.tables import SEGMENT_MODELS, USER_SEGMENTS
from lifestage.analytics.stages.tables import STAGE_TOTALS, USER_STAGES
from lifestage.analytics.value.tables import RFM_CUTS, TIER_CUTS, USER_VALUE, VALUE_SCALES
from lifestage.ingestion.events.tables import EVENT_VERSIONS, EVENTS
from lifestage.ingestion.sources.tables import INGEST_LEDGER, REJECTED_EVENTS
from lifestage.platform.storage.contracts import Table
from lifestage.project.tables import RUN_LOCK, RUNS
from lifestage.users.activity.tables import CATEGORY_DAYS, activity_days
from lifestage.users.catalogue.model import Catalogue
from lifestage.users.features.tables import NORMS, user_features, user_state
from lifestage.users.identity.tables import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST, LINK_DAYS, LINKS
from lifestage.users.matching.tables import MATCHES
from lifestage.users.profiles.tables import user_profiles


def all_tables(catalogue: Catalogue, references: Iterable[Table]) -> dict[str, Table]:
    """The contracts in the order of the pipeline; columns of activity and features follow the catalogue."""
    tables = (
        *references,
        EVENTS,
        EVENT_VERSIONS,
        REJECTED_EVENTS,
        INGEST_LEDGER,
        MATCHES,
        LINK_DAYS,
        LINKS,
        IDENTITY_MAP,
        IDENTITY_CHANGES,
        IDENTITY_PAST,
        activity_days(catalogue),
        CATEGORY_DAYS,
        user_profiles(catalogue),
        user_state(catalogue),
        NORMS,
        user_features(catalogue),
        USER_STAGES,
        STAGE_TOTALS,
        USER_VALUE,
        RFM_CUTS,
        VALUE_SCALES,
        TIER_CUTS,
        SEGMENT_MODELS,
        USER_SEGMENTS,
        AUDIENCE_DEFINITIONS,
        USER_AUDIENCES,
        SNAPSHOTS,
        SNAPSHOT_USERS,
        RUNS,
        RUN_LOCK,
    )
    return {table.name: table for table in tables}
