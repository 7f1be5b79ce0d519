"""The domain `match`."""

from lifestage.platform.domain import REFERENCES, Configuration, Domain
from lifestage.users.matching.checks import check_config
from lifestage.users.matching.config import MATCHING, compose_config
from lifestage.users.matching.diagnose import diagnose_matches
from lifestage.users.matching.step import run
from lifestage.users.matching.tables import MATCHES

DOMAIN = Domain(
    name="match",
    does="links between records that probably describe one person",
    reads=(REFERENCES,),
    writes=("matches",),
    run=run,
    config=Configuration((MATCHING,), compose_config),
    tables=lambda _config, _results: (MATCHES,),
    checks=check_config,
    is_on_demand=True,
    diagnose=diagnose_matches,
)
