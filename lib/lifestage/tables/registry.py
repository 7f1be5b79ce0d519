"""Every table of a project, by name."""

from collections.abc import Iterable

from lifestage.core.contracts import Table
from lifestage.tables.activity import CATEGORY_DAYS, activity_days
from lifestage.tables.audiences import AUDIENCE_DEFINITIONS, USER_AUDIENCES
from lifestage.tables.catalogue import Catalogue
from lifestage.tables.events import EVENT_VERSIONS, EVENTS, INGEST_LEDGER, REJECTED_EVENTS
from lifestage.tables.features import NORMS, user_features, user_state
from lifestage.tables.identity import IDENTITY_CHANGES, IDENTITY_MAP, IDENTITY_PAST, LINK_DAYS, LINKS
from lifestage.tables.matches import MATCHES
from lifestage.tables.profiles import user_profiles
from lifestage.tables.publish import RUN_LOCK, RUNS, SNAPSHOT_USERS, SNAPSHOTS
from lifestage.tables.segments import SEGMENT_MODELS, USER_SEGMENTS
from lifestage.tables.stages import STAGE_TOTALS, USER_STAGES
from lifestage.tables.value import RFM_CUTS, TIER_CUTS, USER_VALUE, VALUE_SCALES


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
