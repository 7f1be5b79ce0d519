"""The declaration of channels."""

from lifestage.analytics.channels.config import compose_config
from lifestage.analytics.channels.section import SECTION
from lifestage.analytics.channels.step import run
from lifestage.analytics.channels.tables import CHANNEL_REACH, CHANNEL_TOTALS
from lifestage.platform.domain import Configuration, Domain

DOMAIN = Domain(
    name="channels",
    does="users by channel, and reach",
    reads=("user_features", "user_stages", "user_value", "events", "identity_map", "identity_past"),
    writes=("channel_totals", "channel_reach"),
    run=run,
    config=Configuration((), compose_config, affects_results=False),
    tables=lambda _config, _results: (CHANNEL_TOTALS, CHANNEL_REACH),
    section=SECTION,
)
